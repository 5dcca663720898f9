"""What an account is worth: holdings at the last price, profit and loss in all and of the day.

total_value = cash + value of the holdings.   total_invested = cost of the holdings.
total_pnl = total_value - net contributions (deposits less withdrawals, and the cost of units transferred in),
which is what was realized and is unrealized, less fees.
day_pnl is about what is held now: units that were held when the day began count from the previous close, units
bought today from their cost. The day begins at the last session end of the instrument's calendar; before there
was one, everything was bought today.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from engine.settlement import buying_power_e4
from engine.state import Account, Instrument, Position, State
from engine.units import average_price_e4, notional_down_e4
from handlers.field_types import Currency
from handlers.numbers import Number, cash, percent, quantity

LastPrice = Callable[[str], int]


class HoldingJson(Struct, frozen=True):
    """One holding, valued at `current_price`."""

    symbol: str
    name: str
    quantity: Number
    available_quantity: Number
    average_cost: Number
    current_price: Number
    current_value: Number
    total_cost: Number
    unrealized_pnl: Number
    unrealized_pnl_percentage: Number
    realized_pnl: Number
    day_change: Number
    day_change_percentage: Number


class PortfolioJson(Struct, frozen=True):
    """An account's worth (reference document 001, "Get Portfolio Response")."""

    currency: Currency
    total_value: Number
    total_invested: Number
    cash_balance: Number
    buying_power: Number
    holdings_value: Number
    day_pnl: Number
    day_pnl_percentage: Number
    unrealized_pnl: Number
    realized_pnl: Number
    fees_paid: Number
    total_pnl: Number
    total_pnl_percentage: Number
    holdings: list[HoldingJson]


class Valued(Struct, frozen=True):
    """A holding and its figures."""

    position: Position
    instrument: Instrument
    price_e4: int
    value_e4: int
    day_change_e4: int


def value_holdings(state: State, account: Account, last_price: LastPrice) -> list[Valued]:
    """The account's holdings by symbol, each at its last price, or at the reference where there was no trade."""
    return [
        _value(state, position, last_price)
        for _, position in sorted(account.positions.items())
        if position.units_e8
    ]


def _value(state: State, position: Position, last_price: LastPrice) -> Valued:
    instrument = state.instruments[position.symbol]
    price_e4 = last_price(position.symbol) or instrument.reference_e4
    value_e4 = notional_down_e4(price_e4, position.units_e8)
    day_began_us = state.calendars[instrument.calendar].ended_us
    before_units_e8 = 0
    base_e4 = 0
    for lot in position.lots.values():
        if instrument.previous_close_e4 and lot.acquired_us < day_began_us:
            before_units_e8 += lot.units_e8
        else:
            base_e4 += lot.cost_e4
    base_e4 += notional_down_e4(instrument.previous_close_e4, before_units_e8)
    return Valued(position, instrument, price_e4, value_e4, value_e4 - base_e4)


def holding_json(valued: Valued) -> HoldingJson:
    """A holding as clients see it."""
    position = valued.position
    unrealized_e4 = valued.value_e4 - position.cost_e4
    return HoldingJson(
        symbol=position.symbol,
        name=valued.instrument.name,
        quantity=quantity(position.units_e8),
        available_quantity=quantity(position.units_e8 - position.held_e8),
        average_cost=cash(average_price_e4(position.cost_e4, position.units_e8)),
        current_price=cash(valued.price_e4),
        current_value=cash(valued.value_e4),
        total_cost=cash(position.cost_e4),
        unrealized_pnl=cash(unrealized_e4),
        unrealized_pnl_percentage=percent(unrealized_e4, position.cost_e4),
        realized_pnl=cash(position.realized_e4),
        day_change=cash(valued.day_change_e4),
        day_change_percentage=percent(valued.day_change_e4, valued.value_e4 - valued.day_change_e4),
    )


def portfolio_json(account: Account, valued: list[Valued], now_us: int) -> PortfolioJson:
    """The whole account as clients see it now."""
    holdings_value_e4 = sum(holding.value_e4 for holding in valued)
    cost_e4 = sum(holding.position.cost_e4 for holding in valued)
    day_pnl_e4 = sum(holding.day_change_e4 for holding in valued)
    total_value_e4 = account.cash_e4 + holdings_value_e4
    total_pnl_e4 = total_value_e4 - account.contributed_e4
    return PortfolioJson(
        currency=account.currency,
        total_value=cash(total_value_e4),
        total_invested=cash(cost_e4),
        cash_balance=cash(account.cash_e4),
        buying_power=cash(buying_power_e4(account, now_us)),
        holdings_value=cash(holdings_value_e4),
        day_pnl=cash(day_pnl_e4),
        day_pnl_percentage=percent(day_pnl_e4, max(total_value_e4 - day_pnl_e4, 0)),
        unrealized_pnl=cash(holdings_value_e4 - cost_e4),
        realized_pnl=cash(account.realized_e4),
        fees_paid=cash(account.fees_e4),
        total_pnl=cash(total_pnl_e4),
        total_pnl_percentage=percent(total_pnl_e4, max(account.contributed_e4, 0)),
        holdings=[holding_json(holding) for holding in valued],
    )
