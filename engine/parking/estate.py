"""The estate: lots, floors, spaces and gates are set one by one, or those of a lot imported in one piece.

Whoever sets what is so already changes nothing. An import checks every row first: with one wrong row nothing is done, and the
refusal's detail names each wrong row (`row_7`, counted from 1 through floors, spaces and gates) with its `EstateProblem`.
Source: docs/parking.md, "Estate".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec.structs import astuple

from engine.events import Refused
from engine.parking.allocation import forget_layout
from engine.parking.codes import is_code
from engine.parking.commands import ImportEstate, SetFloor, SetGate, SetLot, SetSpace
from engine.parking.events import FloorSet, GateSet, LotSet, SpaceSet
from engine.parking.kinds import FEATURES_ALL, EstateProblem, Feature, SpaceState
from engine.parking.moving import vacate
from engine.parking.occupancy import Occupancy
from engine.parking.records import Floor, Gate, LotRules, Parking, ParkingLot, Space
from engine.refusals import Refusal
from engine.turn import Turn
from engine.units import BPS, CASH_TOTAL_MAX_E4

TEXT_MAX: Final = 200
LOTS_MAX: Final = 1_000
FLOORS_MAX: Final = 100
SPACES_MAX: Final = 20_000
"""Of one lot: a bitmap of them is 2.5 KB."""
GATES_MAX: Final = 200
LANES_MAX: Final = 16
HEIGHT_MAX_CM: Final = 1_000
DISTANCE_MAX_M: Final = 10_000
CHARGER_MAX_KW: Final = 1_000
LEVEL_MAX: Final = 200
RULE_MINUTES_MAX: Final = 31 * 24 * 60
REFUNDS_MAX: Final = 8
PROBLEMS_MAX: Final = 200
"""A refusal names no more wrong rows than this."""


def refused_for(problem: EstateProblem) -> Refused:
    """The refusal of a single row."""
    return Refused(Refusal.INVALID_ESTATE, (("problem", int(problem)),))


# -- what may be wrong with a row


def lot_problem(parking: Parking, command: SetLot) -> EstateProblem | None:
    """What is wrong with a lot, or None."""
    known = parking.lots.get(command.lot)
    if not is_code(command.lot) or (command.tariff and not is_code(command.tariff)):
        return EstateProblem.CODE
    if not command.name.strip() or len(command.name) > TEXT_MAX or len(command.address) > TEXT_MAX:
        return EstateProblem.TEXT
    if not 0 < len(command.time_zone) <= TEXT_MAX:
        return EstateProblem.TEXT
    if known is not None and known.time_zone != command.time_zone and has_bookings(parking, command.lot):
        return EstateProblem.ZONE
    if not is_code(command.currency) or (known is not None and known.currency != command.currency):
        return EstateProblem.CURRENCY
    if known is None and len(parking.lots) >= LOTS_MAX:
        return EstateProblem.TOO_MANY
    return None if _are_sound(command.rules) else EstateProblem.RULES


def has_bookings(parking: Parking, lot: str) -> bool:
    """Whether a lot has open bookings, which keep the price that they were quoted."""
    return any(booking.lot == lot for booking in parking.bookings.values())


def _are_sound(rules: LotRules) -> bool:
    """Whether the rules of a lot can be kept: times up to a month, refunds that grow with the time before the begin."""
    minutes = (
        *(rules.walk_in_minutes, rules.walk_in_minimum, rules.early_grace, rules.late_grace),
        *(rules.no_show_after, rules.offer_minutes, rules.exit_minutes),
    )
    befores = [before for before, _ in rules.refunds]
    shares = [share_bps for _, share_bps in rules.refunds]
    return (
        all(0 <= each <= RULE_MINUTES_MAX for each in minutes)
        and 0 < rules.walk_in_minimum <= rules.walk_in_minutes
        and rules.offer_minutes > 0
        and len(befores) <= REFUNDS_MAX
        and befores == sorted({*befores}, reverse=True)
        and shares == sorted(shares, reverse=True)
        and all(before >= 0 for before in befores)
        and all(0 <= share_bps <= BPS for share_bps in shares)
        and 0 <= rules.debt_max_e4 <= CASH_TOTAL_MAX_E4
    )


def floor_problem(
    parking: Parking, command: SetFloor, floors: Mapping[tuple[str, str], object]
) -> EstateProblem | None:
    """What is wrong with a floor, or None. `floors` are those there will be."""
    if command.lot not in parking.lots:
        return EstateProblem.LOT_UNKNOWN
    if not is_code(command.floor):
        return EstateProblem.CODE
    if not 0 < len(command.name) <= TEXT_MAX:
        return EstateProblem.TEXT
    if not -LEVEL_MAX <= command.level <= LEVEL_MAX:
        return EstateProblem.LEVEL
    if not 0 <= command.height_cm <= HEIGHT_MAX_CM:
        return EstateProblem.HEIGHT
    known = len([None for lot, _ in parking.floors if lot == command.lot])
    if (command.lot, command.floor) not in parking.floors and known >= FLOORS_MAX:
        return EstateProblem.TOO_MANY
    return None


def space_problem(
    parking: Parking, command: SetSpace, floors: Mapping[tuple[str, str], object]
) -> EstateProblem | None:
    """What is wrong with a space, or None."""
    if command.lot not in parking.lots:
        return EstateProblem.LOT_UNKNOWN
    if not is_code(command.number):
        return EstateProblem.CODE
    if (command.lot, command.floor) not in floors:
        return EstateProblem.FLOOR_UNKNOWN
    if not 0 <= command.features <= FEATURES_ALL:
        return EstateProblem.FEATURES
    if bool(command.features & Feature.CHARGER) is not (0 < command.charger_kw <= CHARGER_MAX_KW):
        return EstateProblem.CHARGER
    if not 0 <= command.height_cm <= HEIGHT_MAX_CM:
        return EstateProblem.HEIGHT
    if not all(0 <= each <= DISTANCE_MAX_M for each in (command.lift_m, command.x_m, command.y_m)):
        return EstateProblem.DISTANCE
    known = parking.spaces.get((command.lot, command.number))
    changes = known is not None and (
        command.space_type is not known.space_type
        or (command.state is SpaceState.RETIRED and known.state is not SpaceState.RETIRED)
    )
    if known is not None and changes and is_in_use(parking, known):
        return EstateProblem.IN_USE
    if known is None and len(parking.numbers[command.lot]) >= SPACES_MAX:
        return EstateProblem.TOO_MANY
    return None


def gate_problem(
    parking: Parking, command: SetGate, floors: Mapping[tuple[str, str], object]
) -> EstateProblem | None:
    """What is wrong with a gate, or None. A gate stays with its lot: its counters are known there."""
    known = parking.gates.get(command.gate_id)
    if command.lot not in parking.lots:
        return EstateProblem.LOT_UNKNOWN
    if not is_code(command.gate_id):
        return EstateProblem.CODE
    if known is not None and known.lot != command.lot:
        return EstateProblem.GATE_ELSEWHERE
    if not 0 < len(command.name) <= TEXT_MAX:
        return EstateProblem.TEXT
    if command.floor and (command.lot, command.floor) not in floors:
        return EstateProblem.FLOOR_UNKNOWN
    if not 0 < command.lanes <= LANES_MAX:
        return EstateProblem.LANES
    if not 0 <= command.height_cm <= HEIGHT_MAX_CM:
        return EstateProblem.HEIGHT
    if not all(0 <= each <= DISTANCE_MAX_M for each in (command.x_m, command.y_m)):
        return EstateProblem.DISTANCE
    here = len([None for gate in parking.gates.values() if gate.lot == command.lot])
    return EstateProblem.TOO_MANY if known is None and here >= GATES_MAX else None


# -- setting one


def put_lot(turn: Turn, command: SetLot) -> None:
    """Make or change a lot that has nothing wrong."""
    parking = turn.state.parking
    lot = ParkingLot(*astuple(command))
    if parking.lots.get(lot.lot) == lot:
        return
    parking.lots[lot.lot] = lot
    parking.numbers.setdefault(lot.lot, [])
    if lot.lot not in parking.occupancy:
        parking.occupancy[lot.lot] = Occupancy()
    turn.state.dirty["parking_lot"][lot.lot] = None
    turn.events.append(LotSet(lot))


def put_floor(turn: Turn, command: SetFloor) -> None:
    """Make or change a floor that has nothing wrong."""
    parking = turn.state.parking
    floor = Floor(*astuple(command))
    key = (floor.lot, floor.floor)
    if parking.floors.get(key) == floor:
        return
    parking.floors[key] = floor
    forget_layout(parking, floor.lot)
    turn.state.dirty["parking_floor"][key] = None
    turn.events.append(FloorSet(floor))


def is_in_use(parking: Parking, space: Space) -> bool:
    """Whether somebody stands on a space, or has it booked or reserved."""
    occupancy = parking.occupancy[space.lot]
    return space.index in occupancy.claims or bool(occupancy.inside >> space.index & 1)


def put_space(turn: Turn, command: SetSpace) -> None:
    """Make or change a space that has nothing wrong; a new one gets the next index of its lot."""
    parking = turn.state.parking
    key = (command.lot, command.number)
    known, numbers = parking.spaces.get(key), parking.numbers[command.lot]
    index = len(numbers) if known is None else known.index
    lot, number, floor, space_type, features, *rest = astuple(command)
    space = Space(lot, number, index, floor, space_type, int(features), *rest)
    if known == space:
        return
    if known is None:
        numbers.append(number)
    parking.spaces[key] = space
    forget_layout(parking, space.lot)
    turn.state.dirty["parking_space"][key] = None
    turn.events.append(SpaceSet(space))
    if space.state is SpaceState.MAINTENANCE and (known is None or known.state is not space.state):
        vacate(turn, space.lot, space.index)


def put_gate(turn: Turn, command: SetGate) -> None:
    """Make or change a gate that has nothing wrong."""
    parking = turn.state.parking
    gate = Gate(*astuple(command))
    if parking.gates.get(gate.gate_id) == gate:
        return
    parking.gates[gate.gate_id] = gate
    forget_layout(parking, gate.lot)
    turn.state.dirty["parking_gate"][gate.gate_id] = None
    turn.events.append(GateSet(gate))


# -- the commands


def set_lot(turn: Turn, envelope: object, command: SetLot) -> Refused | None:
    """Make or change a lot."""
    problem = lot_problem(turn.state.parking, command)
    if problem is not None:
        return refused_for(problem)
    put_lot(turn, command)
    return None


def set_floor(turn: Turn, envelope: object, command: SetFloor) -> Refused | None:
    """Make or change a floor."""
    return _set(turn, command, floor_problem, put_floor)


def set_space(turn: Turn, envelope: object, command: SetSpace) -> Refused | None:
    """Make or change a space."""
    return _set(turn, command, space_problem, put_space)


def set_gate(turn: Turn, envelope: object, command: SetGate) -> Refused | None:
    """Make or change a gate."""
    return _set(turn, command, gate_problem, put_gate)


def _set(
    turn: Turn,
    command: Any,
    problem_of: Callable[[Parking, Any, Mapping[tuple[str, str], object]], EstateProblem | None],
    put: Callable[[Turn, Any], None],
) -> Refused | None:
    parking = turn.state.parking
    problem = problem_of(parking, command, parking.floors)
    if problem is EstateProblem.LOT_UNKNOWN:
        return Refused(Refusal.PARKING_LOT_NOT_FOUND)
    if problem is not None:
        return refused_for(problem)
    put(turn, command)
    return None


def import_estate(turn: Turn, envelope: object, command: ImportEstate) -> Refused | None:
    """Set floors, spaces and gates of a lot in one piece, or nothing."""
    parking = turn.state.parking
    if command.lot not in parking.lots:
        return Refused(Refusal.PARKING_LOT_NOT_FOUND)
    wrong = list(_wrong_rows(parking, command))
    if wrong:
        rows = [(f"row_{number}", int(problem)) for number, problem in wrong[:PROBLEMS_MAX]]
        return Refused(Refusal.INVALID_ESTATE, (("rows", len(wrong)), *rows))
    for floor in command.floors:
        put_floor(turn, floor)
    for space in command.spaces:
        put_space(turn, space)
    for gate in command.gates:
        put_gate(turn, gate)
    return None


def _wrong_rows(parking: Parking, command: ImportEstate) -> Iterator[tuple[int, EstateProblem]]:
    """(row, problem) of everything that is wrong with an import, rows counted from 1."""
    floors: dict[tuple[str, str], object] = {**parking.floors}
    floors.update({(each.lot, each.floor): None for each in command.floors})
    seen: dict[tuple[str, str], None] = {}
    made = {SetFloor: 0, SetSpace: 0, SetGate: 0}
    bounds = {SetFloor: FLOORS_MAX, SetSpace: SPACES_MAX, SetGate: GATES_MAX}
    known: dict[type, int] = {
        SetFloor: len([None for lot, _ in parking.floors if lot == command.lot]),
        SetSpace: len(parking.numbers[command.lot]),
        SetGate: len([None for gate in parking.gates.values() if gate.lot == command.lot]),
    }
    rows: tuple[SetFloor | SetSpace | SetGate, ...] = (*command.floors, *command.spaces, *command.gates)
    for number, row in enumerate(rows, start=1):
        if isinstance(row, SetFloor):
            key, is_new = ("floor", row.floor), (row.lot, row.floor) not in parking.floors
            problem = floor_problem(parking, row, floors)
        elif isinstance(row, SetSpace):
            key, is_new = ("space", row.number), (row.lot, row.number) not in parking.spaces
            problem = space_problem(parking, row, floors)
        else:
            key, is_new = ("gate", row.gate_id), row.gate_id not in parking.gates
            problem = gate_problem(parking, row, floors)
        made[type(row)] += is_new
        if row.lot != command.lot:
            problem = EstateProblem.LOT_OTHER
        elif problem is None and key in seen:
            problem = EstateProblem.DOUBLE
        elif problem is None and made[type(row)] + known[type(row)] > bounds[type(row)]:
            problem = EstateProblem.TOO_MANY
        seen[key] = None
        if problem is not None:
            yield number, problem
