-- Which of these traces began before {horizon}, so that some of their spans may be gone already?
SELECT DISTINCT trace_id
FROM workflows
WHERE trace_id IN {trace_ids:Array(String)} AND started_at < {horizon:DateTime64(9)}
