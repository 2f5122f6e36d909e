-- What spans say of the type and the department of their agent, apart from what people have set over it.
ALTER TABLE tasks
    ADD COLUMN IF NOT EXISTS agent_type_said LowCardinality(String) DEFAULT agent_type CODEC(ZSTD(1)) AFTER decision_id,
    ADD COLUMN IF NOT EXISTS department_said LowCardinality(String) DEFAULT department CODEC(ZSTD(1)) AFTER agent_type_said;
