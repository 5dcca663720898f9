"""Phases of a day: what each takes, what waits, and what survives a restart in the middle. Source: docs/orders.md, "Sessions"."""

from __future__ import annotations

import pytest

from engine.aggregates import KINDS
from engine.apply import Applied
from engine.commands import HaltSymbol, PlaceOrder, ResumeSymbol, SetCalendar, SetInstrument, SetLimits
from engine.events import AnyEvent, DayEnded, OrderUpdated, PhaseChanged, Traded
from engine.invariants import check_invariants
from engine.kinds import CloseReason, OrderStatus, Phase, Side, TimeInForce, TimerKind
from engine.state_hash import state_hash
from engine.terms import Terms
from engine.units import SECOND_US
from tests.engine.mirror import all_rows, restored, through_msgpack
from tests.engine.test_calendars import PHASES, SESSIONS
from tests.engine.world import (
    BUY,
    CLS,
    DAY,
    FOK,
    GTC,
    IOC,
    LIMIT,
    OPG,
    SELL,
    World,
    e4,
    e8,
    fills,
    refusal,
    stock,
)

S = SECOND_US


def at(now_us: int) -> World:
    world = World(sessions=SESSIONS, phases=PHASES)
    for who in ("ann", "bob", "cal"):
        world.open(who, cash="100000", shares="1000")
    world.open("mm", cash="100000", shares="100", maker=True)
    world.advance(now_us)
    return world


@pytest.mark.parametrize(
    ("at_us", "takes"),
    [
        pytest.param(1 * S, (DAY, GTC, OPG, CLS), id="closed"),
        pytest.param(5 * S, (DAY, GTC, OPG, CLS), id="pre-open"),
        pytest.param(15 * S, (DAY, GTC, OPG, CLS), id="opening"),
        pytest.param(25 * S, (DAY, GTC, IOC, FOK, CLS), id="continuous"),
        pytest.param(35 * S, (DAY, GTC, CLS), id="closing"),
        pytest.param(45 * S, (DAY, GTC), id="post-trade"),
        pytest.param(55 * S, (DAY, GTC), id="extended"),
        pytest.param(75 * S, (DAY, GTC, OPG), id="closed, a day with an opening alone ahead"),
    ],
)
def test_what_each_phase_takes(at_us: int, takes: tuple[TimeInForce, ...]) -> None:
    world = at(at_us)
    world.sell("bob", "1", "120")
    found = []
    for tif in (DAY, GTC, IOC, FOK, OPG, CLS):
        outcome = refusal(world.place("ann", BUY, "1", "99", tif))
        assert outcome in ("accepted", "SESSION_CLOSED", "FILL_OR_KILL")
        if outcome != "SESSION_CLOSED":
            found.append(tif)
    assert tuple(found) == takes


def test_without_phases_a_closed_book_takes_nothing() -> None:
    world = World(sessions=((5 * S, 6 * S),))
    world.open("ann", cash="1000")
    for tif in (DAY, GTC, IOC, OPG, CLS):
        assert refusal(world.place("ann", BUY, "1", "99", tif)) == "SESSION_CLOSED"
    world.advance(5 * S)
    assert refusal(world.place("ann", BUY, "1", "99", OPG)) == "SESSION_CLOSED"


def test_a_book_may_be_crossed_before_it_opens_and_trades_at_the_opening() -> None:
    world = at(1 * S)
    world.buy("ann", "5", "101")
    world.sell("bob", "5", "99")
    assert world.book() == (["5@101"], ["5@99"])
    assert [each for each in world.advance(19 * S) if isinstance(each, Traded)] == []
    assert [each.price_e4 for each in world.advance(20 * S) if isinstance(each, Traded)] == [e4("100")]


