-- note: the engine's state, its watermark, and the readable tables made from the journal
--
-- Two kinds of tables. `engine_state` is what recovery reads; it and `journal_position` move in one transaction.
-- All others are projections of the journal for people, the API's history and `verify`.
-- Cash and prices are BIGINT in 1/10 000 of the currency (`_e4`), quantities BIGINT in 1e-8 of a unit (`_e8`).
-- The numbers in kind, side, status, … are those of engine/kinds.py. Ids grow with the journal's sequence:
-- id / 2^20 is the sequence that made it. There are no foreign keys: one writer, and `verify` checks the books.

-- ---------------------------------------------------------------- the watermark and the engine's state

CREATE TABLE journal_position (
    one_row        BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one_row),
    journal_id     BYTEA NOT NULL,                -- a journal from another folder is refused
    applied_seq    BIGINT NOT NULL CHECK (applied_seq >= 0),
    engine_version TEXT NOT NULL,
    owner_instance TEXT NOT NULL,                 -- application_name of the one writer is 'kerb-writer:' and this
    updated_at     TIMESTAMPTZ NOT NULL DEFAULT now()
) WITH (fillfactor = 10);

CREATE TABLE engine_state (
    kind TEXT NOT NULL,                           -- a key of engine.aggregates.KINDS
    key  BYTEA NOT NULL,                          -- msgpack
    body BYTEA NOT NULL,                          -- msgpack
    PRIMARY KEY (kind, key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

-- What has been applied, a row for each million of sequences: contiguous, and as many records as sequences.
CREATE TABLE applied_ranges (
    bucket     BIGINT PRIMARY KEY,
    first_seq  BIGINT NOT NULL,
    last_seq   BIGINT NOT NULL CHECK (last_seq >= first_seq),
    records    BIGINT NOT NULL,
    batches    BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
) WITH (fillfactor = 10);

-- ---------------------------------------------------------------- latest state, readable

CREATE TABLE instruments (
    symbol            TEXT PRIMARY KEY,
    name              TEXT NOT NULL,
    currency          TEXT NOT NULL,
    tick_e4           BIGINT NOT NULL,
    lot_e8            BIGINT NOT NULL,
    price_min_e4      BIGINT NOT NULL,
    price_max_e4      BIGINT NOT NULL,
    reference_e4      BIGINT NOT NULL,
    last_e4           BIGINT NOT NULL,
    previous_close_e4 BIGINT NOT NULL,
    band_bps          BIGINT NOT NULL,
    seq               BIGINT NOT NULL,
    price_source      SMALLINT NOT NULL,
    phase             SMALLINT NOT NULL,
    halted            BOOLEAN NOT NULL,
    calendar          TEXT NOT NULL,
    fee_schedule      TEXT NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE accounts (
    account_id    BIGINT PRIMARY KEY,
    user_id       BIGINT NOT NULL,
    kind          SMALLINT NOT NULL,
    currency      TEXT NOT NULL,                  -- '' for an outside account: it has one balance a currency
    status        SMALLINT NOT NULL DEFAULT 1,
    status_reason TEXT NOT NULL DEFAULT '',
    opened_at     TIMESTAMPTZ NOT NULL,
    seq           BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_user ON accounts (user_id) WHERE user_id > 0;

-- The outside of the ledger: its ids are fixed in the engine.
INSERT INTO accounts (account_id, user_id, kind, currency, opened_at, seq) VALUES
    (1, 0, 3, '', 'epoch', 0), (2, 0, 4, '', 'epoch', 0), (3, 0, 5, '', 'epoch', 0);

CREATE TABLE wallets (
    account_id BIGINT NOT NULL,
    currency   TEXT NOT NULL,
    balance_e4 BIGINT NOT NULL,
    held_e4    BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    PRIMARY KEY (account_id, currency)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

-- A holding whose units are zero stays, for what it realized. `realized_e4` stops at the end of BIGINT.
CREATE TABLE holdings (
    account_id  BIGINT NOT NULL,
    symbol      TEXT NOT NULL,
    units_e8    BIGINT NOT NULL,
    held_e8     BIGINT NOT NULL,
    cost_e4     BIGINT NOT NULL,
    realized_e4 BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    PRIMARY KEY (account_id, symbol)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

-- Open lots only: one that was sold out is deleted.
CREATE TABLE lots (
    lot_id      BIGINT PRIMARY KEY,
    account_id  BIGINT NOT NULL,
    units_e8    BIGINT NOT NULL,
    cost_e4     BIGINT NOT NULL,
    acquired_at TIMESTAMPTZ NOT NULL,
    seq         BIGINT NOT NULL,
    symbol      TEXT NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
CREATE INDEX lots_holding ON lots (account_id, symbol, acquired_at);

CREATE TABLE withdrawals (
    withdrawal_id BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL,
    amount_e4     BIGINT NOT NULL,
    status        SMALLINT NOT NULL,              -- 1 requested and held, 2 paid, 3 refused by the bank
    requested_at  TIMESTAMPTZ NOT NULL,
    settled_at    TIMESTAMPTZ
);
CREATE INDEX withdrawals_account ON withdrawals (account_id, withdrawal_id DESC);
CREATE INDEX withdrawals_open ON withdrawals (withdrawal_id) WHERE status = 1;

-- ---------------------------------------------------------------- what grows for ever: partitions by month
-- server/partitions.py makes the months that come near; what it did not foresee lands in DEFAULT and moves later.

CREATE TABLE orders (
    order_id        BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    quantity_e8     BIGINT NOT NULL,
    price_e4        BIGINT NOT NULL,              -- 0 for MARKET
    limit_e4        BIGINT NOT NULL,
    filled_e8       BIGINT NOT NULL,
    notional_e4     BIGINT NOT NULL,
    fee_e4          BIGINT NOT NULL,
    hold_e4         BIGINT NOT NULL,
    replaces_id     BIGINT NOT NULL,
    replaced_by_id  BIGINT NOT NULL,
    seq             BIGINT NOT NULL,              -- of the command that touched it last
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    side            SMALLINT NOT NULL,
    order_type      SMALLINT NOT NULL,
    time_in_force   SMALLINT NOT NULL,
    status          SMALLINT NOT NULL,
    reason          SMALLINT NOT NULL,
    is_quote        BOOLEAN NOT NULL,
    symbol          TEXT NOT NULL,
    client_order_id TEXT NOT NULL,
    PRIMARY KEY (order_id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE orders_default PARTITION OF orders DEFAULT;
CREATE INDEX orders_account ON orders (account_id, order_id DESC);

-- Two rows a fill, one for each side.
CREATE TABLE executions (
    order_id     BIGINT NOT NULL,
    execution_id BIGINT NOT NULL,
    executed_at  TIMESTAMPTZ NOT NULL,
    account_id   BIGINT NOT NULL,
    price_e4     BIGINT NOT NULL,
    quantity_e8  BIGINT NOT NULL,
    notional_e4  BIGINT NOT NULL,
    fee_e4       BIGINT NOT NULL,
    side         SMALLINT NOT NULL,
    liquidity    SMALLINT NOT NULL,               -- 1 maker, 2 taker
    symbol       TEXT NOT NULL,
    PRIMARY KEY (order_id, execution_id, executed_at)
) PARTITION BY RANGE (executed_at);
CREATE TABLE executions_default PARTITION OF executions DEFAULT;

-- The ledger. The amounts of a transaction sum to zero for each asset. `kind` > 0 marks the lines of a
-- customer's cash statement (sql/projection.py, EntryKind); 0 is a line of units or of the outside.
-- `entry_id` is the execution of a fill's line, else the transaction. `balance_after` is known for customers.
CREATE TABLE postings (
    txn_id        BIGINT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    account_id    BIGINT NOT NULL,
    entry_id      BIGINT NOT NULL,
    order_id      BIGINT NOT NULL,                -- 0 when no order is behind it
    amount        BIGINT NOT NULL,                -- e4 of a currency, e8 of a security
    balance_after BIGINT,
    line          SMALLINT NOT NULL,
    kind          SMALLINT NOT NULL,
    txn_kind      SMALLINT NOT NULL,              -- engine.kinds.TransactionKind
    asset         TEXT NOT NULL,
    reference     TEXT NOT NULL,
    PRIMARY KEY (txn_id, line, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE postings_default PARTITION OF postings DEFAULT;
CREATE INDEX postings_statement ON postings (account_id, txn_id DESC, line DESC) WHERE kind > 0;

-- One-minute candles of our own trades. `volume_e8` stops at the end of BIGINT. Nothing needs timescaledb;
-- where it is installed, candles are a hypertable.
DO $candles$
DECLARE
    columns CONSTANT TEXT := '
        symbol    TEXT NOT NULL,
        start_at  TIMESTAMPTZ NOT NULL,
        open_e4   BIGINT NOT NULL,
        high_e4   BIGINT NOT NULL,
        low_e4    BIGINT NOT NULL,
        close_e4  BIGINT NOT NULL,
        volume_e8 BIGINT NOT NULL,
        trades    BIGINT NOT NULL,
        PRIMARY KEY (symbol, start_at)';
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        EXECUTE 'CREATE TABLE candles (' || columns || ')';
        PERFORM create_hypertable('candles', 'start_at', chunk_time_interval => INTERVAL '7 days');
    ELSE
        EXECUTE 'CREATE TABLE candles (' || columns || ') PARTITION BY RANGE (start_at)';
        CREATE TABLE candles_default PARTITION OF candles DEFAULT;
    END IF;
END
$candles$;
