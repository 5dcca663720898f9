"""What clients send for an order becomes the command that they meant, or is refused by name of the field."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import fields

from engine.commands import PlaceOrder, ReplaceOrder
from engine.kinds import OrderType, SelfTradePrevention, Side, TimeInForce
from engine.refusals import Refusal
from handlers.command_digest import digest
from handlers.dialect_orders import DialectOrderBody, PlainDialectOrder
from handlers.order_body import NoTerms, PlainOrder, PlainReplacement
from handlers.order_command import order_of, read_order, read_replacement, replacement_of
from handlers.order_terms import OrderBody, OrderTerms, ReplaceBody
from handlers.ws_messages import Batch, BatchItem, Place, PlainBatch, PlainItem, PlainPlace
from server.errors import BadRequest, RefusedAtBorder

LIMIT = b'{"stock_symbol":"AAPL","side":"BUY","order_type":"LIMIT","quantity":10,"price":175.50}'


def command(text: bytes) -> PlaceOrder:
    return order_of(read_order(text))


def test_a_limit_order_is_good_for_the_day() -> None:
    assert command(LIMIT) == PlaceOrder(
        "AAPL", Side.BUY, OrderType.LIMIT, 10 * 10**8, 1_755_000, TimeInForce.DAY
    )


def test_a_market_order_has_no_price_and_never_rests() -> None:
    text = b'{"stock_symbol":"AAPL","side":"SELL","order_type":"MARKET","quantity":"0.5","price":null}'
    assert command(text) == PlaceOrder("AAPL", Side.SELL, OrderType.MARKET, 5 * 10**7, 0, TimeInForce.IOC)


def test_everything_that_can_be_said() -> None:
    text = (
        b'{"stock_symbol":"A","side":"SELL","order_type":"LIMIT","quantity":1,"price":1,"time_in_force":"FOK",'
        b'"client_order_id":"mine-1","self_trade_prevention":"DECREMENT"}'
    )
    found = command(text)
    assert found.time_in_force is TimeInForce.FOK
    assert found.client_order_id == "mine-1"
    assert found.self_trade_prevention is SelfTradePrevention.DECREMENT


def test_spelling_does_not_change_the_digest_but_meaning_does() -> None:
    spelt = b'{"price":"175.5000","quantity":1e1,"order_type":"LIMIT","side":"BUY","stock_symbol":"AAPL","time_in_force":"DAY"}'
    assert digest(command(spelt)) == digest(command(LIMIT))
    assert digest(command(LIMIT.replace(b"10", b"11"))) != digest(command(LIMIT))
    assert len(digest(command(LIMIT))) == 16


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (LIMIT.replace(b',"price":175.50', b""), "price"),
        (LIMIT.replace(b"LIMIT", b"MARKET"), "price"),
        (LIMIT.replace(b"LIMIT", b"HOPE"), "order_type"),
        (LIMIT.replace(b"}", b',"order_class":"FANCY"}'), "order_class"),
        (LIMIT.replace(b"}", b',"post_only":"yes"}'), "post_only"),
        (LIMIT.replace(b"}", b',"take_profit":null,"surprise":1}'), "surprise"),
        (LIMIT.replace(b'"BUY"', b'"buy"'), "side"),
        (LIMIT.replace(b'"BUY"', b"1"), "side"),
        (LIMIT.replace(b'"AAPL"', b'""'), "stock_symbol"),
        (LIMIT.replace(b'"AAPL"', b'"A\\u0000"'), "stock_symbol"),
        (LIMIT.replace(b'"AAPL"', b'"' + b"A" * 33 + b'"'), "stock_symbol"),
        (LIMIT.replace(b'"AAPL"', b"null"), "stock_symbol"),
        (LIMIT.replace(b'"quantity":10,', b""), "quantity"),
        (LIMIT.replace(b"10", b"true"), "quantity"),
        (LIMIT.replace(b"}", b',"surprise":1}'), "surprise"),
        (LIMIT.replace(b"}", b',"client_order_id":"a\\nb"}'), "client_order_id"),
        (LIMIT.replace(b"}", b',"client_order_id":"' + b"x" * 65 + b'"}'), "client_order_id"),
        (LIMIT.replace(b"}", b',"client_order_id":"\\ud800"}'), "body"),
        (LIMIT.replace(b"}", b',"client_order_id":"\xff"}'), "body"),
        (LIMIT.replace(b"}", b',"time_in_force":"FOREVER"}'), "time_in_force"),
        (LIMIT[:-1], "body"),
        (LIMIT + b"x", "body"),
        (b"", "body"),
        (b"[]", "body"),
        (b"\xef\xbb\xbf" + LIMIT, "body"),
        (LIMIT.replace(b"10", b"NaN"), "body"),
        (LIMIT.replace(b"10", b"[" * 100_000), "body"),
    ],
)
def test_the_field_that_is_wrong_is_named(text: bytes, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        command(text)
    assert refused.value.field == field


DEFAULTS = (
    b',"post_only":false,"extended_hours":false,"order_class":"SIMPLE","lot_method":"FIFO","notional":null,"stop_price":null,'
    b'"trail_amount":null,"trail_percent":null,"display_quantity":null,"expires_at":null,"lots":null,"take_profit":null,'
    b'"stop_loss":null}'
)


def test_terms_that_say_nothing_make_the_same_order() -> None:
    assert command(LIMIT.replace(b"}", DEFAULTS)) == command(LIMIT)
    assert digest(command(LIMIT.replace(b"}", DEFAULTS))) == digest(command(LIMIT))


def test_a_market_order_is_not_good_till_cancelled() -> None:
    text = b'{"stock_symbol":"AAPL","side":"SELL","order_type":"MARKET","quantity":1,"time_in_force":"GTC"%b}'
    for more in (b"", b',"extended_hours":false,"lot_method":"LIFO"'):
        with pytest.raises(RefusedAtBorder) as refused:
            command(text % more)
        assert (refused.value.refusal, refused.value.field) == (Refusal.INVALID_TERMS, "time_in_force")


def test_what_is_tried_first_takes_no_more_than_what_is_documented() -> None:
    for narrow, wide in (
        (NoTerms, OrderTerms),
        (PlainOrder, OrderBody),
        (PlainReplacement, ReplaceBody),
        (PlainDialectOrder, DialectOrderBody),
        (PlainPlace, Place),
        (PlainItem, BatchItem),
        (PlainBatch, Batch),
    ):
        assert {each.encode_name for each in fields(narrow)} == {each.encode_name for each in fields(wide)}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"post_only": True}, "post_only"),
        ({"extended_hours": True}, "extended_hours"),
        ({"order_class": "OTO"}, "order_class"),
        ({"lot_method": "LIFO"}, "lot_method"),
        ({"expires_at": "2026-12-31T00:00:00Z"}, "expires_at"),
        ({"notional": 1}, "notional"),
        ({"display_quantity": 1}, "display_quantity"),
        ({"lots": []}, "lots"),
        ({"take_profit": {"price": 1}}, "take_profit"),
        ({"stop_loss": {}}, "stop_loss"),
    ],
)
def test_a_replacement_does_not_change_what_is_fixed(body: dict[str, object], field: str) -> None:
    with pytest.raises(RefusedAtBorder) as refused:
        replacement(msgspec.json.encode({"price": "2.5"} | body))
    assert (refused.value.refusal, refused.value.field) == (Refusal.INVALID_REPLACE, field)


def replacement(text: bytes) -> ReplaceOrder:
    return replacement_of(7, read_replacement(text))


def test_a_replacement_may_say_what_changes_nothing() -> None:
    defaults = DEFAULTS.replace(b',"lot_method":"FIFO"', b"")
    assert replacement(b'{"price":"2.5"' + defaults) == replacement(b'{"price":"2.5"}')
    for wrong, field in (
        (b'{"surprise":1}', "surprise"),
        (b'{"post_only":1}', "post_only"),
        (b"{}", "quantity"),
    ):
        with pytest.raises(BadRequest) as bad:
            replacement(wrong)
        assert bad.value.field == field


def test_a_replacement_changes_quantity_or_price_or_both() -> None:
    assert replacement(b'{"price":"2.5"}') == ReplaceOrder(7, 0, 25_000)
    assert replacement(b'{"quantity":3}') == ReplaceOrder(7, 3 * 10**8, 0)
    for text in (b"{}", b'{"quantity":null}'):
        with pytest.raises(BadRequest):
            replacement(text)
    for text, refusal in (
        (b'{"quantity":0}', Refusal.INVALID_QUANTITY),
        (b'{"price":0}', Refusal.INVALID_PRICE),
        (b'{"price":-1}', Refusal.INVALID_PRICE),
    ):
        with pytest.raises(RefusedAtBorder) as refused:
            replacement(text)
        assert refused.value.refusal is refusal
