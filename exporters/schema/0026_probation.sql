-- Who was on probation when a decision was made: all of them together get at most a part of the choices, and another policy is judged
-- under the same bound. A value a candidate; empty in decisions of before, as if nobody had been.
ALTER TABLE routing_decisions ADD COLUMN IF NOT EXISTS on_probation Array(Bool) CODEC(ZSTD(1)) AFTER barred_by;
