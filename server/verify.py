"""Checks the books in Postgres: against themselves in SQL, and against the engine's state that stands beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from msgspec import Struct

from engine.invariants import check_invariants
from engine.state import CUSTODY_ACCOUNT_ID, State
from server.progress import Progress
from server.recovery import StateUnreadable, load_state
from sql.checks import CHECKS, HELD_CASH
from sql.copy_rows import saturated
from sql.mirrors import MIRRORS
from sql.specials import special_json

if TYPE_CHECKING:
    from asyncpg import Record

FINDINGS_MAX: Final = 100
"""Of one check; what is wrong in more rows than that is wrong in one place."""

Values = tuple[Any, ...]


class Finding(Struct, frozen=True):
    """Something that is wrong: which check found it, in which row, and what it says."""

    check: str
    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: {self.problem}"


class Findings:
    """What is wrong, by check, and of each check as much as an operator can use."""

    def __init__(self) -> None:
        self._by_check: dict[str, list[Finding]] = {}

    def __repr__(self) -> str:
        return f"<Findings {self.counts()}>"

    def add(self, check: str, subject: str, problem: str) -> None:
        """One more; those beyond FINDINGS_MAX of a check are left out."""
        findings = self._by_check.setdefault(check, [])
        if len(findings) < FINDINGS_MAX:
            findings.append(Finding(check, subject, problem))

    def all(self) -> list[Finding]:
        """In the order in which the checks first found something."""
        return [finding for findings in self._by_check.values() for finding in findings]

    def counts(self) -> dict[str, int]:
        """How many of each check were kept."""
        return {check: len(findings) for check, findings in self._by_check.items()}


async def verify(dsn: str) -> list[Finding]:
    """Everything that is wrong with the books, of one snapshot; empty when they are right. Changes nothing.

    Raises what asyncpg raises when the database cannot be read.
    """
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "kerb-verify", "jit": "off"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            state, findings = await _read_state(connection)
            arguments = {HELD_CASH: _booked(state)}
            progress = Progress("checking the books")
            for done, (check, query) in enumerate(CHECKS.items()):
                progress(done, len(CHECKS))
                rows = await connection.fetch(f"{query} LIMIT {FINDINGS_MAX}", *arguments.get(check, ()))
                findings += [Finding(check, row["subject"], row["problem"]) for row in rows]
            progress.finish()
            return findings if state is None else findings + await _verify_state(connection, state)
    finally:
        await connection.close()


async def _read_state(connection: asyncpg.Connection) -> tuple[State | None, list[Finding]]:
    try:
        state, _ = await load_state(connection)
    except StateUnreadable as error:
        return None, [Finding("engine state", "engine_state", str(error))]
    return state, []


def _booked(state: State | None) -> tuple[list[int], list[int]]:
    """What the open bookings of each account hold: the accounts, and the amounts."""
    held: dict[int, int] = {}
    for booking in () if state is None else state.parking.bookings.values():
        held[booking.account_id] = held.get(booking.account_id, 0) + booking.hold_e4
    return list(held), list(held.values())


async def _verify_state(connection: asyncpg.Connection, state: State) -> list[Finding]:
    """The engine's state holds its own invariants, and every readable table mirrors it."""
    findings = [Finding("engine invariants", "engine_state", problem) for problem in check_invariants(state)]
    for table, expected in EXPECTED.items():
        findings += await _verify_mirror(connection, table, dict(expected(state)))
    return findings


async def _verify_mirror(
    connection: asyncpg.Connection, table: str, expected: dict[Values, Values]
) -> list[Finding]:
    """Compare a table's rows, (key, values), with those that the state says must be there."""
    check = f"{table} = engine state"
    query, key_width = MIRRORS[table]
    findings = []
    async for row in connection.cursor(query, prefetch=1_000):
        key, values = _split(row, key_width)
        wanted = expected.pop(key, None)
        if wanted is None:
            findings.append(Finding(check, f"{table} {key}", "is not in the engine's state"))
        elif wanted != values:
            findings.append(Finding(check, f"{table} {key}", f"{values}, the engine's state says {wanted}"))
        if len(findings) == FINDINGS_MAX:
            return findings
    missing = [Finding(check, f"{table} {key}", "is missing") for key in expected]
    return (findings + missing)[:FINDINGS_MAX]


def _split(row: Record, key_width: int) -> tuple[Values, Values]:
    values = tuple(row.values())
    return values[:key_width], values[key_width:]


def _accounts(state: State) -> Iterator[tuple[Values, Values]]:
    for account in state.accounts.values():
        yield (account.account_id,), (account.user_id, account.kind, account.currency, account.status)


def _wallets(state: State) -> Iterator[tuple[Values, Values]]:
    for account in state.accounts.values():
        yield (account.account_id, account.currency), (account.cash_e4, account.held_e4, account.unsettled_e4)
    for (account_id, asset), balance in state.outside.items():
        if account_id != CUSTODY_ACCOUNT_ID:
            yield (account_id, asset), (balance, 0, 0)


def _holdings(state: State) -> Iterator[tuple[Values, Values]]:
    for account in state.accounts.values():
        for symbol, position in account.positions.items():
            yield (
                (account.account_id, symbol),
                (position.units_e8, position.held_e8, position.cost_e4, saturated(position.realized_e4)),
            )
    for (account_id, asset), balance in state.outside.items():
        if account_id == CUSTODY_ACCOUNT_ID:
            yield (account_id, asset), (balance, 0, 0, 0)


def _lots(state: State) -> Iterator[tuple[Values, Values]]:
    for lot in state.lots.values():
        yield (lot.lot_id,), (lot.account_id, lot.symbol, lot.units_e8, lot.cost_e4, lot.acquired_us)


def _orders(state: State) -> Iterator[tuple[Values, Values]]:
    for order in state.orders.values():
        if not order.is_quote or order.filled_e8:
            yield (
                (order.order_id,),
                (
                    *(order.account_id, order.symbol, order.side, order.order_type, order.time_in_force),
                    *(order.quantity_e8, order.price_e4, order.limit_e4, order.filled_e8, order.notional_e4),
                    *(order.fee_e4, order.hold_e4, order.status, order.created_us, order.client_order_id),
                    None if order.special is None else special_json(order.special).decode(),
                ),
            )


def _withdrawals(state: State) -> Iterator[tuple[Values, Values]]:
    for each in state.withdrawals.values():
        yield (each.withdrawal_id,), (each.account_id, each.amount_e4, each.requested_us)


def _instruments(state: State) -> Iterator[tuple[Values, Values]]:
    for each in state.instruments.values():
        yield (
            (each.symbol,),
            (
                *(each.name, each.currency, each.tick_e4, each.lot_e8, each.price_min_e4, each.price_max_e4),
                *(each.reference_e4, each.last_e4, each.previous_close_e4, each.phase, each.halted),
            ),
        )


EXPECTED: Final[dict[str, Callable[[State], Iterable[tuple[Values, Values]]]]] = {
    "accounts": _accounts,
    "wallets": _wallets,
    "holdings": _holdings,
    "lots": _lots,
    "orders": _orders,
    "withdrawals": _withdrawals,
    "instruments": _instruments,
}
"""Readable table → the rows that the state says it has; of orders and withdrawals, the open ones."""
