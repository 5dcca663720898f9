"""Gate controllers as they are in the field: they outlive the server, say again what was not answered, and work while cut off."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

from server.gate_client import GateClient, GateRefused, body_of
from server.gate_messages import Ack, AllowList, Decision, GateCommand
from tests.day.clock import DayClock

BEAT_S: Final = 5.0
AGAIN_S: Final = 0.05
EVENTS_MAX: Final = 32

Row = tuple[str, str, str, str]
"""Of the access log: kind, reason, what was shown, and the gate's own time."""


class Controller:
    """One gate with one lane. `seen` is what the access log must have of it.

    Who wants to pass takes `lane` first. `offline` is whether it is cut off; then it opens by its list, which is void after a
    quarter of an hour, or, at an exit, for everybody.
    """

    def __init__(
        self, clock: DayClock, address: tuple[str, int], gate_id: str, secret: bytes, *, is_exit: bool
    ) -> None:
        self.gate_id = gate_id
        self.is_exit = is_exit
        self.lane = asyncio.Lock()
        self.offline = False
        self.seen: Counter[Row] = Counter()
        self.repeated = 0
        self.events: list[dict[str, object]] = []
        self._clock = clock
        self._address = address
        self._secret = secret
        self._n = 0
        self._client: GateClient | None = None
        self._connected = asyncio.Event()
        self._speaking = asyncio.Lock()
        self._parts: dict[int, AllowList] = {}
        self._listed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Controller {self.gate_id} n={self._n} {'offline' if self.offline else ''}>"

    # -- the connection

    async def run(self) -> None:
        """Stay connected, until it is cancelled."""
        while True:
            if self.offline:
                await asyncio.sleep(AGAIN_S)
                continue
            with suppress(OSError, GateRefused):
                self._parts = {}
                self._listed.clear()
                client = await GateClient.connect(
                    self._address, self.gate_id, self._secret, self._n, on_unasked=self._hear
                )
                self._n = max(self._n, client.n)
                self._client = client
                self._connected.set()
                try:
                    await self._beat(client)
                finally:
                    self._connected.clear()
                    self._client = None
                    client.close()
            await asyncio.sleep(AGAIN_S)

    async def _beat(self, client: GateClient) -> None:
        while not client.closed.done():
            await asyncio.wait({client.closed}, timeout=BEAT_S)
            if not self._speaking.locked() and not client.closed.done():
                self._n += 1
                await client.ask(body_of("heartbeat", self._n), self._n)

    def _hear(self, message: GateCommand | AllowList) -> None:
        if not isinstance(message, AllowList):
            return
        if any(each.version != message.version for each in self._parts.values()):
            self._parts = {}
        self._parts[message.part] = message
        if len(self._parts) == message.parts:
            self._listed.set()

    async def ready(self) -> None:
        """Until it is connected and has a list."""
        await self._connected.wait()
        await self._listed.wait()

    async def cut(self) -> None:
        """The cable is cut, just after it was given a list."""
        self._drop()
        await asyncio.sleep(0)
        await self.ready()
        async with self.lane:
            self.offline = True
            self._drop()

    async def rejoin(self) -> None:
        """The cable is whole again: what happened meanwhile is told, before anything else."""
        async with self.lane:
            self.offline = False
            for first in range(0, len(self.events), EVENTS_MAX):
                answer = await self.tell("offline_events", events=self.events[first : first + EVENTS_MAX])
                assert isinstance(answer, Ack)
                assert answer.findings == 0, (self, self.events, answer)
            self.events = []

    def _drop(self) -> None:
        self._connected.clear()
        if self._client is not None:
            self._client.close()

    # -- what it says

    async def tell(self, kind: str, **members: object) -> Decision | Ack:
        """A line, said again with the same counter until it is answered."""
        async with self._speaking:
            self._n += 1
            n, body = self._n, body_of(kind, self._n, **members)
            while True:
                await self._connected.wait()
                client = self._client
                if client is None:
                    await asyncio.sleep(AGAIN_S)
                    continue
                with suppress(GateRefused):
                    answer = await client.ask(body, n)
                    assert isinstance(answer, Decision | Ack)
                    return answer
                self.repeated += 1
                await asyncio.sleep(AGAIN_S)

    async def scan(self, shown: Mapping[str, str]) -> Decision:
        """Somebody shows a tag, a plate or a code."""
        at = self._at()
        answer = await self.tell("scan", lane=1, at=at, **shown)
        assert isinstance(answer, Decision)
        self.seen["DECISION", answer.reason, _text(shown), at] += 1
        return answer

    async def passed(self, shown: Mapping[str, str]) -> None:
        """Who was let through has passed."""
        at = self._at()
        await self._report("passed", at, 0)
        self.seen["PASSED", "EXIT" if self.is_exit else "ENTRY", _text(shown), at] += 1

    async def turned_back(self, shown: Mapping[str, str]) -> None:
        """Who was let through has not passed."""
        at = self._at()
        await self._report("not_passed", at, 0)
        self.seen["FINDING", "NOT_PASSED", _text(shown), at] += 1

    async def tailgated(self) -> None:
        """Somebody passed whom nobody had let through."""
        at = self._at()
        await self._report("passed", at, 1)
        self.seen["FINDING", "TAILGATING", "", at] += 1

    async def _report(self, kind: str, at: str, findings: int) -> None:
        answer = await self.tell(kind, lane=1, at=at)
        assert isinstance(answer, Ack)
        assert answer.findings == findings, (self, kind, answer)

    def alone(self, tag: str, plate: str) -> bool:
        """What it does for somebody while it is cut off: whether it opens. Who is let through has passed."""
        shown = {"tag": tag} if tag else {"plate": plate}
        if not self.is_exit and not self._is_listed(tag):
            return False
        way, at = ("EXIT" if self.is_exit else "ENTRY"), self._at()
        self.events.append({"lane": 1, "at": at, "way": way, **shown})
        self.seen["PASSED_OFFLINE", way, tag or plate, at] += 1
        return True

    def _is_listed(self, tag: str) -> bool:
        return any(
            tag in part.entries and self._clock.now < datetime.fromisoformat(part.expires)
            for part in self._parts.values()
        )

    def _at(self) -> str:
        return self._clock.now.isoformat()


def _text(shown: Mapping[str, str]) -> str:
    """The tag or plate."""
    (text,) = shown.values()
    return text