@pytest.mark.parametrize("was", [Phase.PRE_OPEN, Phase.CLOSED, Phase.POST_TRADE])
def test_a_book_that_opens_without_a_call_is_uncrossed_at_one_price_first(was: Phase) -> None:
    world = World(sessions=((2 * S, 50 * S),), phases=((S, was), (20 * S, Phase.CONTINUOUS)))
    for who in ("ann", "bob", "cal"):
        world.open(who, cash="100000", shares="1000")
    world.advance(10 * S)
    world.buy("ann", "5", "101")
    world.sell("bob", "5", "99")
    world.buy("cal", "3", None)
    events = world.advance(20 * S)
    assert [each.price_e4 for each in events if isinstance(each, Traded)] == [e4("101")] * 2
    assert [type(each) for each in events].index(Traded) < events.index(
        PhaseChanged("AAPL", Phase.CONTINUOUS, "calendar")
    )


def test_what_waited_for_an_opening_without_a_call_trades_at_one_price() -> None:
    """The book is not crossed: the market order alone would trade at 101 and at 103."""
    world = World(sessions=((2 * S, 50 * S),), phases=((S, Phase.PRE_OPEN), (20 * S, Phase.CONTINUOUS)))
    for who in ("ann", "bob"):
        world.open(who, cash="100000", shares="1000")
    world.advance(10 * S)
    world.sell("bob", "1", "101")
    world.sell("bob", "1", "103")
    world.buy("ann", "2", None)
    events = world.advance(20 * S)
    assert [each.price_e4 for each in events if isinstance(each, Traded)] == [e4("103")] * 2


def test_while_extended_rules_all_else_waits_and_comes_back_at_its_place() -> None:
    world = at(45 * S)
    first = world.buy("ann", "1", "99", GTC)
    world.quote("mm", [("7", "98")], [])
    world.advance(50 * S)
    assert world.book() == ([], [])
    second = world.buy("bob", "2", "99", GTC)
    assert world.book() == ([], [])
    assert (second.status, second.hold_e4) == (OrderStatus.PENDING, e4("198"))
    world.state = restored(all_rows(world.state))
    assert world.book() == ([], [])
    world.advance(70 * S)
    assert world.book() == (["3@99x2"], [])
    world.advance(120 * S)
    applied = world.place("cal", SELL, "1", "99")
    assert [each.buy_order_id for each in applied.events if isinstance(each, Traded)] == [first.order_id]


def test_a_cancelled_order_that_waits_gives_back_what_it_held() -> None:
    world = at(15 * S)
    for tif in (OPG, CLS):
        world.cancel("ann", world.buy("ann", "1", "99", tif))
    market = world.buy("ann", "1", None, DAY)
    world.cancel_all("ann")
    assert market.status is OrderStatus.PENDING
    assert world.cash("ann") == ("100000", "0")
    assert not world.state.off_book


@pytest.mark.parametrize("now_us", [5 * S, 15 * S, 25 * S, 35 * S, 45 * S, 55 * S, 75 * S])
def test_a_restart_in_any_phase_changes_nothing(now_us: int) -> None:
    """What is rebuilt from the rows goes through the rest of the day with the same events."""
    world = at(now_us)
    for who, price, tif in (("ann", "101", OPG), ("bob", "102", CLS), ("ann", "99", DAY), ("bob", "99", GTC)):
        world.place(who, BUY, "3", price, tif)
    world.place("cal", BUY, "2", None, DAY)
    if now_us != 25 * S:
        world.place("cal", SELL, "4", "99", GTC)
    again = World.__new__(World)
    again.state, again.now_us, again.ids = restored(all_rows(world.state)), world.now_us, world.ids
    again.statuses = dict(world.statuses)
    assert again.advance(180 * S) == world.advance(180 * S)
    assert state_hash(again.state) == state_hash(world.state)
    assert not any(isinstance(each, Traded) for each in world.advance(200 * S))


def limits(age_us: int) -> SetLimits:
    return SetLimits(e8("1000"), e4("1000000"), 50, 500, 20, 200, 10**9, age_us)


def test_a_gtc_order_that_is_too_old_ends_with_the_day() -> None:
    world = at(25 * S)
    world.do(limits(45 * S))
    old = world.buy("ann", "1", "99", GTC)
    world.advance(25 * S + 5)
    world.now_us = 26 * S
    young = world.buy("ann", "1", "98", GTC)
    events = world.advance(70 * S)
    assert [
        (each.order_id, each.status, each.reason) for each in events if isinstance(each, OrderUpdated)
    ] == []
    events = world.advance(170 * S)
    assert [
        (each.order_id, each.status, each.reason) for each in events if isinstance(each, OrderUpdated)
    ] == [
        (old.order_id, OrderStatus.EXPIRED, CloseReason.TIME),
        (young.order_id, OrderStatus.EXPIRED, CloseReason.TIME),
    ]


