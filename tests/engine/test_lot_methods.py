"""Which lots a sale takes, at which cost: by the account's method, by the order's own, and by name."""

from __future__ import annotations

from random import Random

import pytest

from engine.apply import Applied
from engine.commands import PlaceOrder, SetLotMethod
from engine.events import LotMethodSet, Traded
from engine.kinds import LotMethod
from engine.state import Position
from engine.state_hash import state_hash
from engine.terms import Terms
from tests.engine.bust_facts import facts_of
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.world import BUY, DAY, LIMIT, SELL, World, e4, e8, of_kind, refusal

FIFO, LIFO, HIFO = LotMethod.FIFO, LotMethod.LIFO, LotMethod.HIFO
AVERAGE, SPECIFIC = LotMethod.AVERAGE, LotMethod.SPECIFIC
METHODS = (FIFO, LIFO, HIFO, AVERAGE)


def market(*purchases: tuple[str, str]) -> World:
    """Ann has bought (quantity, price) one after the other; bob buys whatever is sold, cal has shares."""
    world = World()
    world.open("ann", cash="1000000")
    world.open("bob", cash="1000000")
    world.open("cal", cash="1000000", shares="10000")
    for quantity, price in purchases:
        buy(world, quantity, price)
    return world


def buy(world: World, quantity: str, price: str) -> None:
    world.sell("cal", quantity, price)
    world.buy("ann", quantity, price)


def position(world: World, who: str = "ann") -> Position:
    return world.account(who).positions["AAPL"]


def lots(world: World) -> list[tuple[str, str]]:
    """What is left: (units, cost)."""
    return [(short(lot.units_e8, 8), short(lot.cost_e4, 4)) for lot in position(world).lots.values()]


def short(value: int, decimals: int) -> str:
    return f"{value / 10**decimals:.4f}".rstrip("0").rstrip(".")


def order(
    world: World, quantity: str, price: str, method: LotMethod | None = None, *named: tuple[int, str]
) -> Applied:
    """Ann sells; `named` are (place of a lot among hers, units)."""
    ids = list(position(world).lots)
    terms = Terms(lot_method=method, lots=tuple((ids[place], e8(units)) for place, units in named))
    command = PlaceOrder("AAPL", SELL, LIMIT, e8(quantity), e4(price), DAY, terms=terms)
    return world.do(command, "ann")


def sold(
    world: World, quantity: str, price: str, method: LotMethod | None = None, *named: tuple[int, str]
) -> list[tuple[str, str]]:
    """Ann sells to bob; what the fill took: (units, cost) of each lot."""
    world.place("bob", BUY, quantity, price)
    (fill,) = of_kind(order(world, quantity, price, method, *named), Traded)
    return [(short(units_e8, 8), short(cost_e4, 4)) for _, units_e8, cost_e4, _ in fill.sell_lots]


# bought, then sold 12 at 105 | method | what was taken, what is left, what was realised
TWO = (("10", "100"), ("5", "110"))
THREE = (*TWO, ("5", "110"))
TAKEN = [
    (TWO, FIFO, [("10", "1000"), ("2", "220")], [("3", "330")], "40"),
    (TWO, LIFO, [("5", "550"), ("7", "700")], [("3", "300")], "10"),
    (TWO, HIFO, [("5", "550"), ("7", "700")], [("3", "300")], "10"),
    (TWO, AVERAGE, [("10", "1033.3333"), ("2", "206.6667")], [("3", "310")], "20"),
    (THREE, HIFO, [("5", "550"), ("5", "550"), ("2", "200")], [("8", "800")], "-40"),
    (THREE, LIFO, [("5", "550"), ("5", "550"), ("2", "200")], [("8", "800")], "-40"),
    (TWO[::-1], HIFO, [("5", "550"), ("7", "700")], [("3", "300")], "10"),
    (TWO[::-1], LIFO, [("10", "1000"), ("2", "220")], [("3", "330")], "40"),
    (TWO[::-1], AVERAGE, [("5", "516.6666"), ("7", "723.3334")], [("3", "310")], "20"),
]


