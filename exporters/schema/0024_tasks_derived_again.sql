-- Whether the trace of a task had been derived before, as steps know it: of one that had not, nothing stands scored yet. What is not
-- known to be new is taken for old.
ALTER TABLE tasks ADD COLUMN IF NOT EXISTS again Bool DEFAULT true CODEC(ZSTD(1)) AFTER output;
