"""What must hold of corporate actions after every command (engine/invariants.py calls it)."""

from __future__ import annotations

from collections.abc import Iterator

from engine.corporate_state import ActionStage, DividendStage
from engine.kinds import Phase, TimerKind
from engine.state import State
from engine.units import MINUTE_US


def broken_actions(state: State) -> Iterator[str]:
    """What is to come has its timer and a listed symbol, nothing else has; everybody has whole lots."""
    for action_id, action in state.actions.items():
        is_armed = (TimerKind.CORPORATE_ACTION, str(action_id)) in state.timer_ids
        if is_armed is not (action.stage is ActionStage.DECLARED):
            yield f"action {action_id} is {action.stage.name}, and its timer is armed: {is_armed}"
        if action.symbol not in state.instruments or action_id in state.dividends:
            yield f"action {action_id} is of {action.symbol}, or has the id of a dividend"
        if action.effective_us % MINUTE_US:
            yield f"action {action_id} takes effect at {action.effective_us}"
    for dividend_id, dividend in state.dividends.items():
        is_armed = (TimerKind.DIVIDEND, str(dividend_id)) in state.timer_ids
        if is_armed is not (dividend.stage is not DividendStage.PAID):
            yield f"dividend {dividend_id} is {dividend.stage.name}, and its timer is armed: {is_armed}"
    for symbol, instrument in state.instruments.items():
        book = state.books[symbol]
        if instrument.is_delisted and (
            book.resting() or symbol in state.off_book or instrument.phase is not Phase.CLOSED
        ):
            yield f"{symbol} is delisted, {instrument.phase.name}, and has open orders or a phase"
    for account in state.accounts.values():
        for symbol, position in account.positions.items():
            if position.units_e8 % state.instruments[symbol].lot_e8:
                yield f"account {account.account_id} has {position.units_e8} of {symbol}, no whole lots"
