"""Mass quotes: a market maker replaces all its quotes in a symbol by one command. Untraded quotes make no rows."""

from __future__ import annotations

from engine.closing import close_quotes
from engine.commands import Envelope, MassQuote
from engine.events import Refused
from engine.fee_tiers import set_terms
from engine.kinds import (
    AccountKind,
    CloseReason,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.orders import Order, buy_hold_e4
from engine.refusals import Refusal
from engine.risk import account_refusal, form_refusal, market_refusal, size_refusal
from engine.state import Account, Instrument, State
from engine.trading import Answer, accept, enter_book
from engine.turn import Turn

QUOTES_PER_SIDE_MAX = 20


def mass_quote(turn: Turn, envelope: Envelope, command: MassQuote) -> Answer:
    """Take the account's old quotes in the symbol off and put these on; all of them, or none."""
    state = turn.state
    account = state.accounts.get(envelope.account_id)
    refused = account_refusal(account)
    if refused is not None or account is None:
        return refused
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    refused = market_refusal(state, account, instrument, TimeInForce.DAY, turn.now_us) or quote_refusal(
        state, account, instrument, command
    )
    if refused is not None:
        return refused
    orders = [new_quote(turn, account, instrument, Side.BUY, *quote) for quote in command.bids]
    orders += [new_quote(turn, account, instrument, Side.SELL, *quote) for quote in command.asks]
    refused = quotes_cover_refusal(state, account, command.symbol, orders)
    if refused is not None:
        return refused
    close_quotes(turn, account, command.symbol, CloseReason.REQUOTED)
    for order in orders:
        accept(turn, account, order)
        enter_book(turn, instrument, order)
    resting = [order for order in orders if order.status <= OrderStatus.PARTIAL]
    if resting:
        account.quotes[command.symbol] = resting
    return None


def quote_refusal(
    state: State, account: Account, instrument: Instrument, command: MassQuote
) -> Refused | None:
    """Whether the quotes are well formed: few enough, not crossed, each price and size acceptable."""
    if account.kind is not AccountKind.MARKET_MAKER:
        return Refused(Refusal.INVALID_QUOTE)
    if max(len(command.bids), len(command.asks)) > QUOTES_PER_SIDE_MAX:
        return Refused(Refusal.INVALID_QUOTE, (("quotes_per_side_max", QUOTES_PER_SIDE_MAX),))
    if command.bids and command.asks and max(command.bids)[0] >= min(command.asks)[0]:
        return Refused(Refusal.INVALID_QUOTE)
    for side, quotes in ((Side.BUY, command.bids), (Side.SELL, command.asks)):
        for price_e4, quantity_e8 in quotes:
            refused = form_refusal(instrument, OrderType.LIMIT, quantity_e8, price_e4) or size_refusal(
                state, instrument, side, quantity_e8, price_e4
            )
            if refused is not None:
                return refused
    return None


def new_quote(
    turn: Turn, account: Account, instrument: Instrument, side: Side, price_e4: int, quantity_e8: int
) -> Order:
    """A quote as an order, its hold computed but not taken."""
    order_id = turn.new_id()
    fees = turn.state.fees[instrument.fee_schedule]
    order = Order(
        order_id,
        account.account_id,
        instrument.symbol,
        side,
        OrderType.LIMIT,
        TimeInForce.DAY,
        quantity_e8,
        price_e4,
        price_e4,
        fees.maker_ppm,
        fees.taker_ppm,
        turn.now_us,
        turn.now_us,
        "",
        SelfTradePrevention.CANCEL_NEWEST,
        0,
        True,
        order_id,
    )
    if fees.rules is not None:
        set_terms(turn.state, order, fees.rules, turn.now_us)
    if side is Side.BUY:
        order.hold_e4 = buy_hold_e4(order)
    return order


def quotes_cover_refusal(state: State, account: Account, symbol: str, orders: list[Order]) -> Refused | None:
    """Whether the account covers all new quotes together, counting what its old ones give back."""
    freed_e4 = freed_e8 = 0
    for old in account.quotes.get(symbol, ()):
        if old.order_id in state.orders:
            freed_e4 += old.hold_e4
            freed_e8 += old.leaves_e8 if old.side is Side.SELL else 0
    required_e4 = sum(order.hold_e4 for order in orders)
    required_e8 = sum(order.quantity_e8 for order in orders if order.side is Side.SELL)
    available_e4 = account.available_e4 + freed_e4
    if required_e4 > available_e4:
        return Refused(
            Refusal.INSUFFICIENT_FUNDS, (("required_e4", required_e4), ("available_e4", available_e4))
        )
    position = account.positions.get(symbol)
    available_e8 = freed_e8 + (position.units_e8 - position.held_e8 if position is not None else 0)
    if required_e8 > available_e8:
        return Refused(
            Refusal.INSUFFICIENT_SHARES, (("required_e8", required_e8), ("available_e8", available_e8))
        )
    return None
