-- Which of these spans are tasks, and which are steps of one? What an evaluator's own span says is meant of the whole task.
SELECT trace_id, span_id, task_id, '' AS node
FROM tasks FINAL
WHERE trace_id IN {trace_id:Array(String)} AND span_id IN {span_id:Array(String)}
UNION ALL
SELECT trace_id, span_id, task_id, if(operation = 'evaluate', '', span_id) AS node
FROM nodes FINAL
WHERE trace_id IN {trace_id:Array(String)} AND span_id IN {span_id:Array(String)}
LIMIT {limit:UInt32}
