-- Which finished tasks were stored after {after} up to {until}, for routing to learn from? Of each agent in each category the last,
-- and before others those of a decision, which is open until its task has ended. Asked without FINAL, which would read the whole table.
SELECT
    task_id, trace_id, decision_id, agent_id, category, substringUTF8(input, 1, 1000) AS description,
    if(complexity_said, complexity, 0) AS complexity, toFloat64(status = 'succeeded') AS success,
    if(unpriced_calls = 0, toFloat64(cost_usd), NULL) AS cost_usd, duration_seconds, ended_at, models
FROM
(
    SELECT
        task_id, trace_id, decision_id, agent_id, category, input, complexity, complexity_said, status, unpriced_calls, cost_usd,
        duration_seconds, ended_at, models, is_deleted
    FROM tasks
    WHERE stored_at > {after:DateTime64(3)} AND stored_at <= {until:DateTime64(3)}
    ORDER BY version DESC
    LIMIT 1 BY trace_id, span_id
)
WHERE is_deleted = 0 AND status IN ('succeeded', 'failed')
ORDER BY decision_id = '', ended_at DESC, task_id
LIMIT {each:UInt32} BY agent_id, category
LIMIT {most:UInt32}
