"""Passes: what lets in at no further charge, what it costs, and what the tariff sells."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.booking_commands import BuyPass, CancelPass, IssuePass
from engine.parking.booking_events import PassSet
from engine.parking.kinds import ChargeKind, LotStatus, PassKind, PassStatus
from engine.parking.passes import PassOffer, quote_pass
from engine.parking.tariff_commands import SetTariff
from engine.parking.tariff_records import LineCode, PassProduct
from engine.parking.zones import after_days_us, weekday
from engine.units import DAY_US
from tests.engine.parking.booking_world import TARIFF, BookingWorld, clock, receipt
from tests.engine.parking.parking_world import LOT, SPACES
from tests.engine.parking.tariff_world import BERLIN, utc_us
from tests.engine.world import e4, of_kind, refusal

TODAY = 1 << weekday(100)
"""The bit of the weekday on which tests happen."""


def test_a_season_pass_is_free_of_charge_on_its_own_space() -> None:
    world = BookingWorld(spaces=SPACES[:2])
    sell = IssuePass(
        world.vehicles["ANN1"],
        "P1",
        PassKind.SEASON,
        clock("8:00"),
        clock("+30 8:00"),
        e4("50"),
        e4("8"),
        space="G-2",
    )
    charged = receipt(world.operator(sell))
    assert (charged.kind, charged.total_e4, charged.tax_e4) == (ChargeKind.PASS, e4("50"), e4("8"))
    assert world.cash("ann") == ("50", "0")
    assert refusal(world.operator(replace(sell, vehicle_id=world.vehicles["BOB1"]))) == "PARKING_FULL"
    assert world.number(world.booked("bob", "9:00", "10:00")) == "G-1"
    assert world.right("ANN1") == ("PASS", "G-2")
    stay = world.enter("ANN1")
    assert (stay.from_us, stay.until_us) == (0, 0)
    world.to("20:00")
    assert world.leave("ANN1")[0] == "EXIT_PAID"
    assert world.cash("ann") == ("50", "0")
    (over,) = [event for event in world.to("+30 8:00") if isinstance(event, PassSet)]
    assert over.season_pass.status.name == "ENDED"
    assert world.right("ANN1")[0] == "WALLET"


def test_a_recurring_pass_is_good_on_its_days_between_its_hours() -> None:
    world = BookingWorld()
    sell = IssuePass(
        world.vehicles["ANN1"],
        "P1",
        PassKind.RECURRING,
        clock("8:00"),
        clock("+30 8:00"),
        0,
        0,
        TODAY,
        8 * 60,
        18 * 60,
    )
    world.operator(sell)
    assert world.right("ANN1")[0] == "PASS"
    world.enter("ANN1")
    world.to("19:00")
    reason, charged = world.leave("ANN1")  # an hour after its end
    assert (reason, charged.total_e4) == ("EXIT_CHARGED", e4("1"))
    assert world.right("ANN1")[0] == "WALLET"
    world.to("+1 9:00")
    assert world.right("ANN1")[0] == "WALLET"
    world.to("+7 9:00")
    assert world.right("ANN1")[0] == "PASS"
    (pass_id,) = world.parking.passes
    assert refusal(world.operator(CancelPass(pass_id))) == "accepted"
    assert refusal(world.operator(CancelPass(pass_id))) == "PASS_NOT_FOUND"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"vehicle_id": 1}, "VEHICLE_NOT_FOUND"),
        ({"lot": "P9"}, "PARKING_LOT_NOT_FOUND"),
        ({"end_us": clock("8:00")}, "INVALID_PASS"),
        ({"end_us": clock("8:00") + 401 * DAY_US}, "INVALID_PASS"),
        ({"weekdays": 1}, "INVALID_PASS"),
        ({"kind": PassKind.RECURRING, "weekdays": 0}, "INVALID_PASS"),
        ({"kind": PassKind.RECURRING, "from_minute": 600, "to_minute": 600}, "INVALID_PASS"),
        ({"tax_e4": e4("51")}, "INVALID_PASS"),
        ({"space": "G-9"}, "SPACE_NOT_FOUND"),
        ({"price_e4": e4("101")}, "INSUFFICIENT_FUNDS"),
        ({}, "accepted"),
    ],
)
def test_the_table_of_passes(changes: dict[str, object], expected: str) -> None:
    world = BookingWorld()
    sell = IssuePass(world.vehicles["ANN1"], "P1", PassKind.SEASON, clock("8:00"), clock("+9 8:00"), e4("50"))
    assert refusal(world.operator(replace(sell, **changes))) == expected


SOLD = (
    PassProduct("MONTH", "30 days", PassKind.SEASON, 30, e4("50")),
    PassProduct("OWN", "a day, own space", PassKind.SEASON, 1, e4("9.995"), reserved=True),
    PassProduct("NIGHTS", "nights", PassKind.RECURRING, 7, 0, TODAY, 18 * 60, 24 * 60),
)


def world_that_sells(**more: object) -> BookingWorld:
    """The lot's tariff has passes from its second version on."""
    world = BookingWorld(spaces=SPACES[:1])
    world.operator(SetTariff(replace(TARIFF, passes=SOLD, **more)))
    return world


