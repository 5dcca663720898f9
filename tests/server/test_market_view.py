"""The public market data that durable events make."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.book import Book
from engine.events import DayEnded, Indicative, PhaseChanged
from engine.kinds import OrderType, Phase, PriceSource, SelfTradePrevention, Side, TimeInForce
from engine.orders import Order
from engine.state import Instrument, State
from server.market_types import Quote, TradePrint
from server.market_view import MarketView
from server.stream_changes import trades_after
from server.symbol_view import TRADES_KEPT, SymbolView
from tests.server.market_records import NOON_US, UNIT_E8, book, bust, durable, listing, trade

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def view() -> MarketView:
    market = MarketView()
    market.listener([durable(1, listing("AAPL"), listing("AIG", PriceSource.TAPE))])
    return market


def tape_quote(price_e4: int, *, stale: bool = False) -> Quote:
    return Quote(
        symbol="AIG",
        price_e4=price_e4,
        bid_e4=price_e4 - 100,
        ask_e4=price_e4 + 100,
        bid_size_e8=3 * UNIT_E8,
        ask_size_e8=4 * UNIT_E8,
        change_e4=0,
        volume_e8=1_000 * UNIT_E8,
        open_e4=480_000,
        high_e4=490_000,
        low_e4=470_000,
        previous_close_e4=485_000,
        timestamp_us=NOON_US + 7,
        stale=stale,
        version=99,
    )


def test_levels_are_absolute_and_a_quantity_of_zero_removes_one(view: MarketView) -> None:
    view.listener([durable(2, book("AAPL", (BUY, 17_848, 5, 1), (BUY, 17_847, 9, 2), (SELL, 17_852, 4, 1)))])
    view.listener([durable(3, book("AAPL", (BUY, 17_848, 0, 0), (SELL, 17_852, 6, 2), (SELL, 17_851, 1, 1)))])

    assert view.depth("AAPL", 10) == (
        3,
        [(1_784_700, 9 * UNIT_E8, 2)],
        [(1_785_100, 1 * UNIT_E8, 1), (1_785_200, 6 * UNIT_E8, 2)],
    )


def test_depth_is_best_first_and_cut_at_the_limit(view: MarketView) -> None:
    levels = [(BUY, cents, 1, 1) for cents in (100, 103, 101, 102)] + [
        (SELL, cents, 1, 1) for cents in (108, 106, 107)
    ]
    view.listener([durable(2, book("AAPL", *levels))])

    depth = view.depth("AAPL", 2)

    assert depth is not None
    assert [price for price, _, _ in depth[1]] == [10_300, 10_200]
    assert [price for price, _, _ in depth[2]] == [10_600, 10_700]


def test_the_quote_follows_the_best_levels_and_the_last_trade(view: MarketView) -> None:
    view.listener([durable(2, book("AAPL", (BUY, 17_848, 5, 1), (SELL, 17_852, 4, 1)))])
    view.listener(
        [durable(3, trade("AAPL", 17_852, 3), book("AAPL", (SELL, 17_852, 1, 1)), now_us=NOON_US + 5)]
    )

    quote = view.quote("AAPL")

    assert quote is not None
    assert (quote.price_e4, quote.bid_e4, quote.ask_e4) == (1_785_200, 1_784_800, 1_785_200)
    assert (quote.bid_size_e8, quote.ask_size_e8) == (5 * UNIT_E8, 1 * UNIT_E8)
    assert quote.timestamp_us == NOON_US + 5


def test_day_figures_grow_with_trades_and_start_again_when_the_day_ends(view: MarketView) -> None:
    for seq, (cents, units) in enumerate([(100, 2), (104, 1), (97, 3), (101, 1)], start=2):
        view.listener([durable(seq, trade("AAPL", cents, units))])
    day = view.quote("AAPL")
    view.listener([durable(9, DayEnded("AAPL", 10_100))])
    next_day = view.quote("AAPL")

    assert day is not None
    assert (day.open_e4, day.high_e4, day.low_e4, day.price_e4) == (10_000, 10_400, 9_700, 10_100)
    assert day.volume_e8 == 7 * UNIT_E8
    assert next_day is not None
    assert (next_day.open_e4, next_day.high_e4, next_day.low_e4, next_day.volume_e8) == (0, 0, 0, 0)
    assert (next_day.previous_close_e4, next_day.price_e4) == (10_100, 10_100)


def test_a_tape_that_knows_no_previous_close_has_that_of_the_day_that_ended(view: MarketView) -> None:
    def figures() -> tuple[int, int, int]:
        quote = view.quote("AIG")
        assert quote is not None
        return quote.previous_close_e4, quote.change_e4, quote.volume_e8

    unknown = replace(tape_quote(486_000), previous_close_e4=0)
    view.update_tape(unknown)
    assert figures() == (0, 0, unknown.volume_e8)
    for seq, close_e4, change_e4 in ((2, 485_500, 500), (3, 487_000, -1_000)):
        view.listener([durable(seq, DayEnded("AIG", close_e4))])
        view.update_tape(unknown)
        assert figures() == (close_e4, change_e4, unknown.volume_e8)
    view.update_tape(tape_quote(486_000))
    assert figures() == (485_000, 1_000, unknown.volume_e8)


def test_the_change_is_measured_from_the_previous_close(view: MarketView) -> None:
    view.listener([durable(2, DayEnded("AAPL", 1_762_000), trade("AAPL", 17_850, 1))])

    quote = view.quote("AAPL")

    assert quote is not None
    assert (quote.change_e4, quote.change_bps) == (23_000, 131)


def test_a_change_behind_the_best_price_is_no_new_version_of_the_quote(view: MarketView) -> None:
    view.listener([durable(2, book("AAPL", (BUY, 100, 5, 1)))])
    before = view.symbols["AAPL"].version
    view.listener([durable(3, book("AAPL", (BUY, 99, 5, 1)))])
    behind = view.symbols["AAPL"].version
    view.listener([durable(4, book("AAPL", (BUY, 100, 4, 1)))])

    assert behind == before
    assert view.symbols["AAPL"].version == before + 1


def test_the_best_price_is_right_after_it_left_and_came_back_many_times(view: MarketView) -> None:
    for seq in range(2, 2_000, 2):
        view.listener([durable(seq, book("AAPL", (BUY, 90 + seq % 7, 1, 1), (BUY, 50, 1, 1)))])
        view.listener([durable(seq + 1, book("AAPL", (BUY, 90 + seq % 7, 0, 0)))])

    assert view.symbols["AAPL"].bids.best() == (5_000, UNIT_E8)
    assert len(view.symbols["AAPL"].bids._heap) < 200


def test_recent_trades_are_newest_first_numbered_without_gaps_and_bounded(view: MarketView) -> None:
    for seq in range(2, TRADES_KEPT + 12):
        view.listener([durable(seq, trade("AAPL", 100 + seq % 3, 1))])

    newest = view.trades("AAPL", 3)
    everything = view.trades("AAPL", 10_000)

    assert [found.number for found in newest] == [TRADES_KEPT + 10, TRADES_KEPT + 9, TRADES_KEPT + 8]
    assert len(everything) == TRADES_KEPT


def test_a_tape_sets_the_quote_of_its_instrument_and_our_trades_there_do_not(view: MarketView) -> None:
    view.update_tape(tape_quote(487_500))
    view.listener([durable(2, trade("AIG", 5_000, 1), book("AIG", (BUY, 4_999, 1, 1)))])

    quote = view.quote("AIG")
    depth = view.depth("AIG", 5)

    assert quote is not None
    assert (quote.price_e4, quote.bid_e4, quote.change_e4) == (487_500, 487_400, 2_500)
    assert quote.volume_e8 == 1_000 * UNIT_E8
    assert depth is not None
    assert depth[1] == [(499_900, UNIT_E8, 1)]
    assert [found.price_e4 for found in view.trades("AIG", 5)] == [500_000]


def test_a_tape_cannot_touch_an_instrument_that_is_priced_here(view: MarketView) -> None:
    changes = view.changes
    view.add_print(TradePrint("AAPL", NOON_US, 1, 1))
    view.update_tape(tape_quote(1))
    view.mark_stale("NOPE", stale=True)

    assert view.changes == changes + 1  # AIG's quote alone
    assert view.trades("AAPL", 5) == []


def test_a_print_of_the_tape_is_shown_without_a_side(view: MarketView) -> None:
    view.add_print(TradePrint("AIG", NOON_US, 487_500, 2 * UNIT_E8, "T"))

    (shown,) = view.trades("AIG", 5)

    assert (shown.taker_side, shown.price_e4) == (0, 487_500)


def test_stale_is_a_visible_change_once(view: MarketView) -> None:
    view.mark_stale("AAPL", stale=True)
    changes = view.changes
    view.mark_stale("AAPL", stale=True)

    assert view.changes == changes
    assert view.symbols["AAPL"].quote().stale


def test_the_phase_follows_halts(view: MarketView) -> None:
    view.listener([durable(2, PhaseChanged("AAPL", Phase.CONTINUOUS, ""))])
    view.listener([durable(3, PhaseChanged("AAPL", Phase.HALTED, "news"))])

    assert view.symbols["AAPL"].phase is Phase.HALTED


def test_what_is_unknown_answers_nothing(view: MarketView) -> None:
    assert view.quote("NOPE") is None
    assert view.depth("NOPE", 5) is None
    assert view.trades("NOPE", 5) == []
    assert view.last_e4("NOPE") == 0
    assert "NOPE" not in view


def listed(symbol: str, *, halted: bool = False) -> Instrument:
    return Instrument(
        symbol=symbol,
        name="Apple",
        currency="USD",
        tick_e4=100,
        lot_e8=UNIT_E8,
        price_min_e4=100,
        price_max_e4=100_000_000,
        calendar="always",
        price_source=PriceSource.OWN,
        band_bps=1_000,
        fee_schedule="standard",
        reference_e4=1_785_000,
        phase=Phase.CONTINUOUS,
        halted=halted,
        last_e4=1_785_000,
        previous_close_e4=1_762_000,
    )


def resting(order_id: int, side: Side, price_e4: int, units: int, filled_units: int = 0) -> Order:
    return Order(
        order_id=order_id,
        account_id=11,
        symbol="AAPL",
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity_e8=units * UNIT_E8,
        price_e4=price_e4,
        limit_e4=price_e4,
        maker_ppm=0,
        taker_ppm=0,
        created_us=NOON_US,
        updated_us=NOON_US,
        client_order_id="",
        self_trade_prevention=SelfTradePrevention.CANCEL_NEWEST,
        replaces_id=0,
        is_quote=False,
        priority=order_id,
        filled_e8=filled_units * UNIT_E8,
    )


def test_after_recovery_the_open_orders_make_the_levels() -> None:
    state = State()
    state.seq = 77
    state.instruments = {"AAPL": listed("AAPL"), "TSLA": listed("TSLA", halted=True)}
    orders = [
        resting(1, BUY, 1_784_800, 5, 2),
        resting(2, BUY, 1_784_800, 4),
        resting(3, SELL, 1_785_200, 1),
    ]
    state.books["AAPL"] = Book("AAPL")
    for order in orders:
        state.books["AAPL"].side(order.side).add(order)
    market = MarketView()
    market.seed(state, now_us=NOON_US)

    assert market.depth("AAPL", 5) == (77, [(1_784_800, 7 * UNIT_E8, 2)], [(1_785_200, UNIT_E8, 1)])
    quote = market.quote("AAPL")
    assert quote is not None
    assert (quote.price_e4, quote.change_e4, quote.bid_e4) == (1_785_000, 23_000, 1_784_800)
    assert {symbol: each.phase for symbol, each in market.symbols.items()} == {
        "AAPL": Phase.CONTINUOUS,
        "TSLA": Phase.HALTED,
    }


def told(view: MarketView, since: int) -> list[tuple[int, int, bool]]:
    """What a client that knows everything up to a change is told of AAPL's trades: number, id, busted."""
    views: tuple[SymbolView, ...] = (view.symbols["AAPL"],)
    return [(each.number, each.trade_id, each.busted) for each in trades_after(views, since)]


