"""Whether fills have consequences beyond the ledger's. Where they have none, a fill pays for one look."""

from __future__ import annotations

from engine.state import State


def watch(state: State) -> None:
    """Bring `watches_fills` and `counts_volume` up to date: after fees, settlement or listings change, and when rebuilt."""
    state.counts_volume = any(
        schedule.rules is not None and schedule.rules.tiers for schedule in state.fees.values()
    )
    settles = {rules.market for rules in state.settlement.values() if rules.days}
    state.watches_fills = (
        state.counts_volume
        or bool(state.settling or state.unsettled or state.funded_lots)
        or any(instrument.calendar in settles for instrument in state.instruments.values())
    )
