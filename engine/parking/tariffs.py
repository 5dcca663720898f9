"""What a stay costs: one price, with a line for each reason, and the lines sum to it.

Source: docs/tariffs.md, "The steps of a price", whose order and names these functions have. Pure: the price depends on the tariff's
version, the zone, the interval and the context alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.parking.tariff_records import (
    EventSurcharge,
    FreeMode,
    LineCode,
    LostTicketRule,
    PassProduct,
    Price,
    PriceLine,
    StayContext,
    Tariff,
)
from engine.parking.tariff_units import Run, occupancy_surcharge_bps, runs, runs_from
from engine.parking.zones import Zone
from engine.units import (
    DAY_US,
    MINUTE_US,
    coin_up_e4,
    discount_down_e4,
    rate_share_half_up_e4,
    tax_on_top_e4,
    tax_within_e4,
)

STAY_MAX_US: Final = 366 * DAY_US
"""A stay counts no longer than this."""

LINES_BY_RUN_US: Final = 31 * DAY_US
"""Longer stays have one line for each code, label and rate: a booking is never so long."""


def price_stay(tariff: Tariff, zone: Zone, begin_us: int, end_us: int, context: StayContext) -> Price:
    """The price of `[begin_us, end_us)`; of a booking at least to its end.

    An interval that is empty costs nothing but what a lost ticket does. Decides nothing and refuses nothing: the
    tariff is sound (engine/parking/tariff_checks.py).
    """
    lines: list[PriceLine] = []
    if is_timed(tariff, context):
        lines = lines_of_time(tariff, zone, begin_us, end_us, context)
        if end_us - begin_us > LINES_BY_RUN_US:
            lines = merged(lines)
    if context.lost_ticket:
        lines = with_lost_ticket(tariff, lines, begin_us, end_us, is_known=context.begin_known)
    return with_tax(tariff, lines, begin_us, end_us)


def price_pass(tariff: Tariff, product: PassProduct, begin_us: int, end_us: int) -> Price:
    """The price of a pass: one line, whole coins, and the tax as of a stay."""
    return with_tax(
        tariff,
        [single(LineCode.PASS, product.price_e4, begin_us, end_us, product.label)],
        begin_us,
        end_us,
    )


def is_timed(tariff: Tariff, context: StayContext) -> bool:
    """Whether the time of the stay makes its price, or part of it."""
    if not context.lost_ticket:
        return True
    return context.begin_known and tariff.lost_ticket_rule is not LostTicketRule.FLAT


def lines_of_time(
    tariff: Tariff, zone: Zone, begin_us: int, end_us: int, context: StayContext
) -> list[PriceLine]:
    """Steps 1 to 7: what the time costs, and the time after a booking."""
    booked_us = context.booked_until_us
    if booked_us:
        lines = lines_of_units(
            tariff, zone, (begin_us, begin_us), last_minute_us(begin_us, booked_us), context
        )
        if end_us > booked_us + context.late_grace_us:
            lines += lines_of_overstay(tariff, zone, begin_us, (booked_us, end_us), context)
        return lines
    end_us = last_minute_us(begin_us, end_us)
    free_us = tariff.free_minutes * MINUTE_US
    if tariff.free_mode is FreeMode.SHORT_STAY and end_us > begin_us + free_us:
        free_us = 0
    clock_us = begin_us + free_us
    free = []
    if free_us and end_us > begin_us:
        free = [PriceLine(LineCode.FREE, 1, 0, 0, begin_us, min(clock_us, end_us))]
    return free + lines_of_units(tariff, zone, (begin_us, clock_us), end_us, context)


def last_minute_us(begin_us: int, end_us: int) -> int:
    """The end of what is charged: whole minutes from the begin, and no more than a stay counts."""
    counted_us = max(0, min(end_us - begin_us, STAY_MAX_US))
    return begin_us + counted_us - counted_us % MINUTE_US


def lines_of_units(
    tariff: Tariff, zone: Zone, since: tuple[int, int], end_us: int, context: StayContext
) -> list[PriceLine]:
    """Steps 2 to 6, for units that start between the clock's start and `end_us`. `since` is (begin_us, clock_us)."""
    begin_us, clock_us = since
    if clock_us >= end_us:
        return []
    found = list(runs(tariff, zone, context.space_type, begin_us, clock_us, end_us))
    surcharge_bps = occupancy_surcharge_bps(tariff, context.occupancy_bps)
    base, busy, events = Column(LineCode.BASE), Column(LineCode.OCCUPANCY), Column(LineCode.EVENT)
    periods: dict[int, Period] = {}
    flats: dict[EventSurcharge, Run] = {}
    for run in found:
        unit_e4 = base.add(run, run.label, run.rate_e4)
        unit_e4 += busy.add(run, "", rate_share_half_up_e4(run.rate_e4, surcharge_bps))
        for event in run.events:
            unit_e4 += events.add(run, event.label, rate_share_half_up_e4(run.rate_e4, event.surcharge_bps))
            if event.flat_e4:
                flats.setdefault(event, run)
        period = periods.setdefault(run.period, Period(run.from_us))
        period.amount_e4 += unit_e4 * run.units
        period.to_us = run.to_us
    lines = [*base.lines, *(each for each in busy.lines + events.lines if each.amount_e4)]
    if tariff.cap_e4:
        lines += [
            period.cut_to(tariff.cap_e4) for period in periods.values() if period.amount_e4 > tariff.cap_e4
        ]
    for event, run in flats.items():
        lines.append(single(LineCode.EVENT, event.flat_e4, run.from_us, run.to_us, event.label))
    if context.subscriber:
        discount_e4 = discount_down_e4(sum_of(lines), tariff.subscriber_bps)
        lines += some(LineCode.SUBSCRIBER, -discount_e4, begin_us, end_us)
    return lines