@pytest.mark.parametrize("by", ["account", "order"])
@pytest.mark.parametrize(("bought", "method", "taken", "left", "realized"), TAKEN)
def test_a_sale_takes_lots_by_the_method(
    by: str,
    bought: tuple[tuple[str, str], ...],
    method: LotMethod,
    taken: list[tuple[str, str]],
    left: list[tuple[str, str]],
    realized: str,
) -> None:
    world = market(*bought)
    if by == "account":
        world.do(SetLotMethod(method), "ann")
    assert sold(world, "12", "105", method if by == "order" else None) == taken
    assert lots(world) == left
    assert short(position(world).realized_e4, 4) == realized
    assert short(world.account("ann").realized_e4, 4) == realized


def test_of_two_equally_dear_lots_the_oldest_goes_first() -> None:
    world = market(("1", "100"), ("2", "100"), ("3", "100"))
    assert sold(world, "4", "105", HIFO) == [("1", "100"), ("2", "200"), ("1", "100")]


def test_the_dearest_are_found_again_after_sales_and_purchases() -> None:
    world = market(("2", "100"), ("2", "105"))
    world.do(SetLotMethod(HIFO), "ann")
    assert sold(world, "1", "110") == [("1", "105")]
    buy(world, "2", "103")
    buy(world, "2", "107")
    assert sold(world, "4", "110") == [("2", "214"), ("1", "105"), ("1", "103")]
    assert lots(world) == [("2", "200"), ("1", "103")]


def test_an_average_is_spread_once_and_holds_for_what_is_left() -> None:
    """10 at 100 and 5 at 110 average 103.3333; a purchase of 10 at 120 makes it a new one."""
    world = market(*TWO)
    world.do(SetLotMethod(AVERAGE), "ann")
    sold(world, "1", "105")
    assert lots(world) == [("9", "930"), ("5", "516.6667")]
    assert sold(world, "1", "105") == [("1", "103.3333")]
    buy(world, "10", "120")
    assert sold(world, "3", "120") == [("3", "331.7391")]
    world.do(SetLotMethod(FIFO), "ann")  # what was averaged stays so
    assert lots(world)[0] == ("5", "552.8986")


def test_specific_lots_are_taken_as_they_are_named() -> None:
    world = market(("5", "100"), ("5", "101"), ("5", "102"))
    assert sold(world, "6", "105", SPECIFIC, (2, "2"), (0, "4")) == [("2", "204"), ("4", "400")]
    assert lots(world) == [("1", "100"), ("5", "505"), ("3", "306")]


def test_a_specific_order_that_fills_in_parts_goes_on_where_it_stopped() -> None:
    world = market(("5", "100"), ("5", "101"), ("5", "102"))
    order(world, "6", "105", SPECIFIC, (2, "4"), (1, "2"))
    taken = []
    for quantity in ("3", "2", "1"):
        (fill,) = of_kind(world.place("bob", BUY, quantity, "105"), Traded)
        taken.append([(short(part[1], 8), short(part[2], 4)) for part in fill.sell_lots])
    assert taken == [[("3", "306")], [("1", "102"), ("1", "101")], [("1", "101")]]


INSTEAD = [(FIFO, "102"), (LIFO, "101"), (HIFO, "102"), (AVERAGE, "101.5")]


@pytest.mark.parametrize(("method", "instead"), INSTEAD)
def test_what_a_named_lot_has_no_more_comes_by_the_accounts_method(method: LotMethod, instead: str) -> None:
    """All three units of the second lot are named; another order sells the first lot and one unit of those first."""
    world = market(("5", "100"), ("3", "101"), ("5", "102"), ("5", "101"))
    world.do(SetLotMethod(method), "ann")
    order(world, "3", "106", SPECIFIC, (1, "3"))
    assert sold(world, "6", "105", FIFO) == [("5", "500"), ("1", "101")]
    (fill,) = of_kind(world.place("bob", BUY, "3", "106"), Traded)
    taken = [(short(part[1], 8), short(part[2], 4)) for part in fill.sell_lots]
    assert taken == [("2", "202"), ("1", instead)]


def terms(method: LotMethod | None, *lots: tuple[int, str]) -> Terms:
    return Terms(lot_method=method, lots=tuple((place, e8(units)) for place, units in lots))


