"""Auctions: which price, who trades at it, and what a call says of itself. Source: docs/orders.md, "Auctions"."""

from __future__ import annotations

import pytest

from engine.commands import (
    CancelOrder,
    FireTimer,
    HaltSymbol,
    PlaceOrder,
    ResumeSymbol,
    SetCalendar,
)
from engine.events import AnyEvent, DayEnded, Indicative, OrderUpdated, PhaseChanged, Traded
from engine.kinds import CloseReason, OrderStatus, Phase, SelfTradePrevention, Side, TimerKind
from engine.terms import Terms
from engine.timers import next_timer
from engine.units import SECOND_US
from tests.engine.world import (
    BUY,
    CLS,
    DAY,
    DECREMENT,
    GTC,
    LIMIT,
    NEWEST,
    OLDEST,
    OPG,
    SELL,
    World,
    e4,
    e8,
    refusal,
    shown,
    stock,
)

S = SECOND_US
OPENS, CLOSES = 20 * S, 40 * S
SESSIONS = ((2 * S, 50 * S), (60 * S, 90 * S))
PHASES = (
    (2 * S, Phase.PRE_OPEN),
    (10 * S, Phase.OPENING_AUCTION),
    (OPENS, Phase.CONTINUOUS),
    (30 * S, Phase.CLOSING_AUCTION),
    (CLOSES, Phase.POST_TRADE),
    (50 * S, Phase.CLOSED),
)
CALL = 12 * S


def in_call(at_us: int = CALL, maker_ppm: int = 0, taker_ppm: int = 0) -> World:
    """A book in its opening call, reference 100, with people who may trade."""
    world = World(maker_ppm=maker_ppm, taker_ppm=taker_ppm, sessions=SESSIONS, phases=PHASES)
    for who in ("ann", "bob", "cal", "dan", "eve"):
        world.open(who, cash="1000000", shares="1000")
    world.advance(at_us)
    return world


def enter(world: World, *orders: str) -> list[OrderUpdated]:
    """Each order as "who buys quantity price", price "market", and behind it OPG or CLS."""
    entered = []
    for text in orders:
        who, verb, quantity, price, *tif = text.split()
        place = world.buy if verb == "buys" else world.sell
        entered.append(
            place(
                who,
                quantity,
                None if price == "market" else price,
                {"OPG": OPG, "CLS": CLS}[tif[0]] if tif else DAY,
            )
        )
    return entered


def trades(events: list[AnyEvent]) -> list[str]:
    return [
        f"{shown(each.quantity_e8, 10**8)}@{shown(each.price_e4, 10**4)}"
        for each in events
        if isinstance(each, Traded)
    ]


@pytest.mark.parametrize(
    ("orders", "traded"),
    [
        pytest.param(["ann buys 5 99", "bob sells 5 101"], [], id="nothing crosses"),
        pytest.param(["ann buys 5 101", "bob sells 5 99"], ["5@100"], id="the reference between the limits"),
        pytest.param(["ann buys 5 103", "bob sells 5 102"], ["5@102"], id="the nearest to the reference"),
        pytest.param(["ann buys 5 98", "bob sells 5 97"], ["5@98"], id="the nearest from the other side"),
        pytest.param(
            ["ann buys 5 98", "bob sells 5 97", "cal buys 4 97", "dan sells 4 98"],
            ["5@98"],
            id="of equal leftovers on both sides the nearest",
        ),
        pytest.param(
            ["ann buys 5 104", "cal buys 5 102", "bob sells 8 101"],
            ["5@102", "3@102"],
            id="buyers are left over at 101 and 102: the highest",
        ),
        pytest.param(
            ["ann buys 8 99", "bob sells 5 96", "dan sells 5 98"],
            ["5@98", "3@98"],
            id="sellers are left over at 98 and 99: the lowest",
        ),
        pytest.param(
            ["ann buys 5 104", "cal buys 5 102", "bob sells 5 101"],
            ["5@104"],
            id="least left over comes before the side that is left over",
        ),
        pytest.param(
            ["ann buys 5 104", "cal buys 5 102", "bob sells 5 101", "dan sells 4 103"],
            ["5@103"],
            id="one more seller: least is left over at 103 and 104, and it is sellers: the lowest",
        ),
        pytest.param(
            ["ann buys 5 104", "cal buys 5 102", "bob sells 6 101"],
            ["5@102", "1@102"],
            id="less is left over at 104, but less would trade",
        ),
        pytest.param(
            ["ann buys 5 104", "cal buys 5 102", "bob sells 5 101", "dan sells 5 102"],
            ["5@102", "5@102"],
            id="most trades come before all else",
        ),
    ],
)
def test_the_price_is_decided_rule_by_rule(orders: list[str], traded: list[str]) -> None:
    world = in_call()
    enter(world, *orders)
    assert trades(world.advance(OPENS)) == traded