@pytest.mark.parametrize(("less_us", "left"), [(0, 1), (1, 0)])
def test_older_than_the_maximum_is_more_than_it(less_us: int, left: int) -> None:
    """The day ends at 70 s, by a command a microsecond after that."""
    world = at(25 * S)
    order = world.buy("ann", "1", "99", GTC)
    world.do(limits(70 * S + 1 - order.created_us - less_us))
    world.advance(70 * S)
    assert len(world.state.orders) == left


def test_orders_that_wait_end_with_their_day() -> None:
    world = at(45 * S)
    order = world.buy("ann", "1", None, DAY)
    events: list[AnyEvent] = world.advance(70 * S)
    (ended,) = [each for each in events if isinstance(each, OrderUpdated)]
    assert (ended.order_id, ended.reason, ended.hold_e4) == (order.order_id, CloseReason.SESSION_END, 0)
    kinds = [type(each) for each in events if isinstance(each, DayEnded | PhaseChanged)]
    assert kinds == [PhaseChanged, DayEnded, PhaseChanged]


def test_an_instrument_that_changes_its_calendar_leaves_its_call_by_the_auction() -> None:
    world = at(15 * S)
    world.buy("ann", "5", "101")
    world.sell("bob", "5", "99")
    world.buy("ann", "5", "99", OPG)
    world.do(SetCalendar("always", ((0, 10**15),)))
    listing = stock(calendar="always")
    assert isinstance(listing, SetInstrument)
    applied = world.do(listing)
    assert fills(applied) == ["5@100"]
    assert PhaseChanged("AAPL", Phase.CONTINUOUS, "changed") in applied.events
    assert not world.state.orders


def test_ticks_and_lots_do_not_change_under_orders_that_wait() -> None:
    world = at(15 * S)
    order = world.buy("ann", "5", None, DAY)
    assert refusal(world.do(stock(tick="0.02", low="2"))) == "INVALID_INSTRUMENT"
    world.cancel("ann", order)
    assert refusal(world.do(stock(tick="0.02", low="2"))) == "accepted"


def gtd(world: World, who: str, price: str, expires_us: int) -> OrderUpdated:
    """A GTD buy of one unit."""
    command = PlaceOrder(
        "AAPL", BUY, LIMIT, e8("1"), e4(price), TimeInForce.GTD, terms=Terms(expires_us=expires_us)
    )
    return world.accepted(world.do(command, who))


@pytest.mark.parametrize("now_us", [25 * S, 45 * S, 55 * S])
def test_a_gtd_order_ends_at_its_time_in_any_phase(now_us: int) -> None:
    world = at(now_us)
    order = gtd(world, "ann", "99", 60 * S)
    assert [each for each in world.advance(60 * S - 1) if isinstance(each, OrderUpdated)] == []
    (ended,) = [each for each in world.advance(60 * S) if isinstance(each, OrderUpdated)]
    assert (ended.order_id, ended.status, ended.reason) == (
        order.order_id,
        OrderStatus.EXPIRED,
        CloseReason.TIME,
    )
    assert world.cash("ann") == ("100000", "0")


def test_the_timer_of_a_gtd_order_goes_with_it() -> None:
    world = at(25 * S)
    cancelled, filled = gtd(world, "ann", "99", 60 * S), gtd(world, "bob", "98", 60 * S)
    world.cancel("ann", cancelled)
    world.sell("cal", "1", "98")
    assert not world.account("bob").orders
    assert filled.status is OrderStatus.PENDING
    assert [each.kind for each in world.state.timers.values()] == [TimerKind.SESSION]


