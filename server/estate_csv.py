"""A car park's floors, spaces and gates from a CSV file: read in one piece, or refused with every problem by row and column.

One table has all three: a row's `kind` says what it is, and which cells it may have. Rows are counted as in the file, the
header is row 1. Source: docs/parking.md, "Estate".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from engine.parking.codes import is_code
from engine.parking.commands import ImportEstate, SetFloor, SetGate, SetSpace
from engine.parking.estate import (
    CHARGER_MAX_KW,
    DISTANCE_MAX_M,
    FLOORS_MAX,
    GATES_MAX,
    HEIGHT_MAX_CM,
    LANES_MAX,
    LEVEL_MAX,
    SPACES_MAX,
    TEXT_MAX,
)
from engine.parking.kinds import Direction, EstateProblem, Feature, SpaceState, SpaceType
from engine.parking.records import Parking

ROWS_MAX: Final = SPACES_MAX + FLOORS_MAX + GATES_MAX
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,9}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{0,9}[.,]?[0-9]{0,9}")


class CsvProblem(StrEnum):
    """What may be wrong with a file, and how it is said."""

    EMPTY = "there are no rows"
    TOO_MANY_ROWS = "there are more rows than a car park may have"
    COLUMN_MISSING = "this column is missing"
    COLUMN_UNKNOWN = "there is no such column"
    COLUMN_DOUBLE = "this column is there twice"
    QUOTE = "quotes are not closed, or stand inside of a cell"
    CELLS_MISSING = "the row has fewer cells than the header"
    CELLS_MORE = "the row has more cells than the header"
    CONTROL_CHARACTER = "has control characters"
    KIND = "must be FLOOR, SPACE or GATE"
    MISSING = "must not be empty"
    NOT_FOR_KIND = "must be empty in a row of this kind"
    CODE = "must be 1 to 32 letters, digits, dashes, dots and underscores"
    TOO_LONG = "must have 200 characters at most"
    NOT_A_NUMBER = "must be a number"
    NOT_WHOLE = "must be a whole number"
    LEVEL = "must be from -200 to 200"
    HEIGHT = "must be from 0 (no limit) to 1000 cm"
    LIFT = "must be from 0 to 10000 m"
    POSITION = "must be from 0 to 10000 m, on the floor's plan"
    CHARGER = "must be from 1 to 1000 kW, or empty"
    CHARGER_WITHOUT_KW = "is missing beside the feature CHARGER"
    KW_WITHOUT_CHARGER = "is for spaces with the feature CHARGER"
    TYPE = "must be STANDARD, COMPACT, LARGE, ACCESSIBLE, EV, MOTORCYCLE or VIP"
    FEATURE = "must be COVERED, NEAR_LIFT and CHARGER with + between them"
    FEATURE_DOUBLE = "names a feature twice"
    STATE = "must be ACTIVE, MAINTENANCE or RETIRED"
    DIRECTION = "must be ENTRY, EXIT or BOTH"
    LANES = "must be from 1 to 16"
    FLOOR_UNKNOWN = "there is no such floor, neither here nor in the car park"
    FLOOR_DOUBLE = "this floor is there twice"
    SPACE_DOUBLE = "this space is there twice"
    GATE_DOUBLE = "this gate is there twice"
    GATE_ELSEWHERE = "this gate is that of another car park"
    TOO_MANY_FLOORS = "the car park would have more than 100 floors"
    TOO_MANY_SPACES = "the car park would have more than 20000 spaces"
    TOO_MANY_GATES = "the car park would have more than 200 gates"
    IN_USE = "the space is in use: its type stays, and it cannot be retired"
    REFUSED = "cannot be like this"


class Found(NamedTuple):
    """A problem where it stands; `column` is '' for a whole row, `row` 0 for the whole file."""

    row: int
    column: str
    problem: CsvProblem


class Read(NamedTuple):
    """What a file asks for, with the row of each of its commands in the order of `ImportEstate`; only sound without problems."""

    command: ImportEstate
    rows: tuple[int, ...]
    problems: tuple[Found, ...]


KEYS: Final = {"FLOOR": "floor", "SPACE": "number", "GATE": "gate"}
REQUIRED: Final = {
    "FLOOR": ("floor", "name", "level"),
    "SPACE": ("number", "floor", "type"),
    "GATE": ("gate", "name", "direction"),
}
OPTIONAL: Final = {
    "FLOOR": ("height_cm",),
    "SPACE": ("features", "charger_kw", "height_cm", "lift_m", "x_m", "y_m", "state"),
    "GATE": ("lanes", "height_cm", "floor", "x_m", "y_m"),
}
COLUMNS: Final = (
    *("kind", "floor", "number", "gate", "name", "level", "type", "features", "charger_kw", "height_cm"),
    *("lift_m", "x_m", "y_m", "state", "direction", "lanes"),
)
"""All columns; those of which no row has anything may be left out, but for `kind`."""

NUMBERS: Final[dict[str, tuple[int, int, CsvProblem]]] = {
    "level": (-LEVEL_MAX, LEVEL_MAX, CsvProblem.LEVEL),
    "height_cm": (0, HEIGHT_MAX_CM, CsvProblem.HEIGHT),
    "lift_m": (0, DISTANCE_MAX_M, CsvProblem.LIFT),
    "x_m": (0, DISTANCE_MAX_M, CsvProblem.POSITION),
    "y_m": (0, DISTANCE_MAX_M, CsvProblem.POSITION),
    "charger_kw": (1, CHARGER_MAX_KW, CsvProblem.CHARGER),
    "lanes": (1, LANES_MAX, CsvProblem.LANES),
}
NAMES: Final[dict[str, tuple[frozenset[str], CsvProblem]]] = {
    "type": (frozenset(each.name for each in SpaceType), CsvProblem.TYPE),
    "state": (frozenset(each.name for each in SpaceState), CsvProblem.STATE),
    "direction": (frozenset(each.name for each in Direction), CsvProblem.DIRECTION),
}
DOUBLES: Final = {
    "FLOOR": CsvProblem.FLOOR_DOUBLE,
    "SPACE": CsvProblem.SPACE_DOUBLE,
    "GATE": CsvProblem.GATE_DOUBLE,
}
BOUNDS: Final = {
    "FLOOR": (FLOORS_MAX, CsvProblem.TOO_MANY_FLOORS),
    "SPACE": (SPACES_MAX, CsvProblem.TOO_MANY_SPACES),
    "GATE": (GATES_MAX, CsvProblem.TOO_MANY_GATES),
}
OF_THE_ENGINE: Final[Mapping[EstateProblem, CsvProblem]] = {
    EstateProblem.IN_USE: CsvProblem.IN_USE,
    EstateProblem.GATE_ELSEWHERE: CsvProblem.GATE_ELSEWHERE,
    EstateProblem.FLOOR_UNKNOWN: CsvProblem.FLOOR_UNKNOWN,
}
"""What only the engine can know when the command comes to it; all else has been looked at here."""


class Row(NamedTuple):
    """A row with a kind: its cells by column, without blanks around them."""

    number: int
    kind: str
    cells: Mapping[str, str]


def read_estate(text: str, lot: str, parking: Parking) -> Read:
    """Read a file for a lot that exists. Nothing is changed; problems come in the order of the rows."""
    problems: list[Found] = []
    rows = list(_rows(text.removeprefix("\ufeff"), problems.append))
    floors = {floor for code, floor in parking.floors if code == lot}
    floors.update(row.cells.get("floor", "") for row in rows if row.kind == "FLOOR")
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        problems += _problems_of(row, floors)
        key = KEYS[row.kind]
        if row.cells.get(key) and seen.setdefault((row.kind, row.cells[key]), row.number) != row.number:
            problems.append(Found(row.number, key, DOUBLES[row.kind]))
    problems += _problems_of_estate(rows, lot, parking)
    problems.sort(key=lambda each: each.row)
    if problems:
        return Read(ImportEstate(lot, (), ()), (), tuple(problems))
    by_kind = {kind: [row for row in rows if row.kind == kind] for kind in KEYS}
    command = ImportEstate(
        lot,
        tuple([_floor(lot, row) for row in by_kind["FLOOR"]]),
        tuple([_space(lot, row) for row in by_kind["SPACE"]]),
        tuple([_gate(lot, row) for row in by_kind["GATE"]]),
    )
    return Read(command, tuple([row.number for kind in KEYS for row in by_kind[kind]]), ())


def problems_of_refusal(read: Read, detail: tuple[tuple[str, int], ...]) -> tuple[Found, ...]:
    """What the engine found wrong with rows that could be read, by their rows in the file."""
    found = []
    for name, problem in detail:
        if name.startswith("row_"):
            said = OF_THE_ENGINE.get(EstateProblem(problem), CsvProblem.REFUSED)
            column = {CsvProblem.IN_USE: "type", CsvProblem.GATE_ELSEWHERE: "gate"}.get(said, "")
            found.append(Found(read.rows[int(name.removeprefix("row_")) - 1], column, said))
    return tuple(found)


def _rows(text: str, tell: Callable[[Found], None]) -> Iterator[Row]:
    """The rows whose kind is known. What is wrong with the file's form is told."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [each.strip() for each in next(reader, [])]
        if not _header_is_sound(header, tell):
            return
        count = 0
        for cells in reader:
            number = reader.line_num
            if not any(each.strip() for each in cells):
                continue
            count += 1
            if count > ROWS_MAX:
                tell(Found(number, "", CsvProblem.TOO_MANY_ROWS))
                return
            if len(cells) != len(header):
                few = len(cells) < len(header)
                tell(Found(number, "", CsvProblem.CELLS_MISSING if few else CsvProblem.CELLS_MORE))
                continue
            named = dict(zip(header, [each.strip() for each in cells], strict=True))
            if named["kind"] in KEYS:
                yield Row(number, named["kind"], named)
            else:
                tell(Found(number, "kind", CsvProblem.KIND))
        if not count:
            tell(Found(0, "", CsvProblem.EMPTY))
    except csv.Error:
        tell(Found(reader.line_num, "", CsvProblem.QUOTE))


