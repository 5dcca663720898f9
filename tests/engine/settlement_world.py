"""A small venue whose trades settle days later: every day is a business day, and a market maker quotes 100 and 101."""

from __future__ import annotations

from engine.apply import Applied
from engine.commands import (
    FireTimer,
    SetSettlement,
    TransferIn,
)
from engine.events import DaySettled, GoodFaithViolated, Traded
from engine.kinds import Side
from engine.settlement import (
    withdrawable_e4,
)
from engine.timers import next_timer
from engine.units import DAY_US
from tests.engine.world import BUY, IOC, SELL, World, e4, e8, of_kind, shown, stock

DAYS = tuple((day * DAY_US, (day + 1) * DAY_US) for day in range(400))


def world_of(days: int = 1, instant_max_e4: tuple[int, ...] = ()) -> World:
    """Ann has 1 000 and no shares, bob only shares, mm makes the market at 99 and 101. Every day is a business day."""
    world = World(sessions=DAYS, listings=[stock(), stock("MSFT")])
    world.do(SetSettlement("24x7", days, (), instant_max_e4))
    world.open("ann", cash="1000")
    world.open("bob", shares="1000")
    world.open("mm", cash="1000000", shares="10000", maker=True)
    world.quote("mm", [("1000", "100")], [("1000", "101")])
    return world


def figures(world: World, who: str) -> tuple[str, str, str]:
    """Cash, what of it is unsettled, and what may be taken out."""
    account = world.account(who)
    free_e4 = withdrawable_e4(account)
    return shown(account.cash_e4, 10**4), shown(account.unsettled_e4, 10**4), shown(free_e4, 10**4)


def pass_time(world: World, until_us: int) -> list[DaySettled]:
    """Fire what is due, as the runtime does, and let time pass."""
    settled = []
    while (timer := next_timer(world.state)) is not None and timer.due_us <= until_us:
        world.now_us = max(world.now_us, timer.due_us)
        settled += of_kind(world.do(FireTimer(timer.timer_id)), DaySettled)
    world.now_us = max(world.now_us, until_us)
    return settled


def sell(world: World, who: str, quantity: str) -> Traded:
    (trade,) = of_kind(world.place(who, SELL, quantity, "100", IOC), Traded)
    return trade


def msft_world(days: int = 1, instant_max_e4: tuple[int, ...] = ()) -> World:
    """The same with a market in MSFT, so that what is sold and what is bought are two things."""
    world = world_of(days, instant_max_e4)
    world.do(TransferIn(world.ids["mm"], "MSFT", e8("1000"), e4("1000")))
    world.quote("mm", [("100", "100")], [("100", "101")], "MSFT")
    return world


def trade(world: World, who: str, side: Side, quantity: str) -> Applied:
    """Buy or sell MSFT at the market maker's price."""
    return world.place(who, side, quantity, "101" if side is BUY else "100", IOC, symbol="MSFT")


def violations(applied: Applied) -> list[int]:
    return [each.count for each in of_kind(applied, GoodFaithViolated)]
