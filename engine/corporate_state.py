"""What the engine remembers of a corporate action until it is done, and of one that is done, so that none is done twice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class DividendStage(IntEnum):
    """Where a dividend stands."""

    DECLARED = 1  # until its record time
    RECORDED = 2  # it is known who gets how much
    PAID = 3


@dataclass(slots=True, eq=False)
class Dividend:
    """A cash dividend. `per_unit_e8` is in 1e-8 of the instrument's currency for one unit."""

    dividend_id: int
    symbol: str
    per_unit_e8: int
    record_us: int
    payment_us: int
    stage: DividendStage = DividendStage.DECLARED
