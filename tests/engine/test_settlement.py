"""Settlement: which day, what may be taken out and what may be bought before it, timers that were missed."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.commands import (
    AdjustCash,
    RequestWithdrawal,
    SetCalendar,
    SetKycTier,
    SetSettlement,
    SettleWithdrawal,
)
from engine.events import BalanceChanged, DaySettled, SettlementDue
from engine.settlement import (
    settles_on,
)
from engine.settlement_state import SettlementRules
from engine.state import Calendar
from engine.units import DAY_US, SECOND_US
from tests.engine.mirror import Mirror, all_rows
from tests.engine.settlement_world import (
    DAYS,
    figures,
    msft_world,
    pass_time,
    sell,
    trade,
    world_of,
)
from tests.engine.world import BUY, GTC, IOC, SELL, World, e4, of_kind, refusal, stock

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str, zone: ZoneInfo = NEW_YORK) -> int:
    """Wall time in New York as microseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * SECOND_US


def days_since_epoch(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def sessions(
    days: str, zone: ZoneInfo = NEW_YORK, opens: str = "09:30", closes: str = "16:00"
) -> tuple[tuple[int, int], ...]:
    return tuple((at(f"{day}T{opens}", zone), at(f"{day}T{closes}", zone)) for day in days.split())


# Around Columbus Day 2026 (Monday, 12 October: shares trade, banks are closed) and with a half day.
AUTUMN = "2026-10-07 2026-10-08 2026-10-09 2026-10-12 2026-10-13 2026-10-14 2026-10-15"
COLUMBUS = (days_since_epoch("2026-10-12"),)

WHICH_DAY = [
    ("T+1", "2026-10-07T10:00", 1, (), "2026-10-07", "2026-10-08"),
    ("T+2", "2026-10-07T10:00", 2, (), "2026-10-07", "2026-10-09"),
    ("at the very opening", "2026-10-07T09:30", 1, (), "2026-10-07", "2026-10-08"),
    ("before the opening", "2026-10-07T04:00", 1, (), "2026-10-07", "2026-10-08"),
    ("after the close", "2026-10-07T19:59", 1, (), "2026-10-07", "2026-10-08"),
    ("over a weekend", "2026-10-09T10:00", 1, (), "2026-10-09", "2026-10-12"),
    ("after Friday's close", "2026-10-09T18:00", 1, (), "2026-10-09", "2026-10-12"),
    ("before Monday's opening", "2026-10-12T05:00", 1, (), "2026-10-12", "2026-10-13"),
    ("over a weekend and a closed bank", "2026-10-09T10:00", 1, COLUMBUS, "2026-10-09", "2026-10-13"),
    ("on the day of the closed bank", "2026-10-12T10:00", 1, COLUMBUS, "2026-10-12", "2026-10-13"),
    ("T+2 over it", "2026-10-08T10:00", 2, COLUMBUS, "2026-10-08", "2026-10-13"),
    ("where the calendar ends", "2026-10-15T10:00", 2, (), "2026-10-15", "2026-10-17"),
]


@pytest.mark.parametrize(
    ("what", "now", "days", "closed", "traded", "settles"), WHICH_DAY, ids=[row[0] for row in WHICH_DAY]
)
def test_which_day_it_settles(
    what: str, now: str, days: int, closed: tuple[int, ...], traded: str, settles: str
) -> None:
    calendar = Calendar("XNYS", sessions(AUTUMN))
    trade_day, day, due_us = settles_on(calendar, SettlementRules("XNYS", days, closed), at(now))
    assert (trade_day, day) == (days_since_epoch(traded), days_since_epoch(settles))
    begins = at(f"{settles}T09:30") if settles <= "2026-10-15" else day * DAY_US
    assert due_us == begins > at(now)


@pytest.mark.parametrize(
    ("zone", "opens", "closes"),
    [("Asia/Kolkata", "09:15", "15:30"), ("Asia/Tokyo", "09:00", "15:30"), ("Australia/Sydney", "10:00", "16:00"),
     ("UTC", "00:00", "23:59")],
)  # fmt: skip
def test_a_session_is_called_by_its_exchanges_date(zone: str, opens: str, closes: str) -> None:
    where = ZoneInfo(zone)
    calendar = Calendar("X", sessions("2026-10-07 2026-10-08", where, opens, closes))
    traded, settles, _ = settles_on(calendar, SettlementRules("X", 1), at("2026-10-07T12:00", where))
    assert (traded, settles) == (days_since_epoch("2026-10-07"), days_since_epoch("2026-10-08"))


def test_proceeds_are_cash_at_once_and_can_be_taken_out_a_day_later() -> None:
    world = world_of()
    applied = world.place("bob", SELL, "3", "100", IOC)
    (due,) = of_kind(applied, SettlementDue)
    assert (due.trade_day, due.settlement_day, due.buy_amount_e4, due.sell_amount_e4) == (
        0,
        1,
        -e4("300"),
        e4("300"),
    )
    assert figures(world, "bob") == ("300", "300", "0")
    told = next(event for event in of_kind(applied, BalanceChanged) if event.account_id == world.ids["bob"])
    assert (told.cash_e4, told.unsettled_e4, told.settled_only) == (e4("300"), e4("300"), False)
    assert pass_time(world, DAY_US - 1) == []
    assert refusal(world.do(RequestWithdrawal(e4("300")), "bob")) == "UNSETTLED_FUNDS"
    assert pass_time(world, DAY_US) == [DaySettled("24x7", 1)]
    assert figures(world, "bob") == ("300", "0", "300")
    assert world.do(RequestWithdrawal(e4("300")), "bob").refused is None
    assert world.state.settling == {}


def test_nothing_settles_later_where_settlement_is_at_once() -> None:
    world = world_of(0)
    applied = world.place("bob", SELL, "3", "100", IOC)
    assert of_kind(applied, SettlementDue) == []
    assert figures(world, "bob") == ("300", "0", "300")
    assert not world.state.watches_fills


def test_fills_are_watched_from_the_first_listing_that_settles_later() -> None:
    world = World()
    world.do(SetCalendar("XNYS", DAYS))
    world.do(SetSettlement("XNYS", 1))
    assert not world.state.watches_fills
    world.do(stock("TSLA", calendar="XNYS"))
    assert world.state.watches_fills


def test_a_refused_withdrawal_says_when_the_money_is_there() -> None:
    world = world_of(2)
    sell(world, "bob", "3")
    pass_time(world, DAY_US)
    sell(world, "bob", "1")
    for amount, day in (("300", 2), ("300.0001", 3), ("400", 3)):
        refused = world.do(RequestWithdrawal(e4(amount)), "bob").refused
        assert refused is not None
        assert dict(refused.detail) == {
            "required_e4": e4(amount),
            "withdrawable_e4": 0,
            "settles_us": day * DAY_US,
        }
    assert refusal(world.do(RequestWithdrawal(e4("400.0001")), "bob")) == "INSUFFICIENT_FUNDS"


# Ann has 1 000 settled and has sold for 500; she buys at 101. What is settled, unsettled and may be taken out after it.
DRAWN = [
    ("nothing", "0", ("1500", "500", "1000")),
    ("from settled cash first", "5", ("995", "500", "495")),
    ("all settled cash, and the rest from unsettled", "10", ("490", "490", "0")),
    ("nearly all", "14", ("86", "86", "0")),
]


@pytest.mark.parametrize(("what", "quantity", "after"), DRAWN, ids=[row[0] for row in DRAWN])
def test_a_buy_draws_settled_cash_first(what: str, quantity: str, after: tuple[str, str, str]) -> None:
    world = world_with_proceeds()
    if quantity != "0":
        world.buy("ann", quantity, "101", IOC)
    assert figures(world, "ann") == after
    assert bool(world.state.funded_lots) == (after[1] != "500")


def world_with_proceeds() -> World:
    """Ann bought 5 with settled cash before, and has sold them: 1 000 settled in all, 500 not."""
    world = world_of()
    world.do(AdjustCash(world.ids["ann"], e4("505"), "gift"))
    world.buy("ann", "5", "101", IOC)
    sell(world, "ann", "5")
    assert figures(world, "ann") == ("1500", "500", "1000")
    return world


def test_money_that_waits_for_the_bank_buys_nothing() -> None:
    world = world_with_proceeds()
    assert world.do(RequestWithdrawal(e4("1000")), "ann").refused is None
    world.buy("ann", "1", "101", IOC)
    assert figures(world, "ann") == ("1399", "399", "0")
    (withdrawal_id,) = world.state.withdrawals
    world.do(SettleWithdrawal(withdrawal_id, paid=True))
    assert figures(world, "ann") == ("399", "399", "0")


def test_an_open_order_holds_settled_cash_first() -> None:
    world = world_with_proceeds()
    order = world.buy("ann", "4", "99", GTC)
    assert figures(world, "ann") == ("1500", "500", "604")
    world.cancel("ann", order)
    assert figures(world, "ann") == ("1500", "500", "1000")


def test_operators_take_settled_cash_first_too() -> None:
    world = world_with_proceeds()
    world.do(AdjustCash(world.ids["ann"], -e4("1200"), "mistake"))
    assert figures(world, "ann") == ("300", "300", "0")


def test_what_settles_first_is_drawn_first() -> None:
    world = world_of(2)
    sell(world, "bob", "3")
    pass_time(world, DAY_US)
    sell(world, "bob", "3")
    world.buy("bob", "4", "101", IOC)
    assert {key[1]: each.amount_e4 for key, each in world.state.unsettled.items()} == {3: e4("196")}
    assert [lot.parts for lot in world.state.funded_lots.values()] == [
        (("24x7", 2, e4("300")), ("24x7", 3, e4("104")))
    ]
    pass_time(world, 2 * DAY_US)
    assert [lot.parts for lot in world.state.funded_lots.values()] == [(("24x7", 3, e4("104")),)]
    pass_time(world, 3 * DAY_US)
    assert (world.state.funded_lots, world.state.unsettled) == ({}, {})


def test_a_market_makers_account_is_no_cash_account() -> None:
    world = world_of()
    world.place("ann", BUY, "1", "101", IOC)
    assert figures(world, "mm")[1] == "0"
    assert world.state.unsettled == {}
    assert pass_time(world, DAY_US) == [DaySettled("24x7", 1)]  # the trade has a day all the same


# What bob's tier is advanced, and what of 300 and then 400 is unsettled.
INSTANT = [
    ("nobody is", (), 2, ("300", "700")),
    ("his tier is not", (0, 0, 0), 2, ("300", "700")),
    ("less than the first", (0, 0, 100), 2, ("200", "600")),
    ("more than the first", (0, 0, 500), 2, ("0", "200")),
    ("all", (0, 0, 1000), 2, ("0", "0")),
    ("another tier is", (0, 0, 1000), 1, ("300", "700")),
    ("higher tiers as the last", (0, 1000), 3, ("0", "0")),
]


@pytest.mark.parametrize(("what", "limits", "tier", "unsettled"), INSTANT, ids=[row[0] for row in INSTANT])
def test_a_tier_is_advanced_up_to_its_limit(
    what: str, limits: tuple[int, ...], tier: int, unsettled: tuple[str, str]
) -> None:
    world = world_of(instant_max_e4=tuple(e4(str(limit)) for limit in limits))
    world.do(SetKycTier(world.ids["bob"], tier))
    sell(world, "bob", "3")
    first = figures(world, "bob")[1]
    sell(world, "bob", "4")
    assert (first, figures(world, "bob")[1]) == unsettled
    pass_time(world, DAY_US)
    sell(world, "bob", "3")
    assert figures(world, "bob")[1] == first  # what has settled is there to be advanced again


def test_a_missed_day_is_caught_up_in_order() -> None:
    world = world_of(2)
    for day in range(3):
        pass_time(world, day * DAY_US)
        sell(world, "bob", "1")
    assert pass_time(world, 30 * DAY_US) == [DaySettled("24x7", day) for day in (3, 4)]
    assert figures(world, "bob") == ("300", "0", "300")


def test_a_new_calendar_leaves_the_days_of_earlier_trades() -> None:
    world = world_of()
    sell(world, "bob", "1")
    world.do(SetCalendar("24x7", DAYS[:1] + DAYS[5:]))
    assert pass_time(world, DAY_US) == [DaySettled("24x7", 1)]


def test_a_cycle_that_is_shortened_leaves_the_days_of_earlier_trades() -> None:
    world = world_of(2)
    sell(world, "bob", "1")
    world.do(SetSettlement("24x7", 0))
    sell(world, "bob", "1")
    assert figures(world, "bob") == ("200", "100", "100")
    world.buy("bob", "1", "101", IOC)
    assert figures(world, "bob") == ("99", "99", "0")
    pass_time(world, 2 * DAY_US)
    assert figures(world, "bob") == ("99", "0", "99")


UNSOUND = [
    ("an unknown calendar", SetSettlement("XLON", 1), "CALENDAR_NOT_FOUND"),
    ("days below zero", SetSettlement("24x7", -1), "INVALID_LIMITS"),
    ("too many days", SetSettlement("24x7", 11), "INVALID_LIMITS"),
    ("closed days out of order", SetSettlement("24x7", 1, (2, 1)), "INVALID_LIMITS"),
    ("a closed day twice", SetSettlement("24x7", 1, (1, 1)), "INVALID_LIMITS"),
    ("a limit below zero", SetSettlement("24x7", 1, (), (-1,)), "INVALID_LIMITS"),
    ("too many tiers", SetSettlement("24x7", 1, (), (1,) * 5), "INVALID_LIMITS"),
]


@pytest.mark.parametrize(("what", "command", "answer"), UNSOUND, ids=[row[0] for row in UNSOUND])
def test_unsound_settlement_is_refused(what: str, command: SetSettlement, answer: str) -> None:
    assert refusal(World().do(command)) == answer


def test_rows_kept_from_dirty_marks_alone_are_those_of_the_state() -> None:
    world = msft_world()
    mirror = Mirror(world.state)
    for step in (
        lambda: sell(world, "bob", "2"),
        lambda: trade(world, "bob", BUY, "1"),
        lambda: trade(world, "bob", SELL, "1"),
        lambda: world.do(RequestWithdrawal(1), "ann"),
        lambda: world.do(AdjustCash(world.ids["bob"], -e4("50"), "drill")),
        lambda: pass_time(world, DAY_US),
    ):
        step()
        mirror.cut(world.state)
        assert mirror.rows == all_rows(world.state)