def lines_of_overstay(
    tariff: Tariff, zone: Zone, begin_us: int, late: tuple[int, int], context: StayContext
) -> list[PriceLine]:
    """Step 7: units from the end of the booking on, `late` is (booked_until_us, end_us), and the fee."""
    booked_us, end_us = late
    end_us = last_minute_us(booked_us, end_us)
    column = Column(LineCode.OVERSTAY)
    for run in runs_from(tariff, zone, context.space_type, (begin_us, begin_us), booked_us, end_us):
        column.add(run, run.label, rate_share_half_up_e4(run.rate_e4, tariff.overstay_bps))
    return column.lines + some(LineCode.OVERSTAY_FEE, tariff.overstay_fee_e4, booked_us, end_us)


class Column(Struct):
    """The lines of one code, in the order of time; units that follow each other at one rate are one line."""

    code: LineCode
    lines: list[PriceLine] = []

    def add(self, run: Run, label: str, rate_e4: int) -> int:
        """Add the units of a run; returns the rate."""
        line = PriceLine(self.code, run.units, rate_e4, run.units * rate_e4, run.from_us, run.to_us, label)
        last = self.lines[-1] if self.lines else None
        if last is not None and last.to_us == run.from_us and (last.label, last.rate_e4) == (label, rate_e4):
            self.lines[-1] = joined(last, line)
        else:
            self.lines.append(line)
        return rate_e4


class Period(Struct):
    """What the units that start in one period of the cap come to."""

    from_us: int
    amount_e4: int = 0
    to_us: int = 0

    def cut_to(self, cap_e4: int) -> PriceLine:
        """The line that brings the period down to the cap."""
        return single(LineCode.CAP, cap_e4 - self.amount_e4, self.from_us, self.to_us)


def with_lost_ticket(
    tariff: Tariff, lines: list[PriceLine], begin_us: int, end_us: int, *, is_known: bool
) -> list[PriceLine]:
    """Step 8: what the ticket costs instead of the stay, or beside it."""
    rule = tariff.lost_ticket_rule
    if rule is LostTicketRule.FLAT or not is_known:
        return [single(LineCode.LOST_TICKET, tariff.lost_ticket_e4, begin_us, end_us)]
    if rule is LostTicketRule.STAY:
        return lines
    missing_e4 = max(0, tariff.lost_ticket_e4 - sum_of(lines))
    return lines + some(LineCode.LOST_TICKET, missing_e4, begin_us, end_us)


def with_tax(tariff: Tariff, lines: list[PriceLine], begin_us: int, end_us: int) -> Price:
    """Steps 9 and 10: whole coins, and the tax within or on top."""
    net_e4 = sum_of(lines)
    rounded_e4 = coin_up_e4(net_e4, tariff.coin_e4)
    lines = lines + some(LineCode.ROUNDING, rounded_e4 - net_e4, begin_us, end_us)
    if tariff.tax_inclusive:
        tax_e4 = tax_within_e4(rounded_e4, tariff.tax_bps, tariff.coin_e4)
        return Price(rounded_e4, tax_e4, tuple(lines))
    tax_e4 = tax_on_top_e4(rounded_e4, tariff.tax_bps, tariff.coin_e4)
    lines += some(LineCode.TAX, tax_e4, begin_us, end_us)
    return Price(rounded_e4 + tax_e4, tax_e4, tuple(lines))


def single(code: LineCode, amount_e4: int, from_us: int, to_us: int, label: str = "") -> PriceLine:
    """A line of one unit."""
    return PriceLine(code, 1, amount_e4, amount_e4, from_us, to_us, label)


def some(code: LineCode, amount_e4: int, from_us: int, to_us: int) -> list[PriceLine]:
    """A line of one unit, or none when there is nothing to say."""
    return [single(code, amount_e4, from_us, to_us)] if amount_e4 else []


def sum_of(lines: Iterable[PriceLine]) -> int:
    """What lines come to."""
    return sum([line.amount_e4 for line in lines])


def merged(lines: list[PriceLine]) -> list[PriceLine]:
    """One line for each code, label and rate, in the order in which they come first."""
    found: dict[tuple[LineCode, str, int], PriceLine] = {}
    for line in lines:
        key = (line.code, line.label, line.rate_e4)
        found[key] = joined(found[key], line) if key in found else line
    return sorted(found.values(), key=lambda line: line.code)


def joined(line: PriceLine, later: PriceLine) -> PriceLine:
    """Two lines at one rate as one, from the first's begin to the later's end."""
    return replace(
        line, units=line.units + later.units, amount_e4=line.amount_e4 + later.amount_e4, to_us=later.to_us
    )
