"""A simulated market maker in one instrument: a ladder around the fair value, leaning against its inventory."""

from __future__ import annotations

from typing import Final

from engine.risk import reference_e4
from engine.state import Instrument, State
from engine.units import BPS, QUANTITY_SCALE, band_down_e4, band_up_e4, tick_down_e4, tick_up_e4
from feeds.desk import Desk, Elapsed
from feeds.fair_value import FairValue
from feeds.maker_quotes import Ladder, MakerQuotes

LEVELS: Final = 6
HALF_SPREAD_BPS: Final = 2
LEVEL_STEP_BPS: Final = 2
LEVEL_VALUE_E4: Final = 30_000 * 10_000  # what the first level of a side is worth; the next ones are larger
INVENTORY_LEVELS: Final = 40  # this many first levels away from the target one side stops
SKEW_MAX_BPS: Final = 15


class SimulatedMaker:
    """Quotes `LEVELS` levels per side by one mass quote at most twice a second."""

    def __init__(
        self,
        instrument: Instrument,
        fair: FairValue,
        desk: Desk,
        state: State,
        elapsed_us: Elapsed,
        *,
        offset_us: int,
    ) -> None:
        """The inventory it owns now is the one it comes back to. `offset_us` delays the first quote."""
        self.instrument = instrument
        self.fair = fair
        self.quotes = MakerQuotes(instrument.symbol, desk, state, elapsed_us, offset_us=offset_us)
        self._target_e8 = self.quotes.units_e8
        self._restated_us = instrument.restated_us

    def __repr__(self) -> str:
        return f"SimulatedMaker({self.quotes!r}, {self.fair!r}, inventory {self.inventory_e8:+})"

    @property
    def inventory_e8(self) -> int:
        """Units above (or below) what it wants to own."""
        return self.quotes.units_e8 - self._target_e8

    def step(self) -> bool:
        """When its time has come: moves the fair value and quotes anew. Says whether a command was sent."""
        if not self.quotes.is_due():
            return False
        if self._restated_us != self.instrument.restated_us:
            self._follow_a_split()
        self.fair.step()
        self._stay_near_the_market()
        return self.quotes.quote(*self.ladders())

    def ladders(self) -> tuple[Ladder, Ladder]:
        """Bids and asks, best first, on the tick; the side that would add to a full inventory is empty."""
        instrument, fair_e4 = self.instrument, self.fair.price_e4
        unit_e8 = self._level_e8(fair_e4)
        full_e8 = unit_e8 * INVENTORY_LEVELS
        inventory_e8 = max(-full_e8, min(full_e8, self.inventory_e8))
        centre_e4 = fair_e4 - fair_e4 * SKEW_MAX_BPS * inventory_e8 // (full_e8 * BPS)
        tick_e4 = instrument.tick_e4
        half_e4 = max(fair_e4 * HALF_SPREAD_BPS // BPS, 1)
        step_e4 = tick_up_e4(max(fair_e4 * LEVEL_STEP_BPS // BPS, 1), tick_e4)
        bid_e4 = tick_down_e4(centre_e4 - half_e4, tick_e4)
        ask_e4 = max(tick_up_e4(centre_e4 + half_e4, tick_e4), bid_e4 + tick_e4)
        bids = tuple((bid_e4 - level * step_e4, unit_e8 * (level + 2) // 2) for level in range(LEVELS))
        asks = tuple((ask_e4 + level * step_e4, unit_e8 * (level + 2) // 2) for level in range(LEVELS))
        return (
            self._valid(bids) if inventory_e8 < full_e8 else (),
            self._valid(asks) if inventory_e8 > -full_e8 else (),
        )

    def _level_e8(self, price_e4: int) -> int:
        """The quantity of a first level: whole units, at least one."""
        return max(LEVEL_VALUE_E4 // price_e4, 1) * QUANTITY_SCALE

    def _valid(self, ladder: Ladder) -> Ladder:
        lot_e8 = self.instrument.lot_e8
        return tuple(
            (price_e4, quantity_e8 - quantity_e8 % lot_e8)
            for price_e4, quantity_e8 in ladder
            if self.instrument.price_min_e4 <= price_e4 <= self.instrument.price_max_e4
        )

    def _follow_a_split(self) -> None:
        """The fair value is that of a new share, and the inventory of now the one that it comes back to."""
        self._restated_us = self.instrument.restated_us
        self._target_e8 = self.quotes.units_e8
        self.fair.pull_to(reference_e4(self.instrument))

    def _stay_near_the_market(self) -> None:
        """Within half of the price band, so that the band never refuses: others may have moved the price."""
        anchor_e4 = reference_e4(self.instrument)
        if not anchor_e4:
            return
        half_bps = self.instrument.band_bps // 2
        lowest_e4, highest_e4 = band_down_e4(anchor_e4, half_bps), band_up_e4(anchor_e4, half_bps)
        if not lowest_e4 <= self.fair.price_e4 <= highest_e4:
            self.fair.pull_to(max(lowest_e4, min(highest_e4, self.fair.price_e4)))