def test_a_busted_trade_is_told_again_to_who_knows_it_and_once_to_who_does_not(view: MarketView) -> None:
    fills = [trade("AAPL", cents, 1, trade_id=10 * cents) for cents in (100, 101, 102)]
    view.listener([durable(2, *fills[:2])])
    known = view.changes
    view.listener([durable(3, bust(fills[0])), durable(4, fills[2])])
    assert told(view, 0) == [(1, 1_000, True), (2, 1_010, False), (3, 1_020, False)]
    assert told(view, known) == [(3, 1_020, False), (1, 1_000, True)]
    assert told(view, view.changes) == []
    assert [each.busted for each in view.trades("AAPL", 9)] == [False, False, True]


def test_busts_are_told_in_their_order(view: MarketView) -> None:
    fills = [trade("AAPL", cents, 1, trade_id=10 * cents) for cents in (100, 101, 102)]
    view.listener([durable(2, *fills)])
    known = view.changes
    view.listener([durable(3, bust(fills[2])), durable(4, bust(fills[0]))])
    assert told(view, known) == [(3, 1_020, True), (1, 1_000, True)]


def test_a_bust_of_a_trade_that_is_not_remembered_is_told_without_its_number(view: MarketView) -> None:
    fill = trade("AAPL", 100, 3, taker=SELL, trade_id=7)
    view.listener([durable(2, bust(fill))])
    ((shown,),) = [trades_after((view.symbols["AAPL"],), 0)]
    assert (shown.number, shown.trade_id, shown.busted) == (0, 7, True)
    assert (shown.price_e4, shown.quantity_e8, shown.taker_side) == (10_000, 3 * UNIT_E8, SELL)
    assert view.trades("AAPL", 9) == []


