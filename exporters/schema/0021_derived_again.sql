-- Whether the trace of a step had been derived before: of one that had not, all steps are among those stored lately. What is not
-- known to be new is taken for old.
ALTER TABLE nodes ADD COLUMN IF NOT EXISTS again Bool DEFAULT true CODEC(ZSTD(1)) AFTER error_message;
