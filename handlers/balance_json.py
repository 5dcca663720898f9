"""A cash balance as clients see it: for `GET /wallet/balance` and for the `balance` channel."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from engine.events import BalanceChanged
from engine.state import State
from handlers.field_types import Currency
from handlers.numbers import ZERO, Number, cash


class BalanceJson(Struct, frozen=True, gc=False):
    """`available` is the balance without what is held for open orders and withdrawals."""

    currency: Currency
    balance: Number
    available: Number
    held: Number
    unsettled: Number
    withdrawable: Number
    buying_power: Number


def balance_json(currency: str, cash_e4: int, held_e4: int) -> BalanceJson:
    """The JSON object of a balance. Sale proceeds are usable at once, so nothing is unsettled."""
    balance, available = cash(cash_e4), cash(cash_e4 - held_e4)
    return BalanceJson(currency, balance, available, cash(held_e4), ZERO, available, available)


_encode = msgspec.json.Encoder().encode


class BalanceEncoder:
    """Makes the JSON text of a balance event; the currency is that of the account."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, event: BalanceChanged) -> bytes:
        currency = self._state.accounts[event.account_id].currency
        return _encode(balance_json(currency, event.cash_e4, event.held_e4))
