"""A seeded random walk around an anchor: what a simulated instrument is "worth" from moment to moment."""

from __future__ import annotations

import random
from typing import Final

STEP_PPM: Final = 90  # standard deviation of one step of half a second: roughly a third a year
REVERSION_PER_STEP: Final = 0.0002  # a wandering of about half a percent around the anchor
OFFSET_MAX_PPM: Final = 100_000  # never further than a tenth from the anchor
PPM: Final = 1_000_000


class FairValue:
    """Walks in parts per million of the anchor. The same seed and the same steps give the same integers."""

    __slots__ = ("_anchor_e4", "_offset_ppm", "_random")

    def __init__(self, anchor_e4: int, start_e4: int, seed: str) -> None:
        """Begins at `start_e4` and is drawn to `anchor_e4`; both must be positive, else ValueError."""
        if min(anchor_e4, start_e4) <= 0:
            raise ValueError("a fair value needs positive prices")
        self._random = random.Random(seed)
        self._anchor_e4 = anchor_e4
        self._offset_ppm = 0
        self.pull_to(start_e4)

    def __repr__(self) -> str:
        return f"FairValue({self.price_e4} around {self._anchor_e4})"

    @property
    def price_e4(self) -> int:
        """The value now; at least 1."""
        return max(self._anchor_e4 * (PPM + self._offset_ppm) // PPM, 1)

    def step(self) -> int:
        """Takes one step and returns the new value."""
        drift = -self._offset_ppm * REVERSION_PER_STEP
        self._set_offset(self._offset_ppm + round(self._random.gauss(drift, STEP_PPM)))
        return self.price_e4

    def pull_to(self, price_e4: int) -> None:
        """Moves to a price that the market shows; one more than a tenth away is the new anchor."""
        offset_ppm = (price_e4 - self._anchor_e4) * PPM // self._anchor_e4
        if abs(offset_ppm) > OFFSET_MAX_PPM:
            self._anchor_e4, offset_ppm = price_e4, 0
        self._set_offset(offset_ppm)

    def _set_offset(self, offset_ppm: int) -> None:
        self._offset_ppm = max(-OFFSET_MAX_PPM, min(OFFSET_MAX_PPM, offset_ppm))
