"""Journal records to rows of the readable tables: pure, and independent of where the records come from.

What an order, a fill or a transaction left behind is made from events here. What is the latest state of an
aggregate (wallets, holdings, lots, instruments) is made from the aggregate itself, in sql/state_rows.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from itertools import islice
from typing import Final

from engine.action_events import ActionEffected, ActionFailed, FractionPaid
from engine.dividend_events import DividendPaid
from engine.events import (
    AccountOpened,
    AccountStatusChanged,
    AnyEvent,
    BalanceChanged,
    BookChanged,
    DaySettled,
    GoodFaithViolated,
    OrderUpdated,
    Posted,
    Refused,
    RiskViolated,
    SettlementDue,
    TradeBusted,
    Traded,
    WithdrawalRequested,
    WithdrawalSettled,
)
from engine.kinds import AccountKind, Side, TransactionKind
from engine.state import FEES_ACCOUNT_ID, REGULATORY_ACCOUNT_ID, Account
from engine.units import IDS_PER_SEQ, MINUTE_US
from sql.access_log import LOGGED, AccessLog
from sql.busts import bust_postings, marks, minute_of
from sql.copy_rows import (
    candle_row,
    client_text_field,
    execution_row,
    notification_row,
    order_row,
    posting_head,
    posting_row,
    posting_tail,
)
from sql.corporate_actions import Cash, Effected, effected, failed, fraction
from sql.dividends import Payment, payment
from sql.entries import EntryKind, Liquidity
from sql.notifications import NO_ACCOUNTS, NOTABLE, PENDING, USER, RecordLike, notifications_of
from sql.parking_rows import PARKED, ParkingRows
from sql.realized_gains import correction_rows, fraction_rows, reversal_rows, sale_rows
from sql.risk import ViolationRow, violation_row
from sql.settlements import good_faith, settled_day, settlement_rows


class WithdrawalStatus(IntEnum):
    """Where a withdrawal is."""

    REQUESTED = 1
    PAID = 2
    REFUSED = 3


ENTRY_OF_TRANSACTION: Final = {
    TransactionKind.DEPOSIT: EntryKind.DEPOSIT,
    TransactionKind.WITHDRAWAL: EntryKind.WITHDRAWAL,
    TransactionKind.TRANSFER_IN: EntryKind.NONE,
    TransactionKind.ADJUSTMENT: EntryKind.ADJUSTMENT,
    TransactionKind.DIVIDEND: EntryKind.DIVIDEND,
    TransactionKind.PARKING_CHARGE: EntryKind.PARKING,
    TransactionKind.PARKING_DEBT_REPAID: EntryKind.PARKING,
    TransactionKind.CORPORATE_ACTION: EntryKind.NONE,
    TransactionKind.CASH_IN_LIEU: EntryKind.CASH_IN_LIEU,
    TransactionKind.MERGER_CASH: EntryKind.MERGER,
}
"""How a transaction other than a fill or a bust shows in the statement of the customer it belongs to."""


# As plain integers: an enum's hash and comparison are slow, and these are used for every fill.
_NONE: Final = int(EntryKind.NONE)
_BUY: Final = int(EntryKind.BUY)
_SELL: Final = int(EntryKind.SELL)
_FEE: Final = int(EntryKind.FEE)
_TRADE: Final = int(TransactionKind.TRADE)

_NO_ROWS: Final = (BookChanged, BalanceChanged, Refused)
"""Events that leave no row of their own and come often."""


OfAction = ActionEffected | ActionFailed | DividendPaid | FractionPaid
OF_ACTIONS: Final = (ActionEffected, ActionFailed, DividendPaid, FractionPaid)


class Candle:
    """What the fills of one minute add to its candle."""

    __slots__ = ("close_e4", "high_e4", "low_e4", "open_e4", "trades", "volume_e8")

    def __init__(self, price_e4: int) -> None:
        self.open_e4 = self.high_e4 = self.low_e4 = self.close_e4 = price_e4
        self.volume_e8 = 0
        self.trades = 0


class Rows:
    """The rows of consecutive records, from the one with sequence `first_seq` on.

    Orders are reduced to their last report. One that was accepted within these records is new to the table, so it is
    copied straight in; an older one replaces its row. `accounts`, `account_statuses`, `withdrawals` and `settlements`
    are argument tuples for the statements of the same names in sql/statements.py, `violations` for that in sql/risk.py, `bust_marks` and `busted_minutes` for
    those in sql/busts.py. The candles of `tapes` are made by their feed, so our own fills are no part of them. The
    `accounts` that are given say who is a market maker.
    """

    def __init__(
        self,
        first_seq: int,
        tapes: frozenset[str] = frozenset(),
        accounts: Mapping[int, Account] = NO_ACCOUNTS,
    ) -> None:
        self.first_seq = first_seq
        self._tapes = tapes
        self._accounts = accounts
        self.last_seq = first_seq - 1
        self.executions: list[bytes] = []
        self.postings: list[bytes] = []
        self.notifications: list[bytes] = []
        self.gains: list[bytes] = []
        self.accounts: list[tuple[int, int, int, str, int, int]] = []
        self.account_statuses: list[tuple[int, int, str, int]] = []
        self.withdrawals: list[tuple[int, int, int, int]] = []
        self.settlements: list[tuple[int, int, int]] = []
        self.dues: list[bytes] = []
        self.settled_days: list[tuple[str, int, int]] = []
        self.good_faith: list[tuple[int, int, int, int, int, int]] = []
        self.violations: list[ViolationRow] = []
        self.bust_marks: list[tuple[int, int, int]] = []
        self.busted_minutes: list[tuple[str, int]] = []
        self.dividends: list[Payment] = []
        self.effected: list[Effected] = []
        self.cash: list[Cash] = []
        self.access_log = AccessLog()
        self.parking = ParkingRows()
        self._orders: dict[int, tuple[OrderUpdated, int]] = {}
        self._candles: dict[tuple[str, int], Candle] = {}

    def __repr__(self) -> str:
        return f"<Rows {self.first_seq}..{self.last_seq}: {len(self._orders)} orders, {len(self.postings)} postings>"

    @property
    def record_count(self) -> int:
        """How many records were added; they are contiguous."""
        return self.last_seq - self.first_seq + 1

    def add(self, record: RecordLike) -> None:
        """Project the next record. Raises `ValueError` when it is not the next one."""
        seq = record.seq
        if seq != self.last_seq + 1:
            raise ValueError(f"record {seq} does not follow {self.last_seq}")
        self.last_seq = seq
        notable: list[AnyEvent] | None = None
        for event in record.events:
            # `isinstance` of an event that is something else costs ten times as much.
            if type(event) is OrderUpdated:
                self._orders[event.order_id] = (event, seq)
                if (event.status is not PENDING or event.special is not None) and event.reason is not USER:
                    if notable is None:
                        notable = []
                    notable.append(event)
            elif type(event) in _NO_ROWS:
                continue
            elif type(event) is Traded:
                self._traded(event, record.now_us)
            elif type(event) is Posted:
                notable = [*(notable or ()), event]
                self._posted(event, record.now_us)
            elif type(event) in LOGGED:
                self.access_log.add(event, seq, record.now_us)
            elif type(event) in PARKED:
                notable = [*(notable or ()), event]
                self.parking.add(event, seq, record.now_us)
            else:
                if isinstance(event, NOTABLE):
                    notable = [*(notable or ()), event]
                self._rare(event, seq, record.now_us)
        if notable is not None:
            self.notifications += map(notification_row, notifications_of(record, notable, self._accounts))

    @property
    def order_count(self) -> int:
        """How many orders these records tell of."""
        return len(self._orders)

    def new_orders(self, start: int = 0, stop: int | None = None) -> list[bytes]:
        """Rows of orders that these records accepted, among all of them or those from `start` to `stop`."""
        first_id = self.first_seq * IDS_PER_SEQ
        orders = islice(self._orders.values(), start, stop)
        return [order_row(order, seq) for order, seq in orders if order.order_id >= first_id]

    def older_orders(self, start: int = 0, stop: int | None = None) -> list[bytes]:
        """Rows of orders that were accepted before (a quote has no row until it trades), among all or some."""
        first_id = self.first_seq * IDS_PER_SEQ
        orders = islice(self._orders.values(), start, stop)
        return [order_row(order, seq) for order, seq in orders if order.order_id < first_id]

    def candles(self) -> list[bytes]:
        """What the fills add to each candle."""
        return [
            candle_row(symbol, start_us, c.open_e4, c.high_e4, c.low_e4, c.close_e4, c.volume_e8, c.trades)
            for (symbol, start_us), c in self._candles.items()
        ]

    def _traded(self, event: Traded, now_us: int) -> None:
        """Both executions and the postings of a fill, and its part of the minute's candle."""
        trade_id, notional_e4 = event.trade_id, event.notional_e4
        taker_buys = event.taker_side is Side.BUY
        self.executions.append(
            execution_row(
                *(event.buy_order_id, trade_id, now_us, event.buy_account_id, event.price_e4),
                *(event.quantity_e8, notional_e4, event.buy_fee_e4, Side.BUY),
                *(Liquidity.TAKER if taker_buys else Liquidity.MAKER, event.symbol),
            )
        )
        self.executions.append(
            execution_row(
                *(event.sell_order_id, trade_id + 1, now_us, event.sell_account_id, event.price_e4),
                *(event.quantity_e8, notional_e4, event.sell_fee_e4, Side.SELL),
                *(Liquidity.MAKER if taker_buys else Liquidity.TAKER, event.symbol, event.sell_lots),
                event.sell_regulatory_e4,
            )
        )
        if event.sell_lots and not self._is_market_maker(event.sell_account_id):
            self.gains += sale_rows(event, now_us)
        self._trade_postings(event, now_us)
        if event.symbol not in self._tapes:
            self._trade_candle(event, now_us)

    def _is_market_maker(self, account_id: int) -> bool:
        account = self._accounts.get(account_id)
        return account is not None and account.kind is AccountKind.MARKET_MAKER

    def _trade_postings(self, event: Traded, now_us: int) -> None:
        """Cash from buyer to seller, fees to FEES and REGULATORY, units from seller to buyer. No line for a fee of nothing."""
        add = self.postings.append
        currency, symbol = event.currency, event.symbol
        buyer, buy_id, buy_order = event.buy_account_id, event.trade_id, event.buy_order_id
        seller, sell_id, sell_order = event.sell_account_id, event.trade_id + 1, event.sell_order_id
        worth, buy_fee, sell_fee = event.notional_e4, event.buy_fee_e4, event.sell_fee_e4
        buy_cash, sell_cash = event.buy_cash_e4, event.sell_cash_e4
        head = posting_head(event.trade_id, now_us)
        tail = posting_tail(0, _BUY, _TRADE, currency)
        add(posting_row(head, buyer, buy_id, buy_order, -worth, buy_cash + buy_fee, tail))
        if buy_fee:
            tail = posting_tail(1, _FEE, _TRADE, currency)
            add(posting_row(head, buyer, buy_id, buy_order, -buy_fee, buy_cash, tail))
        tail = posting_tail(2, _SELL, _TRADE, currency)
        add(posting_row(head, seller, sell_id, sell_order, worth, sell_cash + sell_fee, tail))
        if sell_fee:
            tail = posting_tail(3, _FEE, _TRADE, currency)
            add(posting_row(head, seller, sell_id, sell_order, -sell_fee, sell_cash, tail))
        law = event.sell_regulatory_e4
        if buy_fee + sell_fee - law:
            tail = posting_tail(4, _NONE, _TRADE, currency)
            add(posting_row(head, FEES_ACCOUNT_ID, buy_id, 0, buy_fee + sell_fee - law, None, tail))
        if law:
            tail = posting_tail(7, _NONE, _TRADE, currency)
            add(posting_row(head, REGULATORY_ACCOUNT_ID, sell_id, 0, law, None, tail))
        units_e8 = event.quantity_e8
        tail = posting_tail(5, _NONE, _TRADE, symbol)
        add(posting_row(head, buyer, buy_id, buy_order, units_e8, event.buy_units_e8, tail))
        tail = posting_tail(6, _NONE, _TRADE, symbol)
        add(posting_row(head, seller, sell_id, sell_order, -units_e8, event.sell_units_e8, tail))

    def _trade_candle(self, event: Traded, now_us: int) -> None:
        key = (event.symbol, now_us - now_us % MINUTE_US)
        price_e4 = event.price_e4
        candle = self._candles.get(key)
        if candle is None:
            candle = self._candles[key] = Candle(price_e4)
        elif price_e4 > candle.high_e4:
            candle.high_e4 = price_e4
        elif price_e4 < candle.low_e4:
            candle.low_e4 = price_e4
        candle.close_e4 = price_e4
        candle.volume_e8 += event.quantity_e8
        candle.trades += 1

    def _posted(self, event: Posted, now_us: int) -> None:
        """The postings of a transaction other than a fill."""
        entry = ENTRY_OF_TRANSACTION[event.kind]
        head = posting_head(event.txn_id, now_us)
        reference = client_text_field(event.reference)
        for line, (account_id, asset, amount, balance_after) in enumerate(event.postings):
            customer = account_id >= IDS_PER_SEQ
            tail = posting_tail(line, int(entry) if customer else _NONE, int(event.kind), asset)
            balance = balance_after if customer else None
            self.postings.append(
                posting_row(head, account_id, event.txn_id, 0, amount, balance, tail, reference)
            )

    def _rare(self, event: AnyEvent, seq: int, now_us: int) -> None:
        """Events that come so seldom that their rows are written one by one."""
        if isinstance(event, SettlementDue):
            self.dues += settlement_rows(event, now_us)
        elif isinstance(event, DaySettled):
            self.settled_days.append(settled_day(event, now_us))
        elif isinstance(event, GoodFaithViolated):
            self.good_faith.append(good_faith(event, now_us))
        elif isinstance(event, AccountOpened):
            self.accounts.append(
                (event.account_id, event.user_id, event.kind, event.currency, now_us, seq),
            )
        elif isinstance(event, AccountStatusChanged):
            self.account_statuses.append((event.account_id, event.status, event.reason, seq))
        elif isinstance(event, WithdrawalRequested):
            self.withdrawals.append((event.withdrawal_id, event.account_id, event.amount_e4, now_us))
        elif isinstance(event, WithdrawalSettled):
            status = WithdrawalStatus.PAID if event.paid else WithdrawalStatus.REFUSED
            self.settlements.append((event.withdrawal_id, status, now_us))
        elif isinstance(event, RiskViolated):
            self.violations.append(violation_row(event))
        elif isinstance(event, OF_ACTIONS):
            self._of_action(event, seq, now_us)
        elif isinstance(event, TradeBusted):
            self.bust_marks += marks(event, now_us)
            self.postings += bust_postings(event, now_us)
            if event.sell_lots and not self._is_market_maker(event.sell_account_id):
                self.gains += reversal_rows(event)
            if event.buy_lots:
                self.gains += correction_rows(event, now_us)
            if event.symbol not in self._tapes:
                self.busted_minutes.append(minute_of(event))

    def _of_action(self, event: OfAction, seq: int, now_us: int) -> None:
        """What came of a corporate action: a dividend, cash for units, or that it took effect."""
        if isinstance(event, DividendPaid):
            self.dividends.append(payment(event, now_us))
        elif isinstance(event, FractionPaid):
            self.cash.append(fraction(event, now_us))
            if not self._is_market_maker(event.account_id):
                self.gains += fraction_rows(event, now_us)
        elif isinstance(event, ActionEffected):
            self.effected.append(effected(event, seq))
        else:
            self.effected.append(failed(event, now_us, seq))
