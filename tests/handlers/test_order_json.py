"""An order as clients see it."""

from __future__ import annotations

import msgspec

from engine.events import OrderUpdated
from engine.kinds import CloseReason, LotMethod, OrderClass, OrderStatus, OrderType, Side, TimeInForce
from engine.terms import NO_TERMS, Special, Terms
from handlers.order_json import encode_order, time_text

RESTING = OrderUpdated(
    order_id=5_121,
    account_id=9,
    symbol="AAPL",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    quantity_e8=10 * 10**8,
    price_e4=1_755_000,
    limit_e4=1_755_000,
    filled_e8=0,
    notional_e4=0,
    fee_e4=0,
    hold_e4=17_560_000,
    status=OrderStatus.PENDING,
    reason=CloseReason.NONE,
    created_us=1_736_519_400_000_000,
    updated_us=1_736_519_400_000_000,
    client_order_id="",
    replaces_id=0,
    replaced_by_id=0,
    is_quote=False,
)


def test_a_resting_order() -> None:
    text = encode_order(RESTING)
    assert b'"price":175.50' in text
    assert msgspec.json.decode(text) == {
        "order_id": "ord_5121",
        "stock_symbol": "AAPL",
        "side": "BUY",
        "order_type": "LIMIT",
        "time_in_force": "DAY",
        "quantity": 10,
        "price": 175.5,
        "status": "PENDING",
        "filled_quantity": 0,
        "remaining_quantity": 10,
        "average_price": None,
        "fee": 0,
        "hold": 1756,
        "estimated_total": 1755,
        "client_order_id": None,
        "created_at": "2025-01-10T14:30:00.000000Z",
        "updated_at": "2025-01-10T14:30:00.000000Z",
        "filled_at": None,
        "replaces": None,
        "replaced_by": None,
        "reason": None,
    }


def test_a_plain_order_is_the_text_that_it_was_before_there_were_terms() -> None:
    assert encode_order(RESTING) == (
        b'{"order_id":"ord_5121","stock_symbol":"AAPL","side":"BUY","order_type":"LIMIT","time_in_force":"DAY",'
        b'"quantity":10,"price":175.50,"status":"PENDING","filled_quantity":0,"remaining_quantity":10,'
        b'"average_price":null,"fee":0.00,"hold":1756.00,"estimated_total":1755.00,"client_order_id":null,'
        b'"created_at":"2025-01-10T14:30:00.000000Z","updated_at":"2025-01-10T14:30:00.000000Z","filled_at":null,'
        b'"replaces":null,"replaced_by":null,"reason":null}'
    )


def test_a_partly_filled_order_that_was_cancelled() -> None:
    changed = msgspec.structs.replace(
        RESTING,
        filled_e8=3 * 10**8,
        notional_e4=5_250_000,
        fee_e4=525,
        hold_e4=0,
        status=OrderStatus.CANCELLED,
        reason=CloseReason.USER,
        updated_us=RESTING.updated_us + 1_500_000,
        client_order_id='mine "1"',
        replaces_id=4_096,
    )
    found = msgspec.json.decode(encode_order(changed))
    assert found["average_price"] == 175
    assert found["remaining_quantity"] == 7
    assert found["estimated_total"] == 525
    assert found["fee"] == 0.0525
    assert found["reason"] == "USER"
    assert found["updated_at"] == "2025-01-10T14:30:01.500000Z"
    assert found["filled_at"] is None
    assert found["client_order_id"] == 'mine "1"'
    assert found["replaces"] == "ord_4096"


def test_a_filled_market_order_says_when_and_shows_no_price() -> None:
    filled = msgspec.structs.replace(
        RESTING,
        order_type=OrderType.MARKET,
        price_e4=0,
        filled_e8=10 * 10**8,
        notional_e4=17_500_000,
        status=OrderStatus.FILLED,
    )
    found = msgspec.json.decode(encode_order(filled))
    assert found["price"] is None
    assert found["filled_at"] == found["updated_at"]
    assert found["estimated_total"] == 1750


def with_terms(special: Special) -> dict[str, object]:
    """What an order says of its terms, beyond a plain one."""
    text = encode_order(msgspec.structs.replace(RESTING, special=special))
    plain = encode_order(RESTING)
    assert text.startswith(plain[:-1])
    found: dict[str, object] = msgspec.json.decode(b"{" + text[len(plain) :]) if text != plain else {}
    return found


def test_an_order_says_of_its_terms_what_applies_and_nothing_else() -> None:
    assert with_terms(Special(NO_TERMS)) == {}
    assert with_terms(Special(Terms(post_only=True, display_e8=150_000_000))) == {
        "display_quantity": 1.5,
        "post_only": True,
    }
    trailing = Special(
        Terms(trail_ppm=15_000), trigger_e4=985_000, extreme_e4=1_000_000, triggered_us=RESTING.created_us
    )
    assert with_terms(trailing) == {
        "trigger_price": 98.5,
        "triggered_at": "2025-01-10T14:30:00.000000Z",
        "trail_percent": 1.5,
    }


def test_every_term_is_shown() -> None:
    terms = Terms(
        *(900_000, 5_000, 1, 10**8, True, RESTING.created_us + 1, True, 1_000_000),
        *(LotMethod.SPECIFIC, ((7, 50_000_000),), True),
    )
    assert with_terms(Special(terms, OrderClass.BRACKET, 0, 0, (5_122, 5_123))) == {
        "order_class": "BRACKET",
        "legs": ["ord_5122", "ord_5123"],
        "stop_price": 90,
        "trail_amount": 0.5,
        "trail_percent": 0.0001,
        "display_quantity": 1,
        "post_only": True,
        "expires_at": "2025-01-10T14:30:00.000001Z",
        "extended_hours": True,
        "do_not_reduce": True,
        "notional": 100,
        "lot_method": "SPECIFIC",
        "lots": [{"lot_id": "lot_7", "quantity": 0.5}],
    }


def test_a_leg_names_its_parent_and_says_whether_it_may_trade_by_now() -> None:
    leg = Special(NO_TERMS, parent_id=5_120, planned_e8=10**9, is_armed=False)
    assert with_terms(leg) == {"parent_order_id": "ord_5120", "armed": False, "planned_quantity": 10}


def test_each_of_a_pair_names_the_other() -> None:
    pair = Special(NO_TERMS, OrderClass.OCO, group_id=RESTING.order_id + 2)
    assert with_terms(pair) == {"order_class": "OCO", "linked_order_id": f"ord_{RESTING.order_id + 1}"}
    stop = msgspec.structs.replace(
        RESTING, order_id=RESTING.order_id + 1, order_type=OrderType.STOP_LOSS, special=pair
    )
    assert msgspec.json.decode(encode_order(stop))["linked_order_id"] == f"ord_{RESTING.order_id}"


def test_an_order_that_becomes_a_market_order_has_no_price() -> None:
    stop = msgspec.structs.replace(
        RESTING, order_type=OrderType.STOP_LOSS, price_e4=0, status=OrderStatus.HELD
    )
    found = msgspec.json.decode(encode_order(stop))
    assert (found["order_type"], found["price"], found["status"]) == ("STOP_LOSS", None, "HELD")


def test_times_are_utc_with_microseconds() -> None:
    assert time_text(1) == "1970-01-01T00:00:00.000001Z"
