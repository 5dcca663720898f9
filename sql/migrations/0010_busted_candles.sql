-- note: the executions of a minute are found without reading the month: a bust has its candle made anew from those that stand
--
-- Executions are appended in the order of their time, which is what BRIN is for: it costs next to nothing to keep.

CREATE INDEX executions_time ON executions USING brin (executed_at) WITH (pages_per_range = 32, autosummarize = on);
