"""What clients send for an order becomes the command that they meant, or is refused by name of the field."""

from __future__ import annotations

import msgspec
import pytest

from engine.commands import PlaceOrder, ReplaceOrder
from engine.kinds import OrderType, SelfTradePrevention, Side, TimeInForce
from engine.refusals import Refusal
from handlers.order_body import OrderBody, ReplaceBody, digest, place_order, replace_order
from handlers.request_input import decode_body
from server.errors import BadRequest, RefusedAtBorder

DECODER = msgspec.json.Decoder(OrderBody)
LIMIT = b'{"stock_symbol":"AAPL","side":"BUY","order_type":"LIMIT","quantity":10,"price":175.50}'


def command(text: bytes) -> PlaceOrder:
    return place_order(decode_body(DECODER, text))


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
        (LIMIT.replace(b"LIMIT", b"STOP_LOSS"), "order_type"),
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


def test_a_replacement_changes_quantity_or_price_or_both() -> None:
    decoder = msgspec.json.Decoder(ReplaceBody)
    assert replace_order(7, decode_body(decoder, b'{"price":"2.5"}')) == ReplaceOrder(7, 0, 25_000)
    assert replace_order(7, decode_body(decoder, b'{"quantity":3}')) == ReplaceOrder(7, 3 * 10**8, 0)
    for text in (b"{}", b'{"quantity":null}'):
        with pytest.raises(BadRequest):
            replace_order(7, decode_body(decoder, text))
    for text, refusal in (
        (b'{"quantity":0}', Refusal.INVALID_QUANTITY),
        (b'{"price":0}', Refusal.INVALID_PRICE),
        (b'{"price":-1}', Refusal.INVALID_PRICE),
    ):
        with pytest.raises(RefusedAtBorder) as refused:
            replace_order(7, decode_body(decoder, text))
        assert refused.value.refusal is refusal
