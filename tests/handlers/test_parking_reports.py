"""Reports over a real socket, hand-checked on the day that has 25 hours; the CSV is the same, and safe to open."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from tests.handlers.parking_people import car_park, go_in, go_out
from tests.handlers.small_kerb import Client, Reply, SmallKerb
from tests.server.ledger_world import SteppingClock

REVENUE, OCCUPANCY = "/admin/reports/parking/revenue", "/admin/reports/parking/occupancy"
THE_DAY = "?from_date=2024-10-27&to_date=2024-10-27&lot_id=lot_P1"


def set_time(small: SmallKerb, text: str) -> None:
    clock = small.world.runtime.clock
    assert isinstance(clock, SteppingClock)
    clock.us = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**6


async def long_night(small: SmallKerb) -> Client:
    """One parks from half past midnight to the second half past two: three hours. Another stays half of an hour that is there
    twice, the first time. The operator.
    """
    await car_park(small)
    driver = await small.trader("driver", cash="100")
    for plate in ("LONG1", "SHORT1"):
        assert (await driver("POST", "/parking/vehicles", {"plate": plate})).status == 201
    set_time(small, "2024-10-26T22:30:00")
    await go_in(small, "LONG1")
    set_time(small, "2024-10-27T00:15:00")
    await go_in(small, "SHORT1")
    set_time(small, "2024-10-27T00:44:59")
    await go_out(small, "SHORT1")
    set_time(small, "2024-10-27T01:29:59")
    await go_out(small, "LONG1")
    set_time(small, "2024-10-28T12:00:00")
    return await small.admin()


async def report(user: Client, path: str) -> Any:
    reply = await user("GET", path)
    assert reply.status == 200, reply
    return reply.data


async def test_revenue_of_the_day_with_25_hours(small: SmallKerb) -> None:
    operator = await long_night(small)
    found = await report(operator, f"{REVENUE}{THE_DAY}&by=hour,type,kind")
    # started half hours at 1.00: one, and six
    assert [
        (each["local_from"], each["from"], each["type"], each["kind"], each["charges"], each["total"])
        for each in found["rows"]
    ] == [
        ("2024-10-27T02:00:00+02:00", "2024-10-27T00:00:00.000000Z", "STANDARD", "STAY", 1, 1.0),
        ("2024-10-27T02:00:00+01:00", "2024-10-27T01:00:00.000000Z", "STANDARD", "STAY", 1, 6.0),
    ]
    total = {
        "currency": "USD",
        "charges": 2,
        "total": 7.0,
        "net": 7.0,
        "tax": 0.0,
        "paid": 7.0,
        "cash": 0.0,
        "owed": 0.0,
    }
    assert found["totals"] == [total]
    for by in ("total", "day", "lot", "type", "kind", "hour,day", "day,lot,type,kind"):
        found = await report(operator, f"{REVENUE}{THE_DAY}&by={by}")
        assert found["totals"] == [total]
        assert sum(each["total"] for each in found["rows"]) == 7.0
    day = (await report(operator, f"{REVENUE}{THE_DAY}"))["rows"][0]
    assert (day["from"], day["to"]) == ("2024-10-26T22:00:00.000000Z", "2024-10-27T23:00:00.000000Z")
    assert (day["lot_id"], day["type"], day["kind"], day["time_zone"]) == (None, None, None, "Europe/Berlin")


async def test_occupancy_of_the_day_with_25_hours(small: SmallKerb) -> None:
    operator = await long_night(small)
    rows = await report(operator, f"{OCCUPANCY}{THE_DAY}&by=hour,lot")
    assert len(rows) == 25
    assert [
        (each["local_from"][11:], each["peak"], each["mean"], each["at_end"], each["came"], each["went"])
        for each in rows[:6]
    ] == [
        ("00:00:00+02:00", 1, 0.5, 1, 1, 0),
        ("01:00:00+02:00", 1, 1.0, 1, 0, 0),
        ("02:00:00+02:00", 2, 1.4997, 1, 1, 1),
        ("02:00:00+01:00", 1, 0.4997, 0, 0, 1),
        ("03:00:00+01:00", 0, 0.0, 0, 0, 0),
        ("04:00:00+01:00", 0, 0.0, 0, 0, 0),
    ]
    assert {(each["lot_id"], each["lot_name"], each["capacity"]) for each in rows} == {
        ("lot_P1", "Old Harbour", 8)
    }
    (day,) = await report(operator, f"{OCCUPANCY}{THE_DAY}")
    # (2:59:59 + 0:29:59) of 25 hours
    assert (day["peak"], day["mean"], day["at_end"], day["came"], day["went"]) == (2, 0.14, 0, 2, 2)
    types = await report(operator, f"{OCCUPANCY}{THE_DAY}&by=type")
    assert {each["type"]: (each["capacity"], each["peak"]) for each in types} == {
        "STANDARD": (2, 2),
        "COMPACT": (1, 0),
        "LARGE": (1, 0),
        "ACCESSIBLE": (1, 0),
        "EV": (1, 0),
        "MOTORCYCLE": (1, 0),
        "VIP": (1, 0),
    }


async def test_who_is_inside_now_counts_until_now(small: SmallKerb) -> None:
    operator = await long_night(small)
    await go_in(small, "LONG1")
    small.world.clock_leap(1_800)
    today = "?from_date=2024-10-28&to_date=2024-10-29&by=hour"
    rows = await report(operator, OCCUPANCY + today)
    assert len(rows) == 14  # the fourteenth hour, from one o'clock in Berlin, has begun
    assert [(each["peak"], each["mean"], each["at_end"]) for each in rows[12:]] == [(0, 0.0, 0), (1, 1.0, 1)]
    assert rows[-1]["to"] < "2024-10-28T12:31:00Z"


def table(reply: Reply) -> list[dict[str, str]]:
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert "attachment" in reply.headers["Content-Disposition"]
    text = reply.body.decode()
    assert text.count("\r\n") == text.count("\n") == len(text.splitlines())
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(
    ("path", "by"), [(REVENUE, "hour,lot,type,kind"), (OCCUPANCY, "hour,lot,type"), (OCCUPANCY, "day")]
)
async def test_csv_says_what_json_says(small: SmallKerb, path: str, by: str) -> None:
    operator = await long_night(small)
    found = await report(operator, f"{path}{THE_DAY}&by={by}")
    rows = found["rows"] if path == REVENUE else found
    asked = [operator("GET", f"{path}{THE_DAY}&by={by}&format=csv")]
    asked.append(operator("GET", f"{path}{THE_DAY}&by={by}", headers={"Accept": "text/csv"}))
    for reply in asked:
        lines = table(await reply)
        assert list(lines[0]) == list(rows[0])
        for line, row in zip(lines, rows, strict=True):
            for name, value in row.items():
                if isinstance(value, int | float):
                    assert float(line[name]) == value
                else:
                    assert line[name] == (value or "")


async def test_a_name_that_is_a_formula_is_a_text_in_the_file(small: SmallKerb) -> None:
    operator = await long_night(small)
    name = '=HYPERLINK("http://x.example","a, b")'
    body = {"name": name, "time_zone": "Europe/Berlin", "currency": "USD", "tariff": "std"}
    assert (await operator("PUT", "/admin/parking/lots/lot_P1", body)).status == 200
    (line,) = table(await operator("GET", f"{REVENUE}{THE_DAY}&by=lot&format=csv"))
    assert line["lot_name"] == f"'{name}"
    assert (await report(operator, f"{REVENUE}{THE_DAY}&by=lot"))["rows"][0]["lot_name"] == name


async def test_rows_come_page_by_page(small: SmallKerb) -> None:
    operator = await long_night(small)
    whole = await report(operator, f"{OCCUPANCY}{THE_DAY}&by=hour")
    paged = []
    for page in (1, 2, 3):
        reply = await operator("GET", f"{OCCUPANCY}{THE_DAY}&by=hour&limit=10&page={page}")
        assert (reply.meta["page"], reply.meta["limit"], reply.meta["total"]) == (page, 10, 25)
        paged += reply.data
    assert paged == whole


WRONG = [
    ("", 400, "from_date"),
    ("?from_date=2024-10-27", 400, "to_date"),
    ("?from_date=yesterday&to_date=2024-10-27", 400, "from_date"),
    ("?from_date=2024-10-27&to_date=2024-13-01", 400, "to_date"),
    ("?from_date=2024-10-27T10:00:00&to_date=2024-10-28", 400, "from_date"),
    (f"{THE_DAY}&by=week", 400, "by"),
    (f"{THE_DAY}&by=hour,", 400, "by"),
    (f"{THE_DAY}&format=xml", 400, "format"),
    (f"{THE_DAY}&limit=501", 400, "limit"),
    ("?from_date=2024-10-28&to_date=2024-10-26", 422, "to_date"),
    ("?from_date=2024-10-27T10:00:00Z&to_date=2024-10-27T10:00:00Z", 422, "to_date"),
    ("?from_date=2020-01-01&to_date=2024-10-27", 422, "to_date"),
    ("?from_date=2024-10-27T00:00:00Z&to_date=2025-12-03T00:00:01Z", 422, "to_date"),
    ("?from_date=9999-12-31&to_date=9999-12-31", 422, "from_date"),
    ("?from_date=0001-01-01&to_date=0001-01-01", 422, "from_date"),
    ("?from_date=2024-10-27&to_date=2024-10-27&lot_id=lot_NONE", 422, "lot_id"),
    ("?from_date=2024-10-27&to_date=2024-10-27&lot_id=P1", 422, "lot_id"),
]


async def test_a_report_that_is_too_long_says_what_to_do(small: SmallKerb) -> None:
    await car_park(small)
    operator = await small.admin()
    months = "?from_date=2023-09-01&to_date=2023-10-31&by=hour,type"
    reply = await operator("GET", OCCUPANCY + months)
    assert (reply.status, reply.code) == (422, "INVALID_INTERVAL")
    assert "more than 10000 rows" in reply.error["message"]
    reply = await operator("GET", f"{OCCUPANCY}?from_date=2023-08-01&to_date=2023-10-31")
    assert (reply.status, "62 days at most" in reply.error["message"]) == (422, True)


WAITING = """
SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


