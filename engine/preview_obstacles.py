"""Looks behind what refuses an order: puts the obstacle aside for a moment, so that a preview can name the next one too.

What is put aside is put back before anything else happens; nothing runs in between but the functions that decide.
"""

from __future__ import annotations

from typing import Any, Final

from engine.kinds import AccountStatus, Phase
from engine.refusals import Refusal
from engine.state import Account, Instrument, State
from engine.units import BPS, NOTIONAL_MAX_E4, PRICE_MAX_E4, QUANTITY_MAX_E8

_NO_MAXIMUM: Final = 2**31


class Obstacles:
    """What was put aside of a state, for one order. `restore` must be called, whatever happens."""

    __slots__ = ("_account", "_instrument", "_kept", "_state")

    def __init__(self, state: State, account: Account | None, instrument: Instrument | None) -> None:
        self._state = state
        self._account = account
        self._instrument = instrument
        self._kept: list[tuple[Any, str, Any]] = []

    def put_aside(self, refusal: Refusal) -> bool:
        """Let the next decision pass what refused the order; False for what nothing can be seen behind."""
        state, account, instrument = self._state, self._account, self._instrument
        if account is not None and refusal is Refusal.ACCOUNT_DISABLED:
            self._set(account, "status", AccountStatus.ACTIVE)
            return True
        if account is None or instrument is None:
            return False
        limits = state.limits
        match refusal:
            case Refusal.KILL_SWITCH_ON:
                self._set(state, "kill_switches", {})
            case Refusal.SYMBOL_HALTED:
                self._set(instrument, "halted", False)
                self._set(instrument, "phase", Phase.CONTINUOUS)
            case Refusal.SESSION_CLOSED if not state.calendars[instrument.calendar].phases:
                self._set(instrument, "phase", Phase.CONTINUOUS)
            case Refusal.INVALID_LOT_SIZE:
                self._set(instrument, "lot_e8", 1)
            case Refusal.INVALID_TICK_SIZE:
                self._set(instrument, "tick_e4", 1)
            case Refusal.INVALID_PRICE:
                self._set(instrument, "price_min_e4", 1)
                self._set(instrument, "price_max_e4", PRICE_MAX_E4)
            case Refusal.PRICE_OUT_OF_BAND:
                self._set(instrument, "band_bps", BPS - 1)
            case Refusal.ORDER_TOO_LARGE:
                self._set(limits, "order_quantity_max_e8", QUANTITY_MAX_E8)
            case Refusal.ORDER_VALUE_TOO_LARGE:
                self._set(limits, "order_value_max_e4", NOTIONAL_MAX_E4)
            case Refusal.TOO_MANY_OPEN_ORDERS:
                self._set(limits, "open_orders_max", _NO_MAXIMUM)
            case _:
                return False
        return True

    def restore(self) -> None:
        """Put everything back, the last first."""
        while self._kept:
            owner, name, value = self._kept.pop()
            setattr(owner, name, value)

    def _set(self, owner: Any, name: str, value: Any) -> None:
        self._kept.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)
