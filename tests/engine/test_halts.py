"""Price bands that halt, and the call that reopens. Source: docs/orders.md, "Price bands that halt"."""

from __future__ import annotations

import pytest

from engine.commands import FireTimer, HaltSymbol, PlaceOrder, ResumeSymbol, SetCalendar
from engine.events import AnyEvent, OrderUpdated, PhaseChanged, Traded
from engine.kinds import CloseReason, OrderStatus, Phase, Side, TimeInForce, TimerKind
from engine.preview import preview_order
from engine.units import MINUTE_US, SECOND_US
from tests.engine.mirror import all_rows, restored
from tests.engine.world import (
    BUY,
    DAY,
    FOK,
    GTC,
    IOC,
    LIMIT,
    SELL,
    World,
    e4,
    e8,
    fills,
    of_kind,
    refusal,
    stock,
)

M = MINUTE_US


def watched(*offers: str, halt_bps: int = 500, resume_auction: bool = False) -> World:
    """A book with a band of 5 %, one trade at 100, and Bob's offers of one unit each."""
    listing = stock(halt_bps=halt_bps, band_bps=5_000, resume_auction=resume_auction)
    world = World(listings=[listing])
    for who in ("ann", "bob", "cal"):
        world.open(who, cash="100000", shares="1000")
    for price in ("100", *offers):
        world.sell("bob", "1", price, GTC)
    world.buy("ann", "1", "100")
    return world


def phase(world: World) -> Phase:
    return world.state.instruments["AAPL"].phase


