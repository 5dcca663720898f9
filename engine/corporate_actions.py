"""Corporate actions other than dividends: declared by a command, carried out by a timer, once. Source: docs/corporate-actions.md.

1. `DeclareAction`               checked; a timer is set for the minute at which it takes effect
2. at that time                  checked again, and carried out whole in one record, or it has failed and nothing changed
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from engine.action_events import ActionDeclared, ActionFailed
from engine.commands import Envelope
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind, ActionStage, CorporateAction
from engine.delisting import change_symbol, delist, delisting_refusal, symbol_change_refusal
from engine.events import Refused
from engine.kinds import TimerKind
from engine.mergers import merge, merger_refusal
from engine.refusals import Refusal
from engine.splits import split, split_refusal
from engine.state import Instrument, State, Timer
from engine.timers import add_timer
from engine.trading import Answer
from engine.turn import Turn
from engine.units import ID_MAX, MINUTE_US, TIME_MAX_US


class Policy(NamedTuple):
    """What a kind of action asks for, and how it is carried out."""

    refusal: Callable[[State, Instrument, CorporateAction], Refused | None]
    carry_out: Callable[[Turn, Instrument, CorporateAction], None]


POLICIES: Final[dict[ActionKind, Policy]] = {
    ActionKind.SPLIT: Policy(split_refusal, split),
    ActionKind.SYMBOL_CHANGE: Policy(symbol_change_refusal, change_symbol),
    ActionKind.MERGER: Policy(merger_refusal, merge),
    ActionKind.DELISTING: Policy(delisting_refusal, delist),
}
"""Kind of an action → what it is."""


def declare_action(turn: Turn, envelope: Envelope, command: DeclareAction) -> Answer:
    """Take an action on; it is carried out when its time comes."""
    state = turn.state
    if command.action_id in state.actions or command.action_id in state.dividends:
        return Refused(Refusal.ACTION_EXISTS)
    action = CorporateAction(
        command.action_id,
        command.kind,
        command.symbol,
        command.effective_us,
        command.numerator,
        command.denominator,
        new_symbol=command.new_symbol,
        cash_e8=command.cash_e8,
    )
    if not 0 < action.action_id <= ID_MAX:
        return Refused(Refusal.INVALID_ACTION)
    if not turn.now_us < action.effective_us <= TIME_MAX_US or action.effective_us % MINUTE_US:
        return Refused(Refusal.INVALID_ACTION, (("effective_us", action.effective_us),))
    refused = action_refusal(state, action)
    if refused is not None:
        return refused
    state.actions[action.action_id] = action
    state.dirty["action"][action.action_id] = None
    add_timer(turn, action.effective_us, TimerKind.CORPORATE_ACTION, str(action.action_id))
    turn.events.append(
        ActionDeclared(
            action.action_id,
            action.kind,
            action.symbol,
            action.effective_us,
            action.numerator,
            action.denominator,
            action.new_symbol,
            action.cash_e8,
        )
    )
    return None


def action_refusal(state: State, action: CorporateAction) -> Refused | None:
    """Whether an action can be carried out as things are now."""
    instrument = state.instruments.get(action.symbol)
    if instrument is None:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    if action.kind is ActionKind.MERGER:  # also of what is delisted: that is how its holders are paid out
        return merger_refusal(state, instrument, action)
    if instrument.is_delisted:
        return Refused(Refusal.INSTRUMENT_DELISTED)
    is_new = action.kind is ActionKind.SYMBOL_CHANGE
    is_even = action.kind is ActionKind.SPLIT or action.is_even
    if bool(action.new_symbol) is not is_new or not is_even or action.cash_e8:
        return Refused(Refusal.INVALID_ACTION)
    return POLICIES[action.kind].refusal(state, instrument, action)


def fire_action(turn: Turn, timer: Timer) -> None:
    """An action's time has come."""
    state = turn.state
    action = state.actions[int(timer.target)]
    state.dirty["action"][action.action_id] = None
    refused = action_refusal(state, action)
    if refused is not None:
        action.stage = ActionStage.FAILED
        turn.events.append(
            ActionFailed(action.action_id, action.kind, action.symbol, refused.refusal, refused.detail)
        )
        return
    action.stage = ActionStage.DONE
    POLICIES[action.kind].carry_out(turn, state.instruments[action.symbol], action)