async def test_a_report_that_takes_too_long_is_refused(small: SmallKerb, database_dsn: str) -> None:
    """PostgreSQL ends a statement that takes longer than it may, as it is ended here."""
    await car_park(small)
    operator = await small.admin()
    connection = await asyncpg.connect(database_dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK parking_charges")
            asked = asyncio.create_task(operator("GET", REVENUE + THE_DAY))
            while not await connection.fetch(WAITING):
                assert not asked.done()
            reply = await asked
    finally:
        await connection.close()
    assert (reply.status, reply.code) == (422, "INVALID_INTERVAL")
    assert "takes too long" in reply.error["message"]


async def test_what_makes_no_report_is_told_by_its_parameter(small: SmallKerb) -> None:
    await car_park(small)
    operator, driver = await small.admin(), await small.trader("driver")
    for path in (REVENUE, OCCUPANCY):
        for query, status, field in WRONG:
            reply = await operator("GET", path + query)
            assert (reply.status, reply.error["details"]["field"]) == (status, field), (query, reply)
        # as long as may be
        for days in ("?from_date=2023-01-01&to_date=2023-03-03", "?from_date=1970-01-01&to_date=1970-01-02"):
            assert (await operator("GET", path + days)).status == 200
        assert (await driver("GET", path + THE_DAY)).status == 403
        assert (await small.anonymous()("GET", path + THE_DAY)).status == 401
