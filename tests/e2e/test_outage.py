"""PostgreSQL goes away under load, for some seconds: orders go on, nothing is lost, the backlog drains."""

from __future__ import annotations

import pytest

from tests.torture.outage import How, trial

AWAY_S = 3.0
RATE = 700
WARM_UP = 1_000


@pytest.mark.timeout(240)
async def test_orders_go_on_while_the_database_is_away() -> None:
    async with trial() as one:
        outage = await one.run(How.STOPPED, AWAY_S, warm_up=WARM_UP, rate=RATE, keyed_percent=50)
    print(outage)
    assert outage.away_s >= AWAY_S
    assert outage.orders_while_away > 100 * AWAY_S
    assert outage.backlog_records > outage.orders_while_away
    assert outage.not_taken == 0
