-- What is known of the workflow that is this trace?
SELECT * EXCEPT (version, is_deleted, ingested_at)
FROM workflows FINAL
WHERE trace_id = {trace_id:String}
LIMIT {limit:UInt32}
