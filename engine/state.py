"""Everything the engine knows: the aggregates, and what of them changed since the last cut."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from msgspec import Struct

from engine.book import Book
from engine.corporate_state import CorporateAction, Dividend
from engine.events import AnyEvent
from engine.fees import FeeRules
from engine.kinds import AccountKind, AccountStatus, KillScope, LotMethod, Phase, PriceSource, TimerKind
from engine.orders import Order
from engine.parking.records import Parking
from engine.parking.rows import PARKING_KINDS
from engine.risk_state import RiskTable, RiskWindow, RuleKey, RuleRow
from engine.settlement_state import FundedLot, SettlementRules, SettlingDay, Unsettled, Volume
from engine.stop_book import StopBook
from engine.units import DAY_US, MINUTE_US, NOTIONAL_MAX_E4, QUANTITY_MAX_E8, TIME_MAX_US

BANK_ACCOUNT_ID = 1
CUSTODY_ACCOUNT_ID = 2
FEES_ACCOUNT_ID = 3
ADJUSTMENTS_ACCOUNT_ID = 4
REGULATORY_ACCOUNT_ID = 5
ISSUERS_ACCOUNT_ID = 6
PARKING_REVENUE_ACCOUNT_ID = 21
PARKING_TAX_ACCOUNT_ID = 22
PARKING_CASH_ACCOUNT_ID = 23
PARKING_DEBT_ACCOUNT_ID = 24
OUTSIDE_ACCOUNTS = {
    BANK_ACCOUNT_ID: AccountKind.BANK,
    CUSTODY_ACCOUNT_ID: AccountKind.CUSTODY,
    FEES_ACCOUNT_ID: AccountKind.FEES,
    ADJUSTMENTS_ACCOUNT_ID: AccountKind.ADJUSTMENTS,
    REGULATORY_ACCOUNT_ID: AccountKind.REGULATORY,
    ISSUERS_ACCOUNT_ID: AccountKind.ISSUERS,
    PARKING_REVENUE_ACCOUNT_ID: AccountKind.PARKING_REVENUE,
    PARKING_TAX_ACCOUNT_ID: AccountKind.PARKING_TAX,
    PARKING_CASH_ACCOUNT_ID: AccountKind.PARKING_CASH,
    PARKING_DEBT_ACCOUNT_ID: AccountKind.PARKING_DEBT,
}
"""The ledger's outside: where cash and securities come from and go to. Their balances may be negative."""


class Lot(Struct, eq=False, gc=False):
    """Units acquired at one time at one cost. `cost_e4` is for what is left of them."""

    lot_id: int
    account_id: int
    symbol: str
    units_e8: int
    cost_e4: int
    acquired_us: int


class Dearest(Struct, eq=False):
    """A position's lots as a heap of (minus the cost a unit, lot id), as far as the lot `up_to_id`."""

    heap: list[tuple[int, int]]
    up_to_id: int


@dataclass(slots=True, eq=False)
class Position:
    """An account's units of one symbol. `held_e8` is promised to open sells; `cost_e4` is the sum of its lots'.

    Up to the lot `averaged_lot_id` all lots share one average cost (engine/lot_methods.py); 0 when none do. `dearest` is
    what HIFO remembers of its lots; None for all others.
    """

    account_id: int
    symbol: str
    units_e8: int = 0
    held_e8: int = 0
    cost_e4: int = 0
    realized_e4: int = 0
    averaged_lot_id: int = 0
    lots: OrderedDict[int, Lot] = field(default_factory=OrderedDict, repr=False)
    dearest: Dearest | None = field(default=None, repr=False)


