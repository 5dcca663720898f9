"""What happened. Events are past tense, typed, frozen, and carry absolute figures: a consumer never computes.

A command yields its events, or exactly one `Refused`, which a `RiskViolated` may follow for each rule that was broken. Rows, private streams, answers and market data are all
made from these and from nothing else.
"""

from __future__ import annotations

from typing import final

from engine.action_events import ActionDeclared, ActionEffected, ActionFailed, FractionPaid
from engine.dividend_events import DividendDeclared, DividendPaid, DividendRecorded
from engine.event_base import Event
from engine.kinds import (
    AccountKind,
    AccountStatus,
    CloseReason,
    KillScope,
    LotMethod,
    OrderStatus,
    OrderType,
    Phase,
    PriceSource,
    RiskMode,
    RiskRule,
    Side,
    TimeInForce,
    TransactionKind,
)
from engine.parking.events import ParkingEvent
from engine.refusals import Refusal
from engine.terms import Special


@final
class Refused(Event, frozen=True, gc=False, array_like=True, tag=True):
    """The command was turned down; nothing changed. `detail` holds (name, figure) pairs in scaled integers.

    A figure is a plain `int` and no enum: it is kept with the key, and `state_hash` must not tell a kept one from a recovered one.
    """

    refusal: Refusal
    detail: tuple[tuple[str, int], ...] = ()


class OrderUpdated(Event, frozen=True, gc=False, array_like=True, tag=True):
    """The whole of an order after a command that touched it: one per touched order and command.

    `price_e4` is 0 for MARKET; `limit_e4` is the price it may trade at (the collar for MARKET).
    `notional_e4` and `fee_e4` are cumulative over its fills. `hold_e4` is what is still held in cash (buys).
    `replaces_id` and `replaced_by_id` are 0 when not linked. Quotes appear only once they have traded.
    `special` is None for a plain order, and in what engine versions before 4 wrote.
    """

    order_id: int
    account_id: int
    symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity_e8: int
    price_e4: int
    limit_e4: int
    filled_e8: int
    notional_e4: int
    fee_e4: int
    hold_e4: int
    status: OrderStatus
    reason: CloseReason
    created_us: int
    updated_us: int
    client_order_id: str
    replaces_id: int
    replaced_by_id: int
    is_quote: bool
    special: Special | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may still trade: it rests in the book or is held."""
        return self.status <= OrderStatus.PARTIAL


SoldLot = tuple[int, int, int, int]
"""What a sale took of a lot: (lot_id, units_e8, cost_e4, acquired_us)."""


class Traded(Event, frozen=True, gc=False, array_like=True, tag=True):
    """One fill between two orders. The buyer's execution id is `trade_id`, the seller's `trade_id + 1`.

    `*_cash_e4` is the account's cash after the fill and its fee, `*_units_e8` its units after it.
    Postings: cash buyer -notional -fee, seller +notional -fee, FEES +both fees; units seller to buyer. `sell_regulatory_e4` is
    the part of the seller's fee that goes to REGULATORY instead (engine versions before 4 knew of none).
    `sell_lots` is what a bust would have to give back to the seller; engine version 1 did not say.
    """

    trade_id: int
    symbol: str
    currency: str
    price_e4: int
    quantity_e8: int
    notional_e4: int
    taker_side: Side
    buy_order_id: int
    buy_account_id: int
    buy_fee_e4: int
    buy_cash_e4: int
    buy_units_e8: int
    sell_order_id: int
    sell_account_id: int
    sell_fee_e4: int
    sell_cash_e4: int
    sell_units_e8: int
    sell_lots: tuple[SoldLot, ...] = ()
    sell_regulatory_e4: int = 0


class TradeBusted(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A fill was taken back (engine/bust.py): the figures of its `Traded`, and what both accounts have after it.

    `bust_id` is the transaction that compensates the fill's: cash seller -notional +fee, buyer +notional +fee, FEES
    -both fees; units buyer to seller. The orders stay as they were: `buy_order` and `sell_order` report them once more,
    None where the command did not have them. `sell_lots` is what the seller's lots got back, `buy_lots` what was taken of
    the buyer's, () of a market maker's; engine versions before 4 did not say.
    """

    bust_id: int
    trade_id: int
    executed_us: int
    symbol: str
    currency: str
    price_e4: int
    quantity_e8: int
    notional_e4: int
    taker_side: Side
    buy_order_id: int
    buy_account_id: int
    buy_fee_e4: int
    buy_cash_e4: int
    buy_units_e8: int
    sell_order_id: int
    sell_account_id: int
    sell_fee_e4: int
    sell_cash_e4: int
    sell_units_e8: int
    operator_id: int
    reason: str
    buy_order: OrderUpdated | None = None
    sell_order: OrderUpdated | None = None
    sell_regulatory_e4: int = 0
    sell_lots: tuple[SoldLot, ...] = ()
    buy_lots: tuple[SoldLot, ...] = ()


class BookChanged(Event, frozen=True, gc=False, array_like=True, tag=True):
    """The price levels that a command touched: (side, price_e4, quantity_e8, orders) after it; 0 removes."""

    symbol: str
    levels: tuple[tuple[Side, int, int, int], ...]


