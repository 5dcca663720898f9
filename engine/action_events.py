"""What happens to a corporate action that is no dividend (engine/corporate_actions.py)."""

from __future__ import annotations

from engine.corporate_state import ActionKind
from engine.event_base import Event
from engine.refusals import Refusal


class ActionDeclared(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A corporate action will take effect; the figures of its command."""

    action_id: int
    kind: ActionKind
    symbol: str
    effective_us: int
    numerator: int
    denominator: int
    new_symbol: str = ""
    cash_e8: int = 0


class ActionEffected(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A corporate action has taken effect: after a split all units and prices of its symbol are new from here on.

    `accounts` had units, `units_e8` is what they have in all now, `cash_e4` what was paid. `last_e4`, `reference_e4` and
    `previous_close_e4` are the instrument's after it: where there is a `new_symbol`, that one's.
    """

    action_id: int
    kind: ActionKind
    symbol: str
    effective_us: int
    numerator: int
    denominator: int
    accounts: int
    units_e8: int
    cash_e4: int
    last_e4: int
    reference_e4: int
    previous_close_e4: int
    new_symbol: str = ""


class ActionFailed(Event, frozen=True, gc=False, array_like=True, tag=True):
    """The time of a corporate action came, and it could not be carried out any more; nothing changed."""

    action_id: int
    kind: ActionKind
    symbol: str
    refusal: Refusal
    detail: tuple[tuple[str, int], ...] = ()


class FractionPaid(Event, frozen=True, gc=False, array_like=True, tag=True):
    """Cash for units that are no whole lot, or that a merger pays for, by the transaction `txn_id`, which its `Posted` reports.

    `sold_lots` is what was taken of each lot: (lot_id, units_e8, cost_e4, acquired_us).
    """

    txn_id: int
    action_id: int
    account_id: int
    symbol: str
    units_e8: int
    amount_e4: int
    sold_lots: tuple[tuple[int, int, int, int], ...]
    is_merger: bool = False
