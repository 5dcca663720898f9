"""Price bands that halt: a trade too far from the reference does not happen, and the book goes to a call.

Source: docs/orders.md, "Price bands that halt"; the idea is that of limit-up/limit-down and of European volatility
interruptions. An instrument with `halt_bps` 0 has none and pays for one look.
"""

from __future__ import annotations

from engine.events import PhaseChanged
from engine.kinds import Phase, TimerKind
from engine.state import Instrument
from engine.timers import add_timer, arm_indicative
from engine.turn import Turn
from engine.units import band_down_e4, band_up_e4


def is_reference_old(instrument: Instrument, now_us: int) -> bool:
    """Whether the next trade moves the reference: there is none, or it was set long enough ago."""
    return (
        not instrument.halt_reference_e4 or now_us - instrument.halt_reference_us >= instrument.halt_window_us
    )


def band_e4(instrument: Instrument, now_us: int, price_e4: int) -> tuple[int, int]:
    """The lowest and the highest price at which trades may happen, if the next one is at this price.

    The session's first trade is held against itself; one that moves an old reference against the trade before it.
    """
    anchor_e4 = instrument.halt_reference_e4
    if is_reference_old(instrument, now_us):
        anchor_e4 = instrument.last_e4 if anchor_e4 else price_e4
    return band_down_e4(anchor_e4, instrument.halt_bps), band_up_e4(anchor_e4, instrument.halt_bps)


def may_trade_at(turn: Turn, instrument: Instrument, price_e4: int) -> bool:
    """Whether a trade may happen at a price. Moves the reference where that trade moves it."""
    if instrument.phase is not Phase.CONTINUOUS:
        return True
    low_e4, high_e4 = band_e4(instrument, turn.now_us, price_e4)
    if is_reference_old(instrument, turn.now_us):
        instrument.halt_reference_e4 = instrument.last_e4 if instrument.halt_reference_e4 else price_e4
        instrument.halt_reference_us = turn.now_us
        turn.state.dirty["instrument"][instrument.symbol] = None
    return low_e4 <= price_e4 <= high_e4


def begin_halt_call(turn: Turn, instrument: Instrument, reason: str) -> None:
    """Collect orders for an auction that reopens the book `halt_us` from now."""
    instrument.phase = Phase.HALT_AUCTION
    instrument.indicative = (0, 0, 0)
    turn.state.dirty["instrument"][instrument.symbol] = None
    turn.events.append(PhaseChanged(instrument.symbol, Phase.HALT_AUCTION, reason))
    add_timer(turn, turn.now_us + instrument.halt_us, TimerKind.REOPEN, instrument.symbol)
    arm_indicative(turn)