@pytest.mark.parametrize(
    ("orders", "traded"),
    [
        pytest.param(["ann buys 5 market", "bob sells 5 market"], ["5@100"], id="nobody named a price"),
        pytest.param(["ann buys 5 market", "bob sells 5 104"], ["5@104"], id="a market order takes a limit"),
        pytest.param(["ann buys 5 market", "bob sells 5 106"], [], id="but not beyond its collar"),
        pytest.param(
            ["ann buys 5 market", "bob sells 5 104 OPG"], ["5@104"], id="an order for the opening takes part"
        ),
        pytest.param(["ann buys 5 market", "bob sells 5 104 CLS"], [], id="one for the closing does not"),
    ],
)
def test_what_waits_takes_part(orders: list[str], traded: list[str]) -> None:
    world = in_call()
    enter(world, *orders)
    assert trades(world.advance(OPENS)) == traded


def test_the_reference_is_rounded_down_to_the_tick() -> None:
    world = World(sessions=SESSIONS, phases=PHASES, listings=[stock(tick="2", low="2", reference="101")])
    for who in ("ann", "bob"):
        world.open(who, cash="10000", shares="100")
    world.advance(CALL)
    enter(world, "ann buys 5 104", "bob sells 5 96")
    assert trades(world.advance(OPENS)) == ["5@100"]


def test_market_orders_first_then_better_limits_then_time() -> None:
    world = in_call()
    enter(world, "ann buys 3 100", "bob buys 3 101", "cal buys 3 101", "dan buys 3 market", "eve sells 8 100")
    events = world.advance(OPENS)
    names = {account_id: name for name, account_id in world.ids.items()}
    fills = [each for each in events if isinstance(each, Traded)]
    assert [names[each.buy_account_id] for each in fills] == ["dan", "bob", "cal"]
    assert trades(events) == ["3@101", "3@101", "2@101"]
    assert [each.taker_side for each in fills] == [Side.SELL] * 3
    assert world.book() == (["1@101", "3@100"], [])


def test_a_better_limit_comes_before_time() -> None:
    world = in_call()
    enter(world, "ann buys 3 100", "bob buys 3 102", "eve sells 4 100")
    fills = [each for each in world.advance(OPENS) if isinstance(each, Traded)]
    assert [each.buy_account_id for each in fills] == [world.ids["bob"], world.ids["ann"]]


def test_an_order_for_a_later_opening_takes_no_part_before_it() -> None:
    """A day with two openings; the book is halted and resumed between them."""
    phases = ((2 * S, Phase.CONTINUOUS), (20 * S, Phase.OPENING_AUCTION), (30 * S, Phase.CONTINUOUS))
    world = World(sessions=((2 * S, 90 * S),), phases=phases)
    for who in ("ann", "bob", "cal"):
        world.open(who, cash="1000000", shares="1000")
    world.advance(10 * S)
    enter(world, "ann buys 5 101 OPG", "bob sells 5 99")
    world.do(HaltSymbol("AAPL", "news"))
    assert trades(list(world.do(ResumeSymbol("AAPL")).events)) == []
    assert trades(world.advance(19 * S)) == []
    assert trades(world.advance(30 * S)) == ["5@100"]


def test_a_call_that_a_new_calendar_cuts_short_ends_what_was_for_it() -> None:
    world = in_call()
    (opg,) = enter(world, "ann buys 5 99 OPG")
    later = ((2 * S, Phase.CONTINUOUS), (45 * S, Phase.OPENING_AUCTION), (48 * S, Phase.CONTINUOUS))
    applied = world.do(SetCalendar("24x7", SESSIONS, later))
    assert [(each.order_id, each.reason) for each in applied.events if isinstance(each, OrderUpdated)] == [
        (opg.order_id, CloseReason.AUCTION_END)
    ]


def test_both_sides_pay_the_makers_fee() -> None:
    world = in_call(maker_ppm=1_000, taker_ppm=5_000)
    enter(world, "ann buys 5 100", "bob sells 5 market")
    (fill,) = [each for each in world.advance(OPENS) if isinstance(each, Traded)]
    assert (fill.buy_fee_e4, fill.sell_fee_e4) == (e4("0.5"), e4("0.5"))


