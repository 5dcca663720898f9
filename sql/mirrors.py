"""Reads the readable tables of latest state so that they can be compared with the engine's state."""

from __future__ import annotations

from typing import Final

MIRRORS: Final[dict[str, tuple[str, int]]] = {
    "accounts": (
        "SELECT account_id, user_id, kind, currency, status FROM accounts WHERE kind <= 2 ORDER BY account_id",
        1,
    ),
    "wallets": (
        "SELECT account_id, currency, balance_e4, held_e4, unsettled_e4 FROM wallets ORDER BY account_id, currency",
        2,
    ),
    "holdings": (
        "SELECT account_id, symbol, units_e8, held_e8, cost_e4, realized_e4 FROM holdings ORDER BY account_id, symbol",
        2,
    ),
    "lots": (
        """
        SELECT lot_id, account_id, symbol, units_e8, cost_e4, (extract(epoch FROM acquired_at) * 1000000)::BIGINT
        FROM lots ORDER BY lot_id
        """,
        1,
    ),
    "orders": (
        """
        SELECT order_id, account_id, symbol, side, order_type, time_in_force, quantity_e8, price_e4, limit_e4, filled_e8,
            notional_e4, fee_e4, hold_e4, status, (extract(epoch FROM created_at) * 1000000)::BIGINT, client_order_id,
            special::TEXT
        FROM orders WHERE status <= 2 ORDER BY order_id
        """,
        1,
    ),
    "withdrawals": (
        """
        SELECT withdrawal_id, account_id, amount_e4, (extract(epoch FROM requested_at) * 1000000)::BIGINT
        FROM withdrawals WHERE status = 1 ORDER BY withdrawal_id
        """,
        1,
    ),
    "instruments": (
        """
        SELECT symbol, name, currency, tick_e4, lot_e8, price_min_e4, price_max_e4, reference_e4, last_e4,
            previous_close_e4, phase, halted
        FROM instruments ORDER BY symbol
        """,
        1,
    ),
}
"""Table → its query and how many of the columns are the key."""
