"""What real quotes weigh on the wire: the frames that a client of one symbol is sent, as JSON and as protobuf."""

from __future__ import annotations

from pathlib import Path

from engine.kinds import AccountKind, PriceSource
from feeds.candles import CandleBook
from feeds.desk import Desk
from feeds.last_value import LastValueTable
from feeds.market_clock import MarketClock
from feeds.replay import Replay, regular_session
from feeds.simulator import Simulator
from server.codec import Record
from server.market_view import MarketView
from server.stream_json import JSON_FRAMES
from server.stream_proto import PROTO_FRAMES
from tests.feeds.venue import Venue
from tests.server.market_records import durable, listing
from tests.server.proto_reader import exact_json, messages_of

MUST = 0.40
CADENCE_US = 250_000
TURN_US = 50_000
HEAD_BYTES = 4
"""Of a frame of 126 to 65 535 bytes; a shorter one has 2."""


class Weighed:
    """Frames of both forms, of the same changes, taken at a client's cadence."""

    def __init__(self, market: MarketView, *symbols: str) -> None:
        self.market = market
        self.views = tuple(market.symbols[symbol] for symbol in symbols)
        self.seen = -1
        self.frames = self.json = self.proto = 0

    def take(self) -> None:
        """What has changed since the last time."""
        text, packed = (
            frames["quotes"](self.views, self.seen) for frames in (JSON_FRAMES, PROTO_FRAMES)
        )  # fmt: skip
        self.seen = self.market.changes
        if text:
            (said,) = messages_of(packed[2 if len(packed) < 128 else HEAD_BYTES :])
            assert said == exact_json(text[2 if len(text) < 128 else HEAD_BYTES :])
            self.frames += 1
            self.json += len(text)
            self.proto += len(packed)

    @property
    def ratio(self) -> float:
        return self.proto / self.json

    def __str__(self) -> str:
        return (
            f"{self.frames} frames, {self.json / self.frames:.0f} bytes as JSON, {self.proto / self.frames:.0f}"
            f" as protobuf: {self.ratio:.3f}"
        )


async def test_the_quotes_of_the_recorded_day_weigh_two_fifths_of_json_at_most(aig_trades: Path) -> None:
    venue = Venue()
    opening_us, _ = regular_session(aig_trades)
    venue.wall.time_us = opening_us + 60_000_000
    market = MarketView()
    market.listener([durable(1, listing("AIG", PriceSource.TAPE))])
    replay = Replay(
        aig_trades,
        clock=MarketClock(venue.wall, base_us=venue.wall.time_us, speed=60),
        elapsed_us=venue.wall.elapsed_us,
        table=LastValueTable(CandleBook()),
        view=market,
        marks=Desk("marks", venue.submit, venue.wall.elapsed_us),
        previous_close_e4=475_000,
    )
    await replay.catch_up()
    weighed = Weighed(market, "AIG")
    for _ in range(240):  # an hour of the morning
        venue.wall.pass_us(CADENCE_US)
        await replay.step()
        weighed.take()
    print(f"AIG, 2013-10-09: {weighed}")
    assert weighed.frames > 200
    assert weighed.ratio <= MUST


def test_the_quotes_of_the_simulated_market_do_too() -> None:
    venue, market = Venue(), MarketView()
    for symbol, reference_e4 in (("AAPL", 2_270_100), ("GOOGL", 1_402_500), ("F", 121_300)):
        venue.list_instrument(symbol, reference_e4)
    market.listener([durable(1, *(listing(symbol) for symbol in ("AAPL", "GOOGL", "F")))])
    shares = {"AAPL": 50_000, "GOOGL": 50_000, "F": 50_000}
    simulator = Simulator(
        venue.state,
        venue.submit,
        venue.wall.elapsed_us,
        makers=[venue.open(AccountKind.MARKET_MAKER, dollars=50_000_000, shares=shares) for _ in range(2)],
        traders=[venue.open(AccountKind.USER, dollars=1_000_000) for _ in range(3)],
        seed=7,
    )
    weighed = Weighed(market, "AAPL", "GOOGL", "F")
    record: Record = durable(2)
    for turn in range(20_000_000 // TURN_US):
        venue.wall.pass_us(TURN_US)
        simulator.step()
        record = durable(record.seq + 1, *venue.events, now_us=venue.wall.now_us())
        venue.events.clear()
        market.listener([record])
        if turn * TURN_US % CADENCE_US < TURN_US:
            weighed.take()
    print(f"simulated: {weighed}")
    assert weighed.frames > 20
    assert weighed.ratio <= MUST
