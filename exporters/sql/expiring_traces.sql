-- Which of these traces, or tasks of theirs, began before {horizon}, so that some of their spans may be gone already? With the
-- version of such tasks; 0 where there are none.
SELECT trace_id, max(of_task) AS version
FROM
(
    SELECT trace_id, 0 AS of_task FROM workflows
    WHERE trace_id IN {trace_ids:Array(String)} AND started_at < {horizon:DateTime64(9)}
    UNION ALL
    SELECT trace_id, version AS of_task FROM tasks
    WHERE trace_id IN {trace_ids:Array(String)} AND started_at < {horizon:DateTime64(9)}
)
GROUP BY trace_id