# side, quantity, what it says; lots by their place among ann's, 9 is cal's and 8 is one of another symbol, 7 nobody's
REFUSED = [
    (SELL, "5", terms(SPECIFIC, (0, "5")), "accepted"),
    (SELL, "5", terms(SPECIFIC, (0, "3"), (1, "2")), "accepted"),
    (SELL, "5", terms(SPECIFIC, (0, "4")), "INVALID_TERMS"),
    (SELL, "4", terms(SPECIFIC, (0, "5")), "INVALID_TERMS"),
    (SELL, "5", terms(SPECIFIC, (0, "3"), (0, "2")), "INVALID_TERMS"),
    (SELL, "5", terms(SPECIFIC, (0, "5"), (1, "0")), "INVALID_TERMS"),
    (SELL, "5", terms(SPECIFIC), "INVALID_TERMS"),
    (SELL, "5", terms(None, (0, "5")), "INVALID_TERMS"),
    (SELL, "5", terms(HIFO, (0, "5")), "INVALID_TERMS"),
    (BUY, "5", terms(SPECIFIC, (0, "5")), "INVALID_TERMS"),
    (BUY, "5", terms(LIFO), "INVALID_TERMS"),
    (SELL, "6", terms(SPECIFIC, (0, "6")), "LOT_NOT_FOUND"),
    (SELL, "5", terms(SPECIFIC, (9, "5")), "LOT_NOT_FOUND"),
    (SELL, "5", terms(SPECIFIC, (7, "5")), "LOT_NOT_FOUND"),
    (SELL, "5", terms(SPECIFIC, (2, "5")), "LOT_TAKEN"),
    (SELL, "5", terms(SPECIFIC, (0, "4"), (2, "1")), "LOT_TAKEN"),
    (SELL, "5", terms(SPECIFIC, (0, "4"), (3, "1")), "accepted"),
]


@pytest.mark.parametrize(("side", "quantity", "said", "outcome"), REFUSED)
def test_what_an_order_may_say_of_lots(side: int, quantity: str, said: Terms, outcome: str) -> None:
    """An open order names 5 of the third lot, and 1 of the fourth, which it has filled."""
    world = market(("5", "100"), ("5", "101"), ("5", "102"), ("5", "103"))
    order(world, "6", "110", SPECIFIC, (3, "1"), (2, "5"))
    world.place("bob", BUY, "1", "110")
    ids = dict(enumerate(position(world).lots)) | {9: next(iter(position(world, "cal").lots)), 7: 123}
    named = tuple((ids[place], units_e8) for place, units_e8 in said.lots)
    command = PlaceOrder(
        "AAPL", BUY if side == BUY else SELL, LIMIT, e8(quantity), e4("105"), DAY,
        terms=Terms(lot_method=said.lot_method, lots=named),
    )  # fmt: skip
    assert refusal(world.do(command, "ann")) == outcome


def test_lots_are_free_again_when_the_order_is_gone() -> None:
    world = market(("5", "100"))
    first = world.accepted(order(world, "3", "110", SPECIFIC, (0, "3")))
    assert refusal(order(world, "2", "110", SPECIFIC, (0, "2"))) == "LOT_TAKEN"
    world.cancel("ann", first)
    assert refusal(order(world, "2", "110", SPECIFIC, (0, "2"))) == "accepted"


def test_a_replacement_keeps_its_lots_as_far_as_they_are_left() -> None:
    world = market(("5", "100"), ("5", "101"))
    first = world.accepted(order(world, "8", "110", SPECIFIC, (1, "5"), (0, "3")))
    world.place("bob", BUY, "2", "110")
    assert refusal(world.replace("ann", first, quantity="9")) == "INVALID_REPLACE"
    second = world.accepted(world.replace("ann", first, quantity="6", price="109"))
    (newer,) = [lot for lot in position(world).lots.values() if lot.cost_e4 == e4("303")]
    assert second.special is not None
    assert second.special.terms.lots[0] == (newer.lot_id, e8("3"))
    assert [units_e8 for _, units_e8 in second.special.terms.lots] == [e8("3"), e8("1")]
    (fill,) = of_kind(world.place("bob", BUY, "4", "109"), Traded)
    assert [short(part[2], 4) for part in fill.sell_lots] == ["303", "100"]


def test_who_may_set_a_method() -> None:
    world = market(("5", "100"))
    world.open("mm", cash="1000", shares="10", maker=True)
    applied = world.do(SetLotMethod(LIFO), "ann")
    assert of_kind(applied, LotMethodSet) == [LotMethodSet(world.ids["ann"], LIFO)]
    assert refusal(world.do(SetLotMethod(SPECIFIC), "ann")) == "INVALID_TERMS"
    assert refusal(world.do(SetLotMethod(LIFO), "mm")) == "INVALID_TERMS"
    assert refusal(world.do(SetLotMethod(LIFO), "nobody")) == "ACCOUNT_NOT_FOUND"
    assert world.account("ann").lot_method is LIFO


