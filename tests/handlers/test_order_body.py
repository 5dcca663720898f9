"""What clients send for an order becomes the command that they meant, or is refused by name of the field."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import fields

from engine.commands import PlaceOrder, ReplaceOrder
from engine.kinds import OrderType, SelfTradePrevention, Side, TimeInForce
from engine.refusals import Refusal
from handlers.command_digest import digest
from handlers.dialect_orders import AnyDialectOrder, DialectOrderBody
from handlers.dialect_trades import AnyTradeBody, PlaceTradeBody
from handlers.order_body import OrderBody, ReplaceBody, ToCome, place_order, replace_order
from handlers.request_input import decode_body
from handlers.unbuilt_orders import (
    BUILT,
    NUMBERS_TO_COME,
    AnyOrderBody,
    AnyReplaceBody,
    AnyToCome,
    read_order,
    read_replacement,
)
from server.errors import BadRequest, NotSupported, RefusedAtBorder

LIMIT = b'{"stock_symbol":"AAPL","side":"BUY","order_type":"LIMIT","quantity":10,"price":175.50}'


def command(text: bytes) -> PlaceOrder:
    return place_order(read_order(text))


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
        (LIMIT.replace(b"}", b',"take_profit":{},"surprise":1}'), "surprise"),
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


def test_what_is_still_to_come_may_say_its_default() -> None:
    assert command(LIMIT.replace(b"}", DEFAULTS)) == command(LIMIT)
    assert digest(command(LIMIT.replace(b"}", DEFAULTS))) == digest(command(LIMIT))


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b'"LIMIT"', b'"STOP_LOSS"', "order_type"),
        (b'"LIMIT"', b'"TRAILING_STOP"', "order_type"),
        (b"}", b',"time_in_force":"GTD","expires_at":"2026-12-31T00:00:00Z"}', "time_in_force"),
        (b"}", b',"time_in_force":"CLS"}', "time_in_force"),
        (b"}", b',"expires_at":"2026-12-31T00:00:00Z"}', "expires_at"),
        (b"}", b',"post_only":true}', "post_only"),
        (b"}", b',"extended_hours":true}', "extended_hours"),
        (b"}", b',"order_class":"OCO"}', "order_class"),
        (b"}", b',"lot_method":"HIFO"}', "lot_method"),
        (b"}", b',"lots":["lot_1"]}', "lots"),
        (b"}", b',"take_profit":{"price":200}}', "take_profit"),
        (b"}", b',"stop_loss":{"stop_price":100}}', "stop_loss"),
        (b"}", b',"stop_price":1}', "stop_price"),
        (b"}", b',"trail_amount":"1.5"}', "trail_amount"),
        (b"}", b',"trail_percent":2}', "trail_percent"),
        (b"}", b',"display_quantity":1}', "display_quantity"),
        (b'"quantity":10', b'"notional":1000', "notional"),
    ],
)
def test_what_is_still_to_come_is_refused_by_name(old: bytes, new: bytes, field: str) -> None:
    assert old in LIMIT
    with pytest.raises(NotSupported) as refused:
        command(LIMIT.replace(old, new))
    assert refused.value.details == {"field": field}


def test_every_member_of_the_contract_is_built_or_known_to_come() -> None:
    ours = {"stock_symbol", "side", "quantity", "price", "client_order_id", "self_trade_prevention"}
    assert ours | BUILT.keys() | set(NUMBERS_TO_COME) == set(AnyOrderBody.__struct_fields__)
    for wide, narrow in (
        (AnyToCome, ToCome),
        (AnyOrderBody, OrderBody),
        (AnyReplaceBody, ReplaceBody),
        (AnyDialectOrder, DialectOrderBody),
        (AnyTradeBody, PlaceTradeBody),
    ):
        assert {each.encode_name for each in fields(wide)} == {each.encode_name for each in fields(narrow)}
    assert set(ToCome.__struct_fields__) < set(PlaceTradeBody.__struct_fields__)


def test_a_replacement_takes_and_refuses_the_same_members_as_an_order() -> None:
    plain, with_defaults = b'{"price":"2.5"}', b'{"price":"2.5"' + DEFAULTS
    assert replace_order(7, read_replacement(with_defaults)) == replace_order(7, read_replacement(plain))
    others = {"post_only": True, "extended_hours": True, "order_class": "OTO", "lot_method": "LIFO"}
    others |= {"expires_at": "2026-12-31T00:00:00Z", "lots": [], "take_profit": {}, "stop_loss": {}}
    others |= dict.fromkeys(NUMBERS_TO_COME, 1)
    assert others.keys() == set(ToCome.__struct_fields__)
    for name, value in others.items():
        with pytest.raises(NotSupported) as refused:
            replace_order(7, read_replacement(msgspec.json.encode({"price": "2.5", name: value})))
        assert refused.value.details == {"field": name}
    for wrong, field in (
        (b'{"surprise":1}', "surprise"),
        (b'{"post_only":1}', "post_only"),
        (b"{}", "quantity"),
    ):
        with pytest.raises(BadRequest) as bad:
            replace_order(7, read_replacement(wrong))
        assert bad.value.field == field


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