def _header_is_sound(header: list[str], tell: Callable[[Found], None]) -> bool:
    """Whether every column is known, none there twice, and `kind` is."""
    found = []
    if not header:
        found.append(Found(0, "", CsvProblem.EMPTY))
    elif "kind" not in header:
        found.append(Found(1, "kind", CsvProblem.COLUMN_MISSING))
    for index, column in enumerate(header):
        shown = "".join(each if each.isprintable() else "?" for each in column[:40])
        if column not in COLUMNS:
            found.append(Found(1, shown, CsvProblem.COLUMN_UNKNOWN))
        elif column in header[:index]:
            found.append(Found(1, shown, CsvProblem.COLUMN_DOUBLE))
    for each in found:
        tell(each)
    return not found


def _problems_of(row: Row, floors: set[str]) -> Iterator[Found]:
    """Everything that is wrong with the cells of a row."""
    allowed = ("kind", *REQUIRED[row.kind], *OPTIONAL[row.kind])
    for column in REQUIRED[row.kind]:
        if not row.cells.get(column):
            yield Found(row.number, column, CsvProblem.MISSING)
    for column, cell in row.cells.items():
        if not cell or column == "kind":
            continue
        problem = CsvProblem.NOT_FOR_KIND if column not in allowed else _problem_of_cell(column, cell)
        if problem is None and column == "floor" and row.kind != "FLOOR" and cell not in floors:
            problem = CsvProblem.FLOOR_UNKNOWN
        if problem is not None:
            yield Found(row.number, column, problem)
    if row.kind == "SPACE":
        has_charger = Feature.CHARGER.name in _features(row.cells.get("features", ""))
        if has_charger and not row.cells.get("charger_kw"):
            yield Found(row.number, "charger_kw", CsvProblem.CHARGER_WITHOUT_KW)
        if row.cells.get("charger_kw") and not has_charger:
            yield Found(row.number, "charger_kw", CsvProblem.KW_WITHOUT_CHARGER)


