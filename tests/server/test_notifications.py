"""The rows of notifications: what the records tell, each once, also after a restart; and nothing of a market maker's orders."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from sql.notifications import NotificationKind, notable_of, notifications_of
from tests.server.ledger_world import World, open_world


async def stored(dsn: str) -> dict[tuple[int, int], NotificationKind]:
    """What has been written: account and id → kind."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT account_id, notification_id, kind FROM notifications")
    await connection.close()
    return {(row["account_id"], row["notification_id"]): NotificationKind(row["kind"]) for row in rows}


def told(world: World) -> dict[tuple[int, int], NotificationKind]:
    """What the journal's records tell."""
    return {
        (each.account_id, each.notification_id): each.kind
        for record in world.runtime.durable_records(after=0)
        for each in notifications_of(record, notable_of(record), world.state.accounts)
    }


async def test_rows_are_what_the_records_tell_each_once(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=3)
        world.trade_at_random(400, seed=1)
        await world.runtime.wait_durable(world.state.seq)
        await world.write_behind.close()
        maker_id, account_ids = world.maker_id, world.account_ids
    async with open_world(database_dsn, tmp_path) as world:
        world.maker_id, world.account_ids = maker_id, account_ids
        world.trade_at_random(400, seed=2)
        await world.written()
        written = await stored(database_dsn)
        assert written == told(world)
        kinds = {kind for (account_id, _), kind in written.items() if account_id != maker_id}
        assert kinds > {NotificationKind.ORDER_FILLED, NotificationKind.ORDER_PARTIALLY_FILLED}
        of_maker = {kind for (account_id, _), kind in written.items() if account_id == maker_id}
        assert of_maker == {NotificationKind.DEPOSIT_CREDITED, NotificationKind.SHARES_RECEIVED}
