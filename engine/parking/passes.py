"""Passes: the right to be in a lot at no further charge, at all times or on some days between some hours.

A driver buys one of those that the lot's tariff has, an operator issues any, at a price that the account pays at once; with a reserved space that is the pass's all the time. Whoever
stays beyond the hours of a pass pays for the time after them. Source: docs/parking.md, "Passes".
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.commands import Envelope
from engine.events import Refused
from engine.kinds import TimerKind
from engine.parking.allocation import USUAL_TYPE, allocate, fitting
from engine.parking.booking_commands import BuyPass, CancelPass, IssuePass
from engine.parking.booking_records import NO_SPACE, Pass
from engine.parking.claims import minutes_of
from engine.parking.keeping import put_pass
from engine.parking.kinds import ChargeKind, LotStatus, PassKind, PassStatus, SpaceState
from engine.parking.money import charge, debt_of, funds_refusal
from engine.parking.pricing import terms_now
from engine.parking.records import Parking, Vehicle
from engine.parking.tariff_records import Price
from engine.parking.tariffs import price_pass
from engine.parking.vehicles import is_operator
from engine.parking.waiting import serve_waiting
from engine.parking.wish import Wish
from engine.parking.zones import Zone, after_days_us, local_day, offset_us, wall_us, weekday
from engine.refusals import Refusal
from engine.risk import account_refusal
from engine.state import Account, State, Timer
from engine.timers import add_timer, drop_timer_of
from engine.turn import Turn
from engine.units import DAY_US, MINUTE_US, NOTIONAL_MAX_E4

PASS_MAX_US: Final = 400 * DAY_US
PASSES_MAX: Final = 16
"""Of one vehicle."""
DAY_MINUTES: Final = 24 * 60
EVERY_DAY: Final = 127


def issue_pass(turn: Turn, envelope: Envelope, command: IssuePass) -> Refused | None:
    """Sell a pass to a vehicle's account."""
    state = turn.state
    parking = state.parking
    vehicle = parking.vehicles.get(command.vehicle_id)
    if vehicle is None:
        return Refused(Refusal.VEHICLE_NOT_FOUND)
    account = state.accounts[vehicle.account_id]
    refused = account_refusal(account)
    if refused is not None:
        return refused
    lot = parking.lots.get(command.lot)
    if lot is None:
        return Refused(Refusal.PARKING_LOT_NOT_FOUND)
    if lot.currency != account.currency:
        return Refused(Refusal.CURRENCY_MISMATCH)
    if not _is_sound(command, turn.now_us) or (
        len(parking.passes_of_vehicle.get(vehicle.vehicle_id, {})) >= PASSES_MAX
    ):
        return Refused(Refusal.INVALID_PASS)
    space = NO_SPACE
    if command.space:
        known = parking.spaces.get((lot.lot, command.space))
        if known is None or known.state is not SpaceState.ACTIVE:
            return Refused(Refusal.SPACE_NOT_FOUND)
        space = known.index
        begin, end = minutes_of(command.begin_us, command.end_us)
        if parking.occupancy[lot.lot].free_until(space, begin, end) < end:
            return Refused(Refusal.PARKING_FULL)
    refused = funds_refusal(state, account, command.price_e4)
    if refused is not None:
        return refused
    each = Pass(
        *(turn.new_id(), account.account_id, vehicle.vehicle_id, lot.lot, command.kind),
        *(command.begin_us, command.end_us, command.weekdays, command.from_minute, command.to_minute),
        *(space, command.price_e4, PassStatus.ACTIVE),
    )
    sell(turn, account, vehicle, each, Price(command.price_e4, command.tax_e4, ()))
    return None


def sell(turn: Turn, account: Account, vehicle: Vehicle, each: Pass, price: Price) -> None:
    """Charge for a pass, and end it when its time is over."""
    put_pass(turn, each)
    add_timer(turn, each.end_us, TimerKind.PASS_OVER, str(each.pass_id))
    charge(turn, ChargeKind.PASS, each.lot, price, account, right_id=each.pass_id, who=vehicle.plate)