@pytest.mark.parametrize(
    ("policy", "traded", "left"),
    [
        (NEWEST, ["5@100"], (["5@100"], [])),
        (OLDEST, [], ([], ["5@100"])),
        (DECREMENT, ["5@100"], ([], [])),
    ],
)
def test_heads_of_one_account_meet_as_the_newer_says(
    policy: SelfTradePrevention, traded: list[str], left: tuple[list[str], list[str]]
) -> None:
    """Ann's buy of 10 stands first, her sell of 5 is newer and first among the sells; Bob sells 5 at the same price."""
    world = in_call()
    world.place("ann", BUY, "10", "100")
    world.place("ann", SELL, "5", "100", policy=policy)
    world.sell("bob", "5", "100")
    if policy is OLDEST:
        left = ([], ["10@100x2"])
    assert trades(world.advance(OPENS)) == traded
    assert world.book() == left


def test_a_book_that_self_trade_prevention_leaves_crossed_is_uncrossed_again() -> None:
    world = in_call()
    enter(world, "ann buys 10 101", "bob buys 10 100")
    world.place("ann", SELL, "10", "100", policy=OLDEST)
    world.place("cal", SELL, "1", "101")
    events = world.advance(OPENS)
    assert trades(events) == ["10@100"]
    assert world.book() == ([], ["1@101"])


def test_what_is_left_of_each_time_in_force() -> None:
    world = in_call()
    opg, cls, day, market = enter(
        world, "ann buys 5 99 OPG", "ann buys 5 98 CLS", "ann buys 5 97", "ann buys 5 market"
    )
    gtc = world.buy("ann", "5", "96", GTC)
    events = world.advance(OPENS)
    ends = {each.order_id: (each.status, each.reason) for each in events if isinstance(each, OrderUpdated)}
    assert ends == {
        opg.order_id: (OrderStatus.EXPIRED, CloseReason.AUCTION_END),
        market.order_id: (OrderStatus.CANCELLED, CloseReason.NO_LIQUIDITY),
    }
    assert world.book() == (["5@97", "5@96"], [])
    events = world.advance(CLOSES)
    ends = {each.order_id: (each.status, each.reason) for each in events if isinstance(each, OrderUpdated)}
    assert ends == {cls.order_id: (OrderStatus.EXPIRED, CloseReason.AUCTION_END)}
    events = world.advance(50 * S)
    ends = {each.order_id: (each.status, each.reason) for each in events if isinstance(each, OrderUpdated)}
    assert ends == {day.order_id: (OrderStatus.EXPIRED, CloseReason.SESSION_END)}
    assert list(world.state.orders) == [gtc.order_id]
    assert world.cash("ann")[1] == "480"


def test_the_closing_auction_trades_and_nothing_matches_after_it() -> None:
    world = in_call()
    enter(world, "ann buys 5 101 CLS", "bob sells 2 99")
    world.advance(31 * S)
    enter(world, "cal sells 3 market")
    assert sorted(trades(world.advance(CLOSES))) == ["2@100", "3@100"]
    enter(world, "ann buys 1 101", "bob sells 1 99")
    assert world.book() == (["1@101"], ["1@99"])
    assert trades(world.advance(50 * S)) == []


def test_market_orders_that_the_opening_left_match_once() -> None:
    """Cal's order for the opening sells 2; Dan's offer at 106 is beyond the collar; both market buys are then looked at once."""
    world = in_call()
    enter(world, "ann buys 5 market", "bob buys 5 market", "cal sells 2 104", "dan sells 9 106")
    events = world.advance(OPENS)
    ends = [(each.filled_e8, each.status, each.reason) for each in events if isinstance(each, OrderUpdated)]
    assert trades(events) == ["2@104"]
    assert (0, OrderStatus.CANCELLED, CloseReason.NO_LIQUIDITY) in ends
    assert (e8("2"), OrderStatus.CANCELLED, CloseReason.NO_LIQUIDITY) in ends
    assert world.cash("ann")[1] == world.cash("bob")[1] == "0"


def test_a_call_says_each_second_what_its_auction_would_do() -> None:
    world = in_call(10 * S)
    assert said(world.advance(12 * S)) == []
    enter(world, "ann buys 5 101")
    assert said(world.advance(13 * S)) == ["0@0 5"]
    (sell,) = enter(world, "bob sells 8 99")
    assert said(world.advance(14 * S)) == ["5@99 -3"]
    assert said(world.advance(16 * S)) == []
    world.do(CancelOrder(sell.order_id), "bob")
    assert said(world.advance(17 * S)) == ["0@0 5"]
    world.advance(OPENS)
    assert said(world.advance(29 * S)) == []
    assert (TimerKind.INDICATIVE, "") not in world.state.timer_ids


