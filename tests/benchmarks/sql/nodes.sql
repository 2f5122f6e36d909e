-- Ten steps for each task that was made: four model calls of two models, three tool calls and three others.
INSERT INTO nodes
(
    task_id, trace_id, span_id, parent_span_id, agent_id, agent_name, node_name, operation, provider, model, service_name, department,
    category, user_id, started_at, duration_seconds, input_tokens, output_tokens, cost_usd, success, version
)
SELECT
    task_id, trace_id, concat('a', substring(span_id, 14, 3), leftPad(toString(step), 12, '0')), span_id, agent_id, agent_name,
    concat('step ', toString(step)),
    multiIf(step < 4, 'chat', step < 7, 'execute_tool', 'node'),
    if(step < 4, concat('provider-', toString(cityHash64(models[1 + step % 2]) % 4)), ''),
    if(step < 4, toString(models[1 + step % 2]), ''),
    service_name, department, category, user_id,
    started_at + toIntervalMillisecond(100 * step),
    duration_seconds / 10,
    if(step < 4, 1000, NULL), if(step < 4, 100, NULL), if(step < 4, toDecimal64(cost_usd / 4, 12), NULL),
    status = 'succeeded' OR step % 3 > 0,
    1
FROM made
ARRAY JOIN range(10) AS step
