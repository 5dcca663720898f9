"""A maker's quotes: at most two a second, only when something changed, never more than the account covers."""

from __future__ import annotations

import pytest

from engine.commands import AnyCommand, HaltSymbol, MassQuote, PlaceOrder, ResumeSymbol, SetKillSwitch
from engine.kinds import AccountKind, KillScope, OrderType, Side, TimeInForce
from feeds.desk import Desk
from feeds.maker_quotes import MakerQuotes
from server.errors import ShuttingDown
from tests.feeds.venue import DOLLAR_E4, SHARE_E8, Venue

BIDS = ((99_900, 10 * SHARE_E8), (99_800, 20 * SHARE_E8))
ASKS = ((100_100, 10 * SHARE_E8), (100_200, 20 * SHARE_E8))


def make(dollars: int = 10_000, shares: int = 100) -> tuple[Venue, MakerQuotes]:
    venue = Venue()
    venue.list_instrument("X", 100_000)
    account = venue.open(AccountKind.MARKET_MAKER, dollars=dollars, shares={"X": shares} if shares else {})
    desk = Desk("maker", venue.submit, venue.wall.elapsed_us, account_id=account)
    return venue, MakerQuotes("X", desk, venue.state, venue.wall.elapsed_us)


def standing(venue: Venue) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    quoted = [order for account in venue.state.accounts.values() for order in account.quotes.get("X", ())]
    quotes = [order for order in quoted if order.order_id in venue.state.orders]
    return (
        [(order.price_e4, order.leaves_e8) for order in quotes if order.side == Side.BUY],
        [(order.price_e4, order.leaves_e8) for order in quotes if order.side == Side.SELL],
    )


def test_the_ladders_stand_in_the_book() -> None:
    venue, quotes = make()
    assert quotes.quote(BIDS, ASKS)
    assert standing(venue) == (list(BIDS), list(ASKS))


def test_at_most_two_a_second_and_nothing_while_nothing_changes() -> None:
    venue, quotes = make()
    quotes.quote(BIDS, ASKS)
    assert not quotes.is_due()
    assert not quotes.quote(BIDS[:1], ASKS)
    venue.wall.pass_us(500_000)
    assert not quotes.quote(BIDS, ASKS)
    assert quotes.quote(BIDS[:1], ASKS)
    assert len(venue.of_type(MassQuote)) == 2


def test_a_quote_that_was_hit_is_put_up_again() -> None:
    venue, quotes = make()
    buyer = venue.open(AccountKind.USER, dollars=1_000)
    quotes.quote(BIDS, ASKS)
    venue.do(PlaceOrder("X", Side.BUY, OrderType.LIMIT, 4 * SHARE_E8, 100_100, TimeInForce.IOC), buyer)
    assert standing(venue)[1][0] == (100_100, 6 * SHARE_E8)
    venue.wall.pass_us(500_000)
    assert quotes.quote(BIDS, ASKS)
    assert standing(venue)[1][0] == ASKS[0]


def test_asks_are_cut_to_what_the_account_owns() -> None:
    venue, quotes = make(shares=15)
    quotes.quote(BIDS, ASKS)
    assert standing(venue)[1] == [(100_100, 5 * SHARE_E8), (100_200, 10 * SHARE_E8)]
    assert quotes.desk.refused == 0


def test_without_shares_there_are_bids_only() -> None:
    venue, quotes = make(shares=0)
    quotes.quote(BIDS, ASKS)
    assert standing(venue) == (list(BIDS), [])


def test_bids_take_a_part_of_the_cash_only() -> None:
    venue, quotes = make(dollars=600)
    quotes.quote(BIDS, ASKS)
    held_e4 = sum(price_e4 * quantity_e8 // SHARE_E8 for price_e4, quantity_e8 in standing(venue)[0])
    assert 120 * DOLLAR_E4 < held_e4 <= 150 * DOLLAR_E4


def test_a_halt_makes_it_wait_longer_and_longer_and_it_comes_back() -> None:
    venue, quotes = make()
    venue.do(HaltSymbol("X", "news"))
    attempts = []
    for _ in range(600):
        if quotes.quote(BIDS, ASKS):
            attempts.append(venue.wall.elapsed_us() // 100_000)
        venue.wall.pass_us(100_000)
    assert attempts == [0, 10, 30, 70, 150, 310]
    venue.do(ResumeSymbol("X"))
    assert quotes.quote(BIDS, ASKS)
    assert standing(venue) == (list(BIDS), list(ASKS))


@pytest.mark.parametrize(
    ("shut", "open_again"),
    [
        (HaltSymbol("X", "news"), ResumeSymbol("X")),
        (SetKillSwitch(KillScope.MARKET, "", True, "news"), SetKillSwitch(KillScope.MARKET, "", False, "")),
        (SetKillSwitch(KillScope.SYMBOL, "X", True, "news"), SetKillSwitch(KillScope.SYMBOL, "X", False, "")),
    ],
    ids=["halt", "kill switch of the market", "kill switch of the symbol"],
)
def test_the_book_is_back_with_the_first_turn_after_the_market_is_opened_again(
    shut: AnyCommand, open_again: AnyCommand
) -> None:
    venue, quotes = make()
    quotes.quote(BIDS, ASKS)
    venue.do(shut)
    for _ in range(200):
        venue.wall.pass_us(100_000)
        quotes.quote(BIDS[:1], ASKS[:1])
    assert quotes.desk.refused == 5
    assert not quotes.is_due()
    venue.do(open_again)
    assert quotes.quote(BIDS, ASKS)
    assert standing(venue) == (list(BIDS), list(ASKS))


def test_also_right_after_a_refusal_there_are_no_more_than_two_a_second() -> None:
    venue, quotes = make()
    venue.do(HaltSymbol("X", "news"))
    quotes.quote(BIDS, ASKS)
    venue.do(ResumeSymbol("X"))
    assert not quotes.is_due()
    venue.wall.pass_us(500_000)
    assert quotes.quote(BIDS, ASKS)


def test_what_other_orders_hold_is_not_quoted() -> None:
    venue, quotes = make(shares=40)
    account = quotes.desk.account_id
    venue.do(PlaceOrder("X", Side.SELL, OrderType.LIMIT, 25 * SHARE_E8, 110_000, TimeInForce.GTC), account)
    quotes.quote(BIDS, ASKS)
    assert standing(venue)[1] == [(100_100, 5 * SHARE_E8), (100_200, 10 * SHARE_E8)]
    assert quotes.desk.refused == 0


def test_after_a_shutdown_nothing_is_due() -> None:
    venue, quotes = make()
    venue.failure = ShuttingDown()
    quotes.quote(BIDS, ASKS)
    venue.wall.pass_us(10_000_000)
    assert not quotes.is_due()


@pytest.mark.parametrize("offset_us", [1, 250_000])
def test_the_first_quote_can_be_delayed(offset_us: int) -> None:
    venue, made = make()
    quotes = MakerQuotes("X", made.desk, venue.state, venue.wall.elapsed_us, offset_us=offset_us)
    venue.wall.pass_us(offset_us - 1)
    assert not quotes.is_due()
    venue.wall.pass_us(1)
    assert quotes.is_due()
