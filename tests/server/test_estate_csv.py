"""A CSV file of a car park: read as it stands, or refused with each problem by row and column, of every kind."""

from __future__ import annotations

import pytest

from engine.apply import apply
from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.commands import SetGate, SetLot
from engine.parking.kinds import Direction, EstateProblem, Feature, SpaceState, SpaceType
from engine.parking.records import Parking
from engine.state import State
from server.estate_csv import COLUMNS, ROWS_MAX, CsvProblem, Found, problems_of_refusal, read_estate

HEADER = "kind,floor,number,gate,name,level,type,features,charger_kw,height_cm,lift_m,x_m,y_m,state,direction,lanes"
GOOD = f"""{HEADER}
FLOOR,G,,,Ground,0,,,,210,,,,,,
FLOOR,U1,,,"Below, left",-1,,,,,,,,,,
SPACE,G,G-1,,,,STANDARD,COVERED+NEAR_LIFT,,200,5,10,20,,,
SPACE,U1,U-1,,,,EV,CHARGER,22,,,,,MAINTENANCE,,
GATE,G,,P1-in,In,,,,,210,,1,2,,ENTRY,2
GATE,,,P1-out,Out,,,,,,,,,,EXIT,
"""


def a_lot() -> State:
    state = State()
    for command in (
        SetLot("P1", "One", "", "UTC", "USD", ""),
        SetLot("P2", "Two", "", "UTC", "USD", ""),
        SetGate("P2-in", "P2", "In", Direction.ENTRY),
    ):
        assert apply(state, Envelope(Source.CONFIG), command, 1).refused is None
    return state


PARKING: Parking = a_lot().parking


def with_rows(*rows: str) -> str:
    return "\n".join([HEADER, "FLOOR,G,,,Ground,0,,,,,,,,,,", *rows])


def space(**cells: str) -> str:
    """A row of a space, with other cells than usual."""
    row = {"kind": "SPACE", "floor": "G", "number": "G-1", "type": "STANDARD"} | cells
    return ",".join(row.get(column, "") for column in COLUMNS)


def gate(**cells: str) -> str:
    row = {"kind": "GATE", "gate": "P1-in", "name": "In", "direction": "ENTRY"} | cells
    return ",".join(row.get(column, "") for column in COLUMNS)


def floor(**cells: str) -> str:
    row = {"kind": "FLOOR", "floor": "U1", "name": "Below", "level": "-1"} | cells
    return ",".join(row.get(column, "") for column in COLUMNS)


def test_a_file_is_read_as_it_stands() -> None:
    read = read_estate("\ufeff" + GOOD.replace("\n", "\r\n"), "P1", PARKING)
    assert read.problems == ()
    ground, below = read.command.floors
    assert (ground.height_cm, below.name, below.level) == (210, "Below, left", -1)
    covered, electric = read.command.spaces
    assert (covered.features, covered.lift_m, covered.x_m, covered.y_m) == (3, 5, 10, 20)
    assert (electric.space_type, electric.features, electric.charger_kw, electric.state) == (
        *(SpaceType.EV, Feature.CHARGER),
        *(22, SpaceState.MAINTENANCE),
    )
    into, out = read.command.gates
    assert (into.lanes, into.direction, out.lanes, out.floor) == (2, Direction.ENTRY, 1, "")
    assert read.rows == (2, 3, 4, 5, 6, 7)
    state = a_lot()
    assert apply(state, Envelope(Source.OPERATOR), read.command, 2).refused is None
    assert len(state.parking.spaces) == 2


def test_columns_that_nothing_stands_in_may_be_left_out_in_any_order() -> None:
    read = read_estate("level,name,floor,kind\n0,Ground,G,FLOOR\n", "P1", PARKING)
    assert read.problems == ()
    assert read.command.floors[0].name == "Ground"