def test_the_id_of_an_orders_timer_comes_before_those_of_its_trades() -> None:
    world = at(25 * S)
    world.sell("cal", "0.5", "99")
    command = PlaceOrder(
        "AAPL", BUY, LIMIT, e8("1"), e4("99"), TimeInForce.GTD, terms=Terms(expires_us=60 * S)
    )
    applied = world.do(command, "ann")
    (trade,) = [each for each in applied.events if isinstance(each, Traded)]
    order = world.accepted(applied)
    timer_id = world.state.timer_ids[TimerKind.ORDER_EXPIRY, str(order.order_id)]
    assert (timer_id, trade.trade_id) == (order.order_id + 1, order.order_id + 2)


def extended(world: World, who: str, side: Side, quantity: str, price: str) -> Applied:
    terms = Terms(extended_hours=True)
    return world.do(PlaceOrder("AAPL", side, LIMIT, e8(quantity), e4(price), GTC, terms=terms), who)


def test_extended_hours_match_among_themselves() -> None:
    world = at(45 * S)
    world.sell("bob", "1", "99", GTC)
    extended(world, "bob", SELL, "2", "100")
    world.advance(50 * S)
    assert world.book() == ([], ["2@100"])
    assert fills(extended(world, "ann", BUY, "3", "101")) == ["2@100"]
    assert world.book() == (["1@101"], [])
    events = world.advance(120 * S)
    assert [each.price_e4 for each in events if isinstance(each, Traded)] == [e4("100")]


def test_what_was_collected_crossed_trades_when_extended_hours_begin() -> None:
    world = at(45 * S)
    extended(world, "ann", BUY, "3", "101")
    extended(world, "bob", SELL, "2", "99")
    world.sell("cal", "9", "99", GTC)
    events = world.advance(50 * S)
    assert [each.quantity_e8 for each in events if isinstance(each, Traded)] == [e8("2")]
    assert world.book() == (["1@101"], [])


def test_an_operators_halt_of_extended_hours_shows_the_whole_book() -> None:
    world = at(55 * S)
    world.sell("bob", "1", "99", GTC)
    extended(world, "ann", BUY, "3", "101")
    world.do(HaltSymbol("AAPL", "news"))
    assert world.book() == (["3@101"], ["1@99"])
    world.state = restored(all_rows(world.state))
    resumed = world.do(ResumeSymbol("AAPL"))
    assert fills(resumed) == []
    assert world.book() == (["3@101"], [])


def test_what_waited_through_extended_hours_keeps_its_place_in_the_queue() -> None:
    """Three at one price: before, with extended hours, and after it; the levels get them back by time."""
    world = at(45 * S)
    first = world.buy("ann", "1", "99", GTC)
    second = world.accepted(extended(world, "bob", BUY, "1", "99"))
    world.advance(50 * S)
    third = world.buy("cal", "1", "99", GTC)
    fourth = world.accepted(extended(world, "bob", BUY, "1", "99"))
    world.advance(70 * S)
    level = world.state.books["AAPL"].bids.best()
    assert level is not None
    queue, order = [], level.first
    while order is not None:
        queue.append(order.order_id)
        order = order.after
    assert queue == [first.order_id, second.order_id, third.order_id, fourth.order_id]


@pytest.mark.parametrize(
    ("now_us", "harm", "complaint"),
    [
        (15 * S, "timer", "nothing watches it"),
        (25 * S, "indicative", "of an auction"),
        (25 * S, "halted", "and halted"),
        (25 * S, "phase", "reopening"),
        (25 * S, "index", "can be found"),
    ],
)
def test_what_is_wrong_with_a_phase_is_found(now_us: int, harm: str, complaint: str) -> None:
    world = at(now_us)
    instrument = world.state.instruments["AAPL"]
    if harm == "timer":
        del world.state.timer_ids[TimerKind.INDICATIVE, ""]
    elif harm == "indicative":
        instrument.indicative = (1, 1, 1)
    elif harm == "halted":
        instrument.halted = True
    elif harm == "phase":
        instrument.phase = Phase.HALT_AUCTION
    else:
        world.state.timer_ids.clear()
    assert any(complaint in problem for problem in check_invariants(world.state))


def test_a_calendar_with_phases_survives_msgpack() -> None:
    row = KINDS["calendar"].dump(at(S).state, "24x7")
    back = through_msgpack(row, KINDS["calendar"].row_type)
    assert (back, repr(back)) == (row, repr(row))
