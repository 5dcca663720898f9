"""What an order would do if it were placed now. Decided by the functions that place it; nothing changes.

Source: API.md, `POST /orders/preview`. A test places thousands of random orders after their previews and
compares: the order, the refusal and the money are the same to the last unit. What the order's trades
set off is not looked at: stops that they fire, legs that they arm.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct
from msgspec.structs import replace

from engine.commands import PlaceOrder
from engine.events import OrderUpdated, Refused
from engine.halts import band_e4
from engine.iceberg import show, visible_e8
from engine.kinds import (
    CloseReason,
    OrderClass,
    OrderStatus,
    OrderType,
    Phase,
    RiskMode,
    RiskRule,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.legs import make_legs
from engine.links import other_of
from engine.order_form import post_only_refusal
from engine.orders import Level, Order, buy_hold_e4, charge_terms, fee_due_e4, pair_hold_e4
from engine.preview_obstacles import Obstacles
from engine.refusals import Refusal
from engine.risk import cover_refusal, fill_or_kill_refusal
from engine.risk_rules import REFUSALS, violations
from engine.state import Account, Instrument, State
from engine.trading import new_order
from engine.turn import Turn
from engine.units import notional_down_e4
from engine.waiting import is_off_book, matches_now


class Preview(Struct, frozen=True):
    """What would come of an order.

    `refusals` is empty for one that would be accepted; the first is what placing it would be answered, the others what it would
    meet behind that (engine/preview_obstacles.py). `order` is as it would stand after matching, None where it cannot be
    formed. `worst_hold_e4` is what a buy
    must be able to hold at first, fees included. `cash_e4` and `held_e4` are the account's after it; those of now
    when it would be refused. `regulatory_e4` is the part of the order's fee that the law takes; the rates are those of the
    account's tier. `flags` are the risk rules that would report it and let it pass. `meets_own`: it would meet an order of the same account, and `self_trade_prevention` acts.
    """

    refusals: tuple[Refused, ...]
    order: OrderUpdated | None
    worst_hold_e4: int
    cash_e4: int
    held_e4: int
    meets_own: bool = False
    regulatory_e4: int = 0
    maker_ppm: int = 0
    taker_ppm: int = 0
    flags: tuple[RiskRule, ...] = ()


def preview_order(state: State, account_id: int, command: PlaceOrder, now_us: int) -> Preview:
    """Try an order on the state as it is."""
    account, instrument = state.accounts.get(account_id), state.instruments.get(command.symbol)
    obstacles = Obstacles(state, account, instrument)
    try:
        return _preview(state, account, instrument, command, now_us, obstacles)
    finally:
        obstacles.restore()


def _preview(
    state: State,
    account: Account | None,
    instrument: Instrument | None,
    command: PlaceOrder,
    now_us: int,
    obstacles: Obstacles,
) -> Preview:
    """The preview, and what was put aside for it."""
    account_id = account.account_id if account is not None else 0
    asked = _without_expired_ids(state, account_id, command, now_us)
    turn = Turn(state, state.seq + 1, now_us)
    met: dict[Refusal, Refused] = {}
    while isinstance(decided := new_order(turn, account, instrument, asked), Refused):
        is_new = met.setdefault(decided.refusal, decided) is decided
        if is_new and decided.refusal is Refusal.DUPLICATE_CLIENT_ORDER_ID:
            legs = tuple([replace(leg, client_order_id="") for leg in asked.legs])
            asked = replace(asked, client_order_id="", legs=legs)
        elif not is_new or not obstacles.put_aside(decided.refusal):
            cash_e4, held_e4 = (account.cash_e4, account.held_e4) if account is not None else (0, 0)
            return Preview(tuple(met.values()), None, 0, cash_e4, held_e4)
    assert account is not None
    assert instrument is not None
    order = decided
    order.client_order_id = command.client_order_id
    legs_made = make_legs(turn, instrument, order, command) if command.legs else []
    other = legs_made[0] if command.order_class is OrderClass.OCO else None
    refused = (
        cover_refusal(account, order, 0, 0, other),
        fill_or_kill_refusal(state, order),
        post_only_refusal(state, instrument, order),
    )
    table = state.risk
    rules = table.rules_for(account_id, order.symbol) if table is not None else {}
    broken = violations(state, rules, account, instrument, order, None, now_us)
    refusals = (
        *met.values(),
        *(each for each in refused if each is not None),
        *(Refused(REFUSALS[each.rule], each.figures) for each in broken if each.mode is RiskMode.BLOCK),
    )
    trial = _Trial(state, account, order, other)
    trial.hold()
    worst_hold_e4 = order.hold_e4
    trial.match()
    if order.status <= OrderStatus.PARTIAL and not is_off_book(order, instrument.phase):
        show(order)
    cash_e4, held_e4 = (account.cash_e4, account.held_e4) if refusals else trial.balance()
    return Preview(
        *(refusals, order.snapshot(), worst_hold_e4, cash_e4, held_e4, trial.meets_own),
        *(order.regulatory_e4, order.maker_ppm, order.taker_ppm),
        tuple([each.rule for each in broken if each.mode is RiskMode.FLAG]),
    )


def _without_expired_ids(state: State, account_id: int, command: PlaceOrder, now_us: int) -> PlaceOrder:
    """A client order id whose day is over is forgotten by the next command, and free for it or a leg of it."""

    def still_taken(client_order_id: str) -> str:
        record = state.client_order_ids.get((account_id, client_order_id))
        if record is not None and record.closed_us and record.closed_us <= now_us - state.limits.key_ttl_us:
            return ""
        return client_order_id

    legs = tuple([replace(leg, client_order_id=still_taken(leg.client_order_id)) for leg in command.legs])
    return replace(command, client_order_id=still_taken(command.client_order_id), legs=legs)


class _Trial:
    """Walks the other side of the book as `matching.match` does, and counts instead of trading.

    `order` belongs to nobody yet and takes the fills; what rests in the book is only looked at.
    """

    __slots__ = (
        "account",
        "bounds_e4",
        "instrument",
        "meets_own",
        "met_e8",
        "order",
        "other",
        "released_e4",
        "side",
        "state",
    )

    def __init__(self, state: State, account: Account, order: Order, other: Order | None) -> None:
        self.state = state
        self.account = account
        self.order = order
        self.other = other  # of its pair: it is to hold for both
        self.bounds_e4: tuple[int, int] | None = None
        self.instrument = state.instruments[order.symbol]
        self.side = state.books[order.symbol].opposite(order.side)
        self.released_e4 = 0
        self.met_e8: dict[int, int] = {}  # what it has met of an order or a pair, which trades once
        self.meets_own = False

    def match(self) -> None:
        """Fill the order until its limit, its quantity or self-trade prevention ends it."""
        order = self.order
        if order.status is OrderStatus.HELD or not matches_now(order, self.instrument.phase):
            return
        limit_key = order.limit_e4 * self.side.sign
        for level in self.side.best_first():
            if level.key > limit_key:
                break
            queue = _queue_of(level)
            while queue and order.status <= OrderStatus.PARTIAL:
                resting = queue.popleft()
                slice_e8 = self.offered_e8(resting)
                if not slice_e8:
                    continue
                if resting.account_id == order.account_id:
                    slice_e8 = self.prevent_self_trade(resting, slice_e8)
                elif self.would_halt(level.price_e4):
                    return
                else:
                    self.fill(slice_e8, level.price_e4)
                self.met_e8[_hold_of(resting)] = self.met_e8.get(_hold_of(resting), 0) + slice_e8
                queue.append(resting)
            if order.status > OrderStatus.PARTIAL:
                break
        if order.status <= OrderStatus.PARTIAL and (
            order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK) or order.order_type is OrderType.MARKET
        ):
            self.close(CloseReason.NO_LIQUIDITY)

    def offered_e8(self, resting: Order) -> int:
        """How much of a resting order is met at once: its slice, and nothing when this order has met all of it."""
        met_e8 = self.met_e8.get(_hold_of(resting), 0)
        left_e8 = resting.leaves_e8 - met_e8
        display_e8 = resting.special.terms.display_e8 if resting.special is not None else 0
        if not display_e8:
            return max(left_e8, 0)
        return max(min(display_e8 if met_e8 else visible_e8(resting), left_e8), 0)

    def would_halt(self, price_e4: int) -> bool:
        """Whether a trade at this price would be outside of the band that halts: what is left waits for the auction."""
        if not self.instrument.halt_bps or self.instrument.phase is not Phase.CONTINUOUS:
            return False
        if self.bounds_e4 is None:
            self.bounds_e4 = band_e4(self.instrument, self.order.updated_us, price_e4)
        return not self.bounds_e4[0] <= price_e4 <= self.bounds_e4[1]

    def fill(self, resting_e8: int, price_e4: int) -> None:
        """Take a fill against a resting order."""
        order = self.order
        quantity_e8 = min(order.leaves_e8, resting_e8)
        notional_e4 = notional_down_e4(price_e4, quantity_e8)
        order.filled_e8 += quantity_e8
        order.notional_e4 += notional_e4
        if order.fee_terms is None:
            order.fee_e4 = fee_due_e4(order)
        else:
            charge_terms(order, quantity_e8, notional_e4)
        order.status = OrderStatus.PARTIAL if order.leaves_e8 else OrderStatus.FILLED
        self.hold()

    def hold(self) -> None:
        """What a buy still holds."""
        order, other = self.order, self.other
        if order.side is Side.BUY and order.leaves_e8:
            order.hold_e4 = buy_hold_e4(order) if other is None else pair_hold_e4(order, other)
        else:
            order.hold_e4 = 0

    def close(self, reason: CloseReason) -> None:
        """End the order with what it has filled."""
        self.order.status = OrderStatus.CANCELLED
        self.order.reason = reason
        self.order.hold_e4 = 0

    def prevent_self_trade(self, resting: Order, slice_e8: int) -> int:
        """Act on meeting an order of the same account, as `matching.prevent_self_trade` does; how much of it goes."""
        self.meets_own = True
        order = self.order
        met_e8 = self.met_e8.get(_hold_of(resting), 0)
        if order.self_trade_prevention is SelfTradePrevention.CANCEL_NEWEST:
            self.close(CloseReason.SELF_TRADE)
            return 0
        if order.self_trade_prevention is SelfTradePrevention.CANCEL_OLDEST:
            self.released_e4 += self.held_e4(resting, met_e8)
            return resting.leaves_e8 - met_e8
        by_e8 = min(order.leaves_e8, slice_e8)
        self.released_e4 += self.held_e4(resting, met_e8) - self.held_e4(resting, met_e8 + by_e8)
        if order.leaves_e8 == by_e8:
            self.close(CloseReason.SELF_TRADE)
        else:
            order.quantity_e8 -= by_e8
            self.hold()
        return by_e8

    def held_e4(self, resting: Order, gone_e8: int) -> int:
        """What a resting order, and the other of its pair, holds in cash when so much of it is gone."""
        left = replace(resting, quantity_e8=resting.quantity_e8 - gone_e8)
        if resting.side is not Side.BUY or not left.leaves_e8:
            return 0
        paired = resting.special is not None and resting.special.group_id
        other = other_of(self.state, resting) if paired else None
        return buy_hold_e4(left) if other is None else pair_hold_e4(left, other)

    def balance(self) -> tuple[int, int]:
        """The account's cash and what is held of it, after the fills."""
        account, order = self.account, self.order
        held_e4 = account.held_e4 - self.released_e4 + order.hold_e4
        signed_e4 = -order.notional_e4 if order.side is Side.BUY else order.notional_e4
        return account.cash_e4 + signed_e4 - order.fee_e4, held_e4


def _queue_of(level: Level) -> deque[Order]:
    """Who waits at a price, first the one that is met first; the next slice of an iceberg goes to the end."""
    queue: deque[Order] = deque()
    resting = level.first
    while resting is not None:
        queue.append(resting)
        resting = resting.after
    return queue


def _hold_of(order: Order) -> int:
    """What orders that trade once together have in common: the pair's id, else the order's own."""
    return (order.special.group_id if order.special is not None else 0) or order.order_id
