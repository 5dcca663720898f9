"""How a simulated Postgres fares: slow, cut off at any statement and most often at COMMIT, hanging, refusing, restarted."""

from __future__ import annotations

from enum import IntEnum
from random import Random
from typing import Final

COMMIT: Final = "COMMIT"


class Fate(IntEnum):
    """What becomes of one statement."""

    DONE = 1
    CUT_BEFORE = 2  # the connection breaks, the server has heard nothing
    CUT_AFTER = 3  # the connection breaks, the server has done it
    CUT_MEANWHILE = (
        4  # the connection breaks, the server does it a little later, unless the session is ended first
    )
    HANGS = 5  # no answer until the client's timeout
    FULL = 6  # the server is short of something


class Weather:
    """A calm one: nothing takes time, nothing fails."""

    def delay_s(self) -> float:
        """How long the next step takes; 0 for not even a turn of the loop."""
        return 0.0

    def fate(self, statement: str) -> Fate:
        """What becomes of a statement, or of a COMMIT."""
        return Fate.DONE

    def refuses(self) -> bool:
        """Whether a connection is refused now."""
        return False


DELAYS_S: Final = (0.0, 0.0, 0.0002, 0.002, 0.02)
CUTS: Final = (Fate.CUT_BEFORE, Fate.CUT_AFTER, Fate.CUT_MEANWHILE, Fate.HANGS, Fate.FULL)


class RoughWeather(Weather):
    """`storms` faults at most, so that every life comes to an end."""

    def __init__(self, random: Random, storms: int) -> None:
        self._random = random
        self._storms = storms
        self._at_commit = random.choice((0.0, 0.1, 0.4))
        self._elsewhere = random.choice((0.0, 0.003, 0.02))
        self._refused = random.choice((0.0, 0.5))

    def delay_s(self) -> float:
        return self._random.choice(DELAYS_S)

    def fate(self, statement: str) -> Fate:
        share = self._at_commit if statement == COMMIT else self._elsewhere
        if not self._storms or self._random.random() >= share:
            return Fate.DONE
        self._storms -= 1
        return self._random.choice(CUTS)

    def refuses(self) -> bool:
        if not self._storms or self._random.random() >= self._refused:
            return False
        self._storms -= 1
        return True
