"""What drivers have in car parks, for operators: open bookings, who is inside, passes, the waiting list, debts, the blocklist.

Each list is filtered by car park, user and plate where it has them, and comes page by page in the order of its ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final, Literal, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import asdict

from engine.parking.booking_records import CODE_PREFIX, NO_SPACE, Stay
from engine.parking.records import Block
from engine.state import State
from handlers.booking_json import BookingJson, booking_json
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, encoded, success_encoded
from handlers.field_types import Time, UserId
from handlers.order_json import time_text
from handlers.parking_debts import DebtJson, debt_json
from handlers.parking_passes import SeasonPassJson, pass_members
from handlers.parking_stays import EntryRightName, StayId
from handlers.parking_waiting import WaitingPlaceJson, place_json
from handlers.parking_words import Code, ParkingLotId, VehicleId, read_lot, shown_lot
from handlers.request_input import read_id, read_limit, read_page, read_text
from server.errors import NotFound

PLATE_MAX: Final = 12

T = TypeVar("T")
PlateText = Annotated[str, Meta(min_length=1, max_length=PLATE_MAX)]


class DeskBookingJson(BookingJson, frozen=True, kw_only=True, rename={"begins": "from"}):
    """A booking, and whose it is."""

    user_id: UserId


class DeskPassJson(SeasonPassJson, frozen=True, kw_only=True, rename={"starts": "from"}):
    """A pass, and whose it is."""

    user_id: UserId
    plate: str


class DeskWaitingJson(WaitingPlaceJson, frozen=True, kw_only=True, rename={"begins": "from"}):
    """A place on the waiting list, and whose it is."""

    user_id: UserId


class DeskDebtJson(DebtJson, frozen=True, kw_only=True):
    """A debt, and whose it is: null where nobody known owes it."""

    user_id: UserId | None


class DeskStayJson(Struct, frozen=True, kw_only=True):
    """Somebody inside. `plate` is null for who came in with a printed ticket, `vehicle_id` and `user_id` for who is not known."""

    stay_id: StayId
    lot_id: ParkingLotId
    plate: str | None
    vehicle_id: VehicleId | None
    user_id: UserId | None
    space: Code | None
    by: EntryRightName
    begun_at: Time


class BlockJson(Struct, frozen=True):
    """A tag or a plate that no gate opens for, by whom, since when and why."""

    kind: Literal["TAG", "PLATE"]
    value: str
    reason: str
    user_id: UserId | None
    since: Time


async def bookings(call: Call) -> Answer:
    """`GET /admin/parking/bookings?lot_id=&user_id=&plate=`: the open ones."""
    state, wanted = call.services.runtime.state, _wanted(call)
    found = [
        each
        for each in state.parking.bookings.values()
        if wanted.has(each.lot, each.account_id) and (not wanted.plate or each.plate == wanted.plate)
    ]
    return await _page(
        call,
        found,
        lambda each: DeskBookingJson(
            **asdict(booking_json(state.parking, each)), user_id=_user(state, each.account_id) or ""
        ),
    )


async def stays(call: Call) -> Answer:
    """`GET /admin/parking/stays?lot_id=&user_id=&plate=`: who is inside."""
    state, wanted = call.services.runtime.state, _wanted(call)
    found = [
        each
        for each in state.parking.stays.values()
        if wanted.has(each.lot, each.account_id) and (not wanted.plate or each.who == wanted.plate)
    ]
    return await _page(call, found, lambda each: _stay_json(state, each))


async def passes(call: Call) -> Answer:
    """`GET /admin/parking/passes?lot_id=&user_id=&plate=`: those that are not over."""
    state, wanted = call.services.runtime.state, _wanted(call)
    parking = state.parking
    found = [
        each
        for each in parking.passes.values()
        if wanted.has(each.lot, each.account_id)
        and (not wanted.plate or parking.vehicles[each.vehicle_id].plate == wanted.plate)
    ]
    return await _page(
        call,
        found,
        lambda each: DeskPassJson(
            **pass_members(parking, each),
            user_id=_user(state, each.account_id) or "",
            plate=parking.vehicles[each.vehicle_id].plate,
        ),
    )


async def waiting(call: Call) -> Answer:
    """`GET /admin/parking/waiting-list?lot_id=&user_id=&plate=`, who came first first."""
    state, wanted = call.services.runtime.state, _wanted(call)
    parking = state.parking
    found = [
        each
        for each in parking.waiting.values()
        if wanted.has(each.lot, each.account_id)
        and (not wanted.plate or parking.vehicles[each.vehicle_id].plate == wanted.plate)
    ]
    return await _page(
        call,
        found,
        lambda each: DeskWaitingJson(
            **asdict(place_json(state, each)), user_id=_user(state, each.account_id) or ""
        ),
    )


async def debts(call: Call) -> Answer:
    """`GET /admin/parking/debts?user_id=&plate=`: a debt is of no car park."""
    state, wanted = call.services.runtime.state, _wanted(call)
    found = [
        each
        for each in state.parking.debts.values()
        if (wanted.account_id is None or each.account_id == wanted.account_id)
        and (not wanted.plate or each.plate == wanted.plate)
    ]
    return await _page(
        call,
        found,
        lambda each: DeskDebtJson(**asdict(debt_json(each)), user_id=_user(state, each.account_id)),
    )


async def blocklist(call: Call) -> Answer:
    """`GET /admin/parking/blocklist`: plates, then tags, each in their order."""
    blocks = call.services.runtime.state.parking.blocks
    return await _page(call, [blocks[key] for key in sorted(blocks)], _block_json)


class _Wanted(Struct, frozen=True):
    """What a list is filtered by: '' and None for everything. `account_id` 0 of a user without an account: nothing is theirs."""

    lot: str
    account_id: int | None
    plate: str

    def has(self, lot: str, account_id: int) -> bool:
        """Whether something of a car park and of an account is wanted."""
        return (not self.lot or lot == self.lot) and self.account_id in (None, account_id)


def _wanted(call: Call) -> _Wanted:
    query, state = call.query, call.services.runtime.state
    lot = read_lot(query["lot_id"]) if "lot_id" in query else ""
    if lot and lot not in state.parking.lots:
        raise NotFound("There is no such car park.")
    account_id = None
    if "user_id" in query:
        account_id = state.account_by_user.get(read_id(query["user_id"], "usr_"), -1)
    return _Wanted(lot, account_id, read_text(query, "plate", most=PLATE_MAX) or "")


async def _page(call: Call, found: Iterable[T], shown: Callable[[T], Any]) -> Answer:
    """A page of what was found in memory, durable."""
    runtime = call.services.runtime
    page, limit = read_page(call.query), read_limit(call.query)
    seq, listed = runtime.state.seq, list(found)
    data = encoded([shown(each) for each in listed[(page - 1) * limit : page * limit]])
    await runtime.wait_durable(seq)
    return success_encoded(data, meta=MetaJson(as_of_seq=seq, page=page, limit=limit, total=len(listed)))


def _user(state: State, account_id: int) -> str | None:
    """Whose an account is; None for nobody's."""
    return f"usr_{state.accounts[account_id].user_id}" if account_id else None


def _stay_json(state: State, stay: Stay) -> DeskStayJson:
    parking = state.parking
    return DeskStayJson(
        stay_id=f"sty_{stay.stay_id}",
        lot_id=shown_lot(stay.lot),
        plate=None if stay.who.startswith(CODE_PREFIX) else stay.who,
        vehicle_id=f"veh_{stay.vehicle_id}" if stay.vehicle_id else None,
        user_id=_user(state, stay.account_id),
        space=None if stay.space == NO_SPACE else parking.space_at(stay.lot, stay.space).number,
        by=stay.right.name,
        begun_at=time_text(stay.begin_us),
    )


def _block_json(block: Block) -> BlockJson:
    return BlockJson(
        "TAG" if block.is_tag else "PLATE",
        block.value,
        block.reason,
        f"usr_{block.operator_id}" if block.operator_id else None,
        time_text(block.since_us),
    )
