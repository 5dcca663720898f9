"""The simulated market: makers and noise traders, ordinary accounts of the same engine, in every instrument."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from engine.kinds import PriceSource
from engine.risk import reference_e4
from engine.state import State
from feeds.desk import Desk, Elapsed, Submit
from feeds.fair_value import FairValue
from feeds.maker_quotes import QUOTE_INTERVAL_US
from feeds.noise_trader import NoiseTrader
from feeds.simulated_maker import SimulatedMaker

logger = logging.getLogger("kerb.feeds.simulator")

TURN_S: Final = 0.02


class Simulator:
    """Lets prices wander. With the same seed, start and pace it sends the same commands.

    Nothing is awaited between a turn's commands; makers quote spread over the half second, so that no turn is long.
    """

    def __init__(
        self,
        state: State,
        submit: Submit,
        elapsed_us: Elapsed,
        *,
        makers: Sequence[int],
        traders: Sequence[int],
        seed: int,
        symbols: Sequence[str] = (),
    ) -> None:
        """`makers` and `traders` are account ids with cash and, to sell from, units; instruments are dealt out to the
        makers in turn. `symbols`: which instruments, () for all whose price our own trades make. Instruments without
        any reference price are left out. Raises ValueError without a maker.
        """
        if not makers:
            raise ValueError("the simulator needs a market maker's account")
        self._stopping = asyncio.Event()
        maker_desks = [
            Desk(f"market maker {account}", submit, elapsed_us, account_id=account) for account in makers
        ]
        trader_desks = [
            Desk(f"noise trader {account}", submit, elapsed_us, account_id=account) for account in traders
        ]
        self._desks = maker_desks + trader_desks
        self.makers: list[SimulatedMaker] = []
        self.traders: list[NoiseTrader] = []
        chosen = [
            instrument
            for symbol, instrument in sorted(state.instruments.items())
            if (symbol in symbols if symbols else instrument.price_source is PriceSource.OWN)
            and reference_e4(instrument)
        ]
        for index, instrument in enumerate(chosen):
            name = f"{seed}:{instrument.symbol}"
            fair = FairValue(
                instrument.reference_e4 or instrument.last_e4, reference_e4(instrument), f"{name}:fair"
            )
            self.makers.append(
                SimulatedMaker(
                    instrument,
                    fair,
                    maker_desks[index % len(maker_desks)],
                    state,
                    elapsed_us,
                    offset_us=index * QUOTE_INTERVAL_US // len(chosen),
                )
            )
            if trader_desks:
                self.traders.append(NoiseTrader(instrument, trader_desks, state, elapsed_us, f"{name}:noise"))

    def __repr__(self) -> str:
        return f"Simulator({len(self.makers)} instruments, {self.refused} refused)"

    @property
    def refused(self) -> int:
        """Commands that were refused so far; some are ordinary."""
        return sum(desk.refused for desk in self._desks)

    def step(self) -> int:
        """Sends what is due now and returns how many commands that was."""
        return sum(maker.step() for maker in self.makers) + sum(trader.step() for trader in self.traders)

    async def run(self) -> None:
        """Steps until `stop` is called or the runtime takes no more commands. Quotes stay in the books."""
        logger.info("simulating %d instruments", len(self.makers))
        while not self._stopping.is_set() and not any(desk.closed for desk in self._desks):
            self.step()
            try:
                await asyncio.wait_for(self._stopping.wait(), TURN_S)
            except TimeoutError:
                continue
        logger.info("simulation stopped")

    def stop(self) -> None:
        """Ends `run` after the turn that is under way."""
        self._stopping.set()
