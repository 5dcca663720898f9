"""What an account's sales have realised, as Postgres has it, with the wash sales of a tax report (engine/wash_sales.py)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from engine.holding_period import Term, term_of
from engine.units import shares_of
from engine.wash_sales import Part, Purchase, Sale, wash_sales
from server.database import Database
from server.errors import BadRequest
from server.history import END_US, microseconds, moment
from server.write_behind import WriteBehind
from sql.corporate_actions import SPLITS
from sql.realized_gains import GAINS, PURCHASES, SALES, SYMBOLS_WITH_LOSSES, TOTALS, GainKind

if TYPE_CHECKING:
    from asyncpg import Record

ROWS_MAX: Final = 10_000
"""What wash sales are looked for in at most: sales and purchases, of all symbols of a report together."""

SYMBOLS_MAX: Final = 100

_ID_MAX: Final = 2**63 - 1
_LINE_MAX: Final = 32_767
_CURSOR: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,4})")


class Gain(Struct, frozen=True):
    """What a sale realised with one lot. Of a reversal all figures are negative. `parts` are None where no wash sale was
    looked for.
    """

    gain_id: int
    line: int
    execution_id: int
    order_id: int
    lot_id: int
    symbol: str
    kind: GainKind
    units_e8: int
    proceeds_e4: int
    cost_e4: int
    fee_e4: int
    acquired_us: int
    sold_us: int
    term: Term
    parts: tuple[Part, ...] | None = None


class TermTotal(Struct):
    """Of one term: `gain_e4` as it was realised, `adjusted_e4` what counts after wash sales."""

    rows: int = 0
    proceeds_e4: int = 0
    cost_e4: int = 0
    fee_e4: int = 0
    disallowed_e4: int = 0
    adjusted_e4: int = 0

    @property
    def gain_e4(self) -> int:
        """Proceeds less cost."""
        return self.proceeds_e4 - self.cost_e4


class GainReport(Struct, frozen=True):
    """A page of gains, newest first, and the totals of all that were asked for. `is_complete`: wash sales were looked for
    wherever there can be one.
    """

    gains: list[Gain]
    next_cursor: str | None
    totals: dict[Term, TermTotal]
    is_complete: bool


class Wanted(Struct, frozen=True):
    """Which gains: of an account, of a symbol ('' for all), of sales from a time to before another."""

    account_id: int
    symbol: str = ""
    from_us: int = 0
    to_us: int = END_US


Washed = dict[tuple[int, int], tuple[Sale, tuple[Part, ...]]]
"""(gain id, line) → the sale, and its parts."""


async def gain_report(
    database: Database, write_behind: WriteBehind, wanted: Wanted, cursor: str | None, limit: int
) -> GainReport:
    """A page after a cursor. Raises `BadRequest` for one that was not given out, and `DatabaseUnavailable`."""
    before = (_ID_MAX, _LINE_MAX)
    if cursor is not None:
        matched = _CURSOR.fullmatch(cursor)
        if matched is None:
            raise BadRequest("cursor", "is not one that was given out")
        before = (min(int(matched[1]), _ID_MAX), int(matched[2]))
    await write_behind.barrier()
    span = (wanted.account_id, wanted.symbol, moment(wanted.from_us), moment(wanted.to_us))
    rows = await database.fetch(GAINS, *span, *before, limit + 1)
    totals = {Term(row["term"]): _total(row) for row in await database.fetch(TOTALS, *span)}
    washed, is_complete = await _wash_sales(database, wanted)
    _adjust(totals, wanted, washed)
    shown = [_gain(row, washed) for row in rows[:limit]]
    more = f"{shown[-1].gain_id}-{shown[-1].line}" if len(rows) > limit else None
    return GainReport(shown, more, totals, is_complete)


async def _wash_sales(database: Database, wanted: Wanted) -> tuple[Washed, bool]:
    """The wash sales of all symbols in which money was lost by the end of the span: what they add to a basis stays with it."""
    account_id = wanted.account_id
    washed: Washed = {}
    found = await database.fetch(
        SYMBOLS_WITH_LOSSES,
        *(account_id, wanted.symbol, moment(0), moment(wanted.to_us), SYMBOLS_MAX + 1),
    )
    left = ROWS_MAX
    for row in found[:SYMBOLS_MAX]:
        sold = await database.fetch(SALES, account_id, row["symbol"], left + 1)
        bought = await database.fetch(PURCHASES, account_id, row["symbol"], left + 1)
        left -= len(sold) + len(bought)
        if left < 0:
            return washed, False
        splits = [tuple(each) for each in await database.fetch(SPLITS, row["symbol"])]
        washed |= await asyncio.to_thread(_washed_in, sold, bought, splits)
    return washed, len(found) <= SYMBOLS_MAX


def _washed_in(sold: Sequence[Record], bought: Sequence[Record], splits: Sequence[tuple[int, ...]]) -> Washed:
    """The sales of one symbol with their parts; what a bust corrected is no sale.

    Units are counted in a part of a share that every share of before and after the splits is made of.
    """
    parts_of_unit = partial(_parts_of_unit, splits)
    sales, purchases = [], []
    for row in sold:
        sold_us = microseconds(row["sold_at"])
        about = (row["gain_id"], sold_us, row["lot_id"], microseconds(row["acquired_at"]))
        units = row["units_e8"] * parts_of_unit(sold_us)
        sales.append(Sale(*about, units, row["proceeds_e4"], row["cost_e4"]))
    for row in bought:
        bought_us = microseconds(row["executed_at"])
        units = row["quantity_e8"] * parts_of_unit(bought_us)
        purchases.append(Purchase(row["execution_id"], bought_us, units))
    lines = [(row["gain_id"], row["line"]) for row in sold]
    parts = wash_sales(purchases, sales)
    return {
        line: (sale, each if not splits else _in_units(sale, each, parts_of_unit(sale.sold_us)))
        for line, sale, each in zip(lines, sales, parts, strict=True)
    }


def _parts_of_unit(splits: Sequence[tuple[int, ...]], at_us: int) -> int:
    """How many of the smallest parts a share has that was there at a time; 1 where there was no split."""
    parts = 1
    for effective_us, new, old in splits:
        parts *= new if at_us < effective_us else old
    return parts


def _in_units(sale: Sale, parts: tuple[Part, ...], parts_of_unit: int) -> tuple[Part, ...]:
    """The parts of a sale in the shares that it sold; what replaces them rounded down."""
    units = shares_of(sale.units_e8 // parts_of_unit, [part.units_e8 for part in parts])
    return tuple(
        [
            replace(
                part,
                units_e8=units_e8,
                replacements=tuple(
                    [replace(each, units_e8=each.units_e8 // parts_of_unit) for each in part.replacements]
                ),
            )
            for part, units_e8 in zip(parts, units, strict=True)
        ]
    )


def _adjust(totals: dict[Term, TermTotal], wanted: Wanted, washed: Washed) -> None:
    """Bring the totals of the span to what counts: parts may be of another term than their sale's dates say."""
    for total in totals.values():
        total.adjusted_e4 = total.gain_e4
    for sale, parts in washed.values():
        if not wanted.from_us <= sale.sold_us < wanted.to_us:
            continue
        for part in parts:
            if part.added_e4 or part.replacements:
                realized_e4 = part.proceeds_e4 - part.cost_e4
                totals[term_of(sale.acquired_us, sale.sold_us)].adjusted_e4 -= realized_e4
                counted = totals.setdefault(part.term, TermTotal())
                counted.adjusted_e4 += part.gain_e4
                counted.disallowed_e4 += part.disallowed_e4


def _total(row: Record) -> TermTotal:
    return TermTotal(row["rows"], int(row["proceeds_e4"]), int(row["cost_e4"]), int(row["fee_e4"]))


def _gain(row: Record, washed: Washed) -> Gain:
    found = washed.get((row["gain_id"], row["line"]))
    return Gain(
        gain_id=row["gain_id"],
        line=row["line"],
        execution_id=row["execution_id"],
        order_id=row["order_id"],
        lot_id=row["lot_id"],
        symbol=row["symbol"],
        kind=GainKind(row["kind"]),
        units_e8=row["units_e8"],
        proceeds_e4=row["proceeds_e4"],
        cost_e4=row["cost_e4"],
        fee_e4=row["fee_e4"],
        acquired_us=microseconds(row["acquired_at"]),
        sold_us=microseconds(row["sold_at"]),
        term=Term(row["term"]),
        parts=found[1] if found is not None else None,
    )
