"""Parking in Postgres: bookings as they are now, stays that are over, and what was charged, with the lines of the receipt.

A booking's row is replaced until it is over; those of stays and charges are only ever added.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

import msgspec

from engine.event_base import Event
from engine.parking.booking_events import BookingSet, ParkingCharged, StaySet
from engine.parking.booking_records import CODE_PREFIX, Booking, Stay
from engine.parking.kinds import BookingStatus, StayStatus
from sql.access_log import CODE_SHOWN
from sql.copy_rows import PG_EPOCH_US, bytes_field, client_text_field, saturated, text_field

BOOKING_COLUMNS: Final = (
    *(
        "booking_id",
        "seq",
        "account_id",
        "vehicle_id",
        "stay_id",
        "waiting_id",
        "price_e4",
        "tax_e4",
        "hold_e4",
    ),
    *("version", "begin_at", "end_at", "created_at"),
    *("status", "space_type", "required", "occupancy_bps", "space_index", "subscriber"),
    *("plate", "lot", "tariff"),
)
_booking: Final = Struct(">h" + "iq" * 13 + "ih" * 4 + "ii" + "i?").pack
_STATUS: Final = Struct(">h" + "iq" * 13 + "i").size
"""Where a booking's status stands in its row."""

STAY_COLUMNS: Final = (
    *("stay_id", "seq", "account_id", "vehicle_id", "right_id", "charged_e4", "owed_e4", "version"),
    *("begin_at", "end_at", "entry_right", "space_type", "space_index", "who", "lot", "gate_id", "tariff"),
)
_stay: Final = Struct(">h" + "iq" * 10 + "ih" * 2 + "ii").pack

CHARGE_COLUMNS: Final = (
    *(
        "txn_id",
        "account_id",
        "stay_id",
        "right_id",
        "total_e4",
        "tax_e4",
        "paid_e4",
        "owed_e4",
        "charged_at",
    ),
    *("kind", "cash", "lot", "who", "lines"),
)
_charge: Final = Struct(">h" + "iq" * 9 + "ih" + "i?").pack

PARKED: Final = frozenset({BookingSet, StaySet, ParkingCharged})
"""Events that leave a row, but a stay's while it is not over."""

MERGE_BOOKINGS: Final = """
INSERT INTO parking_bookings (
    booking_id, seq, account_id, vehicle_id, stay_id, waiting_id, price_e4, tax_e4, hold_e4, version, begin_at, end_at,
    created_at, status, space_type, required, occupancy_bps, space_index, subscriber, plate, lot, tariff)
SELECT
    booking_id, seq, account_id, vehicle_id, stay_id, waiting_id, price_e4, tax_e4, hold_e4, version, begin_at, end_at,
    created_at, status, space_type, required, occupancy_bps, space_index, subscriber, plate, lot, tariff
FROM stage_parking_bookings
ON CONFLICT (booking_id) DO UPDATE SET
    seq = EXCLUDED.seq, account_id = EXCLUDED.account_id, vehicle_id = EXCLUDED.vehicle_id, stay_id = EXCLUDED.stay_id,
    waiting_id = EXCLUDED.waiting_id, price_e4 = EXCLUDED.price_e4, tax_e4 = EXCLUDED.tax_e4, hold_e4 = EXCLUDED.hold_e4,
    version = EXCLUDED.version, begin_at = EXCLUDED.begin_at, end_at = EXCLUDED.end_at, created_at = EXCLUDED.created_at,
    status = EXCLUDED.status, space_type = EXCLUDED.space_type, required = EXCLUDED.required,
    occupancy_bps = EXCLUDED.occupancy_bps, space_index = EXCLUDED.space_index, subscriber = EXCLUDED.subscriber,
    plate = EXCLUDED.plate, lot = EXCLUDED.lot, tariff = EXCLUDED.tariff
"""

# account_id, statuses, before booking_id, limit; newest first
BOOKINGS: Final = """
SELECT * FROM parking_bookings
WHERE account_id = $1 AND status = ANY($2::SMALLINT[]) AND booking_id < $3 ORDER BY booking_id DESC LIMIT $4
"""

# account_id, booking_id
BOOKING: Final = "SELECT * FROM parking_bookings WHERE account_id = $1 AND booking_id = $2"

# account_id, as of seq, before stay_id, limit, the account's vehicles and since when they are registered; newest first. A gate that was
# cut off may tell of a stay only after somebody has registered its plate: that one is not shown.
STAYS_OVER: Final = """
SELECT s.* FROM parking_stays s
LEFT JOIN unnest($5::BIGINT[], $6::TIMESTAMPTZ[]) AS v (vehicle_id, registered_at) ON v.vehicle_id = s.vehicle_id
WHERE s.account_id = $1 AND s.account_id > 0 AND s.seq <= $2 AND s.stay_id < $3
    AND (v.registered_at IS NULL OR s.begin_at >= v.registered_at)
ORDER BY s.stay_id DESC LIMIT $4
"""

# stay_ids; oldest first
RECEIPTS: Final = """
SELECT txn_id, stay_id, kind, total_e4, tax_e4, paid_e4, owed_e4, cash, charged_at, lines FROM parking_charges
WHERE stay_id = ANY($1) AND stay_id > 0 ORDER BY txn_id
"""