P = CsvProblem
KINDS_OF_ERRORS: list[tuple[str, list[tuple[int, str, CsvProblem]]]] = [
    ("", [(0, "", P.EMPTY)]),
    (HEADER, [(0, "", P.EMPTY)]),
    ("floor,name\nG,Ground", [(1, "kind", P.COLUMN_MISSING)]),
    ("kind,colour\nFLOOR,red", [(1, "colour", P.COLUMN_UNKNOWN)]),
    ("kind,floor,floor\nFLOOR,G,G", [(1, "floor", P.COLUMN_DOUBLE)]),
    (with_rows('SPACE,"G,G-1'), [(3, "", P.QUOTE)]),
    (with_rows("SPACE,G,G-1"), [(3, "", P.CELLS_MISSING)]),
    (with_rows(space() + ",more"), [(3, "", P.CELLS_MORE)]),
    (with_rows(gate(name="a\x01b")), [(3, "name", P.CONTROL_CHARACTER)]),
    (with_rows(space(kind="ROOF")), [(3, "kind", P.KIND)]),
    (with_rows(space(kind="")), [(3, "kind", P.KIND)]),
    (with_rows(space(number="")), [(3, "number", P.MISSING)]),
    (with_rows(floor(level="")), [(3, "level", P.MISSING)]),
    (with_rows(gate(direction="")), [(3, "direction", P.MISSING)]),
    (with_rows(space(direction="ENTRY")), [(3, "direction", P.NOT_FOR_KIND)]),
    (with_rows(space(number="G 1")), [(3, "number", P.CODE)]),
    (with_rows(gate(gate="x" * 33)), [(3, "gate", P.CODE)]),
    (with_rows(floor(name="x" * 201)), [(3, "name", P.TOO_LONG)]),
    (with_rows(floor(level="low")), [(3, "level", P.NOT_A_NUMBER)]),
    (with_rows(space(height_cm="2.1")), [(3, "height_cm", P.NOT_WHOLE)]),
    (with_rows(floor(level="201")), [(3, "level", P.LEVEL)]),
    (with_rows(floor(height_cm="1001")), [(3, "height_cm", P.HEIGHT)]),
    (with_rows(space(height_cm="-1")), [(3, "height_cm", P.HEIGHT)]),
    (with_rows(space(lift_m="10001")), [(3, "lift_m", P.LIFT)]),
    (with_rows(gate(x_m="-5")), [(3, "x_m", P.POSITION)]),
    (with_rows(space(features="CHARGER", charger_kw="0")), [(3, "charger_kw", P.CHARGER)]),
    (with_rows(space(features="CHARGER")), [(3, "charger_kw", P.CHARGER_WITHOUT_KW)]),
    (with_rows(space(charger_kw="22")), [(3, "charger_kw", P.KW_WITHOUT_CHARGER)]),
    (with_rows(space(type="TANK")), [(3, "type", P.TYPE)]),
    (with_rows(space(features="POOL")), [(3, "features", P.FEATURE)]),
    (with_rows(space(features="COVERED+COVERED")), [(3, "features", P.FEATURE_DOUBLE)]),
    (with_rows(space(state="GONE")), [(3, "state", P.STATE)]),
    (with_rows(gate(direction="UP")), [(3, "direction", P.DIRECTION)]),
    (with_rows(gate(lanes="17")), [(3, "lanes", P.LANES)]),
    (with_rows(space(floor="X")), [(3, "floor", P.FLOOR_UNKNOWN)]),
    (with_rows(floor(floor="G")), [(3, "floor", P.FLOOR_DOUBLE)]),
    (with_rows(space(), space()), [(4, "number", P.SPACE_DOUBLE)]),
    (with_rows(gate(), gate()), [(4, "gate", P.GATE_DOUBLE)]),
    (with_rows(gate(gate="P2-in")), [(3, "gate", P.GATE_ELSEWHERE)]),
    (
        with_rows(*(floor(floor=f"U{each}") for each in range(100))),
        [(102, "floor", P.TOO_MANY_FLOORS)],
    ),
    (
        with_rows(*(gate(gate=f"g{each}") for each in range(201))),
        [(203, "gate", P.TOO_MANY_GATES)],
    ),
]


@pytest.mark.parametrize(
    ("text", "expected"), KINDS_OF_ERRORS, ids=[row[1][0][2].name for row in KINDS_OF_ERRORS]
)
def test_each_kind_of_error_is_told_by_row_and_column(
    text: str, expected: list[tuple[int, str, CsvProblem]]
) -> None:
    read = read_estate(text, "P1", PARKING)
    assert list(read.problems) == [Found(*each) for each in expected]
    assert (read.command.floors, read.command.spaces, read.command.gates) == ((), (), ())


def test_the_bounds_of_rows_and_spaces() -> None:
    many = with_rows(*(space(number=f"s{each}") for each in range(20_001)))
    assert read_estate(many, "P1", PARKING).problems == (Found(20_003, "number", P.TOO_MANY_SPACES),)
    more = "kind,floor\n" + "ROOF,x\n" * (ROWS_MAX + 1)
    assert read_estate(more, "P1", PARKING).problems[-1] == Found(ROWS_MAX + 2, "", P.TOO_MANY_ROWS)


def test_at_least_thirty_kinds_are_in_the_table() -> None:
    shown = {problem for _, expected in KINDS_OF_ERRORS for _, _, problem in expected}
    assert len(shown) >= 30
    assert set(CsvProblem) - shown == {P.TOO_MANY_ROWS, P.TOO_MANY_SPACES, P.IN_USE, P.REFUSED}


def test_all_problems_of_a_file_are_told_at_once_in_the_order_of_its_rows() -> None:
    read = read_estate(
        with_rows(space(type="TANK", lift_m="far"), gate(lanes="0"), space(number="G-2"), "ROOF" + "," * 15),
        "P1",
        PARKING,
    )
    assert {(each.row, each.column) for each in read.problems} == {
        *((3, "type"), (3, "lift_m")),
        *((4, "lanes"), (6, "kind")),
    }
    assert [each.row for each in read.problems] == [3, 3, 4, 6]


def test_what_the_engine_finds_is_told_by_the_file_s_rows() -> None:
    read = read_estate(with_rows(gate(), space(), "", space(number="G-2")), "P1", PARKING)
    assert read.rows == (2, 4, 6, 3)
    detail = (("rows", 2), ("row_3", EstateProblem.IN_USE), ("row_4", EstateProblem.GATE_ELSEWHERE))
    assert problems_of_refusal(read, detail) == (
        Found(6, "type", P.IN_USE),
        Found(3, "gate", P.GATE_ELSEWHERE),
    )
