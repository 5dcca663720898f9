-- note: the access log of gates: a row for each decision, passage, finding, order and new secret, only ever added

CREATE TABLE access_log (
    entry_id    BIGINT NOT NULL,
    logged_at   TIMESTAMPTZ NOT NULL,             -- when the engine took it
    said_at     TIMESTAMPTZ NOT NULL,             -- the gate's own time
    n           BIGINT NOT NULL,                  -- the gate's counter; of an order the server's, of a secret its version
    vehicle_id  BIGINT NOT NULL,                  -- 0: not known
    right_id    BIGINT NOT NULL,                  -- the booking, pass or ticket that let in; 0: none
    operator_id BIGINT NOT NULL,                  -- 0: nobody
    lane        SMALLINT NOT NULL,                -- 0: every lane
    kind        SMALLINT NOT NULL,                -- sql/access_log.py, Entry
    reason      SMALLINT NOT NULL,                -- of a decision why, of a passage which way, of a finding or order which
    credential  SMALLINT NOT NULL,                -- 0: none, then tag, plate, code
    gate_id     TEXT NOT NULL,
    what        TEXT NOT NULL,                    -- the tag or plate, the end of a code, an operator's reason
    space       TEXT NOT NULL,
    PRIMARY KEY (entry_id, logged_at)
) PARTITION BY RANGE (logged_at);
CREATE TABLE access_log_default PARTITION OF access_log DEFAULT;
CREATE INDEX access_log_gate ON access_log (gate_id, entry_id DESC);
CREATE INDEX access_log_vehicle ON access_log (vehicle_id, entry_id DESC) WHERE vehicle_id > 0;
