-- Scores of the tasks that were made, as scoring would write them: one in five is judged.
INSERT INTO task_scores
(
    at, agent_id, trace_id, span_id, task_id, agent_name, agent_type, department, service_name, category, complexity, complexity_said,
    status, started_at, duration_seconds, llm_calls, unpriced_calls, total_tokens, cost_usd, user_id, models, usual_duration_seconds,
    usual_cost_usd, judgements, accuracy, completeness, relevance, user_rating, peer_score, efficiency, speed, thrift, profiles, quality,
    overall, points, usual_version, scoring, task_version, task_stored_at, version, is_deleted
)
WITH
    cityHash64(task_id) AS random,
    random % 5 = 0 AS judged,
    if(judged, 0.4 + (random % 500) / 1000, NULL) AS score,
    if(status = 'succeeded', 1 / (1 + duration_seconds / 10), 0) AS fast,
    if(status = 'succeeded', 1 / (1 + toFloat64(cost_usd) / 0.006), 0) AS cheap
SELECT
    toStartOfMinute(started_at), agent_id, trace_id, span_id, task_id, agent_name, agent_type, department, service_name, category,
    complexity, false, status, started_at, duration_seconds, llm_calls, unpriced_calls, total_tokens, cost_usd, user_id, models, 10, 0.006,
    toUInt32(judged), score, score, score, NULL, score, (fast + cheap) / 2, fast, cheap,
    {profiles:Array(String)},
    arrayMap(p -> score, {profiles:Array(String)}),
    arrayMap(p -> if(judged, ifNull(score, 0) * 0.85 + fast * 0.15, NULL), {profiles:Array(String)}),
    arrayMap(p -> if(status = 'succeeded', 40 + 20 * fast, -20), {profiles:Array(String)}),
    1, {scoring:String}, version, now64(3), 1, 0
FROM made
