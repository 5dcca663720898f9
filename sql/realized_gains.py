"""What sales realised in Postgres: rows of fills and busts, what a report reads, what `verify` asks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from struct import Struct
from typing import Final

from engine.action_events import FractionPaid
from engine.events import SoldLot, TradeBusted, Traded
from engine.holding_period import term_of
from engine.units import shares_of
from sql.copy_rows import PG_EPOCH_US, text_field

GAIN_COLUMNS: Final = (
    "gain_id",
    "execution_id",
    "sold_at",
    "account_id",
    "order_id",
    "lot_id",
    "units_e8",
    "proceeds_e4",
    "cost_e4",
    "fee_e4",
    "acquired_at",
    "line",
    "kind",
    "term",
    "symbol",
)
_GAIN = Struct(">h" + "iq" * 11 + "ih" * 3)


class GainKind(IntEnum):
    """What a row says."""

    SALE = 1
    REVERSAL = 2  # the sale of a busted trade, with its figures negative
    CORRECTION = 3  # the buyer of a busted trade had sold of its lot: others took its place, at another cost
    CASH_IN_LIEU = 4  # a fraction that a corporate action paid for
    MERGER = 5  # what a merger paid cash for


def sale_rows(event: Traded, now_us: int) -> list[bytes]:
    """A seller's rows of a fill, one for each lot; proceeds and fee are split in proportion, so that they sum to the fill's."""
    return _rows(
        *(event.trade_id + 1, event.trade_id + 1, now_us, event.sell_account_id, event.sell_order_id, event.symbol),
        *(GainKind.SALE, event.notional_e4, event.sell_fee_e4, event.sell_lots),
    )  # fmt: skip


def reversal_rows(event: TradeBusted) -> list[bytes]:
    """The seller's rows of a fill that was taken back, at the time of the fill: what they realised is nothing."""
    return _rows(
        *(event.bust_id + 1, event.trade_id + 1, event.executed_us, event.sell_account_id, event.sell_order_id),
        *(event.symbol, GainKind.REVERSAL, event.notional_e4, event.sell_fee_e4, event.sell_lots),
    )  # fmt: skip


def fraction_rows(event: FractionPaid, now_us: int) -> list[bytes]:
    """An account's rows of units that a corporate action paid for, by the transaction; there is no order."""
    kind = GainKind.MERGER if event.is_merger else GainKind.CASH_IN_LIEU
    return _rows(
        *(event.txn_id, event.txn_id, now_us, event.account_id, 0, event.symbol),
        *(kind, event.amount_e4, 0, event.sold_lots),
    )


def correction_rows(event: TradeBusted, now_us: int) -> list[bytes]:
    """The buyer's rows of a fill that was taken back: of those of the lots given up that did not cost what was paid for them."""
    worth = shares_of(event.notional_e4, [lot[1] for lot in event.buy_lots])
    changed = [
        (lot, share_e4) for lot, share_e4 in zip(event.buy_lots, worth, strict=True) if lot[2] != share_e4
    ]
    about = (event.bust_id, event.trade_id, now_us, event.buy_account_id, event.buy_order_id, event.symbol)
    return [
        _row(*about, GainKind.CORRECTION, line, lot, share_e4, 0, 1)
        for line, (lot, share_e4) in enumerate(changed)
    ]


def _rows(
    gain_id: int,
    execution_id: int,
    sold_us: int,
    account_id: int,
    order_id: int,
    symbol: str,
    kind: GainKind,
    notional_e4: int,
    fee_e4: int,
    lots: Sequence[SoldLot],
) -> list[bytes]:
    sign = -1 if kind is GainKind.REVERSAL else 1
    about = (gain_id, execution_id, sold_us, account_id, order_id, symbol, kind)
    if len(lots) == 1:  # as nearly always
        return [_row(*about, 0, lots[0], notional_e4, fee_e4, sign)]
    units = [lot[1] for lot in lots]
    split = zip(lots, shares_of(notional_e4, units), shares_of(fee_e4, units), strict=True)
    return [_row(*about, line, lot, worth, fee, sign) for line, (lot, worth, fee) in enumerate(split)]


def _row(
    gain_id: int,
    execution_id: int,
    sold_us: int,
    account_id: int,
    order_id: int,
    symbol: str,
    kind: GainKind,
    line: int,
    lot: SoldLot,
    proceeds_e4: int,
    fee_e4: int,
    sign: int,
) -> bytes:
    lot_id, units_e8, cost_e4, acquired_us = lot
    return _GAIN.pack(
        *(15, 8, gain_id, 8, execution_id, 8, sold_us - PG_EPOCH_US, 8, account_id, 8, order_id, 8, lot_id),
        *(8, sign * units_e8, 8, sign * proceeds_e4, 8, sign * cost_e4, 8, sign * fee_e4),
        *(8, acquired_us - PG_EPOCH_US, 2, line, 2, kind, 2, term_of(acquired_us, sold_us)),
    ) + text_field(symbol)


