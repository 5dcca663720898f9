"""A day in a car park of 1 000 spaces with 20 gates, simulated at speed: every other one with a kill -9 in each of its hours."""

from __future__ import annotations

from datetime import datetime
from random import Random

from config.loading import load_settings
from server.embedded_postgres import EmbeddedPostgres
from tests.day.plan import DAY, STARTS, Size
from tests.day.world import Day, opened
from tests.torture.job import Job


async def live_a_day(size: Size, start: datetime, kills: int, random: Random, **environ: str) -> Day:
    """One day. Raises AssertionError for whatever must not be."""
    async with opened(size, start, random, **environ) as (day, gate_port):
        planned = await day.found(gate_port)
        await day.live(planned, kills)
        dsn = environ.get("KERB_DATABASE_URL")
        if dsn is None:
            settings = load_settings("demo", None, {}).settings
            dsn = await EmbeddedPostgres(day.kerb.data_dir, settings.postgres).running_dsn()
        await day.look(dsn)
    return day


async def day(job: Job) -> None:
    """Days in turns: without a kill, with one an hour."""
    for number in job.todo():
        with job.round(number) as one:
            start, kills = STARTS[number // 2 % len(STARTS)], DAY.hours * (number % 2)
            lived = await live_a_day(DAY, start, kills, one.random)
            one.seen = lived.seen
            one.text = f"{lived.clock.start.date()}, {lived.kills} kills, {dict(lived.seen)}"
