"""Scaled integers, their bounds, and every rounding in Kerb, each with a name.

Cash and prices are integers in 1/10 000 of the currency (`_e4`), quantities in 1e-8 of a unit (`_e8`),
times in microseconds since the epoch, UTC (`_us`), rates in parts per million (`_ppm`) or basis points
(`_bps`). Decimals and strings exist at the border only.
"""

from __future__ import annotations

from typing import Final

CASH_SCALE: Final = 10_000
QUANTITY_SCALE: Final = 100_000_000
PPM: Final = 1_000_000
PPB: Final = 1_000_000_000
BPS: Final = 10_000

PER_UNIT_SCALE: Final = 10**16
"""A quantity in 1e-8 times a rate in 1e-12 of the currency a unit, to cash in 1e-4."""

# Added before a division to round it up: one step less than negating twice, on the way of every order.
QUANTITY_ROUND_UP: Final = QUANTITY_SCALE - 1
PPM_ROUND_UP: Final = PPM - 1

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US

TIME_MAX_US: Final = 253_402_300_800 * SECOND_US
"""The end of the year 9999, after which no calendar can write a date."""

# A Postgres BIGINT ends at 9.2e18. These bounds keep each stored figure, and the sum over all accounts of
# one asset, below it: every command that is accepted can be written.
PRICE_MAX_E4: Final = 10**9 * CASH_SCALE  # 1 000 000 000.0000 a unit
QUANTITY_MAX_E8: Final = 10**9 * QUANTITY_SCALE  # a thousand million units in one order
NOTIONAL_MAX_E4: Final = 10**11 * CASH_SCALE  # one order's worst case
CASH_TOTAL_MAX_E4: Final = 10**14 * CASH_SCALE  # all customers' cash in one currency
SECURITY_TOTAL_MAX_E8: Final = 10**10 * QUANTITY_SCALE  # all customers' units of one security

ID_MAX: Final = 2**63 - 1
"""The highest id that a BIGINT holds."""

IDS_PER_SEQ: Final = 1_000_003
"""An id is `seq * IDS_PER_SEQ + index`: one command makes at most this many ids (a BIGINT holds 9 million million
commands). Odd, because dicts are keyed by ids and look at the low bits first: with a power of two all ids collide.
"""


def notional_down_e4(price_e4: int, quantity_e8: int) -> int:
    """What a fill is worth: rounded down, and both sides use the same figure."""
    return price_e4 * quantity_e8 // QUANTITY_SCALE


def notional_up_e4(price_e4: int, quantity_e8: int) -> int:
    """What a hold must cover: rounded up, so it is never less than the fills it pays for."""
    return (price_e4 * quantity_e8 + QUANTITY_ROUND_UP) // QUANTITY_SCALE


def fee_parts_up_e4(maker_notional_e4: int, maker_ppm: int, taker_notional_e4: int, taker_ppm: int) -> int:
    """A fee on notionals at two rates: rounded up once, so it never exceeds that of the sum at the higher rate."""
    return (maker_notional_e4 * maker_ppm + taker_notional_e4 * taker_ppm + PPM_ROUND_UP) // PPM


def worst_cost_up_e4(price_e4: int, rest_e8: int, filled_notional_e4: int, rate_ppm: int) -> int:
    """The most that the rest of a buy can cost: its notional rounded up, and the fee on the whole, rounded up."""
    rest_e4 = (price_e4 * rest_e8 + QUANTITY_ROUND_UP) // QUANTITY_SCALE
    return rest_e4 + ((filled_notional_e4 + rest_e4) * rate_ppm + PPM_ROUND_UP) // PPM


