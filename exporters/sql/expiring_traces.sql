-- Which of these traces, or tasks of theirs, began before {horizon}, so that some of their spans may be gone already?
SELECT trace_id FROM workflows WHERE trace_id IN {trace_ids:Array(String)} AND started_at < {horizon:DateTime64(9)}
UNION DISTINCT
SELECT trace_id FROM tasks WHERE trace_id IN {trace_ids:Array(String)} AND started_at < {horizon:DateTime64(9)}