def prices(events: list[AnyEvent]) -> list[int]:
    return [each.price_e4 // 10**4 for each in events if isinstance(each, Traded)]


@pytest.mark.parametrize(
    ("halt_bps", "price", "traded", "after"),
    [
        pytest.param(500, "105", ["1@105"], Phase.CONTINUOUS, id="at the band's end"),
        pytest.param(500, "105.01", [], Phase.HALT_AUCTION, id="a tick outside"),
        pytest.param(501, "105.01", ["1@105.01"], Phase.CONTINUOUS, id="in a wider band"),
        pytest.param(0, "140", ["1@140"], Phase.CONTINUOUS, id="without a band"),
    ],
)
def test_a_trade_outside_of_the_band_does_not_happen(
    halt_bps: int, price: str, traded: list[str], after: Phase
) -> None:
    world = watched(price, halt_bps=halt_bps)
    applied = world.place("ann", BUY, "1", "140")
    assert fills(applied) == traded
    assert phase(world) is after


def test_the_band_has_a_lower_end() -> None:
    world = watched()
    world.buy("ann", "1", "94.99")
    world.buy("ann", "1", "95")
    applied = world.place("bob", SELL, "2", "90")
    assert fills(applied) == ["1@95"]
    assert of_kind(applied, PhaseChanged) == [PhaseChanged("AAPL", Phase.HALT_AUCTION, "price_band")]
    assert world.book() == (["1@94.99"], ["1@90"])


@pytest.mark.parametrize(
    ("price", "tif", "status", "book"),
    [
        ("120", DAY, OrderStatus.PARTIAL, (["1@120"], ["1@110"])),
        ("120", GTC, OrderStatus.PARTIAL, (["1@120"], ["1@110"])),
        ("120", IOC, OrderStatus.PARTIAL, ([], ["1@110"])),
        (None, DAY, OrderStatus.CANCELLED, ([], ["1@110"])),
    ],
)
def test_what_is_left_of_the_order_waits(
    price: str | None, tif: TimeInForce, status: OrderStatus, book: tuple[list[str], list[str]]
) -> None:
    """A MARKET order's collar of 5 % ends where the band does, so it ends without a halt."""
    world = watched("104", "110")
    order = world.accepted(world.place("ann", BUY, "2", price, tif))
    assert (order.filled_e8, order.status) == (e8("1"), status)
    assert world.book() == book


def test_a_fill_or_kill_order_looks_no_farther_than_the_band() -> None:
    world = watched("104", "110")
    assert refusal(world.place("ann", BUY, "2", "120", FOK)) == "FILL_OR_KILL"
    assert refusal(world.place("ann", BUY, "1", "120", FOK)) == "accepted"
    assert phase(world) is Phase.CONTINUOUS


def test_the_call_reopens_at_one_price_which_is_the_new_reference() -> None:
    world = watched("110")
    halted = world.place("ann", BUY, "1", "120", IOC)
    began_us = world.now_us
    order = world.accepted(halted)
    assert order.status is OrderStatus.PENDING
    assert refusal(world.place("cal", BUY, "1", "120", IOC)) == "SESSION_CLOSED"
    world.sell("cal", "1", "108")
    assert phase(world) is Phase.HALT_AUCTION
    assert prices(world.advance(began_us + 5 * M - 1)) == []
    events = world.advance(began_us + 5 * M)
    assert prices(events) == [108]
    assert PhaseChanged("AAPL", Phase.CONTINUOUS, "reopened") in events
    instrument = world.state.instruments["AAPL"]
    assert (instrument.halt_reference_e4, instrument.halt_reference_us) == (e4("108"), world.now_us)
    assert not world.state.timers or TimerKind.REOPEN not in {
        each.kind for each in world.state.timers.values()
    }
    assert fills(world.place("ann", BUY, "1", "120")) == ["1@110"]


def test_an_ioc_order_that_the_call_does_not_fill_is_looked_at_once_more() -> None:
    world = watched("110")
    order = world.accepted(world.place("ann", BUY, "2", "120", IOC))
    events = world.advance(world.now_us + 5 * M)
    assert prices(events) == [110]
    (report,) = [
        each for each in events if isinstance(each, OrderUpdated) and each.order_id == order.order_id
    ]
    assert (report.filled_e8, report.status, report.reason) == (
        e8("1"),
        OrderStatus.CANCELLED,
        CloseReason.NO_LIQUIDITY,
    )


@pytest.mark.parametrize(
    ("wait_us", "offer", "traded"),
    [
        pytest.param(5 * M - 1, "109", [], id="the reference is not old enough: 109 against 100"),
        pytest.param(5 * M, "109", ["1@109"], id="it moves to the trade before: 109 against 104"),
        pytest.param(5 * M, "110", [], id="which is as far from 110 as it may not be"),
    ],
)
def test_the_reference_moves_to_the_last_trade_when_it_is_old(
    wait_us: int, offer: str, traded: list[str]
) -> None:
    world = watched("104", offer)
    set_us = world.state.instruments["AAPL"].halt_reference_us
    assert fills(world.place("ann", BUY, "1", "104")) == ["1@104"]
    world.now_us = set_us + wait_us - 1
    assert fills(world.place("ann", BUY, "1", "120")) == traded


def test_the_first_trade_of_a_day_sets_the_reference() -> None:
    world = watched("110", "120")
    world.do(SetCalendar("24x7", ((0, 10 * M), (10 * M, 20 * M))))
    world.advance(10 * M)
    assert world.state.instruments["AAPL"].halt_reference_e4 == 0
    assert fills(world.place("ann", BUY, "2", "120")) == ["1@110"]
    assert world.state.instruments["AAPL"].halt_reference_e4 == e4("110")
    assert phase(world) is Phase.HALT_AUCTION


def test_a_day_that_ends_without_a_break_does_not_end_the_call() -> None:
    world = watched("110")
    world.do(SetCalendar("24x7", ((0, 2 * M), (2 * M, 20 * M))))
    world.place("ann", BUY, "1", "120", GTC)
    reopens_us = world.now_us + 5 * M
    world.advance(2 * M)
    assert phase(world) is Phase.HALT_AUCTION
    assert prices(world.advance(reopens_us)) == [110]


def test_the_calendars_next_phase_ends_the_call() -> None:
    world = watched("110")
    phases = ((0, Phase.CONTINUOUS), (2 * M, Phase.CLOSING_AUCTION), (3 * M, Phase.CLOSED))
    world.do(SetCalendar("24x7", ((0, 3 * M),), phases))
    world.place("ann", BUY, "1", "120", GTC)
    events = world.advance(2 * M)
    assert prices(events) == [110]
    assert phase(world) is Phase.CLOSING_AUCTION
    assert (TimerKind.REOPEN, "AAPL") not in world.state.timer_ids


def test_an_operators_halt_takes_the_place_of_the_call() -> None:
    world = watched("110")
    world.place("ann", BUY, "1", "120", GTC)
    world.do(HaltSymbol("AAPL", "news"))
    assert prices(world.advance(world.now_us + 6 * M)) == []
    assert fills(world.do(ResumeSymbol("AAPL"))) == ["1@110"]


def test_an_operators_halt_ends_by_an_auction_where_config_says_so() -> None:
    world = watched("110", halt_bps=0, resume_auction=True)
    world.do(HaltSymbol("AAPL", "news"))
    resumed = world.do(ResumeSymbol("AAPL"))
    assert of_kind(resumed, PhaseChanged) == [PhaseChanged("AAPL", Phase.HALT_AUCTION, "resumed")]
    world.buy("ann", "1", "112")
    assert prices(world.advance(world.now_us + 5 * M)) == [110]
    assert phase(world) is Phase.CONTINUOUS


def test_a_halt_that_ends_after_the_session_has_no_call() -> None:
    world = watched("110", halt_bps=0, resume_auction=True)
    world.do(HaltSymbol("AAPL", "news"))
    world.do(SetCalendar("24x7", ((0, 1),)))
    resumed = world.do(ResumeSymbol("AAPL"))
    assert of_kind(resumed, PhaseChanged) == [PhaseChanged("AAPL", Phase.CLOSED, "resumed")]


def test_a_restart_in_the_call_changes_nothing() -> None:
    world = watched("104", "110")
    world.place("ann", BUY, "2", "120", IOC)
    again = World.__new__(World)
    again.state, again.now_us, again.ids = restored(all_rows(world.state)), world.now_us, world.ids
    again.statuses = dict(world.statuses)
    assert again.advance(10 * M) == world.advance(10 * M)


@pytest.mark.parametrize("tif", [DAY, IOC, FOK])
@pytest.mark.parametrize("quantity", ["1", "2"])
def test_a_preview_sees_the_band(tif: TimeInForce, quantity: str) -> None:
    world = watched("104", "110")
    command = PlaceOrder("AAPL", Side.BUY, LIMIT, e8(quantity), e4("120"), tif)
    preview = preview_order(world.state, world.ids["ann"], command, world.now_us + 1)
    applied = world.do(command, "ann")
    if preview.refusals:
        assert applied.refused == preview.refusals[0]
    else:
        assert preview.order == world.accepted(applied)
        assert (preview.cash_e4, preview.held_e4) == (
            world.account("ann").cash_e4,
            world.account("ann").held_e4,
        )


def test_quotes_that_come_behind_the_one_that_halts_are_collected() -> None:
    world = watched("110")
    world.open("mm", cash="10000", shares="0", maker=True)
    world.quote("mm", [("1", "112"), ("1", "111")], [])
    assert phase(world) is Phase.HALT_AUCTION
    assert world.book() == (["1@112", "1@111"], ["1@110"])


def test_the_timers_of_a_halt_are_its_own() -> None:
    world = watched("110")
    world.place("ann", BUY, "1", "120", GTC)
    kinds = sorted(each.kind for each in world.state.timers.values() if each.kind is not TimerKind.SESSION)
    assert kinds == [TimerKind.INDICATIVE, TimerKind.REOPEN]
    reopen = world.state.timers[world.state.timer_ids[TimerKind.REOPEN, "AAPL"]]
    assert refusal(world.do(FireTimer(reopen.timer_id))) == "TIMER_NOT_FOUND"
    assert reopen.due_us - world.now_us in range(5 * M - 2 * SECOND_US, 5 * M)