def share_ppb_up_e4(notional_e4: int, rate_ppb: int) -> int:
    """A share of a notional in parts per thousand million, rounded up."""
    return -(-notional_e4 * rate_ppb // PPB)


def per_unit_up_e4(quantity_e8: int, rate_e12: int) -> int:
    """A charge by the unit, its rate in 1e-12 of the currency, rounded up: 1e-20 of both scales becomes 1e-4."""
    return -(-quantity_e8 * rate_e12 // PER_UNIT_SCALE)


def band_down_e4(price_e4: int, distance_bps: int) -> int:
    """The lower end of a band around a price, rounded towards the price."""
    return -(-price_e4 * (BPS - distance_bps) // BPS)


def band_up_e4(price_e4: int, distance_bps: int) -> int:
    """The upper end of a band around a price, rounded towards the price."""
    return price_e4 * (BPS + distance_bps) // BPS


def tick_down_e4(price_e4: int, tick_e4: int) -> int:
    """The highest multiple of the tick that is not above the price."""
    return price_e4 - price_e4 % tick_e4


def tick_up_e4(price_e4: int, tick_e4: int) -> int:
    """The lowest multiple of the tick that is not below the price."""
    return price_e4 + -price_e4 % tick_e4


def trail_down_e4(price_e4: int, distance_ppm: int) -> int:
    """A price less a trail in parts per million: rounded down, away from the price."""
    return price_e4 * (PPM - distance_ppm) // PPM


def trail_up_e4(price_e4: int, distance_ppm: int) -> int:
    """A price and a trail in parts per million: rounded up, away from the price."""
    return -(-price_e4 * (PPM + distance_ppm) // PPM)


def cost_share_e4(cost_e4: int, part_e8: int, whole_e8: int) -> int:
    """The part of a lot's cost that goes with a part of its quantity: rounded down, the rest stays with the lot."""
    return cost_e4 * part_e8 // whole_e8


def shares_of(total: int, parts: tuple[int, ...] | list[int]) -> list[int]:
    """A total split over parts in proportion to their sizes: each running total is rounded down, so they sum to the whole.

    The parts' sum must be above zero. A part of nothing gets nothing.
    """
    whole = sum(parts)
    running = given = 0
    shares = []
    for part in parts:
        running += part
        due = total * running // whole
        shares.append(due - given)
        given = due
    return shares


def volume_sum_e4(volume_e4: int, change_e4: int) -> int:
    """A day's volume after a fill or the taking back of one: within what a BIGINT holds, and never below zero."""
    return max(0, min(volume_e4 + change_e4, CASH_TOTAL_MAX_E4))


def dividend_down_e4(per_unit_e8: int, units_e8: int) -> int:
    """What a dividend of so much a unit (in 1e-8 of the currency) comes to on a holding: rounded down, once."""
    return per_unit_e8 * units_e8 // (QUANTITY_SCALE * QUANTITY_SCALE // CASH_SCALE)


def cash_for_units_down_e4(per_unit_e8: int, units_e8: int) -> int:
    """What a merger pays for a holding, at so much a unit (in 1e-8 of the currency): rounded down, once."""
    return per_unit_e8 * units_e8 // (QUANTITY_SCALE * QUANTITY_SCALE // CASH_SCALE)


def dividend_up_e4(per_unit_e8: int) -> int:
    """By how much a dividend lowers a price: rounded up to the unit of prices."""
    return -(-per_unit_e8 * CASH_SCALE // QUANTITY_SCALE)


def split_down_e8(units_e8: int, numerator: int, denominator: int) -> int:
    """Units after a split, rounded down to 1e-8; one that is below zero is rounded towards zero."""
    if units_e8 < 0:
        return -(-units_e8 * numerator // denominator)
    return units_e8 * numerator // denominator


def lots_down_e8(units_e8: int, lot_e8: int) -> int:
    """The whole lots in a quantity."""
    return units_e8 - units_e8 % lot_e8


def lots_up_e8(units_e8: int, lot_e8: int) -> int:
    """The least whole lots that cover a quantity."""
    return units_e8 + -units_e8 % lot_e8


def split_price_e4(price_e4: int, numerator: int, denominator: int) -> int:
    """What a price is worth a unit after a split: rounded half up, and at least the least there is; 0, none, stays."""
    if not price_e4:
        return 0
    return max(1, (2 * price_e4 * denominator + numerator) // (2 * numerator))


def split_price_down_e4(price_e4: int, numerator: int, denominator: int) -> int:
    """A limit to buy, or a stop to sell, after a split."""
    return price_e4 * denominator // numerator


def split_price_up_e4(price_e4: int, numerator: int, denominator: int) -> int:
    """A limit to sell, or a stop to buy, after a split."""
    return -(-price_e4 * denominator // numerator)


def split_rate_e8(per_unit_e8: int, numerator: int, denominator: int) -> int:
    """A dividend's rate for one unit after a split: rounded half up, and at least the least there is."""
    return max(1, (2 * per_unit_e8 * denominator + numerator) // (2 * numerator))


def fraction_up_e4(units_e8: int, price_e4: int, numerator: int, denominator: int) -> int:
    """Cash in lieu of new units at a price of before the split: rounded up, so that no fraction is worth nothing."""
    return -(-units_e8 * price_e4 * denominator // (numerator * QUANTITY_SCALE))


def average_price_e4(notional_e4: int, quantity_e8: int) -> int:
    """The average price of fills or of a holding, rounded half up; 0 when there is no quantity."""
    if quantity_e8 == 0:
        return 0
    return (2 * notional_e4 * QUANTITY_SCALE + quantity_e8) // (2 * quantity_e8)


def index_level_e4(base_level_e4: int, value_e4: int, base_value_e4: int) -> int:
    """Where an index stands that was at its base level when its constituents had their base value: rounded half up."""
    return (2 * base_level_e4 * value_e4 + base_value_e4) // (2 * base_value_e4)


def rate_share_half_up_e4(rate_e4: int, share_bps: int) -> int:
    """A unit's price times a factor, or a share of it, rounded half up: what each unit of a stay then costs."""
    return (2 * rate_e4 * share_bps + BPS) // (2 * BPS)


def discount_down_e4(amount_e4: int, share_bps: int) -> int:
    """What a discount takes off a price: rounded down, so the sum of parts never costs less than the whole."""
    return amount_e4 * share_bps // BPS


def coin_up_e4(amount_e4: int, coin_e4: int) -> int:
    """A price in whole coins, rounded up."""
    return -(-amount_e4 // coin_e4) * coin_e4


def tax_on_top_e4(net_e4: int, tax_bps: int, coin_e4: int) -> int:
    """The tax that is added to a price: rounded half up to the coin, once."""
    return (2 * net_e4 * tax_bps + BPS * coin_e4) // (2 * BPS * coin_e4) * coin_e4


def tax_within_e4(gross_e4: int, tax_bps: int, coin_e4: int) -> int:
    """The tax that a price contains: rounded half up to the coin, once."""
    whole = (BPS + tax_bps) * coin_e4
    return (2 * gross_e4 * tax_bps + whole) // (2 * whole) * coin_e4


def refund_up_e4(price_e4: int, share_bps: int) -> int:
    """What is given back of a price: rounded up, and never more than the whole."""
    return -(-price_e4 * share_bps // BPS)


def tax_share_down_e4(tax_e4: int, part_e4: int, price_e4: int) -> int:
    """The tax in a part of a price, in proportion: rounded down; 0 of a price of nothing."""
    return tax_e4 * part_e4 // price_e4 if price_e4 else 0
