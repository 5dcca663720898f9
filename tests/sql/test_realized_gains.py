"""Rows of realised gains: parts that sum to the fill, busts that take them back, and what the migration makes of old fills."""

from __future__ import annotations

from pathlib import Path
from random import Random

import asyncpg
import pytest

from engine.apply import Applied
from engine.commands import CancelAll, Envelope, SetLotMethod
from engine.events import Traded
from engine.kinds import LotMethod, Source
from server.codec import Record
from server.migrations import FOLDER
from server.verify import verify
from sql.projection import Rows
from sql.realized_gains import GAIN_COLUMNS, GainKind
from tests.engine.bust_facts import facts_of
from tests.engine.world import BUY, World, of_kind
from tests.server.ledger_world import open_world
from tests.sql.copy_decoder import Value, decode

Gain = dict[str, Value]
DAY_US = 24 * 3600 * 10**6


class Books:
    """A world whose commands are projected as they come; `gains` are the rows of realised gains."""

    def __init__(self, rate_ppm: int = 0) -> None:
        self.world = World(maker_ppm=rate_ppm, taker_ppm=rate_ppm)
        for who in ("ann", "bob"):
            self.world.open(who, cash="1000000")
        self.world.open("cal", cash="1000000", shares="1000")
        self.world.open("mm", cash="1000000", shares="1000", maker=True)
        self.gains: list[Gain] = []

    def trade(self, buyer: str, seller: str, quantity: str, price: str) -> Traded:
        self.world.sell(seller, quantity, price)
        (fill,) = of_kind(self.told(self.world.place(buyer, BUY, quantity, price)), Traded)
        return fill

    def bust(self, fill: Traded, executed_us: int) -> Applied:
        return self.told(self.world.do(facts_of(fill, executed_us)))

    def told(self, applied: Applied) -> Applied:
        rows = Rows(applied.seq, accounts=self.world.state.accounts)
        rows.add(Record(applied.seq, applied.now_us, Envelope(Source.HTTP), CancelAll(""), applied.events))
        self.gains += [decode(GAIN_COLUMNS, row) for row in rows.gains]
        return applied

    def of(self, who: str) -> list[Gain]:
        return [gain for gain in self.gains if gain["account_id"] == self.world.ids[who]]


def figures(gain: Gain, *columns: str) -> tuple[Value, ...]:
    return tuple(gain[column] for column in columns or ("units_e8", "proceeds_e4", "cost_e4", "fee_e4"))


def total(gains: list[Gain], column: str) -> int:
    return sum(figure for gain in gains if isinstance(figure := gain[column], int))


def test_a_sale_has_a_row_for_each_lot() -> None:
    books = Books(rate_ppm=1_000)
    books.trade("ann", "cal", "1", "100")
    books.trade("ann", "cal", "2", "110")
    fill = books.trade("bob", "ann", "2.5", "120")
    assert [figures(gain) for gain in books.of("ann")] == [
        (10**8, 1_200_000, 1_000_000, 1_200),
        (15 * 10**7, 1_800_000, 1_650_000, 1_800),
    ]
    first, second = books.of("ann")
    assert figures(first, "gain_id", "line", "kind", "term") == (fill.trade_id + 1, 0, GainKind.SALE, 1)
    assert figures(second, "gain_id", "line", "lot_id") == (fill.trade_id + 1, 1, fill.sell_lots[1][0])


def test_what_was_held_for_more_than_a_year_is_long_term() -> None:
    books = Books()
    books.trade("ann", "cal", "1", "100")
    books.world.now_us += 370 * DAY_US
    books.trade("ann", "cal", "1", "100")
    books.trade("bob", "ann", "2", "100")
    assert [gain["term"] for gain in books.of("ann")] == [2, 1]


