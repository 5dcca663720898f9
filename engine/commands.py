"""What can be asked of the engine. Commands are imperative, typed, frozen, and all that a replay needs.

Each has the fields of its request in scaled integers. Who asks, for which account and under which
idempotency key stands in the `Envelope`.
"""

from __future__ import annotations

from msgspec import Struct

from engine.command_base import Command
from engine.corporate_commands import DeclareAction
from engine.events import OrderUpdated, SoldLot
from engine.fees import Tier
from engine.kinds import (
    AccountKind,
    AccountStatus,
    KillScope,
    LotMethod,
    OrderClass,
    OrderType,
    Phase,
    PriceSource,
    RiskMode,
    RiskRule,
    SelfTradePrevention,
    Side,
    Source,
    TimeInForce,
)
from engine.parking.commands import ParkingCommand
from engine.terms import Leg, Terms
from engine.units import MINUTE_US, TIME_MAX_US


class Envelope(Struct, frozen=True, gc=False, array_like=True):
    """Who asks. `principal` is a user id, 0 for the system; `account_id` the account acted for, 0 for none.

    `key` is the idempotency key ('' for none), `digest` that of the decoded command: the same key with
    another digest is refused.
    """

    source: Source
    principal: int = 0
    account_id: int = 0
    request_id: str = ""
    key: str = ""
    digest: bytes = b""


# -- what config sets: at start the runtime compares config with state and submits the difference


class SetInstrument(Command, frozen=True, gc=False, array_like=True, tag=True):
    """List or change an instrument. `lot_e8 * price_min_e4` must be worth at least one cash unit.

    `halt_bps` halts trading at a band (engine/halts.py), 0 for none; `halt_window_us` and `halt_us` are how long its
    reference and its call last. `resume_auction` ends an operator's halt by such a call.
    """

    symbol: str
    name: str
    currency: str
    tick_e4: int
    lot_e8: int
    price_min_e4: int
    price_max_e4: int
    reference_e4: int
    calendar: str
    price_source: PriceSource
    band_bps: int
    fee_schedule: str
    halt_bps: int = 0
    halt_window_us: int = 5 * MINUTE_US
    halt_us: int = 5 * MINUTE_US
    resume_auction: bool = False