class PassOffer(Struct, frozen=True, gc=False):
    """What a pass would be bought as: its record without an id, its price, and the tariff's version.

    `obstacle` is why it cannot be paid for now, or None.
    """

    account: Account
    vehicle: Vehicle
    draft: Pass
    price: Price
    version: int
    obstacle: Refused | None


def quote_pass(state: State, envelope: Envelope, command: BuyPass, now_us: int) -> PassOffer | Refused:
    """What buying a pass would come to now. Nothing changes; it is refused for what buying would be, but for money."""
    parking = state.parking
    account = state.accounts.get(envelope.account_id)
    refused = account_refusal(account)
    if refused is not None or account is None:
        return refused or Refused(Refusal.ACCOUNT_NOT_FOUND)
    lot = parking.lots.get(command.lot)
    if lot is None:
        return Refused(Refusal.PARKING_LOT_NOT_FOUND)
    vehicle = parking.vehicles.get(command.vehicle_id)
    if vehicle is None or vehicle.account_id != account.account_id:
        return Refused(Refusal.VEHICLE_NOT_FOUND)
    if lot.currency != account.currency:
        return Refused(Refusal.CURRENCY_MISMATCH)
    if lot.status is LotStatus.CLOSED:
        return Refused(Refusal.PARKING_LOT_CLOSED)
    begin = command.begin_us // MINUTE_US
    terms = terms_now(parking, lot, begin, begin + 1, command.version, now_us)
    if isinstance(terms, Refused):
        return terms
    tariff = parking.tariffs[terms.tariff, terms.version]
    product = next((each for each in tariff.passes if each.code == command.product), None)
    if product is None:
        return Refused(Refusal.PASS_NOT_FOUND)
    earliest_us = now_us - now_us % MINUTE_US
    if command.begin_us % MINUTE_US or not earliest_us <= command.begin_us <= now_us + PASS_MAX_US:
        return Refused(Refusal.INVALID_INTERVAL, (("begin_us", command.begin_us),))
    if len(parking.passes_of_vehicle.get(vehicle.vehicle_id, {})) >= PASSES_MAX:
        return Refused(Refusal.INVALID_PASS, (("maximum", PASSES_MAX),))
    debt_e4 = debt_of(parking, account.account_id)
    if debt_e4 > lot.rules.debt_max_e4:
        return Refused(Refusal.PARKING_DEBT, (("debt_e4", debt_e4),))
    end_us = after_days_us(parking.zones[lot.time_zone], command.begin_us, product.days)
    space = NO_SPACE
    if product.reserved:
        found = space_to_reserve(parking, lot.lot, vehicle, command.begin_us, end_us)
        if isinstance(found, Refused):
            return found
        space = found
    price = price_pass(tariff, product, command.begin_us, end_us)
    if command.price_max_e4 and price.total_e4 > command.price_max_e4:
        return Refused(Refusal.PRICE_CHANGED, (("price_e4", price.total_e4),))
    draft = Pass(
        *(0, account.account_id, vehicle.vehicle_id, lot.lot, product.kind, command.begin_us, end_us),
        *(product.weekdays, product.from_minute, product.to_minute, space, price.total_e4),
        *(PassStatus.ACTIVE, product.code),
    )
    obstacle = funds_refusal(state, account, price.total_e4)
    return PassOffer(account, vehicle, draft, price, tariff.version, obstacle)


def space_to_reserve(
    parking: Parking, lot: str, vehicle: Vehicle, begin_us: int, end_us: int
) -> int | Refused:
    """The space that a pass with one of its own gets."""
    wish = Wish(USUAL_TYPE[vehicle.kind], vehicle.kind, vehicle.height_cm, vehicle.rights)
    found = allocate(parking, lot, wish, *minutes_of(begin_us, end_us))
    if found is not None:
        return found[0]
    fits = fitting(parking, lot, wish)
    return Refused(Refusal.PARKING_FULL if fits else Refusal.VEHICLE_DOES_NOT_FIT)