def said(events: list[AnyEvent]) -> list[str]:
    """Each indication as "volume@price imbalance"."""
    return [
        f"{shown(each.volume_e8, 10**8)}@{shown(each.price_e4, 10**4)} {shown(each.imbalance_e8, 10**8)}"
        for each in events
        if isinstance(each, Indicative)
    ]


def test_what_was_said_is_what_comes() -> None:
    world = in_call()
    enter(world, "ann buys 5 101", "bob sells 8 99", "cal buys 1 market")
    (last,) = said(world.advance(OPENS - 1))
    assert last == "6@99 -2"
    assert trades(world.advance(OPENS)) == ["1@99", "5@99"]


def test_the_call_ends_before_its_phase_does() -> None:
    world = in_call()
    enter(world, "ann buys 5 101", "bob sells 5 99")
    events = world.advance(OPENS)
    kinds = [type(each) for each in events]
    assert kinds.index(Traded) < kinds.index(PhaseChanged)
    assert PhaseChanged("AAPL", Phase.CONTINUOUS, "calendar") in events


def test_a_missed_auction_ends_what_was_for_it() -> None:
    """Nothing ran from the call to the middle of the day."""
    world = in_call()
    (opg,) = enter(world, "ann buys 5 101 OPG")
    enter(world, "bob sells 5 99 OPG", "cal buys 3 market")
    world.now_us = 25 * S
    timer = next_timer(world.state)
    assert timer is not None
    events = list(world.do(FireTimer(timer.timer_id)).events)
    if timer.kind is not TimerKind.SESSION:
        events += world.advance(25 * S)
    assert trades(events) == ["3@101", "2@101"]
    assert opg.order_id not in world.state.orders
    assert world.state.instruments["AAPL"].phase is Phase.CONTINUOUS


def test_a_halt_over_the_auction_ends_what_was_for_it_and_resuming_uncrosses_the_rest() -> None:
    world = in_call()
    opg, *_ = enter(world, "ann buys 5 101 OPG", "bob sells 5 99", "cal buys 2 100")
    world.do(HaltSymbol("AAPL", "news"))
    assert refusal(world.place("ann", BUY, "1", "100")) == "SYMBOL_HALTED"
    events = world.advance(25 * S)
    assert trades(events) == []
    assert [(each.order_id, each.reason) for each in events if isinstance(each, OrderUpdated)] == [
        (opg.order_id, CloseReason.AUCTION_END)
    ]
    resumed = world.do(ResumeSymbol("AAPL"))
    assert trades(list(resumed.events)) == ["2@99"]
    assert world.book() == ([], ["3@99"])


def test_a_market_order_that_trades_after_the_call_is_reported() -> None:
    """The auction at 94 is too low for its collar; it meets what self-trade prevention left of the buyers."""
    world = in_call()
    enter(world, "bob buys 1 97", "eve buys 20 94", "bob sells 15 94")
    (order,) = enter(world, "dan sells 1 market")
    events = world.advance(OPENS)
    assert trades(events) == ["1@97"]
    (report,) = [
        each for each in events if isinstance(each, OrderUpdated) and each.order_id == order.order_id
    ]
    assert (report.status, report.filled_e8) == (OrderStatus.FILLED, e8("1"))
    assert report.updated_us >= OPENS


def test_the_close_is_the_closing_auctions_price_whatever_is_traded_after_it() -> None:
    """Extended hours follow the closing auction, and the day ends after them."""
    phases = (*PHASES[:-2], (CLOSES, Phase.EXTENDED), (50 * S, Phase.CLOSED))
    world = World(sessions=SESSIONS, phases=phases)
    for who in ("ann", "bob"):
        world.open(who, cash="1000000", shares="1000")
    world.advance(31 * S)
    enter(world, "ann buys 5 103", "bob sells 5 103")
    world.advance(CLOSES)
    for who, side in (("ann", BUY), ("bob", SELL)):
        terms = Terms(extended_hours=True)
        world.do(PlaceOrder("AAPL", side, LIMIT, e8("1"), e4("110"), GTC, terms=terms), who)
    assert world.state.instruments["AAPL"].last_e4 == e4("110")
    assert DayEnded("AAPL", e4("103")) in world.advance(50 * S)
    events = world.advance(90 * S)
    assert DayEnded("AAPL", e4("110")) in events