def _problem_of_cell(column: str, cell: str) -> CsvProblem | None:
    """What is wrong with a cell that says something."""
    if not cell.isprintable():
        return CsvProblem.CONTROL_CHARACTER
    if column in KEYS.values():
        return None if is_code(cell) else CsvProblem.CODE
    if column in NUMBERS:
        least, most, problem = NUMBERS[column]
        if _WHOLE.fullmatch(cell) is None:
            is_number = _NUMBER.fullmatch(cell) is not None and any(each.isdigit() for each in cell)
            return CsvProblem.NOT_WHOLE if is_number else CsvProblem.NOT_A_NUMBER
        return None if least <= int(cell) <= most else problem
    if column in NAMES:
        names, problem = NAMES[column]
        return None if cell in names else problem
    if column == "features":
        found = _features(cell)
        if any(each not in Feature.__members__ for each in found):
            return CsvProblem.FEATURE
        return CsvProblem.FEATURE_DOUBLE if len(set(found)) < len(found) else None
    return CsvProblem.TOO_LONG if len(cell) > TEXT_MAX else None


def _problems_of_estate(rows: list[Row], lot: str, parking: Parking) -> Iterator[Found]:
    """What does not fit to what there is already."""
    known = {
        "FLOOR": {floor for code, floor in parking.floors if code == lot},
        "SPACE": set(parking.numbers[lot]),
        "GATE": {each.gate_id for each in parking.gates.values() if each.lot == lot},
    }
    for row in rows:
        key = row.cells.get(KEYS[row.kind], "")
        gate = parking.gates.get(key) if row.kind == "GATE" else None
        if gate is not None and gate.lot != lot:
            yield Found(row.number, "gate", CsvProblem.GATE_ELSEWHERE)
        most, problem = BOUNDS[row.kind]
        known[row.kind].add(key)
        if len(known[row.kind]) > most:
            yield Found(row.number, KEYS[row.kind], problem)