def test_a_market_makers_pool_is_sold_as_ever() -> None:
    world = market()
    world.open("mm", cash="100000", shares="10", maker=True)
    command = PlaceOrder("AAPL", SELL, LIMIT, e8("1"), e4("100"), DAY, terms=Terms(lot_method=LIFO))
    assert refusal(world.do(command, "mm")) == "INVALID_TERMS"
    world.sell("mm", "4", "100")
    (fill,) = of_kind(world.place("bob", BUY, "4", "100"), Traded)
    assert [part[1:3] for part in fill.sell_lots] == [(e8("4"), e4("40"))]


@pytest.mark.parametrize("method", [*METHODS, SPECIFIC])
def test_a_bust_gives_the_lots_back_that_the_method_took(method: LotMethod) -> None:
    world = market(*THREE)
    if method is not SPECIFIC:
        world.do(SetLotMethod(method), "ann")
    sold(world, "1", "105", None)  # an average is spread by now, and a lot broken into
    before = lots(world), position(world).cost_e4, position(world).realized_e4
    world.place("bob", BUY, "12", "106")
    named = ((2, "5"), (0, "7")) if method is SPECIFIC else ()
    (fill,) = of_kind(order(world, "12", "106", method, *named), Traded)
    assert world.do(facts_of(fill, world.now_us)).refused is None
    assert (lots(world), position(world).cost_e4, position(world).realized_e4) == before


def test_a_purchase_that_was_averaged_leaves_with_what_was_paid_for_it() -> None:
    """10 at 100 and 10 at 120 average 110. Without the first, 9 at 120 are left of which one was sold at 130."""
    world = market()
    world.do(SetLotMethod(AVERAGE), "ann")
    world.sell("cal", "10", "100")
    (fill,) = of_kind(world.place("ann", BUY, "10", "100"), Traded)
    facts = facts_of(fill, world.now_us)
    buy(world, "10", "120")
    sold(world, "1", "120")
    assert position(world).realized_e4 == e4("10")
    assert world.do(facts).refused is None
    assert lots(world) == [("9", "1090")]  # 2 200 paid, 110 sold, 1 000 taken back
    assert position(world).realized_e4 == e4("10")


def test_whatever_is_sold_how_nothing_is_lost_and_recovery_goes_on_in_the_same_way() -> None:
    """Random sales by random methods, busts, and a recovery now and then: World.do checks every invariant."""
    dice = Random(11)
    world = market()
    mirror = Mirror(world.state)
    made = []
    for _ in range(600):
        if dice.random() < 0.4 or "AAPL" not in world.account("ann").positions:
            buy(world, dice.choice(("0.5", "1", "3.33")), str(dice.randrange(90, 110)))
        held = position(world)
        free_e8 = held.units_e8 - held.held_e8
        if free_e8 >= e8("2"):
            method = dice.choice((None, *METHODS, SPECIFIC))
            named = []
            quantity_e8 = e8("2")
            if method is SPECIFIC:
                chosen = dice.sample(list(held.lots.values()), k=min(2, len(held.lots)))
                named = [(lot.lot_id, min(lot.units_e8, e8("1"))) for lot in chosen]
                quantity_e8 = sum(units_e8 for _, units_e8 in named)
            world.place("bob", BUY, str(quantity_e8 / 10**8), "105")
            said = Terms(lot_method=method, lots=tuple(named))
            command = PlaceOrder("AAPL", SELL, LIMIT, quantity_e8, e4("105"), DAY, terms=said)
            made += [facts_of(fill, world.now_us) for fill in of_kind(world.do(command, "ann"), Traded)]
        if made and dice.random() < 0.1:
            world.do(made.pop(dice.randrange(len(made))))
        if dice.random() < 0.1:
            world.do(SetLotMethod(dice.choice(METHODS)), "ann")
        if dice.random() < 0.1:
            mirror.cut(world.state)
            assert mirror.rows == all_rows(world.state)
            again = restored(mirror.rows)
            assert state_hash(again) == state_hash(world.state)
            world.state = again
    assert len(made) > 100
    total_e4 = sum(each.cash_e4 for each in world.state.accounts.values())
    assert total_e4 == 3 * e4("1000000")