@dataclass(slots=True, eq=False)
class Account:
    """A customer's cash and what belongs to it. Available cash is `cash_e4 - held_e4` and never negative.

    `contributed_e4` is deposits less withdrawals plus the cost of units transferred in: what total profit
    is measured against. `lot_method` says which lots a sale takes where its order does not.
    `kyc_tier` says how well the customer is known, accounts of one `link_group` belong together
    ('' is none): engine/risk_rules.py. `unsettled_e4` is the part of the cash that has not settled, by (day, market) in
    `buckets`; `violations` are (time, order, trade) of good-faith violations, `settled_only_until_us` is what three of them
    lead to; `leaving_e4` is held for withdrawals: engine/settlement.py.
    """

    account_id: int
    user_id: int
    kind: AccountKind
    currency: str
    status: AccountStatus = AccountStatus.ACTIVE
    cash_e4: int = 0
    held_e4: int = 0
    contributed_e4: int = 0
    fees_e4: int = 0
    realized_e4: int = 0
    lot_method: LotMethod = LotMethod.FIFO
    dividends_e4: int = 0
    kyc_tier: int = 0
    link_group: str = ""
    unsettled_e4: int = 0
    settled_only_until_us: int = 0
    violations: tuple[tuple[int, int, int], ...] = ()
    leaving_e4: int = 0
    buckets: dict[tuple[int, str], Unsettled] = field(default_factory=dict, repr=False)
    positions: dict[str, Position] = field(default_factory=dict, repr=False)
    orders: dict[int, Order] = field(default_factory=dict, repr=False)
    quotes: dict[str, list[Order]] = field(default_factory=dict, repr=False)

    @property
    def available_e4(self) -> int:
        """Cash that a new order or withdrawal may use."""
        return self.cash_e4 - self.held_e4


@dataclass(slots=True, eq=False)
class Instrument:
    """A listed security and the state of its market.

    `official_close_e4` is the price at the end of the day's closing auction, 0 before it.
    `halt_bps` is the band that halts (0: none) around `halt_reference_e4`, which was set at `halt_reference_us`; `halt_us`
    the length of the call that follows. `resume_auction`: an operator's halt ends by such a call too. `indicative` is what
    a call last said: price_e4, volume_e8, imbalance_e8. `restated_us` is when a split last made all units and prices new.
    """

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
    reference_e4: int
    phase: Phase
    halted: bool = False
    last_e4: int = 0
    previous_close_e4: int = 0
    halt_bps: int = 0
    halt_window_us: int = 5 * MINUTE_US
    halt_us: int = 5 * MINUTE_US
    resume_auction: bool = False
    halt_reference_e4: int = 0
    halt_reference_us: int = 0
    indicative: tuple[int, int, int] = (0, 0, 0)
    official_close_e4: int = 0
    restated_us: int = 0
    is_delisted: bool = False


@dataclass(slots=True, eq=False)
class FeeSchedule:
    """Rates on a fill's notional, and what more there is to pay."""

    schedule: str
    maker_ppm: int
    taker_ppm: int
    rules: FeeRules | None = None


@dataclass(slots=True, eq=False)
class Limits:
    """The venue's risk limits and bounds; config sets them."""

    order_quantity_max_e8: int = QUANTITY_MAX_E8
    order_value_max_e4: int = NOTIONAL_MAX_E4
    open_orders_max: int = 1_000
    market_collar_bps: int = 500
    keys_per_user_max: int = 10_000
    keys_max: int = 200_000
    key_ttl_us: int = DAY_US
    gtc_max_age_us: int = TIME_MAX_US


@dataclass(slots=True, eq=False)
class Calendar:
    """Sessions as (open_us, close_us), ascending; at a close the day ends. `ended_us` is the last close whose day has been ended.

    `phases` are (start_us, phase), ascending; without them a session is CONTINUOUS and all else CLOSED.
    """

    calendar: str
    sessions: tuple[tuple[int, int], ...] = ()
    ended_us: int = 0
    phases: tuple[tuple[int, Phase], ...] = ()


@dataclass(slots=True, eq=False)
class Timer:
    """Something that becomes due; the runtime fires it by a command of its own."""

    timer_id: int
    due_us: int
    kind: TimerKind
    target: str


@dataclass(slots=True, eq=False)
class Withdrawal:
    """Cash held for the bank to pay out."""

    withdrawal_id: int
    account_id: int
    amount_e4: int
    requested_us: int


class KeyRecord(Struct, eq=False, gc=False):
    """What an idempotency key answered: `seq` is the record that made it so."""

    principal: int
    key: str
    digest: bytes
    seq: int
    created_us: int
    answer: tuple[AnyEvent, ...]


class ClientOrderId(Struct, eq=False, gc=False):
    """A client's own order id. `closed_us` is 0 while the order is open; kept 24 h after that."""

    account_id: int
    client_order_id: str
    order_id: int
    closed_us: int = 0


@dataclass(slots=True, eq=False)
class KillSwitch:
    """A kill switch that is on."""

    scope: KillScope
    target: str
    reason: str


@dataclass(slots=True, eq=False)
class Group:
    """A pair of open orders of which one quantity is to trade (engine/links.py): a LIMIT order, which carries the hold, and a stop."""

    group_id: int
    limit_id: int
    stop_id: int


