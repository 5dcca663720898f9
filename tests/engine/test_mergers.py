"""Mergers for cash, for shares and for both: one row a rule, what becomes of lots and orders, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.action_events import ActionEffected, FractionPaid
from engine.commands import SetLotMethod, TransferIn
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.events import AnyEvent, OrderUpdated, Traded
from engine.kinds import CloseReason, LotMethod
from engine.state import CUSTODY_ACCOUNT_ID, ISSUERS_ACCOUNT_ID
from engine.state_hash import state_hash
from engine.units import MINUTE_US
from tests.engine.bust_facts import facts_of
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.split_world import kinds
from tests.engine.world import BUY, GTC, SELL, World, e4, e8, of_kind, refusal, shown, stock

MERGER, DELISTING = ActionKind.MERGER, ActionKind.DELISTING


def market(lot: str = "1") -> World:
    """Ann has 10 AAPL that cost 10 each, and 5 BIG that cost 20 each; AAPL is at 90, BIG at 60."""
    aapl, big = stock(lot=lot, reference="90"), stock("BIG", lot=lot, reference="60")
    world = World(listings=[aapl, big, stock("EURX", currency="EUR")])
    world.open("ann", cash="10000", shares="10")
    world.do(TransferIn(world.ids["ann"], "BIG", e8("5"), e4("100")))
    world.open("bob", cash="10000")
    return world


def merge(world: World, cash: str = "0", new: int = 1, old: int = 1, symbol: str = "") -> list[AnyEvent]:
    """Declare it for the next minute, and let that come."""
    effective_us = (world.now_us // MINUTE_US + 1) * MINUTE_US
    command = DeclareAction(7, MERGER, "AAPL", effective_us, new, old, symbol, e8(cash))
    assert refusal(world.do(command)) == "accepted"
    mirror = Mirror(world.state)
    events = world.advance(effective_us)
    mirror.cut(world.state)
    assert mirror.rows == all_rows(world.state)
    assert state_hash(restored(mirror.rows)) == state_hash(world.state)
    return events


def lots(world: World, who: str, symbol: str) -> list[tuple[str, str]]:
    """(units, cost) of each, oldest first."""
    position = world.account(who).positions[symbol]
    return [(shown(lot.units_e8, 10**8), shown(lot.cost_e4, 10**4)) for lot in position.lots.values()]


def gained(world: World, who: str = "ann") -> dict[str, str]:
    """What was realised, by symbol."""
    positions = world.account(who).positions.items()
    return {symbol: shown(each.realized_e4, 10**4) for symbol, each in positions if each.realized_e4}


# cash a share, new, old, symbol | ann's cash, her lots of BIG, what she has realised
OUTCOMES: list[tuple[str, int, int, str, str, list[tuple[str, str]], dict[str, str]]] = [
    ("95.5", 1, 1, "", "10955", [("5", "100")], {"AAPL": "855"}),
    ("0", 1, 1, "", "10000", [("5", "100")], {"AAPL": "-100"}),  # worthless
    ("0.00000001", 1, 1, "", "10000", [("5", "100")], {"AAPL": "-100"}),  # a ten-millionth is nothing
    ("0", 3, 2, "BIG", "10000", [("15", "100"), ("5", "100")], {}),
    ("0", 1, 3, "BIG", "10020", [("3", "90.0001"), ("5", "100")], {"BIG": "10.0001"}),  # 0.33333333 at 60
    ("4", 3, 2, "BIG", "10040", [("15", "100"), ("5", "100")], {"AAPL": "40"}),  # the gain is above the cash
    ("4", 1, 3, "BIG", "10060", [("3", "90.0001"), ("5", "100")], {"AAPL": "40", "BIG": "10.0001"}),
]  # fmt: skip


@pytest.mark.parametrize(("cash", "new", "old", "symbol", "after", "big", "realized"), OUTCOMES)
def test_who_has_what_afterwards(
    cash: str,
    new: int,
    old: int,
    symbol: str,
    after: str,
    big: list[tuple[str, str]],
    realized: dict[str, str],
) -> None:
    world = market()
    events = merge(world, cash, new, old, symbol)
    assert world.cash("ann") == (after, "0")
    assert lots(world, "ann", "BIG") == big
    assert gained(world) == realized
    assert world.shares("ann") == ("0", "0")
    assert world.state.outside[CUSTODY_ACCOUNT_ID, "AAPL"] == 0
    assert world.state.instruments["AAPL"].is_delisted
    (effected,) = kinds(events, ActionEffected)
    assert effected.cash_e4 == e4(after) - e4("10000")
    assert world.state.outside.get((ISSUERS_ACCOUNT_ID, "USD"), 0) == -effected.cash_e4
    assert refusal(world.place("ann", SELL, "1", "90")) == "INSTRUMENT_DELISTED"


# what 10 units had cost, 2 BIG (at 60) and 50 of cash for each 10 | gain that counts, cost of the new lot
BOOT = [
    ("100", "50", "100"),  # gain 70: all of the cash counts, the cost stays
    ("140", "30", "120"),  # gain 30: that counts, and the lot costs what it is worth
    ("170", "0", "120"),  # neither gain nor loss
    ("200", "0", "150"),  # a loss of 30 does not count; the cash comes off the cost
]


@pytest.mark.parametrize(("cost", "gain", "left"), BOOT)
def test_cash_and_shares_for_a_lot(cost: str, gain: str, left: str) -> None:
    world = market()
    world.open("cal", cash="0")
    world.do(TransferIn(world.ids["cal"], "AAPL", e8("10"), e4(cost)))
    events = merge(world, "5", 1, 5, "BIG")
    assert lots(world, "cal", "BIG") == [("2", left)]
    assert gained(world, "cal") == ({"AAPL": gain} if gain != "0" else {})
    paid = {each.account_id: each for each in kinds(events, FractionPaid)}[world.ids["cal"]]
    assert (paid.is_merger, paid.units_e8, paid.amount_e4) == (True, e8("10"), e4("50"))
    assert sum(lot[2] for lot in paid.sold_lots) == e4("50") - e4(gain)


def test_lots_keep_ids_and_dates_and_stand_in_their_order_among_the_others() -> None:
    world = market()
    world.sell("ann", "2", "90", GTC)
    world.buy("bob", "2", "90")
    ids = {each.lot_id: each.acquired_us for each in world.state.lots.values()}
    merge(world, "0", 3, 1, "BIG")
    position = world.account("bob").positions["BIG"]
    ((lot_id, lot),) = position.lots.items()
    assert (lot.symbol, lot.units_e8, lot.cost_e4, lot.acquired_us) == (
        "BIG",
        e8("6"),
        e4("180"),
        ids[lot_id],
    )
    assert {each.symbol for each in world.state.lots.values()} == {"BIG"}
    assert list(world.account("ann").positions["BIG"].lots) == sorted(
        world.account("ann").positions["BIG"].lots
    )
    world.place("bob", SELL, "6", "60", symbol="BIG")
    fills = of_kind(world.place("ann", BUY, "6", "60", symbol="BIG"), Traded)
    assert [each.sell_lots[0][0] for each in fills] == [lot_id]


def test_a_market_maker_s_units_go_into_its_pool() -> None:
    world = market()
    mm = world.open("mm", cash="0", shares="4", maker=True)
    world.do(TransferIn(mm, "BIG", e8("3"), e4("30")))
    merge(world, "1", 1, 2, "BIG")
    assert lots(world, "mm", "BIG") == [("5", "70")]
    assert world.cash("mm") == ("4", "0")


def test_the_fraction_is_of_the_lots_that_were_exchanged() -> None:
    """BIG's own lot is older and LIFO would take the newest: the fraction comes of AAPL's all the same."""
    world = market()
    world.do(SetLotMethod(LotMethod.HIFO), "ann")
    events = merge(world, "0", 1, 4, "BIG")
    (paid,) = kinds(events, FractionPaid)
    assert (paid.symbol, paid.units_e8, paid.amount_e4, paid.is_merger) == ("BIG", e8("0.5"), e4("30"), False)
    assert lots(world, "ann", "BIG") == [("2", "80"), ("5", "100")]


def test_orders_end_and_trades_of_before_are_not_busted() -> None:
    world = market()
    world.sell("ann", "2", "90")
    (before,) = of_kind(world.place("bob", BUY, "2", "90"), Traded)
    before_us = world.now_us
    world.buy("bob", "1", "80", GTC)
    events = merge(world, "95")
    assert {each.reason for each in kinds(events, OrderUpdated)} == {CloseReason.CORPORATE_ACTION}
    assert world.cash("bob") == ("10010", "0")
    assert refusal(world.do(facts_of(before, before_us))) == "TRADE_BEFORE_ACTION"


def test_what_was_delisted_can_still_be_paid_out() -> None:
    world = market()
    world.do(DeclareAction(6, DELISTING, "AAPL", MINUTE_US))
    world.advance(MINUTE_US)
    merge(world, "3")
    assert world.cash("ann") == ("10030", "0")


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "accepted"),
        ({"new_symbol": "NOPE"}, "UNKNOWN_SYMBOL"),
        ({"new_symbol": "AAPL"}, "INVALID_ACTION"),
        ({"new_symbol": "EURX"}, "CURRENCY_MISMATCH"),
        ({"new_symbol": ""}, "INVALID_ACTION"),  # so many of nothing
        ({"new_symbol": "", "numerator": 1}, "accepted"),
        ({"numerator": 0}, "INVALID_ACTION"),
        ({"denominator": 10_001}, "INVALID_ACTION"),
        ({"cash_e8": -1}, "INVALID_ACTION"),
        ({"cash_e8": 10**17 + 1}, "INVALID_ACTION"),
        ({"kind": ActionKind.SPLIT, "new_symbol": "", "cash_e8": 1}, "INVALID_ACTION"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], outcome: str) -> None:
    whole = DeclareAction(7, MERGER, "AAPL", MINUTE_US, 2, 1, "BIG", e8("1"))
    assert refusal(market().do(replace(whole, **change))) == outcome


def test_into_what_is_delisted_or_beyond_the_ledger_it_is_refused() -> None:
    world = market()
    whole = DeclareAction(7, MERGER, "AAPL", 2 * MINUTE_US, 1, 1, "BIG")
    most = replace(whole, new_symbol="", cash_e8=10**17)
    world.open("eve", shares="900000")
    assert refusal(world.do(most)) == "BALANCE_LIMIT"
    world.state.instruments["BIG"].reference_e4 = world.state.instruments["BIG"].previous_close_e4 = 0
    assert refusal(world.do(whole)) == "NO_REFERENCE_PRICE"
    world.do(DeclareAction(6, DELISTING, "BIG", MINUTE_US))
    world.advance(MINUTE_US)
    assert refusal(world.do(whole)) == "INSTRUMENT_DELISTED"