def test_a_busted_trade_is_no_volume_of_its_day(view: MarketView) -> None:
    first, second = trade("AAPL", 100, 3, trade_id=1), trade("AAPL", 102, 1, trade_id=5)
    view.listener([durable(2, first), durable(3, second), durable(4, bust(first))])
    quote = view.quote("AAPL")
    assert quote is not None
    assert (quote.volume_e8, quote.price_e4) == (UNIT_E8, 10_200)
    version = quote.version
    view.listener([durable(5, DayEnded("AAPL", 10_200), now_us=NOON_US + 1)])
    view.listener([durable(6, trade("AAPL", 103, 2, trade_id=9), now_us=NOON_US + 2)])
    view.listener([durable(7, bust(second))])
    quote = view.quote("AAPL")
    assert quote is not None
    assert quote.volume_e8 == 2 * UNIT_E8, "yesterday's trade was none of today's volume"
    assert quote.version > version


def test_a_bust_of_our_own_trade_leaves_a_tape_s_quote_alone(view: MarketView) -> None:
    view.update_tape(tape_quote(486_000))
    fill = trade("AIG", 4_860, 5, trade_id=3)
    view.listener([durable(2, fill)])
    before = view.quote("AIG")
    view.listener([durable(3, bust(fill))])
    assert view.quote("AIG") == before
    assert [each.busted for each in view.trades("AIG", 9)] == [True]


