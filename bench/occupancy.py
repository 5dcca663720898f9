"""From a gate's event to the occupancy on a WebSocket: 1 000 gates connected, quiet and with 1 000 scans a second beside.

    python -m bench.occupancy [EVENTS A ROUND]

One gate more, of a car park of its own, lets a vehicle in and out again; somebody follows that car park in the channel
`parking`. An event counts from before its line is sent until the message that has it is read. Rounds are interleaved.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic
from typing import Any, Final

import aiohttp
import msgspec
import uvloop

from bench.figures import median_ratio, percentile, report
from bench.gate_server import GateToBe, Handed
from bench.gates import CONNECT_TIMEOUT_S, GATES, SCANS_PER_S, Gates, start_gates
from bench.order_load import order_load
from server.gate_client import GateClient
from server.gate_simulator import now_text

ROUNDS: Final = 5
EVENTS: Final = 40
EVENT_S: Final = 0.25
"""About so long an event takes with the pause before the next; the scans beside go on for as long."""

MUST_MS: Final = 200.0
PAUSE_MAX_S: Final = 0.2
"""Events come at any moment of the channel's cadence."""

MESSAGE_TIMEOUT_S: Final = 10.0


class Probe:
    """The gate and the follower of its car park."""

    def __init__(
        self, gate: GateClient, tag: str, socket: aiohttp.ClientWebSocketResponse, random: Random
    ) -> None:
        self._gate = gate
        self._tag = tag
        self._socket = socket
        self._random = random

    async def events(self, count: int) -> list[float]:
        """How long each of so many passages took until it was told, ascending, in ms."""
        took = []
        for place in range(count):
            await asyncio.sleep(self._random.uniform(0, PAUSE_MAX_S))
            decision = await self._gate.scan(self._tag, now_text())
            assert decision.open, decision
            began_s = monotonic()
            passed = self._gate.report("passed", lane=1, at=now_text())
            await self.told(1 - place % 2)
            took.append((monotonic() - began_s) * 1e3)
            await passed
        return sorted(took)

    async def told(self, inside: int) -> None:
        """Read until so many are inside."""
        while True:
            message: dict[str, Any] = await self._socket.receive_json(timeout=MESSAGE_TIMEOUT_S)
            if message.get("channel") == "parking" and message["data"][0]["inside"] == inside:
                return


async def start_probe(stack: AsyncExitStack, url: str, port: int, http: Any, gate: GateToBe) -> Probe:
    """Connect the gate and follow its car park, which is empty."""
    client = await GateClient.connect(("127.0.0.1", port), gate.gate_id, bytes.fromhex(gate.secret))
    stack.callback(client.close)
    socket = await stack.enter_async_context(http.ws_connect(f"{url}/api/v1/ws"))
    lot = "lot_" + gate.gate_id.removeprefix("gat_").rpartition("-")[0]
    await socket.send_json({"action": "subscribe", "channels": ["parking"], "lots": [lot], "id": 1})
    probe = Probe(client, gate.tag, socket, Random(1))
    await probe.told(0)
    return probe


async def measure(events: int) -> None:
    """Rounds with and without scans beside."""
    environ = {"KERB_GATE__CONNECTIONS_PER_ADDRESS_MAX": "2000", "KERB_GATE__CONNECTIONS_MAX": "2000"}
    program = ("-m", "bench.gate_server", str(GATES + 1), "{folder}/gates.json")
    async with AsyncExitStack() as stack:
        load = await stack.enter_async_context(order_load(bare=False, program=program, **environ))
        handed, gate = await asyncio.to_thread(without_the_last, load.folder / "gates.json")
        gates: Gates = await start_gates(stack, load)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            probe = await start_probe(stack, load.kerb.url, handed.port, load.http, gate)
        quiet: list[list[float]] = []
        busy: list[list[float]] = []
        for _ in range(ROUNDS):
            quiet.append(await probe.events(events))
            scanning = asyncio.ensure_future(gates.scan(events * EVENT_S))
            busy.append(await probe.events(events))
            await scanning
            await load.drained()
    p99, peer = ([percentile(each, 0.99) for each in rounds] for rounds in (busy, quiet))
    report(
        "occupancy_to_websocket_p99",
        median(p99),
        "ms",
        must=MUST_MS,
        lower_is_better=True,
        peer=median(peer),
        ratio=median_ratio(p99, peer),
        p50_ms=median(percentile(each, 0.5) for each in busy),
        max_ms=max(each[-1] for each in busy),
        gates=GATES,
        scans_per_s=SCANS_PER_S,
        events=ROUNDS * events,
    )


def without_the_last(file: Path) -> tuple[Handed, GateToBe]:
    """Leave all gates but the last to the load; that one is the probe's."""
    handed = msgspec.json.decode(file.read_bytes(), type=Handed)
    *others, gate = handed.gates
    file.write_bytes(msgspec.json.encode(Handed(handed.port, others)))
    return handed, gate


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(events))


if __name__ == "__main__":
    main()