CHECKS: Final = {
    "receipts = postings": """
        SELECT format('txn %s', txn_id) AS subject,
            format('net %s tax %s owed %s at a machine %s, posted %s, %s, %s, %s', net, tax_e4, owed_e4, machine,
                revenue, tax, debt, cash) AS problem
        FROM (
            SELECT txn_id, total_e4 - tax_e4 AS net, tax_e4, owed_e4, CASE WHEN cash THEN paid_e4 ELSE 0 END AS machine
            FROM parking_charges WHERE total_e4 <> 0
        ) AS charged
        FULL JOIN (
            SELECT txn_id, coalesce(sum(amount) FILTER (WHERE account_id = 21), 0) AS revenue,
                coalesce(sum(amount) FILTER (WHERE account_id = 22), 0) AS tax,
                coalesce(-sum(amount) FILTER (WHERE account_id = 23), 0) AS cash,
                coalesce(-sum(amount) FILTER (WHERE account_id = 24), 0) AS debt
            FROM postings WHERE txn_kind = 21 GROUP BY txn_id
        ) AS lines USING (txn_id)
        WHERE (net, tax_e4, owed_e4, machine) IS DISTINCT FROM (revenue, tax, debt, cash) ORDER BY txn_id
    """,
}
"""What `verify` asks about receipts, so that reports say what the ledger says: check → the query for what is wrong."""

_lines: Final = msgspec.json.Encoder().encode


class ParkingRows:
    """The rows of consecutive records. Bookings are reduced to their last event."""

    __slots__ = ("_bookings", "charges", "stays")

    def __init__(self) -> None:
        self._bookings: dict[int, tuple[Booking, int]] = {}
        self.stays: list[bytes] = []
        self.charges: list[bytes] = []

    def add(self, event: Event, seq: int, now_us: int) -> None:
        """Keep an event of `PARKED`."""
        if isinstance(event, BookingSet):
            self._bookings[event.booking.booking_id] = (event.booking, seq)
        elif isinstance(event, ParkingCharged):
            self.charges.append(charge_row(event, now_us))
        elif isinstance(event, StaySet):
            if event.stay.status is StayStatus.ENDED:
                self.stays.append(stay_row(event.stay, seq))
        else:
            raise TypeError(f"{type(event).__name__} leaves no row")

    def bookings(self) -> list[bytes]:
        """A row for each booking that these records changed."""
        return [booking_row(booking, seq) for booking, seq in self._bookings.values()]


def booking_row(each: Booking, seq: int) -> bytes:
    """`parking_bookings`, as of the record with sequence `seq`."""
    return (
        _booking(
            *(len(BOOKING_COLUMNS), 8, each.booking_id, 8, seq, 8, each.account_id, 8, each.vehicle_id),
            *(8, each.stay_id, 8, each.waiting_id, 8, saturated(each.price_e4), 8, saturated(each.tax_e4)),
            *(8, saturated(each.hold_e4), 8, each.terms.version),
            *(8, each.begin_us - PG_EPOCH_US, 8, each.end_us - PG_EPOCH_US),
            *(8, each.created_us - PG_EPOCH_US, 2, each.status, 2, each.wish.space_type),
            *(2, each.wish.required, 2, each.terms.occupancy_bps, 4, each.space, 1, each.terms.subscriber),
        )
        + client_text_field(each.plate)
        + text_field(each.lot)
        + text_field(each.terms.tariff)
    )


def stay_row(each: Stay, seq: int) -> bytes:
    """`parking_stays`: a stay that the record with sequence `seq` ended."""
    return (
        _stay(
            *(len(STAY_COLUMNS), 8, each.stay_id, 8, seq, 8, each.account_id, 8, each.vehicle_id),
            *(8, each.right_id, 8, saturated(each.charged_e4), 8, saturated(each.owed_e4)),
            *(8, each.terms.version, 8, each.begin_us - PG_EPOCH_US, 8, each.end_us - PG_EPOCH_US),
            *(2, each.right, 2, each.wish.space_type, 4, each.space),
        )
        + client_text_field(shown_who(each.who))
        + text_field(each.lot)
        + text_field(each.gate_id)
        + text_field(each.terms.tariff)
    )


def charge_row(event: ParkingCharged, now_us: int) -> bytes:
    """`parking_charges`: a receipt."""
    return (
        _charge(
            *(len(CHARGE_COLUMNS), 8, event.txn_id, 8, event.account_id, 8, event.stay_id, 8, event.right_id),
            *(8, saturated(event.total_e4), 8, saturated(event.tax_e4)),
            *(8, saturated(event.paid_e4), 8, saturated(event.owed_e4), 8, now_us - PG_EPOCH_US),
            *(2, event.kind, 1, event.cash),
        )
        + text_field(event.lot)
        + client_text_field(shown_who(event.who))
        + bytes_field(_lines(event.lines))
    )


def shown_who(who: str) -> str:
    """A plate as it is; of a ticket's code its end, as in the access log."""
    if who.startswith(CODE_PREFIX):
        return f"{CODE_PREFIX}…{who[len(CODE_PREFIX) :][-CODE_SHOWN:]}"
    return who


def is_open(row: bytes) -> bool:
    """A booking is told of again as long as it is open, and never afterwards."""
    return int.from_bytes(row[_STATUS : _STATUS + 2]) <= BookingStatus.ARRIVED
