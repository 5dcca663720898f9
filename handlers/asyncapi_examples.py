"""Examples of what clients and the server say on a WebSocket, for the documents: tests send the one and check the other."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from handlers.asyncapi_messages import Auctions, Bookings, Gates, Orders, Parking, Trades
from handlers.ws_messages import Batch, Cancel, Ping, Place, SignIn, Subscribe, Unsubscribe

EXAMPLES: Final[dict[type[Struct], tuple[dict[str, Any], ...]]] = {
    SignIn: (
        {"action": "auth", "token": "eyJhbGciOi…", "id": 1},
        {"action": "auth", "token": "eyJhbGciOi…", "cancel_on_disconnect": True, "id": 1},
    ),
    Subscribe: (
        {
            "action": "subscribe",
            "channels": ["quotes", "trades"],
            "symbols": ["AAPL"],
            "interval_ms": 250,
            "id": 2,
        },
        {"action": "subscribe", "channels": ["orders", "balance", "notifications"], "id": "mine"},
        {"action": "subscribe", "channels": ["parking"], "lots": ["lot_HARBOUR"], "id": 8},
    ),
    Unsubscribe: ({"action": "unsubscribe", "channels": ["trades"], "id": 3},),
    Ping: ({"action": "ping", "id": 4},),
    Place: (
        {
            "action": "order.place",
            "id": 5,
            "idempotency_key": "order-2026-11-21-1",
            "order": {
                "stock_symbol": "AAPL",
                "side": "BUY",
                "order_type": "LIMIT",
                "quantity": 1,
                "price": 90,
            },
        },
        {
            "action": "order.place",
            "id": 6,
            "order": {
                "stock_symbol": "AAPL",
                "side": "BUY",
                "order_type": "STOP_LIMIT",
                "quantity": 1,
                "stop_price": 110,
                "price": "111.50",
                "time_in_force": "GTC",
            },
        },
    ),
    Cancel: ({"action": "order.cancel", "id": 6, "order_id": "ord_1750073344"},),
    Batch: (
        {
            "action": "orders.batch",
            "id": 7,
            "orders": [
                {
                    "place": {
                        "stock_symbol": "AAPL",
                        "side": "BUY",
                        "order_type": "LIMIT",
                        "quantity": "0.5",
                        "price": "89.50",
                    }
                },
                {"cancel": "ord_1750073344"},
            ],
        },
    ),
}
"""What a client may send; a test sends each."""

_TRADE: Final = {
    "symbol": "AAPL",
    "n": 17,
    "trade_id": "trd_4711014137",
    "price": 175.45,
    "quantity": 10,
    "taker_side": "BUY",
    "timestamp": 1_704_723_845_000,
}
_AUCTION: Final = {
    "symbol": "AAPL",
    "phase": "OPENING_AUCTION",
    "indicative_price": 175.45,
    "paired_volume": 12_400,
} | {"imbalance": 300, "imbalance_side": "BUY", "timestamp": 1_704_723_845_000}
_FILLED: Final = {
    "order_id": "ord_4711014136",
    "stock_symbol": "AAPL",
    "side": "BUY",
    "order_type": "LIMIT",
    "time_in_force": "DAY",
    "quantity": 10,
    "price": 175.50,
    "status": "FILLED",
    "filled_quantity": 10,
    "remaining_quantity": 0,
    "average_price": 175.45,
    "fee": 1.76,
    "hold": 0,
    "estimated_total": 1754.50,
    "client_order_id": None,
    "created_at": "2024-01-08T14:24:05.000000Z",
    "updated_at": "2024-01-08T14:24:05.000000Z",
    "filled_at": "2024-01-08T14:24:05.000000Z",
    "replaces": None,
    "replaced_by": None,
    "reason": None,
}
_BUST: Final = {
    "execution_id": "exe_4711014137",
    "quantity": 10,
    "price": 175.45,
    "amount": 1754.50,
    "fee": 1.76,
    "liquidity": "TAKER",
    "executed_at": "2024-01-08T14:24:05.000000Z",
    "busted_at": "2024-01-08T15:02:11.250000Z",
    "transaction_id": "txn_4790014370",
}
_TRAILING: Final = {
    "side": "SELL",
    "order_type": "TRAILING_STOP",
    "price": None,
    "status": "HELD",
    "filled_quantity": 0,
    "remaining_quantity": 10,
    "average_price": None,
    "fee": 0,
    "filled_at": None,
    "trigger_price": 171.94,
    "trail_percent": 2,
}
_PARKING: Final[dict[str, Any]] = {
    "lot_id": "lot_HARBOUR",
    "seq": 4711,
    "inside": 37,
    "capacity": 120,
    "parts": [
        {"floor": "G", "type": "STANDARD", "vehicles": 31, "spaces": 90},
        {"floor": "G", "type": "EV", "vehicles": 6, "spaces": 30},
    ],
    "timestamp": 1_704_723_845_000,
}
_BOOKING: Final = {
    "booking_id": "bkg_4711014136",
    "lot_id": "lot_HARBOUR",
    "vehicle_id": "veh_4402014137",
    "plate": "BKERB1",
    "space": "G-2",
    "type": "STANDARD",
    "features": ["COVERED"],
    "from": "2024-01-09T08:00:00.000000Z",
    "to": "2024-01-09T10:00:00.000000Z",
    "status": "CONFIRMED",
    "tariff": "std",
    "tariff_version": 3,
    "held": 8.00,
    "total": 8.00,
    "tax": 1.28,
    "currency": "USD",
    "created_at": "2024-01-08T14:24:05.000000Z",
}
_SCANNED: Final[dict[str, Any]] = {
    "entry_id": "acl_4711014133",
    "at": "2024-01-08T14:24:05.250000Z",
    "said_at": "2024-01-08T14:24:05.241000Z",
    "kind": "DECISION",
    "reason": "BOOKING",
    "lot_id": "lot_HARBOUR",
    "gate_id": "gat_HARBOUR-in",
    "lane": 1,
    "open": True,
    "alarm": False,
    "vehicle_id": "veh_4402014137",
    "operator_id": None,
    "credential": "TAG",
    "what": "E2801160600002054E9A7B31",
    "space": "G-2",
    "booking_id": None,
    "stay_id": None,
}
_NOTHING: Final = dict.fromkeys(("vehicle_id", "credential", "what", "space"))
_TAILGATING: Final = {"entry_id": "acl_4790014370", "kind": "FINDING", "reason": "TAILGATING"}
TOLD: Final[dict[type[Struct], tuple[dict[str, Any], ...]]] = {
    Trades: (
        {"channel": "trades", "data": [_TRADE]},
        {"channel": "trades", "data": [_TRADE | {"busted": True}]},
    ),
    Auctions: ({"channel": "auctions", "data": [_AUCTION]},),
    Parking: (
        {"channel": "parking", "data": [_PARKING]},
        {"channel": "parking", "data": [_PARKING | {"inside": 38, "parts": [_PARKING["parts"][0]]}]},
    ),
    Bookings: (
        {"channel": "bookings", "seq": 4711, "prev_seq": 4402, "data": _BOOKING},
        {
            "channel": "bookings",
            "seq": 4790,
            "prev_seq": 4711,
            "data": _BOOKING | {"status": "CANCELLED", "held": 0},
        },
    ),
    Gates: (
        {"channel": "gates", "seq": 4711, "prev_seq": 4402, "data": _SCANNED},
        {
            "channel": "gates",
            "seq": 4790,
            "prev_seq": 4711,
            "data": _SCANNED | _NOTHING | _TAILGATING | {"open": None, "alarm": True},
        },
    ),
    Orders: (
        {"channel": "orders", "seq": 4790, "prev_seq": 4711, "data": _FILLED | {"bust": _BUST}},
        {"channel": "orders", "seq": 4800, "prev_seq": 4790, "data": _FILLED | _TRAILING},
    ),
}
"""What the server may say, where an example says more than the schema: a trade and its bust, an order told of one."""
