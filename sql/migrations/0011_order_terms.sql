-- note: what orders ask for beyond side, quantity, price and time in force, and how they stand with it
--
-- NULL for a plain order, as nearly all are, and for all orders from before this migration. Else an object whose members are
-- the fields of engine/terms.py (Special, and its Terms beside them) that say something, in the engine's units:
--     SELECT order_id, special->>'stop_e4' FROM orders WHERE special->>'triggered_us' IS NOT NULL
-- JSON and not JSONB: its text stays as it was written, which `verify` compares with what the journal says.

ALTER TABLE orders ADD COLUMN special JSON;
