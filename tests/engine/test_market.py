"""Instruments and what operators do to them: listings, halts, kill switches, marks, fees, limits."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from engine.commands import (
    AnyCommand,
    HaltSymbol,
    Marks,
    ResumeSymbol,
    SetCalendar,
    SetFees,
    SetInstrument,
    SetKillSwitch,
    SetLimits,
)
from engine.events import InstrumentSet, KillSwitchSet, OrderUpdated, PhaseChanged
from engine.kinds import CloseReason, KillScope, Phase, PriceSource
from engine.units import NOTIONAL_MAX_E4, PRICE_MAX_E4, QUANTITY_MAX_E8, TIME_MAX_US
from tests.engine.world import BUY, World, e4, e8, of_kind, refusal, stock


@pytest.fixture
def world() -> World:
    world = World(listings=[stock(), stock("MSFT")])
    world.open("ann", cash="10000", shares="100")
    world.open("mm", cash="10000", maker=True)
    return world


LISTINGS = [
    (stock("NEW"), "accepted"),
    (stock("NEW", calendar="nope"), "CALENDAR_NOT_FOUND"),
    (stock(""), "INVALID_INSTRUMENT"),
    (stock("USD"), "INVALID_INSTRUMENT"),
    (stock("EUR", currency="EUR"), "INVALID_INSTRUMENT"),
    (stock("NEW", currency=""), "INVALID_INSTRUMENT"),
    (stock("NEW", currency="MSFT"), "INVALID_INSTRUMENT"),
    (stock("NEW", fees="nope"), "INVALID_INSTRUMENT"),
    (stock("NEW", tick="0"), "INVALID_INSTRUMENT"),
    (stock("NEW", tick="-0.01"), "INVALID_INSTRUMENT"),
    (stock("NEW", lot="0"), "INVALID_INSTRUMENT"),
    (stock("NEW", low="0"), "INVALID_INSTRUMENT"),
    (stock("NEW", low="1.005", tick="0.01"), "INVALID_INSTRUMENT"),
    (stock("NEW", low="2", high="1"), "INVALID_INSTRUMENT"),
    (stock("NEW", reference="-1"), "INVALID_INSTRUMENT"),
    (stock("NEW", reference="100000.01"), "INVALID_INSTRUMENT"),
    (stock("NEW", band_bps=0), "INVALID_INSTRUMENT"),
    (stock("NEW", band_bps=10_000), "INVALID_INSTRUMENT"),
    (stock("NEW", lot="0.0001", low="1"), "accepted"),  # the smallest fill is worth 0.0001
    (stock("NEW", lot="0.00009999", low="1"), "INVALID_INSTRUMENT"),
    (replace(stock("NEW"), price_max_e4=PRICE_MAX_E4 + 100), "INVALID_INSTRUMENT"),
    (replace(stock("NEW"), lot_e8=QUANTITY_MAX_E8 + 1), "INVALID_INSTRUMENT"),
]


@pytest.mark.parametrize(("listing", "outcome"), LISTINGS)
def test_what_can_be_listed(world: World, listing: SetInstrument, outcome: str) -> None:
    assert refusal(world.do(listing)) == outcome


CHANGES = [
    (stock(high="50000"), "accepted", "accepted"),
    (stock(fees="cheap"), "accepted", "accepted"),
    (stock(tick="0.1"), "accepted", "INVALID_INSTRUMENT"),
    (stock(lot="0.005"), "accepted", "INVALID_INSTRUMENT"),
    (stock(lot="0.02"), "INVALID_INSTRUMENT", "INVALID_INSTRUMENT"),  # holdings of 0.01 could not be sold
    (stock(lot="0.004"), "INVALID_INSTRUMENT", "INVALID_INSTRUMENT"),  # 0.01 is no multiple of it
    (stock(currency="EUR"), "INVALID_INSTRUMENT", "INVALID_INSTRUMENT"),
]


@pytest.mark.parametrize("with_open_order", [False, True])
@pytest.mark.parametrize(("change", "when_empty", "with_orders"), CHANGES)
def test_what_may_change_once_listed(
    world: World, change: SetInstrument, when_empty: str, with_orders: str, with_open_order: bool
) -> None:
    world.do(SetFees("cheap", 1, 1))
    if with_open_order:
        world.buy("ann", "0.01", "99.99")
    assert refusal(world.do(change)) == (with_orders if with_open_order else when_empty)


def test_a_listing_reports_itself_and_its_phase(world: World) -> None:
    applied = world.do(stock("NEW"))
    assert len(of_kind(applied, InstrumentSet)) == 1
    assert of_kind(applied, PhaseChanged) == [PhaseChanged("NEW", Phase.CONTINUOUS, "listed")]


def test_a_change_leaves_prices_alone(world: World) -> None:
    world.open("bob", cash="1000")
    world.sell("ann", "1", "101")
    world.buy("bob", "1", "101")
    world.do(stock(reference="55", band_bps=100))
    instrument = world.state.instruments["AAPL"]
    assert (instrument.last_e4, instrument.reference_e4, instrument.band_bps) == (e4("101"), e4("100"), 100)


def test_orders_keep_the_fees_they_were_accepted_with(world: World) -> None:
    world.do(SetFees("std", 1_000, 1_000))
    before = world.buy("ann", "10", "100")
    world.do(SetFees("std", 2_000, 2_000))
    after = world.buy("ann", "10", "100")
    assert (before.hold_e4, after.hold_e4) == (e4("1001"), e4("1002"))


@dataclass
class Limits:
    """SetLimits with one field changed."""

    quantity_e8: int = e8("100")
    value_e4: int = e4("100")
    orders: int = 10
    collar_bps: int = 500
    per_user: int = 10
    keys: int = 100
    ttl_us: int = 1_000

    def command(self) -> SetLimits:
        return SetLimits(
            self.quantity_e8,
            self.value_e4,
            self.orders,
            self.collar_bps,
            self.per_user,
            self.keys,
            self.ttl_us,
        )


BAD_SETTINGS = [
    SetFees("std", -1, 0),
    SetFees("std", 0, -1),
    SetFees("std", 100_001, 0),
    SetFees("std", 0, 100_001),
    Limits(quantity_e8=0).command(),
    Limits(quantity_e8=QUANTITY_MAX_E8 + 1).command(),
    Limits(value_e4=0).command(),
    Limits(value_e4=NOTIONAL_MAX_E4 + 1).command(),
    Limits(orders=0).command(),
    Limits(orders=2**63).command(),
    Limits(collar_bps=0).command(),
    Limits(collar_bps=10_000).command(),
    Limits(per_user=0).command(),
    Limits(per_user=101).command(),
    Limits(keys=2**63).command(),
    Limits(ttl_us=0).command(),
    Limits(ttl_us=TIME_MAX_US + 1).command(),
]


@pytest.mark.parametrize("command", BAD_SETTINGS)
def test_senseless_settings_are_refused(world: World, command: AnyCommand) -> None:
    assert refusal(world.do(command)) == "INVALID_LIMITS"


@pytest.mark.parametrize("command", [SetFees("std", 0, 100_000), Limits().command()])
def test_sound_settings_are_taken(world: World, command: AnyCommand) -> None:
    assert refusal(world.do(command)) == "accepted"


def test_a_halt_stops_orders_and_keeps_the_book(world: World) -> None:
    order = world.buy("ann", "1", "99")
    applied = world.do(HaltSymbol("AAPL", "news pending"))
    assert of_kind(applied, PhaseChanged) == [PhaseChanged("AAPL", Phase.HALTED, "news pending")]
    assert refusal(world.place("ann", BUY, "1", "99")) == "SYMBOL_HALTED"
    assert refusal(world.replace("ann", order, quantity="2")) == "SYMBOL_HALTED"
    assert refusal(world.place("ann", BUY, "1", "99", symbol="MSFT")) == "accepted"
    assert world.book() == (["1@99"], [])
    assert refusal(world.cancel("ann", order)) == "accepted"
    assert of_kind(world.do(ResumeSymbol("AAPL")), PhaseChanged) == [
        PhaseChanged("AAPL", Phase.CONTINUOUS, "resumed")
    ]
    assert refusal(world.place("ann", BUY, "1", "99")) == "accepted"


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        (HaltSymbol("NOPE", ""), "UNKNOWN_SYMBOL"),
        (ResumeSymbol("NOPE"), "UNKNOWN_SYMBOL"),
        (ResumeSymbol("AAPL"), "SYMBOL_NOT_HALTED"),
        (Marks((("NOPE", 1),)), "UNKNOWN_SYMBOL"),
        (Marks((("AAPL", 0),)), "INVALID_PRICE"),
        (Marks((("AAPL", e4("100000.01")),)), "INVALID_PRICE"),
        (SetKillSwitch(KillScope.SYMBOL, "NOPE", on=True, reason=""), "UNKNOWN_SYMBOL"),
        (SetKillSwitch(KillScope.MARKET, "AAPL", on=True, reason=""), "UNKNOWN_SYMBOL"),
        (SetKillSwitch(KillScope.ACCOUNT, "", on=True, reason=""), "ACCOUNT_NOT_FOUND"),
        (SetKillSwitch(KillScope.ACCOUNT, "1", on=True, reason=""), "ACCOUNT_NOT_FOUND"),
        (SetKillSwitch(KillScope.ACCOUNT, "ann", on=True, reason=""), "ACCOUNT_NOT_FOUND"),
        (SetKillSwitch(KillScope.ACCOUNT, "²", on=True, reason=""), "ACCOUNT_NOT_FOUND"),
        (SetKillSwitch(KillScope.ACCOUNT, "9" * 5_000, on=True, reason=""), "ACCOUNT_NOT_FOUND"),
    ],
)
def test_what_operators_are_refused(world: World, command: AnyCommand, outcome: str) -> None:
    assert refusal(world.do(command)) == outcome


def test_an_account_is_named_in_one_way_only(world: World) -> None:
    padded = "0" + str(world.ids["ann"])
    assert (
        refusal(world.do(SetKillSwitch(KillScope.ACCOUNT, padded, on=True, reason=""))) == "ACCOUNT_NOT_FOUND"
    )


def test_marks_are_taken_all_or_none(world: World) -> None:
    assert refusal(world.do(Marks((("AAPL", e4("90")), ("NOPE", 1))))) == "UNKNOWN_SYMBOL"
    assert world.state.instruments["AAPL"].reference_e4 == e4("100")
    world.do(Marks((("AAPL", e4("90")), ("MSFT", e4("80")))))
    assert [world.state.instruments[symbol].reference_e4 for symbol in ("AAPL", "MSFT")] == [
        e4("90"),
        e4("80"),
    ]


# scope, target | left open: Ann in AAPL, Ann in MSFT, the maker's quote in AAPL
KILLS = [
    (KillScope.MARKET, "", (False, False, False)),
    (KillScope.SYMBOL, "AAPL", (False, True, False)),
    (KillScope.ACCOUNT, "ann", (False, False, True)),
    (KillScope.ACCOUNT, "mm", (True, True, False)),
]


@pytest.mark.parametrize(("scope", "target", "left"), KILLS)
def test_a_kill_switch_cancels_and_refuses_in_its_scope(
    world: World, scope: KillScope, target: str, left: tuple[bool, bool, bool]
) -> None:
    world.buy("ann", "1", "99")
    world.accepted(world.place("ann", BUY, "1", "99", symbol="MSFT"))
    world.quote("mm", [("1", "98")], [])
    target = str(world.ids[target]) if scope is KillScope.ACCOUNT else target
    applied = world.do(SetKillSwitch(scope, target, on=True, reason="drill"))
    assert of_kind(applied, KillSwitchSet) == [KillSwitchSet(scope, target, on=True, reason="drill")]
    assert {order.reason for order in of_kind(applied, OrderUpdated)} <= {CloseReason.KILL_SWITCH}
    bids = world.book("AAPL")[0], world.book("MSFT")[0]
    assert ("1@99" in bids[0], "1@99" in bids[1], "1@98" in bids[0]) == left
    tries = (
        world.place("ann", BUY, "1", "99"),
        world.place("ann", BUY, "1", "99", symbol="MSFT"),
        world.quote("mm", [("1", "98")], []),
    )
    assert tuple(refusal(each) == "accepted" for each in tries) == left
    world.do(SetKillSwitch(scope, target, on=False, reason="over"))
    assert refusal(world.place("ann", BUY, "1", "97")) == "accepted"


def test_with_a_kill_switch_on_orders_can_still_be_cancelled(world: World) -> None:
    world.do(SetKillSwitch(KillScope.ACCOUNT, str(world.ids["mm"]), on=True, reason=""))
    order = world.buy("ann", "1", "99")
    assert refusal(world.cancel("ann", order)) == "accepted"
    assert refusal(world.cancel_all("mm")) == "accepted"


def test_an_instrument_follows_a_new_calendar(world: World) -> None:
    world.do(SetCalendar("never", ()))
    applied = world.do(stock(calendar="never"))
    assert of_kind(applied, PhaseChanged) == [PhaseChanged("AAPL", Phase.CLOSED, "changed")]
    assert world.state.instruments["AAPL"].price_source is PriceSource.OWN
