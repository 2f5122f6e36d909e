-- How did the tasks of each kind go with each alternative: a model, an agent, a temperature, a limit of output tokens? Sums over
-- the tasks, and over hours the sums of squares and products that tell how much hours differ.
SELECT
    agent_id, category, within, stratum, unit,
    count() AS hours,
    sum(n) AS success_n, sum(good) AS success_sum, sum(n * n) AS success_nn, sum(good * good) AS success_xx, sum(n * good) AS success_nx,
    sum(judged) AS quality_n, sum(scores) AS quality_sum, sum(judged * judged) AS quality_nn, sum(scores * scores) AS quality_xx,
    sum(judged * scores) AS quality_nx,
    sum(priced) AS cost_n, sum(dollars) AS cost_sum, sum(priced * priced) AS cost_nn, sum(dollars * dollars) AS cost_xx,
    sum(priced * dollars) AS cost_nx,
    groupArray(3)(one) AS task_ids
FROM
(
    SELECT
        if({unit:String} = 'agent', '', toString(s.agent_id)) AS agent_id,
        toString(s.category) AS category,
        if({unit:String} IN ('temperature', 'token_limit'), toString(s.models[1]), '') AS within,
        if(s.complexity_said, s.complexity, 0) AS stratum,
        multiIf(
            {unit:String} = 'model', toString(s.models[1]),
            {unit:String} = 'agent', toString(s.agent_id),
            said.value) AS unit,
        toStartOfHour(s.at) AS hour,
        toFloat64(count()) AS n,
        toFloat64(countIf(s.status = 'succeeded')) AS good,
        toFloat64(countIf(isNotNull(s.score))) AS judged,
        sum(ifNull(s.score, 0)) AS scores,
        toFloat64(countIf(s.is_priced)) AS priced,
        sumIf(toFloat64(s.cost_usd), s.is_priced) AS dollars,
        any(s.task_id) AS one
    FROM
    (
        SELECT *, quality[indexOf(profiles, {profile:String})] AS score, isNotNull(cost_usd) AND unpriced_calls = 0 AS is_priced
        FROM task_scores FINAL
        WHERE at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)} AND status IN ('succeeded', 'failed')
    ) AS s
    LEFT ANY JOIN
    (
        SELECT task_id, toString(temperature) AS value
        FROM tasks FINAL
        WHERE {unit:String} = 'temperature' AND isNotNull(temperature)
          AND started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)}
        UNION ALL
        SELECT n.task_id, toString(max(toUInt64OrZero(spans.SpanAttributes['gen_ai.request.max_tokens']))) AS value
        FROM otel_traces AS spans
        INNER JOIN nodes AS n ON n.trace_id = spans.TraceId AND n.span_id = spans.SpanId
        WHERE {unit:String} = 'token_limit' AND mapContains(spans.SpanAttributes, 'gen_ai.request.max_tokens')
          AND spans.Timestamp >= {since:DateTime64(9)} AND spans.Timestamp < {until:DateTime64(9)}
          AND n.started_at >= {since:DateTime64(9)} AND n.started_at < {until:DateTime64(9)}
        GROUP BY n.task_id
    ) AS said ON said.task_id = s.task_id
    WHERE {unit:String} = 'agent' OR length(s.models) = 1
    GROUP BY agent_id, category, within, stratum, unit, hour
)
WHERE unit != ''
GROUP BY agent_id, category, within, stratum, unit
LIMIT {limit:UInt32}
