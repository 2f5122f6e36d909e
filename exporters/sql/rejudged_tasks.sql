-- Which scored tasks are those whose evaluations were stored after {after} up to {until}?
WITH judged AS
(
    SELECT DISTINCT task_id FROM evaluations WHERE stored_at > {after:DateTime64(3)} AND stored_at <= {until:DateTime64(3)} AND task_id != ''
)
SELECT * EXCEPT (version, at), toDateTime64(at, 3, 'UTC') AS minute
FROM task_scores FINAL
WHERE (at, agent_id, trace_id, span_id) IN
(
    SELECT at, agent_id, trace_id, span_id
    FROM task_scores
    WHERE trace_id IN (SELECT substring(task_id, 1, 32) FROM judged) AND task_id IN judged
)
