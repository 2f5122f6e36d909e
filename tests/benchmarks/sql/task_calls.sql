-- The model calls of the tasks that were made, by model, as taking them from the steps would add them up: two of each of two models.
INSERT INTO task_calls
(
    at, agent_id, provider, model, is_call, category, department, service_name, trace_id, span_id, user_id,
    first_started, last_started, calls, succeeded, input_tokens, output_tokens, cost_usd, duration_least, duration_most, durations,
    of_model, of_provider, of_pair, quality, nodes_stored_at, version, is_deleted
)
SELECT
    toStartOfMinute(first_started), agent_id, concat('provider-', toString(cityHash64(model) % 4)) AS provider, model, true,
    category, department, service_name, trace_id, span_id, user_id,
    started_at + toIntervalMillisecond(100 * place) AS first_started, first_started + toIntervalMillisecond(200),
    2, if(status = 'succeeded', 2, 1), 2000, 200, cost_usd / 2, duration_seconds / 10, duration_seconds / 10,
    arrayReduce('quantilesDDState(0.005, 0.5, 0.95)', [duration_seconds / 10, duration_seconds / 10]),
    1, place = 0 OR cityHash64(models[1]) % 4 != cityHash64(models[2]) % 4, 1,
    if(cityHash64(task_id) % 5 = 0, 0.4 + (cityHash64(task_id) % 500) / 1000, NULL),
    now64(3), {version:UInt64}, 0
FROM made
ARRAY JOIN models AS model, [0, 1] AS place
