"""Stored one-minute candles, made coarser where they lie."""

from __future__ import annotations

from typing import Final

# symbol, by local days?, else the step, the days' time zone, limit, opens and closes of the windows that count, the
# minutes of one candle; newest first. No more minutes are read than the limit can need. The first and last minute of each
# candle are found first, their prices then: that sorts nothing.
CANDLES: Final = """
WITH minutes AS NOT MATERIALIZED (
    SELECT one.*
    FROM (SELECT * FROM unnest($6::TIMESTAMPTZ[], $7::TIMESTAMPTZ[]) ORDER BY 1 DESC) AS session (open_at, close_at),
    LATERAL (
        SELECT start_at, high_e4, low_e4, volume_e8, trades FROM candles
        WHERE symbol = $1 AND start_at >= open_at AND start_at < close_at
        ORDER BY start_at DESC LIMIT $5::BIGINT * $8
    ) AS one
    LIMIT $5::BIGINT * $8
), bars AS (
    SELECT CASE WHEN $2 THEN date_trunc('day', start_at, $4) ELSE date_bin($3, start_at, 'epoch') END AS bar_at,
        min(start_at) AS first_at, max(start_at) AS last_at, max(high_e4) AS high_e4, min(low_e4) AS low_e4,
        least(sum(volume_e8), 9223372036854775807)::BIGINT AS volume_e8, sum(trades)::BIGINT AS trades
    FROM minutes GROUP BY bar_at ORDER BY bar_at DESC LIMIT $5
)
SELECT bar_at, first.open_e4, bars.high_e4, bars.low_e4, last.close_e4, bars.volume_e8, bars.trades
FROM bars
JOIN candles AS first ON first.symbol = $1 AND first.start_at = first_at
JOIN candles AS last ON last.symbol = $1 AND last.start_at = last_at
ORDER BY bar_at DESC
"""
