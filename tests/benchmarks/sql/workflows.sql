-- The jobs of the tasks that began on the day of {day}.
INSERT INTO workflows
(trace_id, name, root_agent_id, agents, services, tasks, spans, status, started_at, duration_seconds, total_tokens, cost_usd, ingested_at, version)
SELECT
    trace_id, 'job', argMin(tasks.agent_id, tasks.started_at), groupUniqArray(tasks.agent_id), groupUniqArray(tasks.service_name), count(), 22,
    argMin(tasks.status, tasks.started_at), min(tasks.started_at), max(tasks.duration_seconds), sum(tasks.total_tokens), sum(tasks.cost_usd), now64(3), 1
FROM tasks
WHERE started_at >= {day:DateTime64(3)} AND started_at < {day:DateTime64(3)} + INTERVAL 1 DAY
GROUP BY trace_id
