"""Cash dividends: declared, then recorded and paid by timers. One command, and its id makes it happen once.

1. `DeclareDividend`                  checked; a timer is set for the record time
2. at the record time                 whoever has units then is entitled, by what trades have delivered, settled or not;
                                      open GTC and GTD orders are lowered by the dividend (engine/dividend_orders.py)
3. at the payment time                cash from the issuers' account to those entitled, a thousand accounts at a time

What an account gets is rounded down once, on all its units. A trade that is busted after the record time moves no
entitlement: its two sides settle that between them.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from engine.accounts import brought_in_e4
from engine.commands import DeclareDividend, Envelope
from engine.corporate_state import Dividend, DividendStage
from engine.dividend_events import DividendDeclared, DividendPaid, DividendRecorded
from engine.dividend_orders import lower_orders
from engine.events import Posted, Refused
from engine.kinds import TimerKind, TransactionKind
from engine.ledger import post_cash
from engine.refusals import Refusal
from engine.risk import reference_e4
from engine.state import CUSTODY_ACCOUNT_ID, ISSUERS_ACCOUNT_ID, State, Timer
from engine.timers import add_timer
from engine.trading import Answer
from engine.turn import Turn
from engine.units import CASH_TOTAL_MAX_E4, ID_MAX, TIME_MAX_US, dividend_down_e4, dividend_up_e4

PAID_AT_ONCE: Final = 1_000
PAUSE_US: Final = 10_000
"""Between two thousands of accounts that are paid: orders come first."""


def declare_dividend(turn: Turn, envelope: Envelope, command: DeclareDividend) -> Answer:
    """Take a dividend on; it is recorded and paid when its times come."""
    state = turn.state
    if command.dividend_id in state.dividends or command.dividend_id in state.actions:
        return Refused(Refusal.ACTION_EXISTS)
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    per_unit_e4 = dividend_up_e4(command.per_unit_e8)
    if command.per_unit_e8 <= 0 or per_unit_e4 >= (reference_e4(instrument) or instrument.price_max_e4):
        return Refused(Refusal.INVALID_ACTION, (("per_unit", command.per_unit_e8),))
    if not turn.now_us <= command.record_us <= command.payment_us <= TIME_MAX_US:
        detail = (("record_us", command.record_us), ("payment_us", command.payment_us))
        return Refused(Refusal.INVALID_ACTION, detail)
    if not 0 < command.dividend_id <= ID_MAX:
        return Refused(Refusal.INVALID_ACTION)
    units_e8 = -state.outside.get((CUSTODY_ACCOUNT_ID, command.symbol), 0)
    total_e4 = dividend_down_e4(command.per_unit_e8, units_e8) + brought_in_e4(state, instrument.currency)
    if total_e4 > CASH_TOTAL_MAX_E4:
        return Refused(Refusal.BALANCE_LIMIT, (("maximum_e4", CASH_TOTAL_MAX_E4),))
    dividend = Dividend(
        command.dividend_id, instrument.symbol, command.per_unit_e8, command.record_us, command.payment_us
    )
    state.dividends[dividend.dividend_id] = dividend
    state.dirty["dividend"][dividend.dividend_id] = None
    add_timer(turn, dividend.record_us, TimerKind.DIVIDEND, str(dividend.dividend_id))
    turn.events.append(
        DividendDeclared(
            dividend.dividend_id,
            dividend.symbol,
            dividend.per_unit_e8,
            dividend.record_us,
            dividend.payment_us,
        )
    )
    return None


def fire_dividend(turn: Turn, timer: Timer) -> None:
    """A dividend has come to its record or payment time."""
    dividend = turn.state.dividends[int(timer.target)]
    if dividend.stage is DividendStage.DECLARED:
        record(turn, dividend)
    else:
        pay(turn, dividend)


def record(turn: Turn, dividend: Dividend) -> None:
    """Fix who gets how much, lower the orders, and set the timer for the payment."""
    state = turn.state
    entitled: dict[int, int] = {}
    amount_e4 = 0
    for account_id in sorted(state.accounts):
        position = state.accounts[account_id].positions.get(dividend.symbol)
        if position is not None and position.units_e8:
            entitled[account_id] = position.units_e8
            state.dirty["entitlement"][dividend.dividend_id, account_id] = None
            amount_e4 += dividend_down_e4(dividend.per_unit_e8, position.units_e8)
    if entitled:
        state.entitlements[dividend.dividend_id] = entitled
    move_on(state, dividend, DividendStage.RECORDED)
    lower_orders(turn, state.instruments[dividend.symbol], dividend_up_e4(dividend.per_unit_e8))
    turn.events.append(
        DividendRecorded(
            dividend.dividend_id, dividend.symbol, len(entitled), sum(entitled.values()), amount_e4
        )
    )
    add_timer(turn, max(dividend.payment_us, turn.now_us), TimerKind.DIVIDEND, str(dividend.dividend_id))


def pay(turn: Turn, dividend: Dividend) -> None:
    """Pay the next of those entitled, by account; with nobody left it is done."""
    state = turn.state
    dividend_id = dividend.dividend_id
    entitled = state.entitlements.get(dividend_id, {})
    for account_id in list(islice(entitled, PAID_AT_ONCE)):
        units_e8 = entitled.pop(account_id)
        state.dirty["entitlement"][dividend_id, account_id] = None
        amount_e4 = dividend_down_e4(dividend.per_unit_e8, units_e8)
        if not amount_e4:
            continue
        account = state.accounts[account_id]
        account.dividends_e4 += amount_e4
        post_cash(
            turn, TransactionKind.DIVIDEND, account, ISSUERS_ACCOUNT_ID, amount_e4, f"div_{dividend_id}"
        )
        posted = turn.events[-1]
        assert isinstance(posted, Posted)
        turn.events.append(
            DividendPaid(
                posted.txn_id,
                dividend_id,
                account_id,
                dividend.symbol,
                units_e8,
                amount_e4,
                dividend.per_unit_e8 if dividend.is_restated else 0,
            )
        )
    if entitled:
        add_timer(turn, turn.now_us + PAUSE_US, TimerKind.DIVIDEND, str(dividend_id))
        return
    state.entitlements.pop(dividend_id, None)
    move_on(state, dividend, DividendStage.PAID)


def move_on(state: State, dividend: Dividend, stage: DividendStage) -> None:
    """Bring a dividend to its next stage."""
    dividend.stage = stage
    state.dirty["dividend"][dividend.dividend_id] = None
