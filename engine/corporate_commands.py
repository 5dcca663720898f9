"""What can be asked about a company's shares, but for dividends (engine/corporate_actions.py)."""

from __future__ import annotations

from engine.command_base import Command
from engine.corporate_state import ActionKind


class DeclareAction(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A corporate action that takes effect at a whole minute; the same `action_id` is taken on once.

    SPLIT: `numerator` new shares for each `denominator` old ones. SYMBOL_CHANGE: the instrument is called `new_symbol` then.
    DELISTING has nothing more. MERGER: `cash_e8` (1e-8 of the currency) for each unit, and with a `new_symbol` `numerator` units
    of that for each `denominator`.
    """

    action_id: int
    kind: ActionKind
    symbol: str
    effective_us: int
    numerator: int = 1
    denominator: int = 1
    new_symbol: str = ""
    cash_e8: int = 0
