"""The table of attacks: what each is, how much of it `make torture` runs by default and in full."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tests.torture.byte_damage import bytes_
from tests.torture.cuts import cut
from tests.torture.day import day
from tests.torture.disk import disk
from tests.torture.freeze import freeze
from tests.torture.gate_attacks import gates
from tests.torture.gate_crowd import crowd
from tests.torture.inject import INJECTIONS, inject
from tests.torture.job import ENGINE_SOURCES, SOURCES, Job
from tests.torture.jumps import jump
from tests.torture.kill import kill
from tests.torture.last_space import last_space
from tests.torture.mutations import MUTATIONS, mutations
from tests.torture.orders import SHOWN, machine, orders
from tests.torture.outage import outage, outages
from tests.torture.overload import overload
from tests.torture.parking import allocation, parking
from tests.torture.races import duplicate_requests, second_writers, watched_crashes
from tests.torture.replays import replays
from tests.torture.simulate import readers, simulate
from tests.torture.stalled_orders import stuck
from tests.torture.stream_attacks import returning, stalled
from tests.torture.wire import wire


@dataclass(frozen=True)
class Attack:
    """One row. `run` does the rounds that `Job.todo` or `Job.chunks` name, each in a `Job.round`; no return value, no exit.

    `default` and `full` are rounds, of the `unit` that the summary names. `sources` are what its rounds count for,
    `shown` what the summary shows of what was seen (all of it when empty).
    """

    name: str
    unit: str
    default: int
    full: int
    run: Callable[[Job], Awaitable[None]]
    sources: tuple[str, ...] = SOURCES
    shown: tuple[str, ...] = ()


ATTACKS: Final = (
    Attack("mutations", "seeded bugs", len(MUTATIONS), len(MUTATIONS), mutations),
    Attack("disk", "faults", 3, 3, disk),
    Attack("simulate", "simulated crashes", 20_000, 100_000, simulate),
    Attack("readers", "simulated crashes with readers", 2_000, 10_000, readers),
    Attack("bytes", "bit flips", 5_000, 20_000, bytes_),
    Attack("replays", "seeds replayed", 200, 1_000, replays),
    Attack("kill", "rounds of kill -9 under load", 200, 1_000, kill),
    Attack("inject", "failing calls", len(INJECTIONS), len(INJECTIONS), inject),
    Attack("cut", "rounds of PostgreSQL killed or cut off", 200, 1_000, cut),
    Attack("wire", "rounds of clients cut off or slowed", 100, 500, wire),
    Attack("gates", "hostile tries at gates, of twelve kinds", 12_000, 120_000, gates),
    Attack("crowd", "connections at the gates' port that say nothing", 2_000, 10_000, crowd),
    Attack("day", "days in a car park of 1 000 spaces, every other with a kill -9 an hour", 2, 12, day),
    Attack("last_space", "rounds of two who want the last space", 1_000, 10_000, last_space),
    Attack("freeze", "rounds of SIGSTOP and SIGCONT", 40, 200, freeze),
    Attack("jump", "rounds of the clock jumping by up to an hour", 50, 250, jump),
    Attack("outage", "minutes without PostgreSQL", 5, 30, outage),
    Attack("outages", "ways to be without it, a minute each", 3, 9, outages),
    Attack("duplicates", "duplicate requests", 200_000, 1_000_000, duplicate_requests),
    Attack("writers", "attempts to be a second writer", 100, 1_000, second_writers),
    Attack("observed", "crashes with readers attached", 50, 300, watched_crashes),
    Attack("stuck", "servers with 1 000 stalled sockets", 1, 3, stuck),
    Attack("overload", "times twice the most", 10, 60, overload),
    Attack("stalled", "runs", 1, 3, stalled),
    Attack("returning", "runs", 1, 3, returning),
    Attack("orders", "random commands", 10_000_000, 100_000_000, orders, ENGINE_SOURCES, SHOWN),
    Attack("allocation", "random requests", 100_000, 1_000_000, allocation, ENGINE_SOURCES),
    Attack("parking", "sequences of 150 commands", 2_000, 20_000, parking, ENGINE_SOURCES),
    Attack("machine", "sequences of 200 commands", 2_000, 20_000, machine, ENGINE_SOURCES),
)
