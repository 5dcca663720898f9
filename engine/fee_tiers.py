"""Fee schedules at work: the tier an account has by its traded volume, and the terms an order is accepted with.

Volume is the notional of an account's fills, both sides, by day (UTC), of today and the 29 days before. It is counted while
any schedule has tiers. The tier is found when an order is accepted and stays with it, as its rates do.
"""

from __future__ import annotations

from typing import Final

from engine.commands import Envelope, SetFees
from engine.events import Refused
from engine.fees import FeeRules, FeeTerms
from engine.kinds import Side
from engine.orders import Order, fee_due_e4
from engine.refusals import Refusal
from engine.settlement_state import Volume
from engine.state import FeeSchedule, State
from engine.turn import Turn
from engine.units import CASH_TOTAL_MAX_E4, DAY_US, PPB, volume_sum_e4
from engine.watching import watch

FEE_MAX_PPM: Final = 100_000
"""A tenth of the notional. Below the whole, so a sell's fees never exceed its proceeds."""

TIERS_MAX: Final = 20
VOLUME_DAYS: Final = 30
UNIT_RATE_MAX_E12: Final = 10**12
"""One unit of the currency for one of the security."""


def set_fees(turn: Turn, envelope: Envelope, command: SetFees) -> Refused | None:
    """Set the terms of a schedule for orders from now on."""
    if not (0 <= command.maker_ppm <= FEE_MAX_PPM and 0 <= command.taker_ppm <= FEE_MAX_PPM):
        return Refused(Refusal.INVALID_LIMITS, (("fee_max_ppm", FEE_MAX_PPM),))
    rules = FeeRules(
        command.tiers,
        command.order_min_e4,
        command.order_max_e4,
        command.sell_ppb,
        command.sell_unit_e12,
        command.sell_unit_max_e4,
    )
    if not rules_hold(rules):
        return Refused(Refusal.INVALID_LIMITS, (("fee_max_ppm", FEE_MAX_PPM),))
    state = turn.state
    state.fees[command.schedule] = FeeSchedule(
        command.schedule, command.maker_ppm, command.taker_ppm, rules if rules != FeeRules() else None
    )
    state.dirty["fees"][command.schedule] = None
    watch(state)
    return None


def rules_hold(rules: FeeRules) -> bool:
    """Whether the rules of a schedule are sound: bounds in order, tiers ascending, rates below the whole."""
    volume_e4 = 0
    for from_e4, maker_ppm, taker_ppm in rules.tiers:
        if not volume_e4 < from_e4 <= CASH_TOTAL_MAX_E4:
            return False
        if not (0 <= maker_ppm <= FEE_MAX_PPM and 0 <= taker_ppm <= FEE_MAX_PPM):
            return False
        volume_e4 = from_e4
    return (
        len(rules.tiers) <= TIERS_MAX
        and 0 <= rules.order_min_e4 <= CASH_TOTAL_MAX_E4
        and 0 <= rules.order_max_e4 <= CASH_TOTAL_MAX_E4
        and (not rules.order_max_e4 or rules.order_min_e4 <= rules.order_max_e4)
        and 0 <= rules.sell_ppb < PPB
        and 0 <= rules.sell_unit_e12 <= UNIT_RATE_MAX_E12
        and 0 <= rules.sell_unit_max_e4 <= CASH_TOTAL_MAX_E4
    )


def set_terms(state: State, order: Order, rules: FeeRules, now_us: int) -> None:
    """Give a new order the rates of its account's tier and the rest of its schedule's rules."""
    volume = state.volumes.get(order.account_id)
    if rules.tiers and volume is not None:
        traded_e4 = traded_volume_e4(volume, now_us)
        for from_e4, maker_ppm, taker_ppm in rules.tiers:
            if traded_e4 < from_e4:
                break
            order.maker_ppm, order.taker_ppm = maker_ppm, taker_ppm
    if order.side is Side.SELL:
        terms = FeeTerms(
            rules.order_min_e4,
            rules.order_max_e4,
            rules.sell_ppb,
            rules.sell_unit_e12,
            rules.sell_unit_max_e4,
        )
    else:
        terms = FeeTerms(rules.order_min_e4, rules.order_max_e4)
    if terms != NO_FEE_TERMS:
        order.fee_terms = terms


NO_FEE_TERMS: Final = FeeTerms()


def carried_terms(old: Order) -> FeeTerms | None:
    """The terms of the order that replaces one: those of the old, going on from what it was charged."""
    terms = old.fee_terms
    if terms is None or not old.filled_e8:
        return terms
    return FeeTerms(
        terms.order_min_e4,
        terms.order_max_e4,
        terms.sell_ppb,
        terms.sell_unit_e12,
        terms.sell_unit_max_e4,
        terms.before_e4 + fee_due_e4(old),
        terms.paid_e4 + old.fee_e4 - old.regulatory_e4,
    )


def traded_volume_e4(volume: Volume, now_us: int) -> int:
    """What the account traded today and in the 29 days before."""
    first = now_us // DAY_US - VOLUME_DAYS + 1
    return sum([notional_e4 for day, notional_e4 in volume.days if day >= first])


def count_volume(state: State, account_id: int, notional_e4: int, executed_us: int, now_us: int) -> None:
    """Add a fill to its account's volume of the day; below zero, for a fill that is taken back, as far as it is there."""
    volume = state.volumes.get(account_id)
    if volume is None:
        volume = state.volumes[account_id] = Volume(account_id)
    day = executed_us // DAY_US
    days = volume.days
    if days and days[-1][0] == day:
        volume.days = (*days[:-1], (day, volume_sum_e4(days[-1][1], notional_e4)))
    else:
        first = now_us // DAY_US - VOLUME_DAYS + 1
        found = {each: each_e4 for each, each_e4 in days if each >= first}
        if day >= first and (notional_e4 > 0 or day in found):
            found[day] = volume_sum_e4(found.get(day, 0), notional_e4)
        volume.days = tuple(sorted(found.items()))
    state.dirty["volume"][account_id] = None
