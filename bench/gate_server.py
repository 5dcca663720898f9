"""The server that the benchmark of gates loads: the whole demo, with many gates and vehicles more. Run by bench/gates.py.

    KERB_DATA_DIR=… python -m bench.gate_server GATES FILE

Founds as many lots as so many gates need, and writes into the file what the gates need to connect, and their tags.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from pathlib import Path
from typing import Final

import msgspec
import uvloop
from msgspec import Struct

from config.loading import load_settings
from engine.commands import Envelope, OpenAccount
from engine.events import AccountOpened
from engine.kinds import AccountKind, Source
from engine.parking.kinds import Direction
from run import GC_THRESHOLDS, SWITCH_INTERVAL_S, build
from server.demo_parking import LotPlan, found_fleet, found_lot
from server.gate_secrets import GateSecrets
from server.lifecycle import Lifecycle
from server.log_output import set_up_logging
from server.runtime import Runtime
from server.service_manager import ServiceManager

GATES_A_LOT: Final = 100
VEHICLES_AN_ACCOUNT: Final = 50
FIRST_USER: Final = 900_000


class GateToBe(Struct, frozen=True):
    """A gate, its secret, and the tag that comes and goes there."""

    gate_id: str
    secret: str
    tag: str


class Handed(Struct, frozen=True):
    """What the load is told."""

    port: int
    gates: list[GateToBe]


def found(runtime: Runtime, secrets: GateSecrets, gates: int) -> list[GateToBe]:
    """Lots, gates and vehicles: one vehicle a gate."""
    access = []
    for number in range(-(-gates // GATES_A_LOT)):
        both = (Direction.BOTH,) * min(GATES_A_LOT, gates - number * GATES_A_LOT)
        plan = LotPlan(f"BENCH{number}", f"Bench {number}", 2, GATES_A_LOT, both)
        access += found_lot(runtime, secrets, plan)
    accounts = []
    for number in range(-(-gates // VEHICLES_AN_ACCOUNT)):
        opened = runtime.submit(
            OpenAccount(FIRST_USER + number, AccountKind.USER, "USD"), Envelope(Source.OPERATOR)
        )
        assert isinstance(opened.answer[0], AccountOpened)
        accounts.append(opened.answer[0].account_id)
    tags = found_fleet(runtime, accounts, VEHICLES_AN_ACCOUNT)
    return [GateToBe(each.gate_id, each.secret.hex(), tag) for each, tag in zip(access, tags, strict=False)]


async def serve(gates: int, file: Path) -> None:
    """Run until told to stop."""
    settings = load_settings("demo", None, os.environ).settings
    lifecycle = Lifecycle(ServiceManager(os.environ), settings.http.shutdown_s)
    try:
        services = await lifecycle.start(build(settings, lifecycle))
        if services is None or services.gates is None:
            return
        handed = Handed(services.gate_port, found(services.runtime, services.gates.secrets, gates))
        await services.runtime.wait_durable(services.runtime.state.seq)
        await asyncio.to_thread(file.write_bytes, msgspec.json.encode(handed))
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        print(f"serves http://{settings.http.host}:{services.port}", flush=True)
        await lifecycle.run("bench")
    finally:
        await lifecycle.stop()


def main() -> None:
    """Set up as run.py does."""
    settings = load_settings("demo", None, os.environ).settings
    set_up_logging(settings.log)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2])))


if __name__ == "__main__":
    main()
