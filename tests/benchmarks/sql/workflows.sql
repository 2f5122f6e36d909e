-- The jobs of the tasks that were made.
INSERT INTO workflows
(trace_id, name, root_agent_id, agents, services, tasks, spans, status, started_at, duration_seconds, total_tokens, cost_usd, ingested_at, version)
SELECT
    trace_id, 'job', argMin(made.agent_id, made.started_at), groupUniqArray(made.agent_id), groupUniqArray(made.service_name), count(), 22,
    argMin(made.status, made.started_at), min(made.started_at), max(made.duration_seconds), sum(made.total_tokens), sum(made.cost_usd), now64(3), 1
FROM made
GROUP BY trace_id
