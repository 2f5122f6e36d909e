-- Which task has this span of this trace? Without a span: which tasks stand at the top of the trace?
SELECT * EXCEPT (version, is_deleted, decision_id)
FROM tasks FINAL
WHERE trace_id = {trace_id:String} AND if({span_id:String} = '', parent_task_id = '', span_id = {span_id:String})
ORDER BY started_at, span_id
LIMIT {limit:UInt32}
