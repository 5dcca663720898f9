"""What the engine remembers of a corporate action until it is done, and of one that is done, so that none is done twice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class DividendStage(IntEnum):
    """Where a dividend stands."""

    DECLARED = 1  # until its record time
    RECORDED = 2  # it is known who gets how much
    PAID = 3


class ActionKind(IntEnum):
    """What a corporate action does to the shares of its symbol."""

    SPLIT = 1  # so many new shares for so many old ones; a reverse split where they are fewer
    SYMBOL_CHANGE = 2
    MERGER = 3  # for cash, for shares of another instrument, or for both
    DELISTING = 4


class ActionStage(IntEnum):
    """Where a corporate action stands."""

    DECLARED = 1  # until it takes effect
    DONE = 2
    FAILED = 3  # when its time came it could not be carried out


@dataclass(slots=True, eq=False)
class CorporateAction:
    """Something other than a dividend that a company does to its shares at `effective_us`. `cash_e8` is in 1e-8 of the
    currency for each unit of before.
    """

    action_id: int
    kind: ActionKind
    symbol: str
    effective_us: int
    numerator: int = 1
    denominator: int = 1
    stage: ActionStage = ActionStage.DECLARED
    new_symbol: str = ""
    cash_e8: int = 0

    @property
    def is_even(self) -> bool:
        """Whether it leaves the number of units as it is."""
        return self.numerator == self.denominator == 1


@dataclass(slots=True, eq=False)
class Dividend:
    """A cash dividend. `per_unit_e8` is in 1e-8 of the instrument's currency for one unit; `is_restated`: a split has changed
    it since the dividend was declared.
    """

    dividend_id: int
    symbol: str
    per_unit_e8: int
    record_us: int
    payment_us: int
    stage: DividendStage = DividendStage.DECLARED
    is_restated: bool = False
