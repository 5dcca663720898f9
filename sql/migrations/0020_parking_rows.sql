-- note: parking in tables: bookings as they are now, stays that are over, what was charged with its lines

CREATE TYPE lot_range AS RANGE (subtype = TEXT, collation = "C");

CREATE TABLE parking_bookings (
    booking_id    BIGINT PRIMARY KEY,
    seq           BIGINT NOT NULL,                -- of the record that it is as of
    account_id    BIGINT NOT NULL,
    vehicle_id    BIGINT NOT NULL,
    stay_id       BIGINT NOT NULL,                -- 0: nobody has come yet
    waiting_id    BIGINT NOT NULL,                -- the waiting list's entry that it is an offer to; 0: none
    price_e4      BIGINT NOT NULL,
    tax_e4        BIGINT NOT NULL,                -- of the price
    hold_e4       BIGINT NOT NULL,
    version       BIGINT NOT NULL,                -- of the tariff
    begin_at      TIMESTAMPTZ NOT NULL,
    end_at        TIMESTAMPTZ NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    status        SMALLINT NOT NULL,              -- engine/parking/kinds.py, BookingStatus
    space_type    SMALLINT NOT NULL,              -- the one that was asked for
    required      SMALLINT NOT NULL,              -- features, their sum
    occupancy_bps SMALLINT NOT NULL,              -- how full the lot was when it was quoted
    space_index   INTEGER NOT NULL,
    subscriber    BOOLEAN NOT NULL,
    plate         TEXT NOT NULL,
    lot           TEXT NOT NULL,
    tariff        TEXT NOT NULL,
    -- An ARRIVED booking keeps its space when its stay is moved to another one, so only what has not arrived is held apart.
    CONSTRAINT parking_bookings_apart EXCLUDE USING gist (
        lot_range(lot, lot, '[]') WITH &&,
        int4range(space_index, space_index, '[]') WITH &&,
        tstzrange(begin_at, end_at) WITH &&
    ) WHERE (status IN (1, 2)) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX parking_bookings_account ON parking_bookings (account_id, booking_id DESC);

CREATE TABLE parking_stays (
    stay_id       BIGINT PRIMARY KEY,
    seq           BIGINT NOT NULL,                -- of the record that ended it
    account_id    BIGINT NOT NULL,                -- 0: nobody's
    vehicle_id    BIGINT NOT NULL,                -- 0: not known
    right_id      BIGINT NOT NULL,                -- the booking, pass or ticket that let in; 0: none
    charged_e4    BIGINT NOT NULL,
    owed_e4       BIGINT NOT NULL,                -- of what was charged
    version       BIGINT NOT NULL,                -- of the tariff
    begin_at      TIMESTAMPTZ NOT NULL,
    end_at        TIMESTAMPTZ NOT NULL,
    entry_right   SMALLINT NOT NULL,              -- engine/parking/kinds.py, EntryRight
    space_type    SMALLINT NOT NULL,              -- the one that was looked for
    space_index   INTEGER NOT NULL,               -- -1: none
    who           TEXT NOT NULL,                  -- a plate, or code: and the end of a ticket's code
    lot           TEXT NOT NULL,
    gate_id       TEXT NOT NULL,
    tariff        TEXT NOT NULL
);
CREATE INDEX parking_stays_account ON parking_stays (account_id, stay_id DESC) WHERE account_id > 0;
CREATE INDEX parking_stays_lot ON parking_stays (lot, end_at);

CREATE TABLE parking_charges (
    txn_id        BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL,                -- 0: paid at a machine, or owed by a plate
    stay_id       BIGINT NOT NULL,
    right_id      BIGINT NOT NULL,
    total_e4      BIGINT NOT NULL,
    tax_e4        BIGINT NOT NULL,                -- of the total
    paid_e4       BIGINT NOT NULL,
    owed_e4       BIGINT NOT NULL,
    charged_at    TIMESTAMPTZ NOT NULL,
    kind          SMALLINT NOT NULL,              -- engine/parking/kinds.py, ChargeKind
    cash          BOOLEAN NOT NULL,
    lot           TEXT NOT NULL,
    who           TEXT NOT NULL,
    lines         JSON NOT NULL                   -- [code, units, rate_e4, amount_e4, from_us, to_us, label] each
);
CREATE INDEX parking_charges_stay ON parking_charges (stay_id) WHERE stay_id > 0;
CREATE INDEX parking_charges_lot ON parking_charges (lot, charged_at);
