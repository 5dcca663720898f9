"""What orders pay: minimum and maximum, tiers by volume, what the law takes of sales. To the unit, in parts and in whole."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.commands import CancelAll, PlaceOrder, SetFees
from engine.events import OrderUpdated, Traded
from engine.fee_tiers import VOLUME_DAYS, count_volume, traded_volume_e4
from engine.fees import FeeTerms, commission_e4, regulatory_e4
from engine.kinds import OrderType, Side, TimeInForce
from engine.preview import preview_order
from engine.state import FEES_ACCOUNT_ID, REGULATORY_ACCOUNT_ID, State
from engine.state_hash import state_hash
from engine.units import DAY_US
from tests.engine.bust_facts import facts_of
from tests.engine.mirror import all_rows, restored
from tests.engine.world import BUY, DAY, GTC, IOC, SELL, World, e4, e8, of_kind, refusal, shown

STANDARD = SetFees("std", 500, 1_000)


def fee_world(fees: SetFees = STANDARD) -> World:
    """Ann has cash, bob has shares."""
    world = World()
    assert world.do(fees).refused is None
    world.open("ann", cash="100000")
    world.open("bob", shares="100000")
    return world


def sell_into(world: World, quantity: str, price: str = "100") -> Traded:
    """Bob takes what ann bids."""
    (trade,) = of_kind(world.place("bob", SELL, quantity, price, IOC), Traded)
    return trade


def charged(trade: Traded) -> tuple[str, str, str]:
    """What the buyer paid, what the seller paid, and how much of that the law took."""
    figures = (trade.buy_fee_e4, trade.sell_fee_e4, trade.sell_regulatory_e4)
    return shown(figures[0], 10**4), shown(figures[1], 10**4), shown(figures[2], 10**4)


# Ann bids for 10 at 100 and bob sells into it: ann is the maker, bob the taker. Each row changes one thing.
ONE_TRADE = [
    ("rates alone", STANDARD, "10", ("0.5", "1", "0")),
    ("a minimum above the maker's", replace(STANDARD, order_min_e4=e4("0.75")), "10", ("0.75", "1", "0")),
    ("a minimum above both", replace(STANDARD, order_min_e4=e4("1.25")), "10", ("1.25", "1.25", "0")),
    ("a maximum below the taker's", replace(STANDARD, order_max_e4=e4("0.6")), "10", ("0.5", "0.6", "0")),
    ("a maximum below both", replace(STANDARD, order_max_e4=e4("0.1")), "10", ("0.1", "0.1", "0")),
    ("section 31 of the notional", replace(STANDARD, sell_ppb=27_800), "10", ("0.5", "1.0278", "0.0278")),
    ("and rounded up", replace(STANDARD, sell_ppb=27_801), "10", ("0.5", "1.0279", "0.0279")),
    ("the TAF by share", replace(STANDARD, sell_unit_e12=166_000_000), "10", ("0.5", "1.0017", "0.0017")),
    ("with a cap it does not reach", replace(STANDARD, sell_unit_e12=166_000_000, sell_unit_max_e4=e4("8.3")), "10",
     ("0.5", "1.0017", "0.0017")),
    ("with a cap by trade", replace(STANDARD, sell_unit_e12=10**12, sell_unit_max_e4=e4("8.3")), "10",
     ("0.5", "9.3", "8.3")),
    ("by law, on top of a minimum", replace(STANDARD, sell_ppb=27_800, order_min_e4=e4("2")), "10",
     ("2", "2.0278", "0.0278")),
    ("by law, on top of a maximum", replace(STANDARD, sell_ppb=27_800, order_max_e4=e4("0.1")), "10",
     ("0.1", "0.1278", "0.0278")),
    ("a minimum above the sale's proceeds", replace(STANDARD, order_min_e4=e4("2")), "0.01", ("2", "1", "0")),
    ("of which the law has the first", replace(STANDARD, order_min_e4=e4("2"), sell_unit_e12=10**12), "0.01",
     ("2", "1", "0.01")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "fees", "quantity", "paid"), ONE_TRADE, ids=[row[0] for row in ONE_TRADE])
def test_one_trade(what: str, fees: SetFees, quantity: str, paid: tuple[str, str, str]) -> None:
    world = fee_world(fees)
    world.buy("ann", quantity, "100", GTC)
    assert charged(sell_into(world, quantity)) == paid
    outside = world.state.outside
    assert outside.get((REGULATORY_ACCOUNT_ID, "USD"), 0) == e4(paid[2])
    assert outside[FEES_ACCOUNT_ID, "USD"] == e4(paid[0]) + e4(paid[1]) - e4(paid[2])
    assert e4(world.cash("bob")[0]) == e8(quantity) * 100 * 10**4 // 10**8 - e4(paid[1])
    assert world.cash("ann")[1] == "0"


def test_a_minimum_is_paid_once_however_many_fills_an_order_has() -> None:
    world = fee_world(replace(STANDARD, order_min_e4=e4("1")))
    world.buy("ann", "30", "100", GTC)
    paid = [charged(sell_into(world, "10"))[0] for _ in range(3)]
    assert paid == ["1", "0", "0.5"]  # 0.05 % of 1 000, 2 000 and 3 000, and at least 1


def test_a_minimum_is_paid_once_however_often_an_order_is_replaced() -> None:
    world = fee_world(replace(STANDARD, order_min_e4=e4("1")))
    order = world.buy("ann", "30", "100", GTC)
    paid = [charged(sell_into(world, "10"))[0]]
    for price in ("101", "102"):
        order = world.accepted(world.replace("ann", order, price=price))
        paid.append(charged(sell_into(world, "10", price))[0])
    assert paid == ["1", "0.005", "0.51"]  # 1.515 in all, as one order would have paid


def test_a_maximum_holds_for_an_order_and_those_that_replace_it() -> None:
    world = fee_world(replace(STANDARD, order_max_e4=e4("0.7")))
    order = world.buy("ann", "30", "100", GTC)
    paid = [charged(sell_into(world, "10"))[0]]
    world.replace("ann", order, price="101")
    paid += [charged(sell_into(world, "10", "101"))[0], charged(sell_into(world, "10", "101"))[0]]
    assert paid == ["0.5", "0.2", "0"]


def test_what_a_small_first_sale_left_due_is_charged_with_the_next() -> None:
    world = fee_world(replace(STANDARD, order_min_e4=e4("2")))
    world.sell("bob", "10", "100", GTC)
    first = of_kind(world.place("ann", BUY, "0.01", "100", IOC), Traded)[0]
    second = of_kind(world.place("ann", BUY, "9.99", "100", IOC), Traded)[0]
    assert (charged(first)[1], charged(second)[1]) == ("1", "1")


def test_a_buy_holds_its_minimum_and_is_refused_without_it() -> None:
    world = World()
    world.do(replace(STANDARD, order_min_e4=e4("5")))
    world.open("ann", cash="104.99")
    assert refusal(world.place("ann", BUY, "1", "100")) == "INSUFFICIENT_FUNDS"
    world.open("cal", cash="105")
    assert world.buy("cal", "1", "100").hold_e4 == e4("105")


TIERS = ((e4("1000"), 400, 900), (e4("5000"), 300, 800), (e4("1000000"), 0, 100))

# What was traded before, and the taker's fee on 1 000 then.
BY_VOLUME = [
    ("nothing traded", [], "1"),
    ("just below the first", ["9.99"], "1"),
    ("the first tier, to the unit", ["10"], "0.9"),
    ("in two trades", ["5", "5"], "0.9"),
    ("the second tier", ["50"], "0.8"),
    ("above it", ["60"], "0.8"),
]


@pytest.mark.parametrize(("what", "before", "fee"), BY_VOLUME, ids=[row[0] for row in BY_VOLUME])
def test_the_tier_is_that_of_the_volume_before(what: str, before: list[str], fee: str) -> None:
    world = fee_world(replace(STANDARD, tiers=TIERS))
    world.buy("ann", "500", "100", GTC)
    for quantity in before:
        sell_into(world, quantity)
    assert charged(sell_into(world, "10"))[1] == fee


def test_an_order_keeps_the_tier_it_was_accepted_with() -> None:
    world = fee_world(replace(STANDARD, tiers=TIERS))
    world.buy("ann", "500", "100", GTC)
    assert [charged(sell_into(world, "50"))[0] for _ in range(3)] == ["2.5"] * 3


def test_thirty_days_later_a_day_counts_no_more() -> None:
    world = fee_world(replace(STANDARD, tiers=TIERS))
    world.buy("ann", "500", "100", GTC)
    sell_into(world, "10")
    world.now_us += (VOLUME_DAYS - 1) * DAY_US
    assert charged(sell_into(world, "1"))[1] == "0.09"
    world.now_us += DAY_US  # the 100 of yesterday remain
    assert charged(sell_into(world, "1"))[1] == "0.1"
    account_id = world.ids["bob"]
    assert [notional_e4 for _, notional_e4 in world.state.volumes[account_id].days] == [e4("100")] * 2


def test_without_tiers_nothing_is_counted() -> None:
    world = fee_world()
    world.buy("ann", "10", "100", GTC)
    sell_into(world, "10")
    assert world.state.volumes == {}
    assert not world.state.watches_fills


def test_a_bust_takes_fees_and_volume_back() -> None:
    world = fee_world(replace(STANDARD, tiers=TIERS, order_min_e4=e4("2"), sell_ppb=27_800))
    world.buy("ann", "10", "100", GTC)
    trade = sell_into(world, "10")
    assert world.do(facts_of(trade, world.now_us)).refused is None
    outside = world.state.outside
    assert (outside[FEES_ACCOUNT_ID, "USD"], outside[REGULATORY_ACCOUNT_ID, "USD"]) == (0, 0)
    assert (world.cash("ann"), world.cash("bob")) == (("100000", "0"), ("0", "0"))
    assert [traded_volume_e4(each, world.now_us) for each in world.state.volumes.values()] == [0, 0]


def test_a_bust_with_more_taken_by_law_than_the_fee_is_no_such_trade() -> None:
    world = fee_world(replace(STANDARD, sell_ppb=27_800))
    world.buy("ann", "10", "100", GTC)
    trade = sell_into(world, "10")
    facts = replace(facts_of(trade, world.now_us), sell_regulatory_e4=trade.sell_fee_e4 + 1)
    assert refusal(world.do(facts)) == "TRADE_NOT_FOUND"


UNSOUND = [
    ("a minimum below zero", {"order_min_e4": -1}),
    ("a maximum below the minimum", {"order_min_e4": 2, "order_max_e4": 1}),
    ("the whole of a sale", {"sell_ppb": 10**9}),
    ("a rate below zero", {"sell_unit_e12": -1}),
    ("a cap below zero", {"sell_unit_max_e4": -1}),
    ("a tier from nothing on", {"tiers": ((0, 1, 1),)}),
    ("tiers that do not ascend", {"tiers": ((2, 1, 1), (2, 0, 0))}),
    ("a tier above a tenth", {"tiers": ((1, 100_001, 0),)}),
    ("a tier with a rebate", {"tiers": ((1, -1, 0),)}),
    ("too many tiers", {"tiers": tuple((volume, 1, 1) for volume in range(1, 22))}),
]


@pytest.mark.parametrize(("what", "change"), UNSOUND, ids=[row[0] for row in UNSOUND])
def test_unsound_schedules_are_refused(what: str, change: dict[str, object]) -> None:
    assert refusal(World().do(replace(STANDARD, **change))) == "INVALID_LIMITS"


amounts = st.integers(0, 10**12)


@given(amounts, amounts, st.lists(st.integers(0, 10**11), max_size=20))
def test_a_commission_is_paid_in_parts_that_make_the_whole(
    low_e4: int, more_e4: int, steps: list[int]
) -> None:
    """Never lower for more fills, and at the end within its bounds."""
    terms = FeeTerms(low_e4, low_e4 + more_e4)
    rates_e4 = due_e4 = 0
    for step_e4 in steps:
        rates_e4 += step_e4
        next_e4 = commission_e4(terms, rates_e4)
        assert next_e4 >= due_e4
        due_e4 = next_e4
        assert due_e4 >= low_e4
        assert due_e4 <= max(terms.order_max_e4, 0) or not terms.order_max_e4


@given(
    st.integers(0, 10**9 - 1),
    st.integers(0, 10**12),
    st.lists(st.tuples(st.integers(1, 10**12), st.integers(1, 10**12)), min_size=1, max_size=20),
)
def test_the_law_takes_of_parts_no_more_than_of_the_whole(
    ppb: int, unit_e12: int, fills: list[tuple[int, int]]
) -> None:
    terms = FeeTerms(sell_ppb=ppb, sell_unit_e12=unit_e12)
    filled_e8 = notional_e4 = taken_e4 = 0
    for part_e8, part_e4 in fills:
        filled_e8 += part_e8
        notional_e4 += part_e4
        now_e4 = regulatory_e4(terms, filled_e8, notional_e4, part_e8, part_e4)
        assert 0 <= now_e4 <= part_e4
        taken_e4 += now_e4
    assert taken_e4 <= regulatory_e4(terms, filled_e8, notional_e4, filled_e8, notional_e4)


ALL_RULES = SetFees("std", 500, 1_000, TIERS, e4("0.5"), e4("40"), 27_800, 166_000_000, e4("0.01"))


@pytest.mark.parametrize("seed", range(4))
def test_random_trading_pays_to_the_unit_and_previews_know_it(seed: int) -> None:
    """Tiny and large orders, replaced and cancelled, over three months; the invariants hold after every command."""
    random = Random(seed)
    world = World()
    world.do(ALL_RULES)
    people = ("ann", "bob", "cal")
    for who in people:
        world.open(who, cash="20000", shares="300")
    for _ in range(400):
        who = random.choice(people)
        world.now_us += random.choice((1, DAY_US // 5))
        quantity = random.choice(("0.01", "0.02", "1", "7.5", "40"))
        side = random.choice((BUY, SELL))
        price = str(random.randint(97, 103))
        command = PlaceOrder(
            "AAPL", side, OrderType.LIMIT, e8(quantity), e4(price), random.choice((DAY, IOC))
        )
        told = preview_order(world.state, world.ids[who], command, world.now_us + 1)
        applied = world.do(command, who)
        answer = applied.answer[0]
        if isinstance(answer, OrderUpdated):
            assert told.order is not None
            assert (told.order.fee_e4, told.order.hold_e4) == (answer.fee_e4, answer.hold_e4)
            law_e4 = sum(
                trade.sell_regulatory_e4
                for trade in of_kind(applied, Traded)
                if trade.sell_order_id == answer.order_id
            )
            assert told.regulatory_e4 == law_e4
            if answer.is_open and random.random() < 0.4:
                world.replace(who, answer, price=str(random.randint(97, 103)))
        if random.random() < 0.1:
            world.do(CancelAll(""), who)
    assert world.state.outside[REGULATORY_ACCOUNT_ID, "USD"] > 0
    assert len(world.state.volumes) == 3
    again = restored(all_rows(world.state))
    assert state_hash(again) == state_hash(world.state)
    assert again.watches_fills


def test_volume_is_kept_for_thirty_days_at_most() -> None:
    state = State()
    for day in range(100):
        count_volume(state, 7, e4("1"), day * DAY_US, day * DAY_US)
    days = state.volumes[7].days
    assert [day for day, _ in days] == list(range(100 - VOLUME_DAYS, 100))
    count_volume(state, 7, -e4("2"), 80 * DAY_US, 99 * DAY_US)
    assert dict(state.volumes[7].days)[80] == 0
    count_volume(state, 7, -e4("2"), 10 * DAY_US, 99 * DAY_US)
    assert len(state.volumes[7].days) == VOLUME_DAYS


def test_a_market_makers_quotes_pay_by_the_same_rules() -> None:
    world = fee_world(replace(STANDARD, order_min_e4=e4("1")))
    world.open("mm", cash="10000", maker=True)
    world.quote("mm", [("10", "99")], [])
    assert world.cash("mm")[1] == "991"
    assert charged(sell_into(world, "10", "99"))[0] == "1"


def test_a_plain_schedule_makes_plain_orders() -> None:
    world = fee_world()
    order = world.buy("ann", "1", "100")
    assert world.state.orders[order.order_id].fee_terms is None
    assert (order.side, order.time_in_force) == (Side.BUY, TimeInForce.DAY)
