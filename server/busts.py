"""Trade busts under four eyes: one operator proposes to take a fill back, another one decides (as server/adjustments.py).

1. `propose`: a row, PROPOSED; one that is alive for each trade            nothing has moved
2. `decide`: APPROVED or REJECTED, once, by somebody else (the database says so too)
3. the engine's `BustTrade` with the facts of both executions (engine/bust.py)
4. the row becomes BUSTED with its transaction, or REFUSED with the engine's refusal
A crash between 2 and 4 leaves it APPROVED: approving it again looks at the executions first and goes on from there.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.commands import BustTrade, Envelope
from engine.events import OrderUpdated, SoldLot, TradeBusted
from engine.kinds import Side, Source
from server.database import Database
from server.errors import Conflict, NotFound
from server.four_eyes import FourEyes
from server.history import microseconds, order_of
from sql import busts as queries
from sql.entries import Liquidity
from sql.queries import ORDER

if TYPE_CHECKING:
    from asyncpg import Record
    from asyncpg.pool import PoolConnectionProxy

    from server.runtime import Runtime
    from server.write_behind import WriteBehind

STATUSES: Final = ("PROPOSED", "APPROVED", "REJECTED", "BUSTED", "REFUSED")
_ID_MAX: Final = 2**63 - 1


class Bust(Struct, frozen=True):
    """A proposal. `trade_id` is the buyer's execution, `outcome` the transaction of one that was carried out, or the
    refusal's name.
    """

    bust_id: int
    trade_id: int
    reason: str
    status: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    outcome: str | None


_proposals: Final = FourEyes("proposal", Bust, one=queries.BUST, decide=queries.DECIDE, finish=queries.FINISH)


async def propose(
    connection: PoolConnectionProxy, write_behind: WriteBehind, execution_id: int, reason: str, user_id: int
) -> Bust:
    """Write a proposal for the fill of an execution, either side's, down.

    Raises NotFound, Conflict when one is alive or the fill is busted, and DatabaseUnavailable, as all of these.
    """
    await write_behind.barrier()
    bought, _ = await _executions(connection, execution_id)
    if bought["busted_at"] is None:
        row = await connection.fetchrow(queries.PROPOSE, bought["execution_id"], reason, user_id)
        if row is not None:
            return _proposals.of(row)
    raise Conflict("This trade is busted already, or somebody has proposed it.")


async def busts(database: Database, status: str, before_id: int | None, limit: int) -> list[Bust]:
    """The newest `limit` before an id; '' is every status."""
    before = _ID_MAX if before_id is None else before_id
    return [_proposals.of(row) for row in await database.fetch(queries.BUSTS, status, before, limit)]


async def reject(database: Database, bust_id: int, user_id: int) -> Bust:
    """Turn a proposal down. Raises NotFound, Forbidden for the one who proposed, Conflict when another has decided, or
    the same operator otherwise.
    """
    return await _proposals.decide(database, bust_id, user_id, "REJECTED")


async def approve(
    database: Database,
    runtime: Runtime,
    write_behind: WriteBehind,
    bust_id: int,
    user_id: int,
    request_id: str,
) -> Bust:
    """Approve a proposal and carry it out. Raises as `reject`, and what `Runtime.submit` raises."""
    decided = await _proposals.decide(database, bust_id, user_id, "APPROVED")
    if decided.outcome is not None:
        return decided
    await write_behind.barrier()
    bought, sold = await _executions(database, decided.trade_id)
    if bought["busted_at"] is not None:
        row = await database.fetchrow(queries.BUSTED_AS, decided.trade_id, bought["account_id"])
        assert row is not None
        return await _proposals.finish(database, bust_id, "BUSTED", f"txn_{row[0]}")
    reports = await _last_reports(database, runtime, write_behind, (bought, sold))
    command = _command(bought, sold, decided, *reports)  # nothing is awaited between these and the engine
    name = f"bust-{bust_id}"
    applied = await runtime.execute(command, Envelope(Source.OPERATOR, 0, 0, request_id, name, name.encode()))
    if applied.refused is not None:
        return await _proposals.finish(database, bust_id, "REFUSED", applied.refused.refusal.name)
    transaction = next(event.bust_id for event in applied.answer if isinstance(event, TradeBusted))
    return await _proposals.finish(database, bust_id, "BUSTED", f"txn_{transaction}")


async def _executions(database: Database | PoolConnectionProxy, execution_id: int) -> tuple[Record, Record]:
    """Both executions of a fill, the buyer's first. Raises NotFound."""
    rows = await database.fetch(queries.EXECUTIONS_OF_TRADE, execution_id)
    if len(rows) != 2:
        raise NotFound("There is no such trade.")
    return rows[0], rows[1]


async def _last_reports(
    database: Database, runtime: Runtime, write_behind: WriteBehind, sides: tuple[Record, Record]
) -> list[OrderUpdated | None]:
    """The buyer's and the seller's order as Postgres has them; of one that is open the engine knows better itself.

    An order that closes meanwhile is read again: then Postgres has its end.
    """
    orders = runtime.state.orders
    while True:
        await runtime.wait_durable(runtime.state.seq)
        await write_behind.barrier()
        rows = [await database.fetchrow(ORDER, side["account_id"], side["order_id"]) for side in sides]
        reports = [None if row is None else order_of(row) for row in rows]
        if all(order is None or not order.is_open or order.order_id in orders for order in reports):
            return reports


def _command(
    bought: Record,
    sold: Record,
    decided: Bust,
    buy_order: OrderUpdated | None,
    sell_order: OrderUpdated | None,
) -> BustTrade:
    """The command with the facts of a fill."""
    figures = sold["sold_lots"] or []
    lots: tuple[SoldLot, ...] = tuple(
        (figures[n], figures[n + 1], figures[n + 2], figures[n + 3]) for n in range(0, len(figures), 4)
    )
    assert decided.decided_by is not None
    return BustTrade(
        trade_id=bought["execution_id"],
        executed_us=microseconds(bought["executed_at"]),
        symbol=bought["symbol"],
        price_e4=bought["price_e4"],
        quantity_e8=bought["quantity_e8"],
        notional_e4=bought["notional_e4"],
        taker_side=Side.BUY if bought["liquidity"] == Liquidity.TAKER else Side.SELL,
        buy_order_id=bought["order_id"],
        buy_account_id=bought["account_id"],
        buy_fee_e4=bought["fee_e4"],
        sell_order_id=sold["order_id"],
        sell_account_id=sold["account_id"],
        sell_fee_e4=sold["fee_e4"],
        sold_lots=lots,
        operator_id=decided.decided_by,
        reason=decided.reason,
        buy_order=buy_order,
        sell_order=sell_order,
        sell_regulatory_e4=sold["regulatory_e4"],
        market=sold["market"],
        settlement_day=sold["settlement_day"],
    )
