-- note: what users are told of, from here on: a row for each notification, and whether it has been read
--
-- Written by the write-behind with the other rows of a record (sql/notifications.py), so none is doubled or missing. The
-- senders of later (letters, push) read this table: it is their outbox. Who has read what stands here and nowhere else.

CREATE TABLE notifications (
    account_id      BIGINT NOT NULL,
    notification_id BIGINT NOT NULL,              -- sequence and place of the event, like all ids
    created_at      TIMESTAMPTZ NOT NULL,
    order_id        BIGINT NOT NULL,              -- 0 when no order is behind it
    reference_id    BIGINT NOT NULL,              -- the transaction or withdrawal, 0 for none
    quantity_e8     BIGINT NOT NULL,
    filled_e8       BIGINT NOT NULL,
    amount_e4       BIGINT NOT NULL,
    kind            SMALLINT NOT NULL,            -- sql.notifications.NotificationKind
    side            SMALLINT NOT NULL,            -- 0 for none
    reason          SMALLINT NOT NULL,            -- engine.kinds.CloseReason
    symbol          TEXT NOT NULL,
    read_at         TIMESTAMPTZ,
    PRIMARY KEY (account_id, notification_id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE notifications_default PARTITION OF notifications DEFAULT;
CREATE INDEX notifications_unread ON notifications (account_id, notification_id DESC) WHERE read_at IS NULL;

-- What was applied before this migration has none; `verify` asks for those of later records.
CREATE TABLE notifications_begin (
    one_row   BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one_row),
    after_seq BIGINT NOT NULL
);
INSERT INTO notifications_begin (after_seq) SELECT coalesce(max(applied_seq), 0) FROM journal_position;
