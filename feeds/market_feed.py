"""What drives the market, by `market.feed`: nothing, the simulator, or a recorded day. One class each, one life cycle.

1. made from the settings: the clock and the price sources are known before the engine starts
2. `listed_in` the catalogue, 3. `continue_after` the recovered state, 4. `open` over running services, 5. `start`, 6. `stop`
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from config.loading import ConfigError
from config.records import Catalogue
from config.settings import MarketSettings
from engine.kinds import PriceSource
from feeds.candles import CandleBook
from feeds.desk import Desk
from feeds.folder_clock import WALL_TIME, stamp, stamped_by
from feeds.last_value import LastValueTable
from feeds.maker_quotes import MakerQuotes
from feeds.market_clock import MarketClock
from feeds.replay import Replay, regular_session, start_us
from feeds.simulator import Simulator
from feeds.tape_file import EXCHANGE_ZONE, TapeError
from feeds.tape_history import TapeHistory
from feeds.tape_listing import names, with_listing
from feeds.trade_file import TradeFile
from server.clock import WallClock
from server.demo import DemoAccounts
from server.services import Services

logger = logging.getLogger("kerb.feeds")

WALL: Final = WallClock()

DAY_US: Final = 86_400_000_000

AHEAD_MAX_US: Final = 60_000_000
"""So far a folder's clock may be ahead of the machine's: an adjustment, not another day."""

JUMP_MAX_US: Final = 7_200_000_000
"""So far where wall time itself was there: a clock that was wrong by an hour, as after a mistaken time zone, and has
been set right. A server that ran through that goes on with the market's time standing still until then, so one that
starts does too; more is rather a clock that is wrong now.
"""


class MarketFeed:
    """No feed: the wall clock, and prices only from our own trades. The base of the others."""

    def __init__(self, settings: MarketSettings) -> None:
        self.settings = settings
        self.clock = MarketClock(WALL)
        self.sources: dict[str, PriceSource] = {}
        self.candles = CandleBook()
        self._tasks: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.clock!r})"

    @property
    def tape_symbols(self) -> frozenset[str]:
        """Instruments whose price comes from this feed and not from our own trades."""
        return frozenset(symbol for symbol, source in self.sources.items() if source is PriceSource.TAPE)

    def listed_in(self, catalogue: Catalogue, *, may_list: bool) -> Catalogue:
        """The catalogue with all that this feed is about; only what `may_list` allows is added.

        Raises ConfigError for settings that name what is not listed.
        """
        unlisted = [symbol for symbol in self.settings.symbols if not names(catalogue, symbol)]
        if unlisted:
            raise ConfigError([f"market.symbols: {symbol} is not in instruments.toml" for symbol in unlisted])
        return catalogue

    def continue_after(self, last_us: int, folder: Path) -> None:
        """The engine of this data folder has been at this time: the clock goes on from there, if it is behind.

        Raises ConfigError for a folder whose time is not this clock's; nothing has been changed then.
        """
        before, ahead_us = stamped_by(folder), last_us - self.clock.now_us()
        if ahead_us > (JUMP_MAX_US if before == WALL_TIME else AHEAD_MAX_US):
            problem = (
                f"data_dir = '{folder}': its market clock stands at {_minute(last_us)}, which is still to come "
                f"({before or 'another clock'} was there): nothing would move until then. Choose another "
                "data_dir, go on with that replay, or set this machine's clock right"
            )
            raise ConfigError([problem])
        if ahead_us > AHEAD_MAX_US:
            logger.warning(
                "the machine's clock was set back: the market's stands still until %s", _minute(last_us)
            )
        stamp(folder, WALL_TIME)

    async def open(self, services: Services, accounts: DemoAccounts | None) -> None:
        """Prepare over running services. `accounts` are those of the demo, which may make a market."""

    def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End, and write what has to be kept."""
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    def _run(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(run(), name=name)
        task.add_done_callback(_report)
        self._tasks.append(task)


class SimulatedFeed(MarketFeed):
    """Makers and noise traders with the demo's accounts."""

    async def open(self, services: Services, accounts: DemoAccounts | None) -> None:
        """Raises ConfigError outside of the demo: the simulator trades with paper money."""
        if accounts is None:
            raise ConfigError(["market.feed: the simulator trades with the demo's accounts; use mode demo"])
        self._simulator = _simulator(services, accounts, self.settings, self.settings.symbols)

    def start(self) -> None:
        """Begin to quote."""
        self._run("simulator", self._simulator.run)

    async def stop(self) -> None:
        """Quote and trade no more."""
        self._simulator.stop()
        await super().stop()


class RecordedDay(MarketFeed):
    """A trade tape and the quotes beside it; in the demo the market maker quotes its prices, others are simulated."""

    def __init__(self, settings: MarketSettings) -> None:
        """Looks at the files' names and the first rows. Raises ConfigError for what is no tape."""
        super().__init__(settings)
        self._path = Path(settings.feed)
        try:
            self._file = TradeFile(self._path)
            self.clock = MarketClock(WALL, base_us=start_us(self._path), speed=settings.speed)
            self.session = regular_session(self._path)
        except (TapeError, OSError) as error:
            raise ConfigError([f"market.feed = {settings.feed!r}: {error}"]) from error
        self.clock.pause()
        self.sources = {self._file.name.symbol: PriceSource.TAPE}
        self._simulator: Simulator | None = None

    def listed_in(self, catalogue: Catalogue, *, may_list: bool) -> Catalogue:
        """A demo replays whatever it is given. Raises ConfigError for an instrument that nobody listed, or a file without trades."""
        symbol, feed = self._file.name.symbol, self.settings.feed
        if names(catalogue, symbol):
            return super().listed_in(catalogue, may_list=may_list)
        if not may_list:
            raise ConfigError([f"market.feed = {feed!r}: {symbol} is not in instruments.toml"])
        try:
            return super().listed_in(with_listing(catalogue, self._file), may_list=may_list)
        except TapeError as error:
            raise ConfigError([f"market.feed = {feed!r}: {error}"]) from error

    def continue_after(self, last_us: int, folder: Path) -> None:
        """After a restart the day goes on where the engine had come to, also behind its end.

        Raises ConfigError for a folder that somebody else has brought past the day's beginning.
        """
        name = self._file.name
        day = f"the recorded day {name.day} of {name.symbol}"
        before = stamped_by(folder)
        # A folder of a version that left no word is taken for this day's while its time lies in it.
        is_ours = before == day or (before is None and last_us < name.midnight_us + DAY_US)
        if last_us > self.clock.now_us():
            if not is_ours:
                problem = (
                    f"market.feed = {self.settings.feed!r}: data_dir = '{folder}' has come to {_minute(last_us)} by "
                    f"{before or 'another clock'}, which is past the beginning of {day}, and its time never goes back. "
                    "Choose another data_dir (without KERB_DATA_DIR the demo gives every replay a folder of its own)"
                )
                raise ConfigError([problem])
            self.clock.restart_from(last_us)
        stamp(folder, day)

    async def open(self, services: Services, accounts: DemoAccounts | None) -> None:
        """Load the candles of the day's part that is over."""
        symbol = self._file.name.symbol
        instrument = services.runtime.state.instruments[symbol]
        submit, elapsed_us = services.runtime.submit, WALL.elapsed_us
        table = LastValueTable(self.candles)
        table.register(symbol, zone=EXCHANGE_ZONE)
        self.candles.set_regular_sessions(symbol, [self.session])
        self._history = TapeHistory(services.database, self.candles, [symbol])
        await self._history.load(before_us=self._file.name.midnight_us)
        maker = None
        if accounts is not None:
            desk = Desk("tape's market maker", submit, elapsed_us, account_id=accounts.maker)
            maker = MakerQuotes(symbol, desk, services.runtime.state, elapsed_us)
            others = [each for each in services.runtime.state.instruments if each != symbol]
            self._simulator = _simulator(services, accounts, self.settings, others)
        self._replay = Replay(
            self._path,
            clock=self.clock,
            elapsed_us=elapsed_us,
            table=table,
            view=services.market,
            marks=Desk("the tape", submit, elapsed_us),
            maker=maker,
            tick_e4=instrument.tick_e4,
        )

    def start(self) -> None:
        """Let the recorded day pass."""
        self._run("replay", self._replay.run)
        self._run("tape history", self._history.run)
        if self._simulator is not None:
            self._run("simulator", self._simulator.run)

    async def stop(self) -> None:
        """Stop the day and store its candles."""
        self._replay.stop()
        self._history.stop()
        if self._simulator is not None:
            self._simulator.stop()
        await super().stop()


FEEDS: Final[Mapping[str, type[MarketFeed]]] = {"none": MarketFeed, "simulator": SimulatedFeed}
"""By name; anything else is the path of a trade tape."""


def make_feed(settings: MarketSettings) -> MarketFeed:
    """The feed that the settings name. Raises ConfigError."""
    return FEEDS.get(settings.feed, RecordedDay)(settings)


def _simulator(
    services: Services, accounts: DemoAccounts, settings: MarketSettings, symbols: list[str] | tuple[str, ...]
) -> Simulator:
    return Simulator(
        services.runtime.state,
        services.runtime.submit,
        WALL.elapsed_us,
        makers=[accounts.maker],
        traders=accounts.noise,
        seed=settings.seed,
        symbols=tuple(symbols),
    )


def _minute(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%Y-%m-%d %H:%M} UTC"


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("%s has failed", task.get_name(), exc_info=error)
