"""Names on the ledger: one for each asset, so none may stand for both cash and units."""

from __future__ import annotations

from engine.state import State


def is_currency(state: State, asset: str) -> bool:
    """Whether an asset's name is a currency in use."""
    return any(asset == instrument.currency for instrument in state.instruments.values()) or any(
        asset == account.currency for account in state.accounts.values()
    )
