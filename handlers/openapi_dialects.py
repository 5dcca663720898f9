"""The documentation of the dialects of reference documents 002 and 003: other names and shapes over the same commands."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.refusals import Refusal
from handlers.dialect_orders import DialectOrderBody
from handlers.dialect_trade_body import PlaceTradeBody
from handlers.dialect_trades import TradeBalanceJson, TradeJson, TradePortfolioJson
from handlers.field_types import OrderId
from handlers.openapi_doc import LIMIT, ORDER_CURSOR, Doc, Example, Tag
from handlers.openapi_trading import ORDERS, RISK
from server.errors import NotFound

_ORDER: Final = {"order_id": OrderId}
_AN_ORDER: Final = {"order_id": "ord_1750073344"}


def _renamed(name: str, operation: str) -> Doc:
    """A route of ours under another path."""
    return replace(ORDERS[name], operation=operation, tag=Tag.DIALECTS, links=())


DIALECTS: Final = {
    "POST /v1/orders": replace(
        _renamed("POST /api/v1/orders", "dialect_place_order"),
        body=DialectOrderBody,
        examples=(
            Example(
                name="limit",
                summary="Buy at a limit",
                body={"symbol": "AAPL", "side": "BUY", "quantity": 10, "type": "LIMIT", "price": 90.5},
            ),
        ),
    ),
    "GET /v1/orders/{order_id}": _renamed("GET /api/v1/orders/{order_id}", "dialect_get_order"),
    "DELETE /v1/orders/{order_id}": _renamed("DELETE /api/v1/orders/{order_id}", "dialect_cancel_order"),
    "POST /trade/place": Doc(
        operation="trade_place",
        summary="Place a trade",
        tag=Tag.DIALECTS,
        about="Without `pricePerShare` it is a market order.",
        body=PlaceTradeBody,
        answer=TradeJson,
        status=201,
        envelope=False,
        command=True,
        refusals=RISK,
        examples=(
            Example(
                name="limit",
                summary="Buy at a limit",
                body={"stockSymbol": "AAPL", "quantity": 4, "pricePerShare": "90.25", "tradeType": "buy"},
            ),
            Example(
                name="bracket",
                summary="Buy, and sell again at a profit or at a loss",
                body={
                    "stockSymbol": "AAPL",
                    "quantity": 4,
                    "pricePerShare": "90.25",
                    "tradeType": "buy",
                    "orderClass": "BRACKET",
                    "takeProfit": {"price": 110},
                    "stopLoss": {"trailPercent": 5},
                },
            ),
        ),
    ),
    "GET /trade/{order_id}": Doc(
        operation="trade_get",
        summary="One trade",
        tag=Tag.DIALECTS,
        answer=TradeJson,
        path=_ORDER,
        envelope=False,
        database=True,
        refusals=(Refusal.ORDER_NOT_FOUND,),
        examples=(Example(name="open", summary="One that is open", given="an open order", path=_AN_ORDER),),
    ),
    "POST /trade/{order_id}/cancel": Doc(
        operation="trade_cancel",
        summary="Cancel a trade",
        tag=Tag.DIALECTS,
        answer=TradeJson,
        path=_ORDER,
        envelope=False,
        command=True,
        database=True,
        refusals=(Refusal.ORDER_NOT_FOUND, Refusal.ORDER_NOT_OPEN, Refusal.ACCOUNT_NOT_FOUND),
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
    "GET /transaction-history": Doc(
        operation="trade_history",
        summary="Executed and canceled trades, newest first",
        tag=Tag.DIALECTS,
        answer=list[TradeJson],
        query=(ORDER_CURSOR, LIMIT),
        headers={"Next-Cursor": "The `cursor` of the next page; left out at the end."},
        envelope=False,
        database=True,
        examples=(Example(name="first", summary="The newest fifty", given="a final order"),),
    ),
    "GET /balance": Doc(
        operation="trade_balance",
        summary="The balance",
        tag=Tag.DIALECTS,
        answer=TradeBalanceJson,
        envelope=False,
        errors=(NotFound,),
        examples=(Example(name="now", summary="Now"),),
    ),
    "GET /portfolio": Doc(
        operation="trade_portfolio",
        summary="Holdings",
        tag=Tag.DIALECTS,
        answer=TradePortfolioJson,
        envelope=False,
        errors=(NotFound,),
        examples=(Example(name="now", summary="Now", given="shares and a bid"),),
    ),
}
