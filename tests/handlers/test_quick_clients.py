"""Calls that come while aiohttp's task is on its way back from the one before: they need it no more than others."""

from __future__ import annotations

import asyncio

import pytest

from handlers.direct import HELD_MAX, DirectProtocol
from tests.handlers.small_kerb import Client, SmallKerb
from tests.handlers.test_direct import Raw, get, order, own_connection


async def task_away(raw: Raw, connection: DirectProtocol, client: Client) -> None:
    """Make a call that takes aiohttp's task, and come back when it is answered and the task does not wait yet."""
    while is_away(connection):
        await asyncio.sleep(0)
    raw.writer.write(get(client, "/api/v1/auth/sessions"))  # it has to wait for PostgreSQL
    for is_under_way in (True, False):
        while connection._request_in_progress is not is_under_way:
            await asyncio.sleep(0)
    assert is_away(connection)


def is_away(connection: DirectProtocol) -> bool:
    """Whether aiohttp's task does not wait for a call."""
    return connection._waiter is None


@pytest.mark.parametrize(("method", "status", "by_task"), [("PUT", 405, True), ("POST", 201, False)])
async def test_a_client_that_is_quicker_than_the_task_is_answered_without_it(
    small: SmallKerb, method: str, status: int, by_task: bool
) -> None:
    """Else every call of such a client would take the long way once one has."""
    client = await small.trader(cash="1000")
    request = order(client, method=method)
    async with own_connection(small) as (raw, connection):
        await task_away(raw, connection, client)
        left_to_task = connection.body
        connection.data_received(request[:40])
        connection.data_received(request[40:])
        assert [(await raw.answer())[0] for _ in range(2)] == [200, status]
        assert (connection.body is not left_to_task) == by_task


async def test_the_rest_of_a_call_that_was_held_comes_later(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    async with own_connection(small) as (raw, connection):
        await task_away(raw, connection, client)
        connection.data_received(order(client)[:90])
        while is_away(connection):
            await asyncio.sleep(0)
        raw.writer.write(order(client)[90:])
        assert [(await raw.answer())[0] for _ in range(2)] == [200, 201]


async def test_what_is_long_is_not_held(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    whole = order(client, client_order_id="x" * 2 * HELD_MAX)
    async with own_connection(small) as (raw, connection):
        await task_away(raw, connection, client)
        for start in range(0, len(whole), HELD_MAX // 2):
            connection.data_received(whole[start : start + HELD_MAX // 2])
        assert len(connection._held) <= HELD_MAX
        assert [(await raw.answer())[0] for _ in range(2)] == [200, 400]
