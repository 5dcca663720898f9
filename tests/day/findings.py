"""The end of the day: what the server says, line by line, beside what those who lived the day know."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from engine.parking.kinds import ChargeKind, EntryRight
from engine.state import (
    PARKING_CASH_ACCOUNT_ID,
    PARKING_DEBT_ACCOUNT_ID,
    PARKING_REVENUE_ACCOUNT_ID,
    PARKING_TAX_ACCOUNT_ID,
)
from tests.day.books import Books, Driver
from tests.day.line import Line
from tests.handlers.small_kerb import Client

if TYPE_CHECKING:
    from tests.day.controllers import Row
    from tests.day.world import Day

PAGE = 500


async def occupancy(line: Line, client: Client, books: Books, lot: str) -> None:
    """As many are inside as cars are, and on spaces but for those that a gate let in alone when there was none."""
    found = await _get(line, client, f"/parking/lots/{lot}/occupancy")
    assert found["inside"] == len(books.inside), (found["inside"], len(books.inside))
    nowhere = found["inside"] - sum(part["vehicles"] for part in found["parts"])
    assert 0 <= nowhere <= books.happened["in by a gate alone"], found


async def look(day: Day, dsn: str) -> None:
    """Everything. Raises AssertionError with what differs."""
    line, books = day.line, day.books
    await occupancy(line, day.operator, books, day.traffic.lot)
    inside: dict[str, str] = {}
    for driver in day.drivers:
        for each in await _get(line, driver.client, "/parking/stays?status=INSIDE"):
            inside[each["plate"]] = each["by"]
            assert books.sent_to.get(each["plate"], each["space"]) == each["space"], each
        await _wallet(line, driver)
        await _bookings(line, driver, books)
        passes = {each["pass_id"] for each in await _get(line, driver.client, "/parking/passes")}
        assert passes == {pass_id for pass_id, owner in books.passes.items() if owner is driver}
    tickets = {plate: right for plate, right in books.inside.items() if plate not in inside}
    assert inside == {plate: right for plate, right in books.inside.items() if plate not in tickets}
    assert set(tickets.values()) <= {"TICKET"}, tickets
    for gate in day.traffic.gates:
        _same(await _rows(line, day.operator, gate.gate_id), gate.seen, f"the access log of {gate.gate_id}")
    connection = await asyncpg.connect(dsn)
    try:
        await _tables(connection, books)
        await _ledger(connection, day)
    finally:
        await connection.close()


async def _wallet(line: Line, driver: Driver) -> None:
    """What was paid in less what was charged is there, or it is owed."""
    found = await _get(line, driver.client, "/wallet/balance")
    held_e4, balance_e4 = (round(found[name] * 10_000) for name in ("held", "balance"))
    expected_e4 = driver.deposited_e4 - driver.charged_e4
    assert held_e4 == driver.held_e4, (driver, found)
    assert balance_e4 == max(0, expected_e4), (driver, found)


async def _bookings(line: Line, driver: Driver, books: Books) -> None:
    """Each booking once, as it ended."""
    found: Counter[tuple[str, str]] = Counter()
    for status in ("", "COMPLETED", "CANCELLED", "NO_SHOW", "EXPIRED"):
        path = f"/parking/bookings?limit={PAGE}" + (f"&status={status}" if status else "")
        for each in await _pages(line, driver.client, path):
            found[each["booking_id"], each["status"]] += 1
    known = Counter(
        {(booking_id, status): 1 for booking_id, (owner, status) in books.bookings.items() if owner is driver}
    )
    _same(found, known, "bookings")


async def _rows(line: Line, client: Client, gate_id: str) -> Counter[Row]:
    """The access log of a gate, but for its connections, of which none is lost that was not there."""
    path = f"/admin/parking/access-logs?gate_id={gate_id}&limit={PAGE}"
    found: Counter[Row] = Counter()
    is_connected = False
    for each in reversed(await _pages(line, client, path)):
        if each["kind"] in ("CONNECTED", "LOST"):
            assert is_connected or each["kind"] == "CONNECTED", each
            is_connected = each["kind"] == "CONNECTED"
            continue
        at = datetime.fromisoformat(each["said_at"]).astimezone(UTC).isoformat()
        found[each["kind"], each["reason"] or "", each["what"] or "", at] += 1
    return found


async def _tables(connection: asyncpg.Connection, books: Books) -> None:
    """Each stay once, each charge once."""
    stays = await connection.fetch("SELECT * FROM parking_stays")
    _same(
        Counter(
            (row["who"], row["begin_at"], row["end_at"], EntryRight(row["entry_right"]).name,
             row["charged_e4"], row["owed_e4"])
            for row in stays
        ),
        books.visits,
        "stays",
    )  # fmt: skip
    charges = await connection.fetch("SELECT * FROM parking_charges")
    _same(
        Counter(
            (ChargeKind(row["kind"]).name, row["who"], row["account_id"], row["total_e4"], row["tax_e4"])
            for row in charges
        ),
        books.charges,
        "charges",
    )
    assert sum(row["paid_e4"] + row["owed_e4"] for row in charges) == sum(row["total_e4"] for row in charges)


async def _ledger(connection: asyncpg.Connection, day: Day) -> None:
    """Every transaction sums to zero, and so do all accounts; parking's own have what was charged and what is owed."""
    unbalanced = await connection.fetch(
        "SELECT txn_id, asset FROM postings GROUP BY txn_id, asset HAVING sum(amount) <> 0"
    )
    assert unbalanced == [], unbalanced
    books = day.books
    rows = await connection.fetch(
        "SELECT account_id, sum(amount)::BIGINT AS total FROM postings WHERE asset = 'USD' GROUP BY account_id"
    )
    sums: dict[int, int] = {row["account_id"]: row["total"] for row in rows}
    assert sum(sums.values()) == 0, sums
    total_e4 = sum(total * count for (_, _, _, total, _), count in books.charges.items())
    tax_e4 = sum(tax * count for (_, _, _, _, tax), count in books.charges.items())
    assert sums.get(PARKING_REVENUE_ACCOUNT_ID, 0) == total_e4 - tax_e4
    assert sums.get(PARKING_TAX_ACCOUNT_ID, 0) == tax_e4
    assert sums.get(PARKING_CASH_ACCOUNT_ID, 0) == 0
    assert sums.get(PARKING_DEBT_ACCOUNT_ID, 0) == -books.debt_e4, (sums, books.debt_e4)
    for driver in day.drivers:
        expected_e4 = max(0, driver.deposited_e4 - driver.charged_e4)
        assert sums.get(driver.client.account_id, 0) == expected_e4, driver


def _same(found: Counter[Any], known: Counter[Any], what: str) -> None:
    """Two lists with the same members, each as often."""
    missing, extra = known - found, found - known
    assert not missing, (
        f"{what}: {missing.total()} missing, {list(missing.items())[:5]}; extra {list(extra.items())[:5]}"
    )
    assert not extra, f"{what}: {extra.total()} too many, {list(extra.items())[:5]}"


async def _get(line: Line, client: Client, path: str) -> Any:
    reply = await line.call(client, "GET", path)
    assert reply.status == 200, reply
    return reply.data


async def _pages(line: Line, client: Client, path: str) -> list[Any]:
    """All of a list."""
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        reply = await line.call(client, "GET", f"{path}&cursor={cursor}" if cursor else path)
        assert reply.status == 200, reply
        found += reply.data
        cursor = reply.meta.get("next_cursor")
    return found
