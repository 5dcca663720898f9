"""The risk table: one row per refusal of an order, and in which order the checks are made."""

from __future__ import annotations

from typing import Any

import pytest

from engine.commands import (
    HaltSymbol,
    Marks,
    PlaceOrder,
    SetAccountStatus,
    SetCalendar,
    SetKillSwitch,
    SetLimits,
)
from engine.kinds import AccountStatus, KillScope, PriceSource, Side
from engine.units import NOTIONAL_MAX_E4, QUANTITY_MAX_E8
from tests.engine.world import BUY, DAY, LIMIT, MARKET, SELL, World, e4, e8, refusal, stock

CHANGES: dict[str, Any] = {
    "nothing": lambda world: None,
    "disabled": lambda world: world.do(SetAccountStatus(world.ids["ann"], AccountStatus.DISABLED, "fraud")),
    "kill market": lambda world: world.do(SetKillSwitch(KillScope.MARKET, "", on=True, reason="")),
    "kill AAPL": lambda world: world.do(SetKillSwitch(KillScope.SYMBOL, "AAPL", on=True, reason="")),
    "kill other": lambda world: world.do(SetKillSwitch(KillScope.SYMBOL, "EURX", on=True, reason="")),
    "kill ann": lambda world: world.do(
        SetKillSwitch(KillScope.ACCOUNT, str(world.ids["ann"]), on=True, reason="")
    ),
    "halted": lambda world: world.do(HaltSymbol("AAPL", "news")),
    "limits": lambda world: world.do(SetLimits(e8("50"), e4("4000"), 2, 500, 10, 100, 1_000)),
}

# what was done before, symbol, side, quantity, price | refusal
ROWS = [
    ("nothing", "AAPL", BUY, "1", "100", "accepted"),
    ("disabled", "AAPL", BUY, "1", "100", "ACCOUNT_DISABLED"),
    ("nothing", "NOPE", BUY, "1", "100", "UNKNOWN_SYMBOL"),
    ("kill market", "AAPL", BUY, "1", "100", "KILL_SWITCH_ON"),
    ("kill AAPL", "AAPL", BUY, "1", "100", "KILL_SWITCH_ON"),
    ("kill other", "AAPL", BUY, "1", "100", "accepted"),
    ("kill ann", "AAPL", BUY, "1", "100", "KILL_SWITCH_ON"),
    ("halted", "AAPL", BUY, "1", "100", "SYMBOL_HALTED"),
    ("nothing", "LATE", BUY, "1", "100", "SESSION_CLOSED"),
    ("nothing", "EURX", BUY, "1", "100", "CURRENCY_MISMATCH"),
    ("nothing", "AAPL", BUY, "0", "100", "INVALID_QUANTITY"),
    ("nothing", "AAPL", BUY, "-1", "100", "INVALID_QUANTITY"),
    ("nothing", "AAPL", BUY, "1000000001", "100", "INVALID_QUANTITY"),
    ("nothing", "AAPL", BUY, "0.001", "100", "INVALID_LOT_SIZE"),
    ("nothing", "AAPL", BUY, "0.01", "100", "accepted"),
    ("nothing", "AAPL", BUY, "1", "0.99", "INVALID_PRICE"),
    ("nothing", "AAPL", BUY, "1", "100000.01", "INVALID_PRICE"),
    ("nothing", "AAPL", BUY, "1", "0", "INVALID_PRICE"),
    ("nothing", "AAPL", BUY, "1", "100.005", "INVALID_TICK_SIZE"),
    ("nothing", "NONE", BUY, "1", "100", "NO_REFERENCE_PRICE"),
    ("nothing", "NONE", BUY, "1", None, "NO_REFERENCE_PRICE"),
    ("nothing", "AAPL", BUY, "1", "120", "accepted"),
    ("nothing", "AAPL", BUY, "1", "120.01", "PRICE_OUT_OF_BAND"),
    ("nothing", "AAPL", BUY, "1", "1", "accepted"),
    ("nothing", "AAPL", SELL, "1", "80", "accepted"),
    ("nothing", "AAPL", SELL, "1", "79.99", "PRICE_OUT_OF_BAND"),
    ("nothing", "AAPL", SELL, "1", "100000", "accepted"),
    ("limits", "AAPL", SELL, "50", "80", "INSUFFICIENT_SHARES"),
    ("limits", "AAPL", SELL, "50.01", "80", "ORDER_TOO_LARGE"),
    ("limits", "AAPL", BUY, "40", "100", "accepted"),
    ("limits", "AAPL", BUY, "40.01", "100", "ORDER_VALUE_TOO_LARGE"),
    ("nothing", "AAPL", BUY, "100", "100", "accepted"),
    ("nothing", "AAPL", BUY, "100.01", "100", "INSUFFICIENT_FUNDS"),
    ("nothing", "AAPL", SELL, "10", "100", "accepted"),
    ("nothing", "AAPL", SELL, "10.01", "100", "INSUFFICIENT_SHARES"),
]


def market() -> World:
    """Ann has 10 000 dollars and 10 shares; beside AAPL there are markets she may not trade in."""
    world = World(sessions=((0, 10**15),))
    world.do(stock("EURX", currency="EUR"))
    world.do(stock("NONE", reference="0"))
    world.do(stock("TAPE", source=PriceSource.TAPE))
    world.open("ann", cash="10000", shares="10")
    return world


