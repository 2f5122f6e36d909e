-- Which tasks did their user give this id?
SELECT * EXCEPT (version, is_deleted, decision_id)
FROM tasks FINAL
WHERE external_id = {external_id:String} AND external_id != ''
ORDER BY started_at DESC, trace_id, span_id
LIMIT {limit:UInt32}