def test_a_calls_indication_is_shown_and_ends_with_it(view: MarketView) -> None:
    view.listener([durable(2, PhaseChanged("AAPL", Phase.OPENING_AUCTION, "calendar"))])
    began_at = view.symbols["AAPL"].auction_at
    view.listener([durable(3, Indicative("AAPL", 1_784_700, 5 * UNIT_E8, -2 * UNIT_E8), now_us=NOON_US + 9)])
    shown = view.symbols["AAPL"]
    assert (shown.auction, shown.auction_us) == ((1_784_700, 5 * UNIT_E8, -2 * UNIT_E8), NOON_US + 9)
    assert began_at < shown.auction_at == view.changes
    view.listener([durable(4, PhaseChanged("AAPL", Phase.CONTINUOUS, "calendar"))])
    assert (shown.auction, shown.phase) == ((0, 0, 0), Phase.CONTINUOUS)


def test_a_view_that_starts_in_a_call_knows_what_was_said() -> None:
    state = State()
    state.instruments["AAPL"] = Instrument(
        *("AAPL", "Apple", "USD", 100, UNIT_E8, 100, 10**8, "always", PriceSource.OWN, 1_000, "standard"),
        *(1_785_000, Phase.CLOSING_AUCTION),
        indicative=(1_784_700, UNIT_E8, 0),
    )
    market = MarketView()
    market.seed(state, now_us=NOON_US)
    shown = market.symbols["AAPL"]
    assert (shown.auction, shown.auction_us) == ((1_784_700, UNIT_E8, 0), NOON_US)
