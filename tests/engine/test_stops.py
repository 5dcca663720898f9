"""STOP_LOSS and STOP_LIMIT: what is accepted, what it holds, what fires it, and what it does then."""

from __future__ import annotations

from typing import Any

import pytest

from engine.commands import (
    CancelAll,
    HaltSymbol,
    Marks,
    ResumeSymbol,
    SetInstrument,
    SetKillSwitch,
    SetLimits,
)
from engine.events import OrderUpdated, Traded
from engine.kinds import (
    CloseReason,
    KillScope,
    OrderStatus,
    OrderType,
    Phase,
    PriceSource,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.stop_book import STALE_MAX
from tests.engine.mirror import all_rows, restored
from tests.engine.world import (
    BUY,
    DAY,
    FOK,
    IOC,
    LIMIT,
    MARKET,
    NEWEST,
    OLDEST,
    SELL,
    World,
    e4,
    e8,
    fills,
    of_kind,
    refusal,
    stock,
)

STOP_LOSS, STOP_LIMIT = OrderType.STOP_LOSS, OrderType.STOP_LIMIT
HELD, PENDING, CANCELLED = OrderStatus.HELD, OrderStatus.PENDING, OrderStatus.CANCELLED


def market(**options: Any) -> World:
    """Ann and Bob with cash and shares, Mia who makes the market; the last price is 100."""
    world = World(**options)
    for who in ("ann", "bob", "mia"):
        world.open(who, cash="100000", shares="100")
    world.sell("mia", "1", "100")
    world.buy("bob", "1", "100")
    return world


# type, what differs from a well-formed SELL at stop 95 | the answer. Each row differs from the first by one thing.
FORMS: list[tuple[OrderType, dict[str, Any], str]] = [
    (STOP_LOSS, {}, "accepted"),
    (STOP_LOSS, {"stop": "100"}, "STOP_PRICE_REACHED"),
    (STOP_LOSS, {"stop": "101"}, "STOP_PRICE_REACHED"),
    (STOP_LOSS, {"stop": "99.99"}, "accepted"),
    (STOP_LOSS, {"side": BUY}, "STOP_PRICE_REACHED"),
    (STOP_LOSS, {"side": BUY, "stop": "100"}, "STOP_PRICE_REACHED"),
    (STOP_LOSS, {"side": BUY, "stop": "100.01"}, "accepted"),
    (STOP_LOSS, {"stop": "0"}, "INVALID_PRICE"),
    (STOP_LOSS, {"stop": "95.005"}, "INVALID_TICK_SIZE"),
    (STOP_LOSS, {"stop": "0.5"}, "INVALID_PRICE"),
    (STOP_LOSS, {"stop": "100001"}, "INVALID_PRICE"),
    (STOP_LOSS, {"price": "95"}, "INVALID_PRICE"),
    (STOP_LOSS, {"quantity": "0"}, "INVALID_QUANTITY"),
    (STOP_LOSS, {"quantity": "0.001"}, "INVALID_LOT_SIZE"),
    (STOP_LOSS, {"quantity": "101"}, "INSUFFICIENT_SHARES"),
    (STOP_LOSS, {"trail": "1"}, "INVALID_TERMS trail_e4"),
    (STOP_LOSS, {"trail_ppm": 1}, "INVALID_TERMS trail_ppm"),
    (STOP_LOSS, {"time_in_force": DAY}, "accepted"),
    (STOP_LOSS, {"time_in_force": IOC}, "INVALID_TERMS time_in_force"),
    (STOP_LOSS, {"time_in_force": FOK}, "INVALID_TERMS time_in_force"),
    (STOP_LOSS, {"time_in_force": TimeInForce.OPG}, "SESSION_CLOSED"),
    (STOP_LOSS, {"time_in_force": TimeInForce.CLS}, "SESSION_CLOSED"),
    (STOP_LOSS, {"expires_us": 10**9}, "INVALID_TERMS expires_us"),
    (STOP_LOSS, {"time_in_force": TimeInForce.GTD}, "INVALID_TERMS expires_us"),
    (STOP_LOSS, {"time_in_force": TimeInForce.GTD, "expires_us": 1}, "INVALID_TERMS expires_us"),
    (STOP_LOSS, {"time_in_force": TimeInForce.GTD, "expires_us": 10**9}, "accepted"),
    (STOP_LOSS, {"display": "1"}, "INVALID_TERMS display_e8"),
    (STOP_LOSS, {"post_only": True}, "INVALID_TERMS post_only"),
    (STOP_LOSS, {"extended_hours": True}, "INVALID_TERMS extended_hours"),
    (STOP_LIMIT, {"price": "94"}, "accepted"),
    (STOP_LIMIT, {}, "INVALID_PRICE"),
    (STOP_LIMIT, {"price": "94.005"}, "INVALID_TICK_SIZE"),
    (STOP_LIMIT, {"price": "76"}, "accepted"),  # the band of 20 % is around the stop
    (STOP_LIMIT, {"price": "75.99"}, "PRICE_OUT_OF_BAND"),
    (STOP_LIMIT, {"price": "150"}, "accepted"),
    (LIMIT, {"price": "150"}, "INVALID_TERMS stop_e4"),
    (LIMIT, {"price": "150", "stop": "0", "trail": "1"}, "INVALID_TERMS trail_e4"),
    (MARKET, {"time_in_force": IOC}, "INVALID_TERMS stop_e4"),
    (MARKET, {"stop": "0"}, "INVALID_TERMS time_in_force"),
]


@pytest.mark.parametrize(("order_type", "change", "answer"), FORMS)
def test_what_is_accepted(order_type: OrderType, change: dict[str, Any], answer: str) -> None:
    world = market()
    asked: dict[str, Any] = {"side": SELL, "quantity": "10", "stop": "95", **change}
    side, quantity = asked.pop("side"), asked.pop("quantity")
    applied = world.order("ann", side, quantity, order_type, **asked)
    refused = applied.refused
    named = f" {refused.detail[0][0]}" if refused and refused.refusal.name == "INVALID_TERMS" else ""
    assert refusal(applied) + named == answer
    if refused is None and order_type is not LIMIT:
        order = world.accepted(applied)
        assert (order.status, order.reason) == (HELD, CloseReason.NONE)
        assert world.book() == ([], [])


def test_without_a_reference_there_is_nothing_to_compare_with() -> None:
    world = World(listings=[stock(reference="0")])
    world.open("ann", cash="1000", shares="10")
    assert refusal(world.order("ann", SELL, "1", STOP_LOSS, stop="95")) == "NO_REFERENCE_PRICE"


def test_held_orders_count_as_open() -> None:
    world = market()
    world.do(SetLimits(e8("1000"), e4("1000000"), 1, 500, 10, 100, 1_000))
    world.order("ann", SELL, "1", STOP_LOSS, stop="95")
    assert refusal(world.order("ann", SELL, "1", STOP_LOSS, stop="95")) == "TOO_MANY_OPEN_ORDERS"


# side, type, price | limit, cash held, shares held: the collar is 5 %
HOLDS = [
    (SELL, STOP_LOSS, "0", "90.25", "0", "10"),
    (SELL, STOP_LIMIT, "94", "94", "0", "10"),
    (BUY, STOP_LOSS, "0", "110.25", "1102.5", "0"),
    (BUY, STOP_LIMIT, "106", "106", "1060", "0"),
]


@pytest.mark.parametrize(("side", "order_type", "price", "limit", "held", "held_shares"), HOLDS)
def test_what_a_stop_holds_and_gives_back(
    side: Side, order_type: OrderType, price: str, limit: str, held: str, held_shares: str
) -> None:
    world = market()
    stop = "95" if side is SELL else "105"
    order = world.accepted(world.order("ann", side, "10", order_type, price=price, stop=stop))
    assert order.limit_e4 == e4(limit)
    assert (world.cash("ann")[1], world.shares("ann")[1]) == (held, held_shares)
    assert order.special is not None
    assert order.special.trigger_e4 == e4(stop)
    cancelled = world.accepted(world.cancel("ann", order))
    assert (cancelled.status, cancelled.reason, cancelled.hold_e4) == (CANCELLED, CloseReason.USER, 0)
    assert (world.cash("ann")[1], world.shares("ann")[1]) == ("0", "0")
    assert world.state.stops == {}
    assert world.state.off_book == {}


# the print, by a trade of Mia and Bob | does Ann's SELL at stop 95 fire?
@pytest.mark.parametrize(("price", "fires"), [("96", False), ("95.01", False), ("95", True), ("94", True)])
def test_a_sell_fires_at_or_below_its_stop(price: str, *, fires: bool) -> None:
    world = market()
    stop = world.accepted(world.order("ann", SELL, "10", STOP_LOSS, stop="95"))
    world.buy("mia", "20", price)
    applied = world.place("bob", SELL, "1", price)
    assert fills(applied) == [f"1@{price}", *([f"10@{price}"] if fires else [])]
    assert (stop.order_id in world.state.orders) is not fires


@pytest.mark.parametrize(
    ("price", "fires"), [("104", False), ("104.99", False), ("105", True), ("106", True)]
)
def test_a_buy_fires_at_or_above_its_stop(price: str, *, fires: bool) -> None:
    world = market()
    world.order("ann", BUY, "10", STOP_LOSS, stop="105")
    world.sell("mia", "20", price)
    applied = world.place("bob", BUY, "1", price)
    assert fills(applied) == [f"1@{price}", *([f"10@{price}"] if fires else [])]


def test_a_fired_stop_says_when_and_takes_a_new_place() -> None:
    world = market()
    stop = world.accepted(world.order("ann", SELL, "10", STOP_LIMIT, price="95", stop="95"))
    world.sell("mia", "1", "95")
    world.do(CancelAll(""), "mia")
    world.buy("mia", "1", "95")
    applied = world.place("bob", SELL, "1", "95")
    (report,) = [each for each in of_kind(applied, OrderUpdated) if each.order_id == stop.order_id]
    assert (report.status, report.order_type, report.updated_us) == (PENDING, STOP_LIMIT, world.now_us)
    assert report.special is not None
    assert report.special.triggered_us == world.now_us
    assert world.book() == ([], ["10@95"])
    (trade,) = of_kind(applied, Traded)
    assert world.of_order(stop).priority == trade.trade_id + 2


def test_a_stop_limit_rests_at_its_price_and_a_stop_loss_does_not_rest() -> None:
    world = market()
    limited = world.accepted(world.order("ann", SELL, "10", STOP_LIMIT, price="94", stop="95"))
    lost = world.accepted(world.order("bob", SELL, "10", STOP_LOSS, stop="95"))
    world.buy("mia", "5", "95")
    applied = world.place("bob", SELL, "5", "95")
    reports = {each.order_id: each for each in of_kind(applied, OrderUpdated)}
    assert reports[limited.order_id].status is PENDING
    assert (reports[lost.order_id].status, reports[lost.order_id].reason) == (
        CANCELLED,
        CloseReason.NO_LIQUIDITY,
    )
    assert world.book() == ([], ["10@94"])


def test_a_fired_stop_goes_no_further_than_the_collar_around_the_price_of_now() -> None:
    world = market()
    stop = world.accepted(world.order("ann", SELL, "10", STOP_LOSS, stop="95"))
    world.buy("mia", "1", "95")
    world.buy("mia", "4", "90.25")
    world.buy("mia", "4", "90.24")
    applied = world.place("bob", SELL, "1", "95")
    assert fills(applied) == ["1@95", "4@90.25"]
    (report,) = [each for each in of_kind(applied, OrderUpdated) if each.order_id == stop.order_id]
    assert (report.status, report.filled_e8, report.limit_e4) == (CANCELLED, e8("4"), e4("90.25"))


def test_a_buy_that_cannot_hold_the_collar_of_now_goes_up_to_the_limit_it_was_accepted_with() -> None:
    """Accepted with a stop at 105: 110.25 at most. The price jumps to 110: the collar is 115.5 then."""
    for cash, reached in (("1102.5", "5@110"), ("1155", "5@110, 5@115.5")):
        world = market()
        world.open("dan", cash=cash)
        world.order("dan", BUY, "10", STOP_LOSS, stop="105")
        world.sell("mia", "6", "110")
        world.sell("mia", "5", "115.5")
        assert ", ".join(fills(world.place("bob", BUY, "1", "110"))) == f"1@110, {reached}"


def test_marked_stops_fire_in_the_order_of_their_acceptance_and_see_each_others_prints() -> None:
    """The first sells down to 92: that marks the third, accepted before the second; it goes before it."""
    world = market()
    third = world.order("ann", SELL, "1", STOP_LIMIT, stop="92", price="91")
    first = world.order("ann", SELL, "3", STOP_LOSS, stop="96")
    second = world.order("ann", SELL, "1", STOP_LIMIT, stop="95", price="91")
    ids = [world.accepted(each).order_id for each in (third, first, second)]
    for price in ("95", "94", "93", "92", "91.5", "91.4"):
        world.buy("mia", "1", price)
    applied = world.place("bob", SELL, "1", "95")
    sold = [trade.sell_order_id for trade in of_kind(applied, Traded)]
    assert sold[1:] == [ids[1], ids[1], ids[1], ids[0], ids[2]]
    assert fills(applied) == ["1@95", "1@94", "1@93", "1@92", "1@91.5", "1@91.4"]


@pytest.mark.parametrize("mark", ["94", "95", "95.01", "96"])
def test_stops_fire_in_continuous_trading_alone_and_see_the_reference_when_it_begins(mark: str) -> None:
    world = market(listings=[stock(source=PriceSource.TAPE)])
    stop = world.accepted(world.order("ann", SELL, "10", STOP_LIMIT, stop="95", price="90"))
    world.do(HaltSymbol("AAPL", "news"))
    assert of_kind(world.do(Marks((("AAPL", e4("94")),))), OrderUpdated) == []
    world.do(Marks((("AAPL", e4(mark)),)))
    fired = [(each.order_id, each.status) for each in of_kind(world.do(ResumeSymbol("AAPL")), OrderUpdated)]
    assert fired == ([(stop.order_id, PENDING)] if mark in ("94", "95") else [])


def test_marks_are_the_prints_of_a_tape_and_our_trades_are_not() -> None:
    world = market(listings=[stock(source=PriceSource.TAPE)])
    world.order("ann", SELL, "10", STOP_LIMIT, stop="95", price="90")
    world.buy("mia", "1", "94")
    assert fills(world.place("bob", SELL, "1", "94")) == ["1@94"]
    assert world.book() == ([], [])
    world.do(Marks((("AAPL", e4("95")),)))
    assert world.book() == ([], ["10@90"])


def test_marks_of_an_instrument_with_own_prices_are_no_prints() -> None:
    world = market()
    world.order("ann", SELL, "10", STOP_LIMIT, stop="95", price="90")
    world.do(Marks((("AAPL", e4("94")),)))
    assert world.book() == ([], [])


def test_another_source_of_prices_is_shown_at_once() -> None:
    world = market()
    world.order("ann", SELL, "10", STOP_LIMIT, stop="95", price="90")
    world.do(Marks((("AAPL", e4("94")),)))
    listing = stock(source=PriceSource.TAPE)
    world.do(SetInstrument(*[getattr(listing, name) for name in listing.__struct_fields__]))
    assert world.book() == ([], ["10@90"])


def test_a_kill_switch_and_cancel_all_take_what_is_held() -> None:
    world = market()
    for cancel in (CancelAll(""), SetKillSwitch(KillScope.SYMBOL, "AAPL", on=True, reason="drill")):
        order = world.accepted(world.order("ann", SELL, "10", STOP_LOSS, stop="95"))
        (report,) = of_kind(world.do(cancel, "ann"), OrderUpdated)
        assert (report.order_id, report.status) == (order.order_id, CANCELLED)
        assert world.state.stops == {}


@pytest.mark.parametrize(("policy", "left"), [(NEWEST, ["1@95"]), (OLDEST, [])])
def test_self_trade_prevention_is_that_of_the_placement(policy: SelfTradePrevention, left: list[str]) -> None:
    world = market()
    world.order("ann", SELL, "2", STOP_LOSS, stop="95", policy=policy)
    world.buy("mia", "1", "95")
    world.buy("ann", "1", "95")
    world.place("bob", SELL, "1", "95")
    assert world.book()[0] == left


def test_a_recovered_state_shows_the_same_stops_the_same_prints() -> None:
    world = market()
    world.order("ann", SELL, "10", STOP_LOSS, stop="95")
    world.order("ann", BUY, "10", STOP_LIMIT, stop="105", price="106")
    world.state = restored(all_rows(world.state))
    world.buy("mia", "20", "95")
    assert fills(world.place("bob", SELL, "1", "95")) == ["1@95", "10@95"]
    world.sell("mia", "20", "105")
    assert fills(world.place("bob", BUY, "1", "105")) == ["1@105", "10@105"]


def test_the_heaps_do_not_grow_with_stops_that_come_and_go() -> None:
    world = market()
    kept = world.accepted(world.order("ann", SELL, "1", STOP_LOSS, stop="90"))
    for _ in range(3 * STALE_MAX):
        world.cancel("ann", world.accepted(world.order("ann", SELL, "1", STOP_LOSS, stop="80")))
    stop_book = world.state.stops["AAPL"]
    assert list(stop_book.armed) == [kept.order_id]
    assert len(stop_book._sells) <= STALE_MAX + 4
    assert repr(stop_book) == f"<StopBook AAPL SELL {e4('90')}>"


def test_a_marked_stop_whose_book_stops_meanwhile_stays_as_if_it_had_not_been_marked() -> None:
    """The band is 3 % around 100. The first stop would sell at 96: trading stops before it, and the second waits on."""
    world = market(listings=[stock(halt_bps=300)])
    first, second = (
        world.accepted(world.order("ann", SELL, "2", STOP_LIMIT, stop="98", price="90")) for _ in range(2)
    )
    world.buy("mia", "1", "98")
    world.buy("mia", "9", "96")
    world.place("bob", SELL, "1", "98")
    assert world.state.instruments["AAPL"].phase is Phase.HALT_AUCTION
    assert world.of_order(first).status is PENDING
    assert world.of_order(second).status is HELD
    assert list(world.state.stops["AAPL"].armed) == [second.order_id]
