-- Which models does an agent use, since when, and how do its calls of them fare?
SELECT
    ifNull(used.model, called.model) AS model,
    ifNull(used.since, called.since) AS since,
    ifNull(used.last_seen, called.last_seen) AS last_seen,
    ifNull(used.tasks, 0) AS tasks,
    ifNull(called.calls, 0) AS calls,
    called.success_rate AS success_rate,
    called.p50_duration_seconds AS p50_duration_seconds,
    called.p95_duration_seconds AS p95_duration_seconds,
    ifNull(called.input_tokens, 0) AS input_tokens,
    ifNull(called.output_tokens, 0) AS output_tokens,
    called.cost_usd AS cost_usd,
    ifNull(called.unpriced_calls, 0) AS unpriced_calls
FROM
(
    SELECT model, min(since) AS since, max(last_seen) AS last_seen, sum(n) AS tasks
    FROM
    (
        SELECT toString(model) AS model, started_at AS since, started_at AS last_seen, 1 AS n
        FROM tasks FINAL
        ARRAY JOIN models AS model
        WHERE agent_id = {agent:String}
        UNION ALL
        SELECT toString(model), since, last_seen, 0 AS n
        FROM known_agents
        ARRAY JOIN models AS model, models_since AS since, models_last_seen AS last_seen
        WHERE agent_id = {agent:String}
    )
    GROUP BY model
) AS used
FULL OUTER JOIN
(
    SELECT
        toString(model) AS model,
        min(started_at) AS since,
        max(started_at) AS last_seen,
        count() AS calls,
        avg(toFloat64(success)) AS success_rate,
        quantileExactInclusive(0.5)(duration_seconds) AS p50_duration_seconds,
        quantileExactInclusive(0.95)(duration_seconds) AS p95_duration_seconds,
        sum(ifNull(n.input_tokens, 0)) AS input_tokens,
        sum(ifNull(n.output_tokens, 0)) AS output_tokens,
        sum(n.cost_usd) AS cost_usd,
        countIf(unpriced) AS unpriced_calls
    FROM nodes AS n FINAL
    WHERE agent_id = {agent:String}
      AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
      AND n.model != ''
      AND started_at >= {calls_since:DateTime64(9)}
    GROUP BY model
) AS called ON called.model = used.model
ORDER BY last_seen DESC, model
LIMIT {limit:UInt32}
SETTINGS join_use_nulls = 1