def wanted(world: BookingWorld, code: str = "MONTH", begin: str = "9:00") -> BuyPass:
    return BuyPass("P1", world.vehicles["ANN1"], code, clock(begin))


def test_a_pass_costs_what_it_was_quoted_and_explains_itself() -> None:
    world = world_that_sells()
    offer = quote_pass(world.state, Envelope(Source.HTTP, 7, world.ids["ann"]), wanted(world), world.now_us)
    assert isinstance(offer, PassOffer)
    assert (offer.obstacle, world.cash("ann")) == (None, ("100", "0"))
    bought = world.do(wanted(world), "ann")
    charged = receipt(bought)
    (line,) = charged.lines
    assert (charged.kind, charged.total_e4, charged.tax_e4) == (ChargeKind.PASS, e4("50"), offer.price.tax_e4)
    assert (line.code, line.amount_e4, line.label) == (LineCode.PASS, e4("50"), "30 days")
    (sold,) = [event.season_pass for event in of_kind(bought, PassSet)]
    assert (sold.end_us, sold.product, sold.price_e4) == (clock("+30 9:00"), "MONTH", e4("50"))
    assert replace(offer.draft, pass_id=sold.pass_id) == sold
    assert world.cash("ann") == ("50", "0")
    world.to("9:00")
    assert world.right("ANN1")[0] == "PASS"
    assert refusal(world.do(CancelPass(sold.pass_id), "bob")) == "PASS_NOT_FOUND"
    (back,) = of_kind(world.do(CancelPass(sold.pass_id), "ann"), PassSet)
    assert (back.season_pass.status, world.cash("ann")) == (PassStatus.CANCELLED, ("50", "0"))


def test_a_pass_with_a_space_of_its_own_takes_it_and_rounds_to_the_coin() -> None:
    world = world_that_sells(tax_inclusive=False)
    charged = receipt(world.do(wanted(world, "OWN"), "ann"))
    assert [line.code.name for line in charged.lines] == ["PASS", "ROUNDING", "TAX"]
    assert (charged.total_e4, charged.tax_e4) == (e4("12"), e4("2"))
    bob = replace(wanted(world, "OWN"), vehicle_id=world.vehicles["BOB1"])
    assert refusal(world.do(bob, "bob")) == "PARKING_FULL"
    assert refusal(world.do(world.asked("bob", "10:00", "11:00"), "bob")) == "PARKING_FULL"


def test_the_table_of_what_is_bought() -> None:
    world = world_that_sells()
    world.open("hans", cash="10", currency="EUR")
    world.vehicle("hans", "HANS1")
    good = wanted(world)
    table = [
        (replace(good, lot="P9"), "ann", "PARKING_LOT_NOT_FOUND"),
        (good, "bob", "VEHICLE_NOT_FOUND"),
        (replace(good, vehicle_id=world.vehicles["HANS1"]), "hans", "CURRENCY_MISMATCH"),
        (replace(good, product="YEAR"), "ann", "PASS_NOT_FOUND"),
        (replace(good, version=1), "ann", "PASS_NOT_FOUND"),
        (replace(good, version=7), "ann", "QUOTE_EXPIRED"),
        (replace(good, begin_us=clock("7:00")), "ann", "INVALID_INTERVAL"),
        (replace(good, begin_us=clock("9:00") + 1), "ann", "INVALID_INTERVAL"),
        (replace(good, begin_us=clock("+401 9:00")), "ann", "INVALID_INTERVAL"),
        (replace(good, price_max_e4=e4("49")), "ann", "PRICE_CHANGED"),
        (replace(good, price_max_e4=e4("50"), version=2), "ann", "accepted"),
        (good, "ann", "accepted"),
        (good, "ann", "INSUFFICIENT_FUNDS"),
        (replace(good, product="NIGHTS"), "ann", "accepted"),
    ]
    for command, who, expected in table:
        assert refusal(world.do(command, who)) == expected, command
    world.operator(replace(LOT, time_zone="UTC", tariff="STD", status=LotStatus.CLOSED))
    assert refusal(world.do(good, "ann")) == "PARKING_LOT_CLOSED"


def test_a_pass_ends_when_the_clock_shows_what_it_showed() -> None:
    begin_us = utc_us("2026-03-20 07:00")  # eight in Berlin, before and after the clocks go forward
    assert after_days_us(BERLIN, begin_us, 30) == utc_us("2026-04-19 06:00")
    assert after_days_us(BERLIN, begin_us, 7) == begin_us + 7 * DAY_US


def test_who_owes_something_buys_no_pass() -> None:
    world = world_that_sells()
    world.open("eve", cash="0.50")
    world.vehicle("eve", "EVE1")
    world.enter("EVE1")
    world.to("10:00")
    world.leave("EVE1")
    asked = BuyPass("P1", world.vehicles["EVE1"], "NIGHTS", clock("11:00"))
    assert refusal(world.do(asked, "eve")) == "PARKING_DEBT"
