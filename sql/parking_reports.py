"""Reports of car parks: what was charged, and who was inside, summed in PostgreSQL by hour or day, lot, type and kind."""

from __future__ import annotations

from functools import cache
from typing import Final

# Sums that may be beyond a BIGINT are given as text: of a NUMERIC asyncpg would make a Decimal, at twice the cost.

# $1 lots, $2 from, $3 to, $4 the first txn_id that is too new, $5 the begins of hours or days, $6 and $7 of stays that run now the
# ids and types, $8 limit. A charge's type is that of its stay, or of the booking that nobody came for; a pass has none.
_REVENUE: Final = """
SELECT width_bucket(c.charged_at, $5::TIMESTAMPTZ[]) AS cell, {lot} AS lot, {space_type} AS space_type, {kind} AS kind,
    count(*) AS charges, sum(c.total_e4)::TEXT AS total_e4, sum(c.tax_e4)::TEXT AS tax_e4, sum(c.paid_e4)::TEXT AS paid_e4,
    coalesce(sum(c.paid_e4) FILTER (WHERE c.cash), 0)::TEXT AS cash_e4, sum(c.owed_e4)::TEXT AS owed_e4
FROM parking_charges c
LEFT JOIN parking_stays s ON s.stay_id = c.stay_id
LEFT JOIN parking_bookings b ON b.booking_id = c.right_id
LEFT JOIN unnest($6::BIGINT[], $7::SMALLINT[]) AS r (stay_id, space_type) ON r.stay_id = c.stay_id
WHERE c.lot = ANY ($1::TEXT[]) AND c.charged_at >= $2 AND c.charged_at < $3 AND c.txn_id < $4
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT $8
"""

# $1 lots and $2 indexes of spaces, $3 the group of each; $4 from, $5 to, $6 the newest seq, $7 groups and $8 begins of stays that run
# now, $9 the begins of hours or days and the end of the last, $10 the number of groups.
# What changes how many are inside are comings, goings, and for every group the begins of its cells, so that each cell has a row.
_OCCUPANCY: Final = """
WITH places AS (
    SELECT * FROM unnest($1::TEXT[], $2::INTEGER[], $3::INTEGER[]) AS p (lot, space_index, grp)
), inside AS (
    SELECT p.grp, s.begin_at, s.end_at
    FROM parking_stays s JOIN places p ON p.lot = s.lot {place}
    WHERE s.lot = ANY ($1::TEXT[]) AND s.end_at >= $4 AND s.begin_at < $5 AND s.seq <= $6
    UNION ALL
    SELECT grp, begin_at, 'infinity' FROM unnest($7::INTEGER[], $8::TIMESTAMPTZ[]) AS r (grp, begin_at) WHERE begin_at < $5
), changes AS (
    SELECT grp, greatest(begin_at, $4) AS at, 1 AS by, (begin_at >= $4)::INTEGER AS came, 0 AS went FROM inside
    UNION ALL
    SELECT grp, end_at, -1, 0, 1 FROM inside WHERE end_at < $5
    UNION ALL
    SELECT grp, at, 0, 0, 0 FROM generate_series(0, $10::INTEGER - 1) AS grp, unnest($9::TIMESTAMPTZ[]) AS at WHERE at < $5
), steps AS (
    SELECT grp, at, sum(by) AS by, sum(came) AS came, sum(went) AS went FROM changes GROUP BY grp, at
), levels AS (
    SELECT grp, at, came, went, sum(by) OVER moment AS level, lead(at, 1, $5) OVER moment AS until
    FROM steps WINDOW moment AS (PARTITION BY grp ORDER BY at)
), cells AS (
    SELECT *, width_bucket(at, $9) AS cell, width_bucket(until, $9) AS next_cell FROM levels
)
SELECT grp, cell, max(level)::BIGINT AS peak, sum(level * (extract(epoch FROM until - at) * 1000000)::BIGINT)::TEXT AS vehicle_us,
    sum(came)::BIGINT AS came, sum(went)::BIGINT AS went, max(level) FILTER (WHERE next_cell > cell)::BIGINT AS at_end
FROM cells GROUP BY grp, cell ORDER BY cell, grp
"""


@cache
def revenue(*, by_lot: bool, by_type: bool, by_kind: bool) -> str:
    """The sums of charges. What nothing is split by is not looked up: PostgreSQL leaves out a join of which it needs no column."""
    return _REVENUE.format(
        lot="c.lot" if by_lot else "''",
        space_type="coalesce(s.space_type, b.space_type, r.space_type, 0)" if by_type else "0",
        kind="c.kind" if by_kind else "0",
    )


@cache
def occupancy(*, by_type: bool) -> str:
    """How many were inside, by groups of lots, or of spaces."""
    return _OCCUPANCY.format(place="AND p.space_index = s.space_index" if by_type else "")