def buy_pass(turn: Turn, envelope: Envelope, command: BuyPass) -> Refused | None:
    """Buy a pass that the lot's tariff has."""
    offer = quote_pass(turn.state, envelope, command, turn.now_us)
    if isinstance(offer, Refused):
        return offer
    if offer.obstacle is not None:
        return offer.obstacle
    sell(turn, offer.account, offer.vehicle, replace(offer.draft, pass_id=turn.new_id()), offer.price)
    return None


def _is_sound(command: IssuePass, now_us: int) -> bool:
    """Whether a pass has times and a price that make sense."""
    if (
        command.begin_us % MINUTE_US
        or command.end_us % MINUTE_US
        or not now_us < command.end_us
        or not now_us - now_us % MINUTE_US <= command.begin_us < command.end_us
        or command.end_us - command.begin_us > PASS_MAX_US
        or command.begin_us > now_us + PASS_MAX_US
        or not 0 <= command.tax_e4 <= command.price_e4 <= NOTIONAL_MAX_E4
    ):
        return False
    if command.kind is PassKind.SEASON:
        return (command.weekdays, command.from_minute, command.to_minute) == (EVERY_DAY, 0, DAY_MINUTES)
    return 0 < command.weekdays <= EVERY_DAY and 0 <= command.from_minute < command.to_minute <= DAY_MINUTES


def cancel_pass(turn: Turn, envelope: Envelope, command: CancelPass) -> Refused | None:
    """Give a pass back, or take it back; what was paid for it stays paid."""
    each = turn.state.parking.passes.get(command.pass_id)
    if each is None or not (is_operator(envelope) or each.account_id == envelope.account_id):
        return Refused(Refusal.PASS_NOT_FOUND)
    drop_timer_of(turn.state, TimerKind.PASS_OVER, str(each.pass_id))
    end_pass(turn, each, PassStatus.CANCELLED)
    return None


def end_pass(turn: Turn, each: Pass, status: PassStatus) -> None:
    """A pass is good no more; its reserved space is free."""
    put_pass(turn, replace(each, status=status))
    if each.space != NO_SPACE and each.end_us > turn.now_us:
        serve_waiting(turn, each.lot, turn.now_us, each.end_us)


def fire_pass_over(turn: Turn, timer: Timer) -> None:
    """The time of a pass is over."""
    end_pass(turn, turn.state.parking.passes[int(timer.target)], PassStatus.ENDED)


def is_good(each: Pass, zone: Zone, now_us: int) -> bool:
    """Whether a pass lets in now, by the lot's wall clock."""
    if not each.begin_us <= now_us < each.end_us:
        return False
    if each.kind is PassKind.SEASON:
        return True
    day = local_day(zone, now_us)
    minute = (wall_us(zone, now_us) - day * DAY_US) // MINUTE_US
    return bool(each.weekdays >> weekday(day) & 1) and each.from_minute <= minute < each.to_minute


def good_until_us(each: Pass, zone: Zone, now_us: int) -> int:
    """Until when a pass that is good now stays good: the end of its hours of this day, and its own end at the latest."""
    if each.kind is PassKind.SEASON:
        return each.end_us
    end_wall_us = local_day(zone, now_us) * DAY_US + each.to_minute * MINUTE_US
    end_us = end_wall_us - offset_us(zone, now_us)
    end_us -= offset_us(zone, end_us) - offset_us(zone, now_us)
    return min(each.end_us, max(end_us, now_us))


def pass_space(parking: Parking, pass_id: int) -> int:
    """The space that is reserved for a pass, or NO_SPACE."""
    each = parking.passes.get(pass_id)
    return NO_SPACE if each is None else each.space