class BalanceChanged(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An account's cash and what of it is held, after the command: one per touched account.

    `unsettled_e4` of the cash has not settled; `settled_only`: the account may not use that (engine versions before 4 knew neither).
    """

    account_id: int
    cash_e4: int
    held_e4: int
    unsettled_e4: int = 0
    settled_only: bool = False


class Posted(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A ledger transaction other than a fill. Postings: (account_id, asset, amount, balance after).

    The asset is a currency code (amounts in `_e4`) or a symbol (`_e8`). Amounts sum to zero per asset.
    """

    txn_id: int
    kind: TransactionKind
    reference: str
    postings: tuple[tuple[int, str, int, int], ...]


class SettlementDue(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A trade that settles on a later day: `*_amount_e4` is the cash that is due to each side, below zero where it pays.

    Days are since the epoch. A trade that settles at once has no such event.
    """

    trade_id: int
    market: str
    trade_day: int
    settlement_day: int
    symbol: str
    currency: str
    quantity_e8: int
    buy_order_id: int
    buy_account_id: int
    buy_amount_e4: int
    sell_order_id: int
    sell_account_id: int
    sell_amount_e4: int


class DaySettled(Event, frozen=True, gc=False, array_like=True, tag=True):
    """Everything that a market had to settle on a day has settled."""

    market: str
    settlement_day: int


class GoodFaithViolated(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A customer sold what was bought with money that had not settled. `count` is that of twelve months.

    From three on the account may use settled cash alone until `settled_only_until_us`; before that it is 0.
    """

    account_id: int
    order_id: int
    trade_id: int
    count: int
    settled_only_until_us: int


class AccountOpened(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An account exists."""

    account_id: int
    user_id: int
    kind: AccountKind
    currency: str


class AccountStatusChanged(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An account was disabled or enabled."""

    account_id: int
    status: AccountStatus
    reason: str


class WithdrawalRequested(Event, frozen=True, gc=False, array_like=True, tag=True):
    """Cash is held for the bank to pay out."""

    withdrawal_id: int
    account_id: int
    amount_e4: int


class WithdrawalSettled(Event, frozen=True, gc=False, array_like=True, tag=True):
    """The bank paid a withdrawal, or refused it and the hold is released."""

    withdrawal_id: int
    account_id: int
    amount_e4: int
    paid: bool


class InstrumentSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An instrument was listed or changed."""

    symbol: str
    name: str
    currency: str
    tick_e4: int
    lot_e8: int
    price_min_e4: int
    price_max_e4: int
    calendar: str
    price_source: PriceSource
    band_bps: int
    fee_schedule: str


class PhaseChanged(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A book opened, closed, halted or resumed."""

    symbol: str
    phase: Phase
    reason: str


class Indicative(Event, frozen=True, gc=False, array_like=True, tag=True):
    """What an auction would do if its call ended now: buyers less sellers at the price is the imbalance.

    Price and volume are 0 where nothing would trade; the imbalance is that at the reference then.
    """

    symbol: str
    price_e4: int
    volume_e8: int
    imbalance_e8: int


class DayEnded(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A session ended: the last price became the previous close (0 when there was never a price)."""

    symbol: str
    previous_close_e4: int


class KillSwitchSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A kill switch was turned on or off."""

    scope: KillScope
    target: str
    on: bool
    reason: str


class LotMethodSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An account's sales take their lots in another way from now on."""

    account_id: int
    method: LotMethod


class RiskRuleSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A risk rule was set for a scope, or (INHERIT) its row taken away."""

    rule: RiskRule
    account_id: int
    symbol: str
    mode: RiskMode
    figures: tuple[int, ...]


class KycTierSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An account's KYC tier is another one now."""

    account_id: int
    tier: int


class AccountLinked(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An account belongs to a group now; '' is none."""

    account_id: int
    group: str
    reason: str


class RiskViolated(Event, frozen=True, gc=False, array_like=True, tag=True):
    """An order broke a risk rule. `mode` BLOCK: the rule stopped it. `order_id` is 0 where the order was refused.

    `price_e4` is the order's, of a MARKET order its limit; of a trade between linked accounts the trade's. `figures` are
    (name, figure) pairs in scaled integers.
    """

    violation_id: int
    rule: RiskRule
    mode: RiskMode
    account_id: int
    symbol: str
    order_id: int
    side: Side
    quantity_e8: int
    price_e4: int
    figures: tuple[tuple[str, int], ...]
    violated_us: int


AnyEvent = (
    Refused
    | OrderUpdated
    | Traded
    | TradeBusted
    | BookChanged
    | BalanceChanged
    | Posted
    | SettlementDue
    | DaySettled
    | GoodFaithViolated
    | AccountOpened
    | AccountStatusChanged
    | WithdrawalRequested
    | WithdrawalSettled
    | InstrumentSet
    | PhaseChanged
    | Indicative
    | DayEnded
    | KillSwitchSet
    | LotMethodSet
    | DividendDeclared
    | DividendRecorded
    | DividendPaid
    | ActionDeclared
    | ActionEffected
    | ActionFailed
    | FractionPaid
    | RiskRuleSet
    | KycTierSet
    | AccountLinked
    | RiskViolated
    | ParkingEvent
)