def _features(cell: str) -> list[str]:
    return [each.strip() for each in cell.split("+")] if cell else []


def _whole(row: Row, column: str, default: int = 0) -> int:
    cell = row.cells.get(column)
    return int(cell) if cell else default


def _floor(lot: str, row: Row) -> SetFloor:
    cells = row.cells
    return SetFloor(lot, cells["floor"], cells["name"], int(cells["level"]), _whole(row, "height_cm"))


def _space(lot: str, row: Row) -> SetSpace:
    cells = row.cells
    return SetSpace(
        lot=lot,
        number=cells["number"],
        floor=cells["floor"],
        space_type=SpaceType[cells["type"]],
        features=sum(Feature[each] for each in _features(cells.get("features", ""))),
        charger_kw=_whole(row, "charger_kw"),
        height_cm=_whole(row, "height_cm"),
        lift_m=_whole(row, "lift_m"),
        x_m=_whole(row, "x_m"),
        y_m=_whole(row, "y_m"),
        state=SpaceState[cells.get("state") or SpaceState.ACTIVE.name],
    )


def _gate(lot: str, row: Row) -> SetGate:
    cells = row.cells
    return SetGate(
        gate_id=cells["gate"],
        lot=lot,
        name=cells["name"],
        direction=Direction[cells["direction"]],
        lanes=_whole(row, "lanes", 1),
        height_cm=_whole(row, "height_cm"),
        floor=cells.get("floor", ""),
        x_m=_whole(row, "x_m"),
        y_m=_whole(row, "y_m"),
    )
