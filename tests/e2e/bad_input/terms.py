"""Orders whose terms are wrong: each member, alone and with what it does not go with."""

from __future__ import annotations

from typing import Final

from tests.e2e.bad_input.rows import BAD, ORDER, Request, order, other, post

SELL: Final = b'{"stock_symbol":"AAPL","side":"SELL","quantity":1,"order_type":"%b",%b}'
TRADE: Final = b'{"stockSymbol":"AAPL","quantity":1,"tradeType":"buy",%b}'


def stop(
    name: str, order_type: bytes, members: bytes, status: int, code: str, field: str | None = None
) -> Request:
    return post(name, "/orders", SELL % (order_type, members), status, code, field)


def dated(name: str, text: bytes, status: int = 400, code: str = BAD) -> Request:
    members = b'{"time_in_force":"GTD","expires_at":"%b",' % text
    return order(name, b"{", members, status, code, "expires_at")


TERMS: Final = [
    stop("a stop without a stop price", b"STOP_LOSS", b'"stop_price":null', 400, BAD, "stop_price"),
    stop("a stop with a limit", b"STOP_LOSS", b'"stop_price":80,"price":80', 400, BAD, "price"),
    stop("a stop limit without a limit", b"STOP_LIMIT", b'"stop_price":80', 400, BAD, "price"),
    stop("a stop of text", b"STOP_LOSS", b'"stop_price":"low"', 400, BAD, "stop_price"),
    stop("a stop of NaN", b"STOP_LOSS", b'"stop_price":"NaN"', 400, BAD, "stop_price"),
    stop("a stop in a list", b"STOP_LOSS", b'"stop_price":[80]', 400, BAD, "stop_price"),
    stop("a stop at nothing", b"STOP_LOSS", b'"stop_price":0', 422, "INVALID_PRICE", "stop_price"),
    stop("a stop below nothing", b"STOP_LOSS", b'"stop_price":-80', 422, "INVALID_PRICE", "stop_price"),
    stop("a huge stop", b"STOP_LOSS", b'"stop_price":1e300', 422, "INVALID_PRICE", "stop_price"),
    stop("a stop of five decimals", b"STOP_LOSS", b'"stop_price":80.00001', 422, "INVALID_TICK_SIZE", "stop_price"),
    stop("a stop off the tick", b"STOP_LOSS", b'"stop_price":80.0001', 422, "INVALID_TICK_SIZE"),
    stop("a stop at once or never", b"STOP_LOSS", b'"stop_price":80,"time_in_force":"FOK"', 422, "INVALID_TERMS", "time_in_force"),
    stop("a trailing stop without a trail", b"TRAILING_STOP", b'"client_order_id":null', 400, BAD, "trail_amount"),
    stop("a trailing stop with two trails", b"TRAILING_STOP", b'"trail_amount":1,"trail_percent":1', 400, BAD, "trail_percent"),
    stop("a trailing stop with a stop", b"TRAILING_STOP", b'"trail_amount":1,"stop_price":1', 400, BAD, "stop_price"),
    stop("a trail of text", b"TRAILING_STOP", b'"trail_percent":"1%"', 400, BAD, "trail_percent"),
    stop("a trail of nothing", b"TRAILING_STOP", b'"trail_percent":0', 422, "INVALID_TERMS", "trail_percent"),
    stop("a trail of all", b"TRAILING_STOP", b'"trail_percent":100', 422, "INVALID_TERMS", "trail_percent"),
    stop("a trail of five decimals", b"TRAILING_STOP", b'"trail_percent":0.00001', 422, "INVALID_TERMS", "trail_percent"),
    stop("a trail below nothing", b"TRAILING_STOP", b'"trail_amount":-1', 422, "INVALID_PRICE", "trail_amount"),
    order("a stop price for a limit order", b"{", b'{"stop_price":80,', 400, BAD, "stop_price"),
    order("a trail for a limit order", b"{", b'{"trail_amount":1,', 400, BAD, "trail_amount"),
    order("a market order that is good till cancelled", b'"LIMIT","quantity":1,"price":90', b'"MARKET","quantity":1,"time_in_force":"GTC"', 422, "INVALID_TERMS", "time_in_force"),
    order("good till a time, without one", b"{", b'{"time_in_force":"GTD",', 400, BAD, "expires_at"),
    order("a time, and not good till it", b"{", b'{"expires_at":"2030-01-01T00:00:00Z",', 400, BAD, "expires_at"),
    order("a time that is a number", b"{", b'{"time_in_force":"GTD","expires_at":1900000000,', 400, BAD, "expires_at"),
    order("a time that is over", b"{", b'{"time_in_force":"GTD","expires_at":"2001-01-01T00:00:00Z",', 422, "INVALID_TERMS", "expires_at"),
    dated("a time in words", b"tomorrow"),
    dated("a date", b"2030-01-01"),
    dated("a time of no zone", b"2030-01-01T00:00:00"),
    dated("a day that is none", b"2030-02-30T00:00:00Z"),
    dated("an hour that is none", b"2030-01-01T24:00:00Z"),
    dated("a leap second", b"2030-12-31T23:59:60Z"),
    dated("a time finer than a microsecond", b"2030-01-01T00:00:00.0000001Z"),
    dated("a time after all time", b"9999-12-31T23:59:59.999999Z", 422, "INVALID_TERMS"),
    dated("a time before all orders", b"0057-07-25T14:58:11Z", 422, "INVALID_TERMS"),
    dated("a time before all time", b"0000-01-01T00:00:00Z"),
    dated("an offset that is none", b"2030-01-01T00:00:00+99:99"),
    dated("a time in other digits", "٢٠٣٠-01-01T00:00:00Z".encode()),
    dated("a time with NUL", b"2030-01-01T00:00:00Z\\u0000"),
    dated("a time of 4 000 digits", b"2030-01-01T00:00:00." + b"0" * 4_000 + b"Z"),
    order("extended hours at once or never", b"{", b'{"extended_hours":true,"time_in_force":"IOC",', 422, "INVALID_TERMS", "extended_hours"),
    order("extended hours of text", b"{", b'{"extended_hours":"yes",', 400, BAD, "extended_hours"),
    order("lots of a purchase", b"{", b'{"lot_method":"HIFO",', 422, "INVALID_TERMS", "lot_method"),
    order("an unknown lot method", b"{", b'{"lot_method":"BEST",', 400, BAD, "lot_method"),
    order("named lots without a name", b"{", b'{"lot_method":"SPECIFIC",', 422, "INVALID_TERMS", "lot_method"),
    order("lots without a method", b"{", b'{"lots":[{"lot_id":"lot_1","quantity":1}],', 422, "INVALID_TERMS", "lot_method"),
    order("a lot without a quantity", b"{", b'{"lot_method":"SPECIFIC","lots":[{"lot_id":"lot_1"}],', 400, BAD, "lots[0].quantity"),
    order("a lot that is none", b"{", b'{"lot_method":"SPECIFIC","lots":[{"lot_id":"ord_1","quantity":1}],', 400, BAD, "lots[0].lot_id"),
    order("a lot beyond 64 bits", b"{", b'{"lot_method":"SPECIFIC","lots":[{"lot_id":"lot_9999999999999999999","quantity":1}],', 400, BAD, "lots[0].lot_id"),
    order("101 lots", b"{", b'{"lot_method":"SPECIFIC","lots":[%b],' % b",".join([b'{"lot_id":"lot_1","quantity":1}'] * 101), 400, BAD, "lots"),
    order("post only at once or never", b"{", b'{"post_only":true,"time_in_force":"FOK",', 422, "INVALID_TERMS", "post_only"),
    order("post only by a number", b"{", b'{"post_only":1,', 400, BAD, "post_only"),
    stop("a stop that is post only", b"STOP_LOSS", b'"stop_price":80,"post_only":true', 422, "INVALID_TERMS", "post_only"),
    order("more shown than there is", b"{", b'{"display_quantity":1,', 422, "INVALID_TERMS", "display_quantity"),
    order("nothing shown", b"{", b'{"display_quantity":0,', 422, "INVALID_QUANTITY", "display_quantity"),
    order("less shown than nothing", b"{", b'{"display_quantity":-1,', 422, "INVALID_QUANTITY", "display_quantity"),
    order("shown in words", b"{", b'{"display_quantity":"some",', 400, BAD, "display_quantity"),
    order("an amount beside a quantity", b"{", b'{"notional":100,', 400, BAD, "notional"),
    order("an amount in words", b'"quantity":1', b'"notional":"all"', 400, BAD, "notional"),
    order("an amount of nothing", b'"quantity":1', b'"notional":0', 422, "INVALID_AMOUNT", "notional"),
    order("an amount of five decimals", b'"quantity":1', b'"notional":1.00001', 422, "INVALID_AMOUNT", "notional"),
    order("an amount that pays for nothing", b'"quantity":1', b'"notional":0.0001', 422, "NOTIONAL_TOO_SMALL"),
    order("a huge amount", b'"quantity":1', b'"notional":1e300', 422, "INVALID_AMOUNT", "notional"),
    post("a stop for an amount", "/orders", SELL.replace(b'"quantity":1,', b"") % (b"STOP_LOSS", b'"stop_price":80,"notional":100'), 422, "INVALID_TERMS", "notional"),
    order("an unknown class", b"{", b'{"order_class":"TRIO",', 400, BAD, "order_class"),
    order("a bracket without legs", b"{", b'{"order_class":"BRACKET",', 400, BAD, "take_profit"),
    order("a bracket without a stop", b"{", b'{"order_class":"BRACKET","take_profit":{"price":95},', 400, BAD, "stop_loss"),
    order("a pair without a stop", b"{", b'{"order_class":"OCO",', 400, BAD, "stop_loss"),
    order("a pair with a profit", b"{", b'{"order_class":"OCO","take_profit":{"price":95},"stop_loss":{"stop_price":80},', 400, BAD, "take_profit"),
    order("an order that arms two", b"{", b'{"order_class":"OTO","take_profit":{"price":95},"stop_loss":{"stop_price":80},', 400, BAD, "take_profit"),
    order("a leg of a simple order", b"{", b'{"take_profit":{"price":95},', 400, BAD, "take_profit"),
    order("a leg that is a number", b"{", b'{"order_class":"OTO","stop_loss":80,', 400, BAD, "stop_loss"),
    order("a leg with a side", b"{", b'{"order_class":"OTO","take_profit":{"price":95,"side":"BUY"},', 400, BAD, "take_profit.side"),
    order("a leg without a price", b"{", b'{"order_class":"OTO","take_profit":{},', 400, BAD, "take_profit.price"),
    order("a leg at nothing", b"{", b'{"order_class":"OTO","take_profit":{"price":0},', 422, "INVALID_PRICE", "take_profit.price"),
    order("a leg of five decimals", b"{", b'{"order_class":"OTO","take_profit":{"price":95.00001},', 422, "INVALID_TICK_SIZE", "take_profit.price"),
    order("a leg off the tick", b"{", b'{"order_class":"OTO","take_profit":{"price":95.0001},', 422, "INVALID_TICK_SIZE"),
    order("a leg with two stops", b"{", b'{"order_class":"OTO","stop_loss":{"stop_price":80,"trail_amount":1},', 400, BAD, "stop_loss.trail_amount"),
    order("a leg with two trails", b"{", b'{"order_class":"OTO","stop_loss":{"trail_percent":1,"trail_amount":1},', 400, BAD, "stop_loss.trail_percent"),
    order("a leg of an unknown trail", b"{", b'{"order_class":"OTO","stop_loss":{"trail_percent":"1%"},', 400, BAD, "stop_loss.trail_percent"),
    order("legs with one name", b"{", b'{"order_class":"OTO","client_order_id":"a","stop_loss":{"stop_price":80,"client_order_id":"a"},', 422, "DUPLICATE_CLIENT_ORDER_ID"),
    order("a leg with NUL", b"{", b'{"order_class":"OTO","stop_loss":{"stop_price":80,"client_order_id":"\\u0000"},', 400, BAD, "stop_loss.client_order_id"),
    order("a bracket at once or never has none", b"{", b'{"order_class":"OCO","time_in_force":"IOC","stop_loss":{"stop_price":110},', 422, "INVALID_TERMS"),
    Request("a replacement of the class", "PATCH", "/orders/ord_5", b'{"price":1,"order_class":"OCO"}', 422, "INVALID_REPLACE", "order_class"),
    Request("a replacement by two trails", "PATCH", "/orders/ord_5", b'{"trail_amount":1,"trail_percent":1}', 400, BAD, "trail_percent"),
    Request("a replacement by a stop of nothing", "PATCH", "/orders/ord_5", b'{"stop_price":0}', 422, "INVALID_PRICE", "stop_price"),
    Request("a replacement by a stop of text", "PATCH", "/orders/ord_5", b'{"stop_price":"low"}', 400, BAD, "stop_price"),
    post("a preview of a stop without one", "/orders/preview", ORDER.replace(b"LIMIT", b"STOP_LIMIT"), 400, BAD, "stop_price"),
    post("a preview of a date", "/orders/preview", ORDER.replace(b"{", b'{"time_in_force":"GTD","expires_at":"now",'), 400, BAD, "expires_at"),
    other("a stop without one in 002", "POST", "/v1/orders", b'{"symbol":"AAPL","side":"BUY","quantity":1,"type":"STOP_LOSS"}', 400, BAD, "stop_price"),
    other("a stop of nothing in 003", "POST", "/trade/place", TRADE % b'"stopPrice":0', 422, "INVALID_PRICE", "stopPrice"),
    other("two trails in 003", "POST", "/trade/place", TRADE % b'"trailAmount":1,"trailPercent":1', 400, BAD, "trailPercent"),
    other("a date in 003", "POST", "/trade/place", TRADE % b'"pricePerShare":90,"expiresAt":"2030-01-01"', 400, BAD, "expiresAt"),
]  # fmt: skip