BEGIN: Final = "SELECT after_seq FROM realized_gains_begin"

_GAIN_ROW: Final = """
SELECT gain_id, execution_id, sold_at, order_id, lot_id, units_e8, proceeds_e4, cost_e4, fee_e4, acquired_at, line, kind, term,
    symbol
FROM realized_gains
"""

# account_id, symbol ('' for all), from, to, before gain_id, before line, limit; newest first
GAINS: Final = f"""{_GAIN_ROW}
WHERE account_id = $1 AND ($2 = '' OR symbol = $2) AND sold_at >= $3 AND sold_at < $4 AND (gain_id, line) < ($5, $6)
ORDER BY gain_id DESC, line DESC LIMIT $7
"""

# account_id, symbol ('' for all), from, to
TOTALS: Final = """
SELECT term, count(*) AS rows, sum(proceeds_e4) AS proceeds_e4, sum(cost_e4) AS cost_e4, sum(fee_e4) AS fee_e4
FROM realized_gains
WHERE account_id = $1 AND ($2 = '' OR symbol = $2) AND sold_at >= $3 AND sold_at < $4 GROUP BY term
"""

# account_id, symbol, limit; what stands of an account's sales in a symbol, oldest first
SALES: Final = f"""{_GAIN_ROW}
WHERE account_id = $1 AND symbol = $2 AND kind IN (1, 4, 5) AND NOT EXISTS (
    SELECT FROM realized_gains AS r WHERE r.account_id = $1 AND r.kind = 2 AND r.execution_id = realized_gains.execution_id
)
ORDER BY gain_id, line LIMIT $3
"""

# account_id, symbol, limit; an account's purchases that stand, oldest first
PURCHASES: Final = """
SELECT execution_id, quantity_e8, executed_at FROM executions
WHERE order_id IN (SELECT order_id FROM orders WHERE account_id = $1 AND symbol = $2 AND side = 1) AND account_id = $1 AND symbol = $2 AND side = 1
    AND busted_at IS NULL
ORDER BY execution_id LIMIT $3
"""

# account_id, symbol ('' for all), from, to, limit; symbols in which sales of the span lost money
SYMBOLS_WITH_LOSSES: Final = """
SELECT DISTINCT symbol FROM realized_gains
WHERE account_id = $1 AND ($2 = '' OR symbol = $2) AND sold_at >= $3 AND sold_at < $4 AND kind IN (1, 4, 5) AND proceeds_e4 < cost_e4
ORDER BY symbol LIMIT $5
"""

CHECKS: Final = {
    "realized gains = sales": """
        SELECT format('execution %s', execution_id) AS subject,
            format('sold %s for %s at cost %s, fee %s, the gains say %s for %s at cost %s, fee %s', quantity_e8, notional_e4,
                cost, fee_e4, units, proceeds, gain_cost, fee) AS problem
        FROM (
            SELECT execution_id, quantity_e8, notional_e4, fee_e4,
                (SELECT sum(sold_lots[n]) FROM generate_series(3, cardinality(sold_lots), 4) AS n) AS cost
            FROM executions
            WHERE sold_lots IS NOT NULL AND busted_at IS NULL
                AND account_id NOT IN (SELECT account_id FROM accounts WHERE kind = 2)
        ) AS sold
        FULL JOIN (
            SELECT execution_id, sum(units_e8) AS units, sum(proceeds_e4) AS proceeds, sum(cost_e4) AS gain_cost,
                sum(fee_e4) AS fee
            FROM realized_gains WHERE kind IN (1, 2) GROUP BY execution_id
            HAVING (sum(units_e8), sum(proceeds_e4), sum(cost_e4), sum(fee_e4)) <> (0, 0, 0, 0)
        ) AS gains USING (execution_id)
        WHERE (quantity_e8, notional_e4, cost, fee_e4) IS DISTINCT FROM (units, proceeds, gain_cost, fee) ORDER BY execution_id
    """,
    # What a bust corrected before the table was there is not known, and a holding's total stops at the end of BIGINT.
    "realized gains = holdings": """
        SELECT format('holding %s %s', account_id, symbol) AS subject,
            format('realised %s, the gains sum to %s', coalesce(realized_e4, 0), coalesce(gained, 0)) AS problem
        FROM (
            SELECT account_id, symbol, realized_e4 FROM holdings
            WHERE account_id IN (SELECT account_id FROM accounts WHERE kind = 1)
        ) AS held
        FULL JOIN (
            SELECT account_id, symbol, sum(proceeds_e4 - cost_e4) AS gained FROM realized_gains GROUP BY account_id, symbol
        ) AS sums USING (account_id, symbol)
        WHERE (SELECT after_seq FROM realized_gains_begin) = 0
            AND coalesce(realized_e4, 0) <> greatest(least(coalesce(gained, 0), 9223372036854775807), -9223372036854775807)
        ORDER BY account_id, symbol
    """,
}
"""What `verify` asks about realised gains: check → the query for what is wrong."""
