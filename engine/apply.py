"""The whole engine as one function: state and command in, events out. Deterministic; no I/O, no clock.

1. idempotency: a key seen before is answered from memory and nothing is recorded
2. what is over is forgotten (keys, closed client order ids)
3. the command's function decides, then mutates (the `COMMANDS` table)
4. what follows from it is done: prints are shown to stops, and those that were reached fire
5. what was touched becomes absolute events
6. the key remembers the answer
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from engine import (
    accounts,
    bust,
    corporate_actions,
    dividends,
    fee_tiers,
    market,
    quoting,
    replacing,
    risk_control,
    sessions,
    settlement,
    trading,
)
from engine.aftermath import follow_up
from engine.commands import (
    AdjustCash,
    AnyCommand,
    BustTrade,
    CancelAll,
    CancelOrder,
    DeclareDividend,
    Deposit,
    Envelope,
    FireTimer,
    HaltSymbol,
    LinkAccount,
    Marks,
    MassQuote,
    OpenAccount,
    PlaceOrder,
    ReplaceOrder,
    RequestWithdrawal,
    ResumeSymbol,
    SetAccountStatus,
    SetCalendar,
    SetFees,
    SetInstrument,
    SetKillSwitch,
    SetKycTier,
    SetLimits,
    SetLotMethod,
    SetRiskRule,
    SetSettlement,
    SettleWithdrawal,
    TransferIn,
)
from engine.corporate_commands import DeclareAction
from engine.events import AnyEvent, OrderUpdated, Refused, RiskViolated
from engine.idempotency import capacity_refusal, known_key, purge, remember
from engine.parking.table import PARKING_COMMANDS
from engine.refusals import RETRYABLE, Refusal
from engine.risk_windows import remember_fills
from engine.state import State
from engine.turn import Turn

ENGINE_VERSION: Final = 4
"""Raised when the same commands would yield other events than before. 2: a trade says which lots were sold. 4: an order's
report says its terms. The journals of 1 to 3 are still replayed (server/replay.py)."""

COMMANDS: Final[dict[type, Callable[[Turn, Envelope, Any], trading.Answer]]] = {
    PlaceOrder: trading.place_order,
    CancelOrder: trading.cancel_order,
    CancelAll: trading.cancel_all,
    ReplaceOrder: replacing.replace_order,
    MassQuote: quoting.mass_quote,
    Marks: market.marks,
    OpenAccount: accounts.open_account,
    SetAccountStatus: accounts.set_account_status,
    Deposit: accounts.deposit,
    RequestWithdrawal: accounts.request_withdrawal,
    SettleWithdrawal: accounts.settle_withdrawal,
    TransferIn: accounts.transfer_in,
    AdjustCash: accounts.adjust_cash,
    SetLotMethod: accounts.set_lot_method,
    DeclareDividend: dividends.declare_dividend,
    DeclareAction: corporate_actions.declare_action,
    SetInstrument: market.set_instrument,
    SetFees: fee_tiers.set_fees,
    SetLimits: market.set_limits,
    SetSettlement: settlement.set_settlement,
    SetCalendar: sessions.set_calendar,
    HaltSymbol: market.halt_symbol,
    ResumeSymbol: market.resume_symbol,
    SetKillSwitch: market.set_kill_switch,
    BustTrade: bust.bust_trade,
    SetRiskRule: risk_control.set_risk_rule,
    SetKycTier: risk_control.set_kyc_tier,
    LinkAccount: risk_control.link_account,
    FireTimer: sessions.fire_timer,
    **PARKING_COMMANDS,
}
"""Command → the function that decides and carries it out."""


class Applied(Struct, frozen=True, gc=False):
    """What came of a command.

    `seq` is the record whose durability the answer waits for. `answer` is the part of the events that answers
    the caller. `recorded` is False when nothing changed and nothing is to be journalled: a repeated key
    (`duplicate`), or a refusal that must not consume one.
    """

    seq: int
    now_us: int
    events: tuple[AnyEvent, ...]
    answer: tuple[AnyEvent, ...]
    duplicate: bool = False
    recorded: bool = True

    @property
    def refused(self) -> Refused | None:
        """The refusal, if that is what came of it."""
        first = self.answer[0] if self.answer else None
        return first if isinstance(first, Refused) else None


def apply(state: State, envelope: Envelope, command: AnyCommand, now_us: int) -> Applied:
    """Carry one command out. `now_us` must not be before `state.last_us`.

    Any exception is a bug: the state may be half changed and must not be used again.
    """
    if envelope.key:
        unrecorded = answer_from_memory(state, envelope, now_us)
        if unrecorded is not None:
            return unrecorded
    seq = state.seq + 1
    turn = Turn(state, seq, now_us)
    if now_us >= state.purge_due_us:
        purge(state, now_us)
    result = COMMANDS[type(command)](turn, envelope, command)
    if turn.after is not None:
        follow_up(turn, turn.after)
    if state.risk is not None and turn.events:
        remember_fills(turn, state.risk)
    events: tuple[AnyEvent, ...]
    answer: tuple[AnyEvent, ...]
    if type(result) is int:
        report = turn.finish(result)
        if report is None:
            raise LookupError(f"command {seq} did not touch order {result}")
        events = tuple(turn.events)
        answer = (report,)
    elif isinstance(result, Refused):
        answer = events = (result,)
        if turn.events:
            events = (result, *turn.events)
            if any(type(event) is not RiskViolated for event in turn.events):
                raise RuntimeError(f"{type(command).__name__} was refused after it had changed something")
    else:
        turn.finish()
        answer = events = tuple(turn.events)
        if result is OrderUpdated:
            answer = tuple(event for event in events if type(event) is OrderUpdated)
    state.seq = seq
    state.last_us = now_us
    state.dirty["clock"]["clock"] = None
    if envelope.key and not (type(result) is Refused and result.refusal in RETRYABLE):
        remember(turn, envelope, answer)
    return Applied(seq, now_us, events, answer)


def answer_from_memory(state: State, envelope: Envelope, now_us: int) -> Applied | None:
    """The answer to a key that was used before or that there is no room for; None when the command is new."""
    known = known_key(state, envelope, now_us)
    if known is None:
        refused = capacity_refusal(state, envelope, now_us)
        if refused is None:
            return None
        return Applied(state.seq, now_us, (), (refused,), recorded=False)
    if known.digest != envelope.digest:
        return Applied(known.seq, now_us, (), (Refused(Refusal.IDEMPOTENCY_KEY_REUSED),), recorded=False)
    return Applied(known.seq, known.created_us, (), known.answer, duplicate=True, recorded=False)