def test_parts_of_proceeds_and_fees_sum_to_the_fills() -> None:
    dice = Random(3)
    books = Books(rate_ppm=333)
    for _ in range(200):
        books.trade("ann", "cal", dice.choice(("0.01", "0.33", "1.07")), "99.99")
        before = len(books.gains)
        if dice.random() < 0.3:
            held = books.world.account("ann").positions["AAPL"].units_e8
            fill = books.trade("bob", "ann", str(held // 10**6 / 100), "100.01")
            made = books.gains[before:]
            assert len(made) == len(fill.sell_lots)
            assert total(made, "proceeds_e4") == fill.notional_e4
            assert total(made, "fee_e4") == fill.sell_fee_e4
            assert total(made, "units_e8") == fill.quantity_e8
    assert total(books.of("ann"), "proceeds_e4") - total(books.of("ann"), "cost_e4") == (
        books.world.account("ann").realized_e4
    )


def test_a_market_maker_has_none() -> None:
    books = Books()
    fill = books.trade("ann", "mm", "1", "100")
    books.bust(fill, books.world.now_us)
    assert books.gains == []


def test_a_bust_adds_the_opposite_at_the_time_of_the_sale() -> None:
    books = Books(rate_ppm=1_000)
    books.trade("ann", "cal", "1", "100")
    books.trade("ann", "cal", "2", "110")
    fill = books.trade("bob", "ann", "2", "120")
    sold_us = books.world.now_us
    books.world.now_us += DAY_US
    books.bust(fill, sold_us)
    sale, reversal = books.of("ann")[:2], books.of("ann")[2:]
    assert [gain["kind"] for gain in reversal] == [GainKind.REVERSAL] * 2
    for one, other in zip(sale, reversal, strict=True):
        assert figures(other) == tuple(-figure for figure in figures(one) if isinstance(figure, int))
        same = ("execution_id", "sold_at", "acquired_at", "lot_id", "line", "term", "symbol", "order_id")
        assert figures(other, *same) == figures(one, *same)
    assert books.of("bob") == []  # nothing of what bob bought had been sold


@pytest.mark.parametrize("method", [LotMethod.FIFO, LotMethod.AVERAGE])
def test_what_a_bust_changes_of_the_buyers_gains_is_a_row_of_its_own(method: LotMethod) -> None:
    """Ann bought 2 at 100 and 2 at 110 and sold 1. Without the first purchase it was one of the second."""
    books = Books()
    books.world.do(SetLotMethod(method), "ann")
    first = books.trade("ann", "cal", "2", "100")
    executed_us = books.world.now_us
    books.trade("ann", "cal", "2", "110")
    books.trade("bob", "ann", "1", "120")
    books.bust(first, executed_us)
    corrections = [gain for gain in books.of("ann") if gain["kind"] == GainKind.CORRECTION]
    expected = [(10**8, 1_000_000, 1_100_000, 0)] if method is LotMethod.FIFO else []
    assert [figures(gain) for gain in corrections] == expected
    position = books.world.account("ann").positions["AAPL"]
    assert total(books.of("ann"), "proceeds_e4") - total(books.of("ann"), "cost_e4") == position.realized_e4


async def test_the_migration_makes_the_rows_of_older_fills(database_dsn: str, tmp_path: Path) -> None:
    """What it makes of the executions is what the write-behind made of the fills, but for those that were taken back."""
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=4)
        world.trade_at_random(600, seed=21)
        assert world.bust_at_random(6, seed=4)
        await world.written()
    (file,) = FOLDER.glob("*_realized_gains.sql")
    text = file.read_text()
    statement = text[text.index("INSERT INTO realized_gains (") :].replace("realized_gains", "remade", 1)
    columns = ", ".join(GAIN_COLUMNS)
    stands = "execution_id NOT IN (SELECT execution_id FROM realized_gains WHERE kind = 2) AND kind = 1"
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute("CREATE TEMP TABLE remade (LIKE realized_gains)")
        await connection.execute(statement)
        remade = await connection.fetch(f"SELECT {columns} FROM remade ORDER BY gain_id, line")
        made = await connection.fetch(
            f"SELECT {columns} FROM realized_gains WHERE {stands} ORDER BY gain_id, line"
        )
        several = await connection.fetchval("SELECT count(*) FROM remade WHERE line > 0")
    finally:
        await connection.close()
    assert remade == made
    assert several > 10
    assert await verify(database_dsn) == []