class SetFees(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Set a fee schedule; orders already accepted keep what they were accepted with. The rest as `FeeRules` has it."""

    schedule: str
    maker_ppm: int
    taker_ppm: int
    tiers: tuple[Tier, ...] = ()
    order_min_e4: int = 0
    order_max_e4: int = 0
    sell_ppb: int = 0
    sell_unit_e12: int = 0
    sell_unit_max_e4: int = 0


class SetSettlement(Command, frozen=True, gc=False, array_like=True, tag=True):
    """How the trades of a calendar's instruments settle from now on: as `SettlementRules` has it."""

    market: str
    days: int
    closed: tuple[int, ...] = ()
    instant_max_e4: tuple[int, ...] = ()


class SetLimits(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Set the risk limits and bounds of the whole venue."""

    order_quantity_max_e8: int
    order_value_max_e4: int
    open_orders_max: int
    market_collar_bps: int
    keys_per_user_max: int
    keys_max: int
    key_ttl_us: int
    gtc_max_age_us: int = TIME_MAX_US


class SetCalendar(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Replace the sessions of a calendar: (open_us, close_us), ascending, not overlapping.

    Where one session's close is the next one's open the book stays open; the day still ends there. `phases` are
    (start_us, phase), ascending: what the book does, where it is more than open and closed (engine/calendars.py).
    """

    calendar: str
    sessions: tuple[tuple[int, int], ...]
    phases: tuple[tuple[int, Phase], ...] = ()


# -- accounts and money


class OpenAccount(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Open the account of a user: one a user, so a repetition is refused with ACCOUNT_EXISTS."""

    user_id: int
    kind: AccountKind
    currency: str


class SetAccountStatus(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Disable or enable an account. Disabling cancels its open orders."""

    account_id: int
    status: AccountStatus
    reason: str


class Deposit(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Cash that has arrived from the bank for the envelope's account."""

    amount_e4: int
    method: str


class RequestWithdrawal(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Hold cash of the envelope's account until the bank has paid it out or said no."""

    amount_e4: int


class SettleWithdrawal(Command, frozen=True, gc=False, array_like=True, tag=True):
    """The bank's answer to a withdrawal: paid, or not (the hold is released)."""

    withdrawal_id: int
    paid: bool


class TransferIn(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Units of a security that arrive from custody outside, with their cost."""

    account_id: int
    symbol: str
    quantity_e8: int
    cost_e4: int


class AdjustCash(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Cash that operators give to an account (above zero) or take from it. `reference` is the decision behind it."""

    account_id: int
    amount_e4: int
    reference: str


class SetLotMethod(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Which lots the sales of the envelope's account take from now on; SPECIFIC is for single orders."""

    method: LotMethod


class DeclareDividend(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A cash dividend of `per_unit_e8` (1e-8 of the currency) to whoever has units at the record time (engine/dividends.py).

    The same `dividend_id` is taken on once.
    """

    dividend_id: int
    symbol: str
    per_unit_e8: int
    record_us: int
    payment_us: int


# -- orders


class PlaceOrder(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A new order of the envelope's account. `price_e4` is 0 for MARKET. `terms` and `legs` as engine/terms.py has them."""

    symbol: str
    side: Side
    order_type: OrderType
    quantity_e8: int
    price_e4: int
    time_in_force: TimeInForce
    client_order_id: str = ""
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST
    terms: Terms | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    legs: tuple[Leg, ...] = ()


class CancelOrder(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Cancel one open order of the envelope's account."""

    order_id: int


class CancelAll(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Cancel every open order and quote of the envelope's account, or those in one symbol ('' for all)."""

    symbol: str


class ReplaceOrder(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Replace an open order by one with a new id. 0 keeps the quantity (total, fills included), price, stop or trail."""

    order_id: int
    quantity_e8: int
    price_e4: int
    client_order_id: str = ""
    stop_e4: int = 0
    trail_e4: int = 0
    trail_ppm: int = 0


class MassQuote(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Replace all quotes of a market maker in one symbol. Pairs of (price_e4, quantity_e8), best first."""

    symbol: str
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]


# -- market, operator and time


class Marks(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Reference prices from a tape: (symbol, price_e4), at most one batch a second."""

    prices: tuple[tuple[str, int], ...]


class HaltSymbol(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Stop trading in a symbol; resting orders stay and can be cancelled."""

    symbol: str
    reason: str


class ResumeSymbol(Command, frozen=True, gc=False, array_like=True, tag=True):
    """End a halt."""

    symbol: str


class SetKillSwitch(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Turn a kill switch on (open orders in its scope are cancelled, new ones refused) or off.

    `target` is the symbol, or the account id as text; '' for the market.
    """

    scope: KillScope
    target: str
    on: bool
    reason: str


class BustTrade(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Take a fill back: the facts of its two executions, who decided why (engine/bust.py), and the last reports of both
    orders, which their owners are told again; engine version 2 had no reports.
    """

    trade_id: int
    executed_us: int
    symbol: str
    price_e4: int
    quantity_e8: int
    notional_e4: int
    taker_side: Side
    buy_order_id: int
    buy_account_id: int
    buy_fee_e4: int
    sell_order_id: int
    sell_account_id: int
    sell_fee_e4: int
    sold_lots: tuple[SoldLot, ...]
    operator_id: int
    reason: str
    buy_order: OrderUpdated | None = None
    sell_order: OrderUpdated | None = None
    sell_regulatory_e4: int = 0
    market: str = ""
    settlement_day: int = 0


class SetRiskRule(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Set a risk rule for everybody, or for an account (not 0), a symbol (not '') or both.

    `figures` are those that engine/risk_figures.py names, in its order; with INHERIT there are none.
    """

    rule: RiskRule
    mode: RiskMode
    figures: tuple[int, ...]
    account_id: int = 0
    symbol: str = ""


class SetKycTier(Command, frozen=True, gc=False, array_like=True, tag=True):
    """What is known of a customer has changed: 0 not verified, 1 basic, 2 standard, 3 enhanced."""

    account_id: int
    tier: int


class LinkAccount(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Accounts of one group belong together; '' takes the account out of its group."""

    account_id: int
    group: str
    reason: str


class FireTimer(Command, frozen=True, gc=False, array_like=True, tag=True):
    """A timer that is due. Only the runtime submits these."""

    timer_id: int


AnyCommand = (
    SetInstrument
    | SetFees
    | SetLimits
    | SetSettlement
    | SetCalendar
    | OpenAccount
    | SetAccountStatus
    | Deposit
    | RequestWithdrawal
    | SettleWithdrawal
    | TransferIn
    | AdjustCash
    | PlaceOrder
    | CancelOrder
    | CancelAll
    | ReplaceOrder
    | MassQuote
    | Marks
    | HaltSymbol
    | ResumeSymbol
    | SetKillSwitch
    | BustTrade
    | SetRiskRule
    | SetKycTier
    | LinkAccount
    | FireTimer
    | SetLotMethod
    | DeclareDividend
    | DeclareAction
    | ParkingCommand
)
