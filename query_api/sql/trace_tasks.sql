-- Which tasks does this trace hold, in the order they began?
SELECT * EXCEPT (version, is_deleted, decision_id)
FROM tasks FINAL
WHERE trace_id = {trace_id:String}
ORDER BY started_at, span_id
LIMIT {limit:UInt32}