@pytest.mark.parametrize(("before", "symbol", "side", "quantity", "price", "outcome"), ROWS)
def test_what_an_order_is_refused_for(
    before: str, symbol: str, side: Side, quantity: str, price: str | None, outcome: str
) -> None:
    world = market()
    if symbol == "LATE":
        world.do(SetCalendar("late", ((10**15, 10**15 + 1),)))
        world.do(stock("LATE", calendar="late"))
    CHANGES[before](world)
    account = world.account("ann")
    money = account.cash_e4, account.held_e4
    applied = world.place("ann", side, quantity, price, symbol=symbol)
    assert refusal(applied) == outcome
    if outcome != "accepted":
        assert len(applied.events) == 1
        assert (account.cash_e4, account.held_e4) == money
        assert not account.orders


def test_an_order_for_no_account_is_refused() -> None:
    world = market()
    assert refusal(world.place("nobody", BUY, "1", "100")) == "ACCOUNT_NOT_FOUND"


def test_a_market_order_with_a_price_is_malformed() -> None:
    world = market()
    command = PlaceOrder("AAPL", BUY, MARKET, e8("1"), e4("100"), DAY)
    assert refusal(world.do(command, "ann")) == "INVALID_PRICE"


def test_too_many_open_orders() -> None:
    world = market()
    CHANGES["limits"](world)
    world.buy("ann", "1", "10")
    order = world.buy("ann", "1", "10")
    assert refusal(world.place("ann", BUY, "1", "10")) == "TOO_MANY_OPEN_ORDERS"
    world.cancel("ann", order)
    assert refusal(world.place("ann", BUY, "1", "10")) == "accepted"


def test_the_band_follows_the_last_trade_where_our_own_trades_make_the_price() -> None:
    world = market()
    world.open("bob", cash="10000")
    world.sell("ann", "1", "110")
    world.buy("bob", "1", "110")
    assert refusal(world.place("bob", BUY, "1", "132")) == "accepted"
    assert refusal(world.place("bob", BUY, "1", "132.01")) == "PRICE_OUT_OF_BAND"


def test_the_band_follows_the_marks_where_a_tape_makes_the_price() -> None:
    world = market()
    world.do(Marks((("TAPE", e4("50")),)))
    assert refusal(world.place("ann", BUY, "1", "60", symbol="TAPE")) == "accepted"
    assert refusal(world.place("ann", BUY, "1", "60.01", symbol="TAPE")) == "PRICE_OUT_OF_BAND"


@pytest.mark.parametrize(
    ("band_bps", "buy_limit", "sell_limit"),
    [(2_000, "105", "95"), (500, "105", "95"), (100, "101", "99")],
)
def test_a_market_order_is_collared_by_the_narrower_of_collar_and_band(
    band_bps: int, buy_limit: str, sell_limit: str
) -> None:
    world = World(listings=[stock(band_bps=band_bps)])
    world.open("ann", cash="10000", shares="10")
    assert world.buy("ann", "1", None).limit_e4 == e4(buy_limit)
    assert world.sell("ann", "1", None).limit_e4 == e4(sell_limit)


@pytest.mark.parametrize(("side", "limit"), [(BUY, "104.97"), (SELL, "94.99")])
def test_a_collar_is_rounded_towards_the_price(side: Side, limit: str) -> None:
    """5 % around 99.98 is 94.981 to 104.979, between ticks of 0.01."""
    world = World(listings=[stock(reference="99.98")])
    world.open("ann", cash="10000", shares="10")
    place = world.buy if side is BUY else world.sell
    assert place("ann", "1", None).limit_e4 == e4(limit)


def test_checks_are_made_in_the_order_of_their_numbers() -> None:
    """An order with everything wrong is told the first thing; each repair uncovers the next."""
    world = market()
    wrong = PlaceOrder("AAPL", SELL, LIMIT, 10**18, 5, DAY)
    assert refusal(world.do(wrong)) == "ACCOUNT_NOT_FOUND"
    CHANGES["disabled"](world)
    assert refusal(world.do(wrong, "ann")) == "ACCOUNT_DISABLED"
    world.do(SetAccountStatus(world.ids["ann"], AccountStatus.ACTIVE, ""))
    CHANGES["kill AAPL"](world)
    CHANGES["halted"](world)
    assert refusal(world.do(wrong, "ann")) == "KILL_SWITCH_ON"
    world.do(SetKillSwitch(KillScope.SYMBOL, "AAPL", on=False, reason=""))
    assert refusal(world.do(wrong, "ann")) == "SYMBOL_HALTED"


def test_the_worst_accepted_order_fits_the_columns() -> None:
    """The dearest order that the limits can allow holds less than a BIGINT carries."""
    world = World(listings=[stock(high="1000000000", reference="1000000000", lot="1")])
    account_id = world.open("ann", cash="99000000000000")
    assert account_id
    quantity_e8 = NOTIONAL_MAX_E4 // (10**9 * 10**4) * 10**8
    assert quantity_e8 <= QUANTITY_MAX_E8
    applied = world.do(PlaceOrder("AAPL", BUY, LIMIT, quantity_e8, 10**13, DAY), "ann")
    assert refusal(applied) == "accepted"
    assert world.account("ann").held_e4 == NOTIONAL_MAX_E4 < 2**63
