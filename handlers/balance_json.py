"""A cash balance as clients see it: for `GET /wallet/balance` and for the `balance` channel."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from engine.events import BalanceChanged
from engine.state import State
from handlers.field_types import Currency
from handlers.numbers import ZERO, Number, cash


class BalanceJson(Struct, frozen=True, gc=False):
    """`available` is the balance without what is held for open orders and withdrawals. `unsettled` is what sales have brought
    and has not settled: it can buy, but it is not `withdrawable`. `buying_power` is `available`, or what has settled of it
    while good-faith violations restrict the account.
    """

    currency: Currency
    balance: Number
    available: Number
    held: Number
    unsettled: Number
    withdrawable: Number
    buying_power: Number


def balance_json(
    currency: str, cash_e4: int, held_e4: int, unsettled_e4: int = 0, settled_only: bool = False
) -> BalanceJson:
    """The JSON object of a balance. Holds take settled cash first, so what they leave of it can be withdrawn."""
    balance, available = cash(cash_e4), cash(cash_e4 - held_e4)
    if not unsettled_e4:
        return BalanceJson(currency, balance, available, cash(held_e4), ZERO, available, available)
    withdrawable = cash(max(0, cash_e4 - unsettled_e4 - held_e4))
    power = withdrawable if settled_only else available
    return BalanceJson(currency, balance, available, cash(held_e4), cash(unsettled_e4), withdrawable, power)


_encode = msgspec.json.Encoder().encode


class BalanceEncoder:
    """Makes the JSON text of a balance event; the currency is that of the account."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, event: BalanceChanged) -> bytes:
        currency = self._state.accounts[event.account_id].currency
        return _encode(
            balance_json(currency, event.cash_e4, event.held_e4, event.unsettled_e4, event.settled_only)
        )
