-- Which steps do these tasks have, in the order they began?
SELECT * EXCEPT (version, is_deleted)
FROM nodes FINAL
WHERE trace_id IN {trace_id:Array(String)} AND task_id IN {task_id:Array(String)}
ORDER BY started_at, span_id
LIMIT {limit:UInt32}