DIRTY_KINDS = (
    "clock",
    "limits",
    "account",
    "position",
    "lot",
    "order",
    "instrument",
    "fees",
    "calendar",
    "timer",
    "withdrawal",
    "key",
    "client_order_id",
    "kill_switch",
    "group",
    "outside",
    "bust",
    "risk_rule",
    "risk_window",
    "volume",
    "settlement",
    "settling",
    "unsettled",
    "funded_lot",
    "dividend",
    "entitlement",
    "action",
    *PARKING_KINDS,
)


class State:
    """The whole of the engine. Plain data: the modules of `engine/` act on it.

    `dirty` names, by aggregate kind, the keys that changed since the write-behind last cut a batch.
    """

    __slots__ = (
        "account_by_user",
        "accounts",
        "actions",
        "books",
        "busts",
        "calendars",
        "client_order_ids",
        "client_order_ids_closed",
        "counts_volume",
        "dirty",
        "dividends",
        "entitlements",
        "fees",
        "funded_lots",
        "groups",
        "instruments",
        "keys",
        "keys_by_principal",
        "kill_switches",
        "last_us",
        "limits",
        "lots",
        "off_book",
        "orders",
        "outside",
        "parking",
        "purge_due_us",
        "risk",
        "risk_rules",
        "risk_windows",
        "seq",
        "settlement",
        "settling",
        "stops",
        "timer_heap",
        "timer_ids",
        "timers",
        "unsettled",
        "volumes",
        "watches_fills",
        "withdrawals",
    )

    def __init__(self) -> None:
        self.seq = 0
        self.last_us = 0
        self.limits = Limits()
        self.accounts: dict[int, Account] = {}
        self.account_by_user: dict[int, int] = {}
        self.instruments: dict[str, Instrument] = {}
        self.books: dict[str, Book] = {}
        self.orders: dict[int, Order] = {}
        self.off_book: dict[
            str, dict[int, Order]
        ] = {}  # by symbol, what is open and outside the price levels
        self.groups: dict[int, Group] = {}
        self.stops: dict[str, StopBook] = {}
        self.lots: dict[int, Lot] = {}
        self.fees: dict[str, FeeSchedule] = {}
        self.calendars: dict[str, Calendar] = {}
        self.timers: dict[int, Timer] = {}
        self.timer_heap: list[tuple[int, bool, int]] = []
        self.timer_ids: dict[tuple[TimerKind, str], int] = {}
        self.withdrawals: dict[int, Withdrawal] = {}
        self.keys: OrderedDict[tuple[int, str], KeyRecord] = OrderedDict()
        self.keys_by_principal: dict[int, int] = {}
        self.client_order_ids: dict[tuple[int, str], ClientOrderId] = {}
        self.client_order_ids_closed: OrderedDict[tuple[int, str], ClientOrderId] = OrderedDict()
        self.purge_due_us = 0
        self.kill_switches: dict[tuple[KillScope, str], KillSwitch] = {}
        self.busts: dict[int, int] = {}  # trade id → when it was executed; engine/bust.py
        self.outside: dict[tuple[int, str], int] = {}
        self.risk_rules: dict[RuleKey, RuleRow] = {}
        self.risk_windows: dict[int, RiskWindow] = {}
        self.risk: RiskTable | None = None  # None while no rule is on
        self.volumes: dict[int, Volume] = {}
        self.settlement: dict[str, SettlementRules] = {}
        self.settling: dict[tuple[str, int], SettlingDay] = {}
        self.unsettled: dict[tuple[str, int, int], Unsettled] = {}
        self.funded_lots: dict[int, FundedLot] = {}
        self.watches_fills = self.counts_volume = False  # engine/watching.py
        self.dividends: dict[int, Dividend] = {}
        self.entitlements: dict[int, dict[int, int]] = {}  # dividend → account → units; engine/dividends.py
        self.actions: dict[int, CorporateAction] = {}
        self.parking = Parking()
        self.dirty: dict[str, dict[object, None]] = new_dirty()

    def __repr__(self) -> str:
        return f"<State seq={self.seq} accounts={len(self.accounts)} open_orders={len(self.orders)}>"


def new_dirty() -> dict[str, dict[object, None]]:
    """An empty record of changes, with a place for each kind."""
    return {kind: {} for kind in DIRTY_KINDS}
