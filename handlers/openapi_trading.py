"""The documentation of the routes of orders."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from engine.kinds import OrderStatus
from engine.refusals import Refusal
from handlers.field_types import OrderId
from handlers.openapi_doc import (
    LIMIT,
    ORDER_CURSOR,
    PAGE,
    SYMBOL,
    AsOfMeta,
    Doc,
    Example,
    Link,
    PageMeta,
    Query,
    Tag,
    time_query,
)
from handlers.openapi_order import OrderJson
from handlers.order_terms import OrderBody, ReplaceBody
from handlers.orders_read import STATUS_MAX, ExecutionJson
from handlers.preview import PreviewJson
from server.errors import NotFound

_ORDER: Final = {"order_id": OrderId}
_AN_ORDER: Final = {"order_id": "ord_1750073344"}
_NO_ORDER: Final = {"order_id": "ord_5"}
_STATUSES: Final = "|".join(status.name for status in OrderStatus)
STATUS: Final = Query(
    "status",
    Annotated[str, Meta(max_length=STATUS_MAX, pattern=f"^({_STATUSES})(,({_STATUSES}))*$")],
    "Only orders with one of these statuses, separated by commas.",
)
FIGURES: Final = (
    Refusal.INVALID_QUANTITY,
    Refusal.INVALID_LOT_SIZE,
    Refusal.INVALID_PRICE,
    Refusal.INVALID_TICK_SIZE,
    Refusal.INVALID_AMOUNT,
    Refusal.INVALID_TERMS,
)
RISK: Final = (
    Refusal.ACCOUNT_NOT_FOUND,
    Refusal.ACCOUNT_DISABLED,
    Refusal.DUPLICATE_CLIENT_ORDER_ID,
    Refusal.UNKNOWN_SYMBOL,
    Refusal.LOT_NOT_FOUND,
    Refusal.LOT_TAKEN,
    Refusal.KILL_SWITCH_ON,
    Refusal.SYMBOL_HALTED,
    Refusal.SESSION_CLOSED,
    Refusal.CURRENCY_MISMATCH,
    Refusal.INVALID_QUANTITY,
    Refusal.INVALID_LOT_SIZE,
    Refusal.INVALID_PRICE,
    Refusal.INVALID_TICK_SIZE,
    Refusal.INVALID_AMOUNT,
    Refusal.INVALID_TERMS,
    Refusal.NO_REFERENCE_PRICE,
    Refusal.STOP_PRICE_REACHED,
    Refusal.POST_ONLY_WOULD_TAKE,
    Refusal.NOTIONAL_TOO_SMALL,
    Refusal.PRICE_OUT_OF_BAND,
    Refusal.ORDER_TOO_LARGE,
    Refusal.ORDER_VALUE_TOO_LARGE,
    Refusal.TOO_MANY_OPEN_ORDERS,
    Refusal.INSUFFICIENT_FUNDS,
    Refusal.INSUFFICIENT_SHARES,
    Refusal.FILL_OR_KILL,
)
_MINE: Final = (Refusal.ORDER_NOT_FOUND,)


def _order(**fields: object) -> dict[str, object]:
    return {"stock_symbol": "AAPL", "side": "BUY", "order_type": "LIMIT", "quantity": 10, **fields}


ORDERS: Final = {
    "POST /api/v1/orders": Doc(
        operation="place_order",
        summary="Place an order",
        tag=Tag.ORDERS,
        about="Answers with the order as it stands after matching. `price` is required for LIMIT and not allowed for"
        " MARKET. MARKET orders are IOC unless they say otherwise (DAY where orders are collected), all others DAY. A refusal creates no order. Of a BRACKET,"
        " an OTO or an OCO it is the order itself that is answered: `legs` are the orders that it arms, `linked_order_id` is the"
        " other of its pair.",
        body=OrderBody,
        answer=OrderJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        refusals=RISK,
        links=tuple(
            Link(operation, "order_id", "/data/order_id")
            for operation in ("get_order", "replace_order", "cancel_order", "list_executions")
        ),
        examples=(
            Example(name="limit", summary="Buy at a limit, good for the day", body=_order(price=90.5)),
            Example(
                name="market",
                summary="Sell at the market",
                given="shares and a bid",
                body={"stock_symbol": "AAPL", "side": "SELL", "order_type": "MARKET", "quantity": "0.5"},
            ),
            Example(
                name="good_till_cancelled",
                summary="With a name of your own; figures as text are exact in every language",
                body=_order(
                    quantity="2.25", price="90.10", time_in_force="GTC", client_order_id="my-order-1"
                ),
            ),
            Example(
                name="stop_loss",
                summary="Sell when the price falls to a stop",
                given="shares and a bid",
                body={
                    "stock_symbol": "AAPL",
                    "side": "SELL",
                    "order_type": "STOP_LOSS",
                    "quantity": 2,
                    "stop_price": "89.50",
                    "time_in_force": "GTC",
                },
            ),
            Example(
                name="trailing_stop",
                summary="Sell when the price has fallen 5 % from its highest",
                given="shares and a bid",
                body={
                    "stock_symbol": "AAPL",
                    "side": "SELL",
                    "order_type": "TRAILING_STOP",
                    "quantity": 2,
                    "trail_percent": 5,
                },
            ),
            Example(
                name="good_till_a_time",
                summary="Buy at a limit, until the end of a day",
                body=_order(price=90.5, time_in_force="GTD", expires_at="2023-11-30T16:00:00-05:00"),
            ),
            Example(
                name="post_only_iceberg",
                summary="Rest and never take; the book shows 2 of 10 at a time",
                body=_order(price=90.5, post_only=True, display_quantity=2),
            ),
            Example(
                name="for_an_amount",
                summary="Buy for so much cash",
                body={
                    "stock_symbol": "AAPL",
                    "side": "BUY",
                    "order_type": "LIMIT",
                    "price": 90,
                    "notional": "500",
                },
            ),
            Example(
                name="stop_reached",
                summary="A stop that the price has reached already",
                body=_order(order_type="STOP_LOSS", stop_price="50"),
                status=422,
                code="STOP_PRICE_REACHED",
            ),
            Example(
                name="dearest_lots",
                summary="Sell those shares first that cost the most",
                given="shares and a bid",
                body={
                    "stock_symbol": "AAPL",
                    "side": "SELL",
                    "order_type": "MARKET",
                    "quantity": 2,
                    "lot_method": "HIFO",
                },
            ),
            Example(
                name="bracket",
                summary="Buy, and sell again at a profit or at a loss, whichever comes first",
                body=_order(
                    price=90.5,
                    order_class="BRACKET",
                    take_profit={"price": "110.00"},
                    stop_loss={"stop_price": 80, "price": "79.50", "client_order_id": "my-stop-1"},
                ),
            ),
            Example(
                name="one_cancels_the_other",
                summary="Sell at a profit, or when the price has fallen by 2 from its highest",
                given="shares and a bid",
                body=_order(
                    side="SELL", quantity=2, price=120, order_class="OCO", stop_loss={"trail_amount": 2}
                ),
            ),
            Example(
                name="too_expensive",
                summary="More than the account can pay",
                body=_order(quantity=100_000, price=100),
                status=422,
                code="INSUFFICIENT_FUNDS",
            ),
        ),
    ),
    "POST /api/v1/orders/preview": Doc(
        operation="preview_order",
        summary="What an order would do",
        tag=Tag.ORDERS,
        about="Cost, hold, what is left, and every refusal, without placing anything. 200 also when the order would be"
        " refused; figures that cannot be read at all are refused as `POST /orders` does.",
        body=OrderBody,
        answer=PreviewJson,
        meta=AsOfMeta,
        refusals=FIGURES,
        errors=(NotFound,),
        examples=(
            Example(name="limit", summary="One that would wait", body=_order(price=90.5)),
            Example(
                name="too_expensive",
                summary="One that would be refused",
                body=_order(quantity=100_000, price=100),
            ),
        ),
    ),
    "GET /api/v1/orders": Doc(
        operation="list_orders",
        summary="Orders, newest first",
        tag=Tag.ORDERS,
        answer=list[OrderJson],
        meta=PageMeta,
        query=(STATUS, SYMBOL, PAGE, LIMIT),
        database=True,
        examples=(
            Example(name="all", summary="The newest fifty"),
            Example(
                name="open",
                summary="What is open",
                query={"status": "HELD,PENDING,PARTIAL", "symbol": "AAPL"},
            ),
        ),
    ),
    "DELETE /api/v1/orders": Doc(
        operation="cancel_all_orders",
        summary="Cancel everything that is open",
        tag=Tag.ORDERS,
        about="Answers with every order that this cancelled.",
        answer=list[OrderJson],
        meta=AsOfMeta,
        query=(Query("symbol", SYMBOL.type, "Only orders for this symbol."),),
        command=True,
        refusals=(Refusal.ACCOUNT_NOT_FOUND, Refusal.UNKNOWN_SYMBOL),
        examples=(
            Example(name="all", summary="All", given="an open order"),
            Example(name="symbol", summary="Those for one symbol", query={"symbol": "AAPL"}),
            Example(
                name="unknown",
                summary="A symbol that does not exist",
                query={"symbol": "NOPE"},
                status=422,
                code="UNKNOWN_SYMBOL",
            ),
        ),
    ),
    "GET /api/v1/orders/history": Doc(
        operation="list_order_history",
        summary="Orders of a time, newest first",
        tag=Tag.ORDERS,
        answer=list[OrderJson],
        meta=PageMeta,
        query=(
            time_query("from_date", "Created at this time or later; a date begins at midnight UTC."),
            time_query("to_date", "Created before this time; a date includes its day."),
            STATUS,
            SYMBOL,
            ORDER_CURSOR,
            LIMIT,
        ),
        database=True,
        examples=(
            Example(name="since", summary="Since a day", query={"from_date": "2023-11-01", "limit": "10"}),
            Example(
                name="filled",
                summary="What was filled in a month",
                query={"from_date": "2023-11-01", "to_date": "2023-11-30T23:59:59Z", "status": "FILLED"},
            ),
        ),
    ),
    "GET /api/v1/orders/{order_id}": Doc(
        operation="get_order",
        summary="One order",
        tag=Tag.ORDERS,
        answer=OrderJson,
        meta=AsOfMeta,
        path=_ORDER,
        database=True,
        refusals=_MINE,
        examples=(
            Example(name="open", summary="One that is open", given="an open order", path=_AN_ORDER),
            Example(
                name="missing",
                summary="One that is not yours, or was never",
                path=_NO_ORDER,
                status=404,
                code="ORDER_NOT_FOUND",
            ),
        ),
    ),
    "PATCH /api/v1/orders/{order_id}": Doc(
        operation="replace_order",
        summary="Replace an open order",
        tag=Tag.ORDERS,
        about="Answers with the new order, which has a new id and links to the one it replaces. `quantity` is the new"
        " total, fills included; what is left out stays. A pure decrease keeps its priority. `stop_price` and the trail can"
        " be changed while the order is HELD.",
        body=ReplaceBody,
        answer=OrderJson,
        meta=AsOfMeta,
        path=_ORDER,
        command=True,
        database=True,
        refusals=(*_MINE, Refusal.ORDER_NOT_OPEN, Refusal.INVALID_REPLACE, *RISK),
        examples=(
            Example(
                name="decrease",
                summary="Fewer units, at the same price",
                given="an open order",
                path=_AN_ORDER,
                body={"quantity": 4},
            ),
            Example(
                name="stop",
                summary="Another stop, for an order that waits for its stop",
                given="a stop order",
                path=_AN_ORDER,
                body={"stop_price": "85.25"},
            ),
            Example(
                name="final",
                summary="One that is final",
                given="a final order",
                path=_AN_ORDER,
                body={"price": "91.00"},
                status=409,
                code="ORDER_NOT_OPEN",
            ),
        ),
    ),
    "DELETE /api/v1/orders/{order_id}": Doc(
        operation="cancel_order",
        summary="Cancel an open order",
        tag=Tag.ORDERS,
        about="Answers with the order, CANCELLED: it can still be read.",
        answer=OrderJson,
        meta=AsOfMeta,
        path=_ORDER,
        command=True,
        database=True,
        refusals=(*_MINE, Refusal.ORDER_NOT_OPEN, Refusal.ACCOUNT_NOT_FOUND),
        examples=(
            Example(name="open", summary="One that is open", given="an open order", path=_AN_ORDER),
            Example(
                name="final",
                summary="One that is final",
                given="a final order",
                path=_AN_ORDER,
                status=409,
                code="ORDER_NOT_OPEN",
            ),
        ),
    ),
    "GET /api/v1/orders/{order_id}/executions": Doc(
        operation="list_executions",
        summary="The fills of an order, oldest first",
        tag=Tag.ORDERS,
        answer=list[ExecutionJson],
        meta=AsOfMeta,
        path=_ORDER,
        database=True,
        refusals=_MINE,
        examples=(
            Example(name="filled", summary="Of one that was filled", given="a filled order", path=_AN_ORDER),
            Example(name="open", summary="Of one that was not", given="an open order", path=_AN_ORDER),
        ),
    ),
}
