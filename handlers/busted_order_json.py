"""A busted fill as the `orders` channel tells it: the order as it stays, and in it what was taken back."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from handlers.envelope import encoded
from handlers.field_types import ExecutionId, LiquidityName, Time, TransactionId
from handlers.numbers import Number, cash, quantity
from handlers.openapi_order import OrderJson
from handlers.order_json import encode_order, time_text
from server.busted_orders import OrderBusted


class BustedFillJson(Struct, frozen=True):
    """A fill that an operator took back: money, fee and shares are as they were before it, by the transaction
    `transaction_id`. The order's `filled_quantity` and `average_price` still have it, and it does not trade again.
    """

    execution_id: ExecutionId
    quantity: Number
    price: Number
    amount: Number
    fee: Number
    liquidity: LiquidityName
    executed_at: Time
    busted_at: Time
    transaction_id: TransactionId


class StreamOrderJson(OrderJson, frozen=True):
    """An order as it stands. `bust` is there when this is not news of the order: a fill of it has been taken back."""

    bust: BustedFillJson | UnsetType = UNSET


def encode_busted_order(told: OrderBusted) -> bytes:
    """The JSON text of what an order's owner is told of a bust."""
    return b'%b,"bust":%b}' % (encode_order(told.order)[:-1], bytes(encoded(busted_fill_json(told))))


def busted_fill_json(told: OrderBusted) -> BustedFillJson:
    """The fill that was taken back."""
    return BustedFillJson(
        execution_id=f"exe_{told.execution_id}",
        quantity=quantity(told.quantity_e8),
        price=cash(told.price_e4),
        amount=cash(told.notional_e4),
        fee=cash(told.fee_e4),
        liquidity=told.liquidity.name,
        executed_at=time_text(told.executed_us),
        busted_at=time_text(told.busted_us),
        transaction_id=f"txn_{told.bust_id}",
    )
