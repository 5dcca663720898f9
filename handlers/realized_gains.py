"""What sales have realised, lot by lot, for a tax report: as JSON by pages, or as CSV in one piece."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Final

from msgspec import Meta, Struct

from engine.holding_period import Term
from engine.wash_sales import Part
from handlers.call import Call
from handlers.csv_text import CSV, accepts_csv, safe
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import ExecutionId, LotId, OrderId, Time, names
from handlers.numbers import Number, cash, quantity
from handlers.order_json import time_text
from handlers.request_input import read_choice, read_cursor, read_limit, read_text, read_time_us
from server.decimal_text import cash_text, quantity_text
from server.errors import BadRequest
from server.history import END_US
from server.realized_gains import Gain, GainReport, TermTotal, Wanted, gain_report

SYMBOL_MAX: Final = 32
CSV_ROWS_MAX: Final = 10_000
EPOCH: Final = date(1970, 1, 1)

TermName = Annotated[str, Meta(extra_json_schema=names(Term))]
KindName = Annotated[
    str, Meta(extra_json_schema={"enum": ["SALE", "REVERSAL", "CORRECTION", "CASH_IN_LIEU", "MERGER"]})
]
DateText = Annotated[str, Meta(extra_json_schema={"format": "date"})]


class CarriedJson(Struct, frozen=True):
    """Units of a lot that replaced some that were sold at a loss: `disallowed` is added to their basis."""

    lot_id: LotId
    quantity: Number
    disallowed: Number


class PartJson(Struct, frozen=True):
    """Units of a sale that count as held from one day on. `basis_added` came from wash sales before."""

    quantity: Number
    basis_added: Number
    disallowed: Number
    adjusted_gain: Number
    held_since: DateText
    term: TermName
    carried_by: list[CarriedJson]


class WashSaleJson(Struct, frozen=True):
    """What wash sales change of a sale: sums, and its parts."""

    basis_added: Number
    disallowed: Number
    adjusted_gain: Number
    parts: list[PartJson]


class GainJson(Struct, frozen=True):
    """What a sale realised with one lot: `gain` is `proceeds` less `cost`, `fee` the lot's share of the fee on top.

    A REVERSAL takes back what a busted trade had realised, so its figures are negative; a CORRECTION is what a bust changed for
    its buyer. CASH_IN_LIEU is what a corporate action paid for a fraction, MERGER what a merger paid: they have neither order nor execution. `wash_sale` is null where
    there is none.
    """

    execution_id: ExecutionId | None
    order_id: OrderId | None
    lot_id: LotId
    stock_symbol: str
    type: KindName
    quantity: Number
    proceeds: Number
    cost: Number
    fee: Number
    gain: Number
    term: TermName
    acquired_at: Time
    sold_at: Time
    wash_sale: WashSaleJson | None


class GainTotalJson(Struct, frozen=True):
    """`gain` as it was realised, `adjusted_gain` what counts after wash sales, of which `disallowed` does not count yet."""

    proceeds: Number
    cost: Number
    fees: Number
    gain: Number
    disallowed: Number
    adjusted_gain: Number


class GainTotalsJson(Struct, frozen=True):
    """Of all that was asked for, whatever the page."""

    short_term: GainTotalJson
    long_term: GainTotalJson
    total: GainTotalJson


class RealizedGainsJson(Struct, frozen=True):
    """`wash_sales_complete` is false where there are too many trades to look for all wash sales at once: ask by symbol."""

    gains: list[GainJson]
    totals: GainTotalsJson
    wash_sales_complete: bool


async def realized_gains(call: Call) -> Answer:
    """`GET /portfolio/realized-gains?symbol=&from_date=&to_date=&cursor=&limit=&format=`, newest first."""
    wanted = _wanted(call)
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    as_csv = read_choice(call.query, "format", {"json": False, "csv": True}, accepts_csv(call))
    services = call.services
    seq = services.runtime.state.seq
    await services.runtime.wait_durable(seq)
    report = await gain_report(
        services.database, services.write_behind, wanted, cursor, CSV_ROWS_MAX if as_csv else limit
    )
    if as_csv:
        if report.next_cursor is not None:
            raise BadRequest("from_date", f"gives more than {CSV_ROWS_MAX} rows: ask for a shorter time")
        text = await asyncio.to_thread(_csv, report)
        headers = {"Content-Disposition": 'attachment; filename="realized-gains.csv"'}
        return Answer(200, text, headers, f"{CSV}; charset=utf-8")
    data = RealizedGainsJson([_gain(each) for each in report.gains], _totals(report), report.is_complete)
    return success(data, meta=MetaJson(as_of_seq=seq, limit=limit, next_cursor=report.next_cursor))


def _wanted(call: Call) -> Wanted:
    symbol = read_text(call.query, "symbol", most=SYMBOL_MAX) or ""
    from_us = read_time_us(call.query, "from_date") or 0
    to_us = read_time_us(call.query, "to_date", end_of_day=True)
    if to_us is not None and to_us < from_us:
        raise BadRequest("to_date", "is before from_date")
    return Wanted(call.principal.account_id, symbol, from_us, END_US if to_us is None else to_us)


def _gain(gain: Gain) -> GainJson:
    return GainJson(
        execution_id=f"exe_{gain.execution_id}" if gain.order_id else None,
        order_id=f"ord_{gain.order_id}" if gain.order_id else None,
        lot_id=f"lot_{gain.lot_id}",
        stock_symbol=gain.symbol,
        type=gain.kind.name,
        quantity=quantity(gain.units_e8),
        proceeds=cash(gain.proceeds_e4),
        cost=cash(gain.cost_e4),
        fee=cash(gain.fee_e4),
        gain=cash(gain.proceeds_e4 - gain.cost_e4),
        term=gain.term.name,
        acquired_at=time_text(gain.acquired_us),
        sold_at=time_text(gain.sold_us),
        wash_sale=_wash_sale(gain.parts) if gain.parts and is_washed(gain.parts) else None,
    )


def is_washed(parts: tuple[Part, ...]) -> bool:
    """Whether wash sales change anything of a sale."""
    return any(part.added_e4 or part.replacements for part in parts)


def _wash_sale(parts: tuple[Part, ...]) -> WashSaleJson:
    return WashSaleJson(
        basis_added=cash(sum(part.added_e4 for part in parts)),
        disallowed=cash(sum(part.disallowed_e4 for part in parts)),
        adjusted_gain=cash(sum(part.gain_e4 for part in parts)),
        parts=[
            PartJson(
                quantity=quantity(part.units_e8),
                basis_added=cash(part.added_e4),
                disallowed=cash(part.disallowed_e4),
                adjusted_gain=cash(part.gain_e4),
                held_since=_date(part.held_since_day),
                term=part.term.name,
                carried_by=[
                    CarriedJson(f"lot_{each.lot_id}", quantity(each.units_e8), cash(each.disallowed_e4))
                    for each in part.replacements
                ],
            )
            for part in parts
        ],
    )


def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()


def _totals(report: GainReport) -> GainTotalsJson:
    short, long = (report.totals.get(term, TermTotal()) for term in (Term.SHORT, Term.LONG))
    return GainTotalsJson(_total(short), _total(long), _total(short, long))


def _total(*terms: TermTotal) -> GainTotalJson:
    return GainTotalJson(
        proceeds=cash(sum(each.proceeds_e4 for each in terms)),
        cost=cash(sum(each.cost_e4 for each in terms)),
        fees=cash(sum(each.fee_e4 for each in terms)),
        gain=cash(sum(each.gain_e4 for each in terms)),
        disallowed=cash(sum(each.disallowed_e4 for each in terms)),
        adjusted_gain=cash(sum(each.adjusted_e4 for each in terms)),
    )


CSV_COLUMNS: Final = (
    "stock_symbol",
    "type",
    "term",
    "quantity",
    "acquired_at",
    "sold_at",
    "proceeds",
    "cost",
    "fee",
    "gain",
    "basis_added",
    "disallowed",
    "adjusted_gain",
    "lot_id",
    "execution_id",
    "order_id",
)


def _csv(report: GainReport) -> bytes:
    """RFC 4180. No field but the symbol has anything that would have to be quoted."""
    return "".join(f"{line}\r\n" for line in (",".join(CSV_COLUMNS), *map(_csv_line, report.gains))).encode()


def _csv_line(gain: Gain) -> str:
    return ",".join(_csv_fields(gain))


def _csv_fields(gain: Gain) -> Iterator[str]:
    gain_e4 = gain.proceeds_e4 - gain.cost_e4
    parts = gain.parts or ()
    adjusted_e4 = sum(part.gain_e4 for part in parts) if parts else gain_e4
    yield safe(gain.symbol)
    yield from (gain.kind.name, gain.term.name, quantity_text(gain.units_e8))
    yield from (time_text(gain.acquired_us), time_text(gain.sold_us))
    yield from map(cash_text, (gain.proceeds_e4, gain.cost_e4, gain.fee_e4, gain_e4))
    yield from map(
        cash_text, (sum(part.added_e4 for part in parts), sum(part.disallowed_e4 for part in parts))
    )
    yield cash_text(adjusted_e4)
    yield f"lot_{gain.lot_id}"
    yield from (f"exe_{gain.execution_id}", f"ord_{gain.order_id}") if gain.order_id else ("", "")
