"""What an account is worth, to the last unit."""

from __future__ import annotations

import msgspec
import pytest

from engine.kinds import AccountKind, Phase, PriceSource
from engine.state import Account, Calendar, Instrument, Lot, Position, State
from handlers.valuation import PortfolioJson, holding_json, portfolio_json, value_holdings

UNIT = 10**8


def world(previous_close_e4: int = 0, day_began_us: int = 0) -> tuple[State, Account]:
    state = State()
    state.calendars["ALWAYS"] = Calendar("ALWAYS", ended_us=day_began_us)
    state.instruments["AAPL"] = Instrument(
        "AAPL", "Apple", "USD", 100, UNIT, 100, 10**8, "ALWAYS", PriceSource.OWN, 1_000, "standard", 1_500_000,
        Phase.CONTINUOUS, previous_close_e4=previous_close_e4,
    )  # fmt: skip
    account = Account(9, 1_000, AccountKind.USER, "USD", cash_e4=54_305_000, contributed_e4=1_000_000_000)
    state.accounts[9] = account
    return state, account


def hold(account: Account, units: int, cost_e4: int, acquired_us: int) -> None:
    position = account.positions.setdefault("AAPL", Position(9, "AAPL"))
    lot_id = len(position.lots) + 1
    position.lots[lot_id] = Lot(lot_id, 9, "AAPL", units * UNIT, cost_e4, acquired_us)
    position.units_e8 += units * UNIT
    position.cost_e4 += cost_e4


def shown(state: State, account: Account, price_e4: int) -> tuple[dict[str, object], dict[str, object]]:
    valued = value_holdings(state, account, lambda _: price_e4)
    portfolio: PortfolioJson = portfolio_json(account, valued, 0)
    return msgspec.json.decode(msgspec.json.encode(portfolio)), msgspec.json.decode(
        msgspec.json.encode(holding_json(valued[0]))
    )


def test_the_example_of_the_reference_document() -> None:
    """Document 001: 100 AAPL at 150.00, now 178.50, previous close 175.00."""
    state, account = world(previous_close_e4=1_750_000, day_began_us=100)
    hold(account, 100, 150_000_000, acquired_us=50)
    portfolio, holding = shown(state, account, 1_785_000)
    assert {name: holding[name] for name in list(holding)[2:]} == {
        "quantity": 100, "available_quantity": 100, "average_cost": 150, "current_price": 178.5,
        "current_value": 17850, "total_cost": 15000, "unrealized_pnl": 2850, "unrealized_pnl_percentage": 19,
        "realized_pnl": 0, "day_change": 350, "day_change_percentage": 2,
    }  # fmt: skip
    assert portfolio["total_value"] == 23280.5
    assert portfolio["total_invested"] == 15000
    assert portfolio["cash_balance"] == portfolio["buying_power"] == 5430.5
    assert portfolio["day_pnl"] == 350
    assert portfolio["day_pnl_percentage"] == 1.53
    assert portfolio["total_pnl"] == -76719.5
    assert portfolio["holdings"] == [holding]


def test_units_bought_today_count_from_their_cost() -> None:
    state, account = world(previous_close_e4=1_750_000, day_began_us=100)
    hold(account, 10, 15_000_000, acquired_us=99)
    hold(account, 10, 17_800_000, acquired_us=100)
    _, holding = shown(state, account, 1_785_000)
    assert holding["day_change"] == 35 + 5


def test_before_there_was_a_close_everything_counts_from_its_cost() -> None:
    state, account = world(day_began_us=100)
    hold(account, 10, 15_000_000, acquired_us=1)
    _, holding = shown(state, account, 1_785_000)
    assert holding["day_change"] == holding["unrealized_pnl"] == 285


def test_without_a_trade_the_reference_price_counts() -> None:
    state, account = world()
    hold(account, 1, 1_000_000, acquired_us=1)
    _, holding = shown(state, account, 0)
    assert holding["current_price"] == 150


def test_what_was_sold_out_is_no_holding() -> None:
    state, account = world()
    account.positions["AAPL"] = Position(9, "AAPL", realized_e4=5)
    assert value_holdings(state, account, lambda _: 1) == []


@pytest.mark.parametrize(
    ("units_e8", "cost_e4", "average"), [(3, 1, b"3333.3333"), (2 * UNIT, 30_001, b"1.5001")]
)
def test_an_average_cost_is_exact_text(units_e8: int, cost_e4: int, average: bytes) -> None:
    state, account = world()
    position = account.positions["AAPL"] = Position(9, "AAPL", units_e8=units_e8, cost_e4=cost_e4)
    position.lots[1] = Lot(1, 9, "AAPL", units_e8, cost_e4, 1)
    (valued,) = value_holdings(state, account, lambda _: 10_000)
    assert bytes(holding_json(valued).average_cost) == average
