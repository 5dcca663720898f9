"""What happens in a simulated life: a small venue's commands at random moments, and every acknowledgement of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Final

from engine.apply import Applied
from engine.commands import AnyCommand
from engine.kinds import AccountKind
from server.core import Core
from server.errors import KerbError
from server.journal_errors import JournalError
from tests.server.ledger_world import START_US, World
from tests.simulation.parking_traffic import Cars
from tests.simulation.world_loop import WorldLoop

PAUSES_S: Final = (0.0, 0.0, 0.0005, 0.003, 0.02)
TRADERS: Final = 3
PARKING_FROM: Final = 0.6
"""The share of turns in which somebody trades; in the others somebody parks."""


class VirtualClock:
    """Market time: the loop's, from a moment on."""

    def __init__(self, loop: WorldLoop, start_us: int = START_US) -> None:
        self._loop = loop
        self._start_us = start_us

    def now_us(self) -> int:
        return self._start_us + int(self._loop.time() * 1_000_000)


class Traffic(World):
    """The traders. `acknowledged` is called with what they were told, when they are told."""

    def __init__(self, core: Core, acknowledged: Callable[[Applied], None]) -> None:
        super().__init__(core.runtime, core.write_behind)
        self._acknowledged = acknowledged
        self._cars = Cars(self)
        for account in core.state.accounts.values():
            if account.kind is AccountKind.MARKET_MAKER:
                self.maker_id = account.account_id
            elif account.kind is AccountKind.USER:
                self.account_ids.append(account.account_id)

    def submit(self, command: AnyCommand, account_id: int = 0, key: str = "") -> Applied:
        applied = super().submit(command, account_id, key)

        def told(lost: JournalError | None) -> None:
            if lost is None and applied.recorded:
                self._acknowledged(applied)

        self.runtime.call_when_durable(applied.seq, told)
        return applied

    async def trade(self, turns: int, random: Random) -> None:
        """So many turns of one or a few commands; ends early when nothing is taken any more."""
        try:
            if not self.account_ids:
                self.found(TRADERS)
            if turns and random.random() < 0.3:
                self.trade_at_random(
                    random.randint(7, 40), random.getrandbits(48)
                )  # a group of several blocks
            for _ in range(turns):
                self._turn(random)
                if random.random() < 0.3:
                    await self.runtime.wait_durable(self.state.seq)
                await asyncio.sleep(random.choice(PAUSES_S))
        except (JournalError, KerbError):
            return

    def _turn(self, random: Random) -> None:
        dice = random.random()
        seed = random.getrandbits(48)
        if dice > PARKING_FROM:
            self._cars.happen(random.choice((1, 1, 2, 6)), random)
        elif dice < 0.04 and self.fills:
            self.bust_at_random(1, seed)
        elif dice < 0.06:
            self.pay_dividend(1 + seed)
        else:
            self.trade_at_random(random.choice((1, 1, 1, 2, 6)), seed)
