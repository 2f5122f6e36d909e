-- How much of what agents send to models have they sent in the call before, in tasks with at least four calls to that model? Of
-- {parts} traces one is looked at.
SELECT
    toString(agent_id) AS agent_id, toString(model) AS model, toString(any(provider)) AS provider,
    count() AS calls,
    uniqExact(task_id) AS tasks,
    sum(sent) AS input_tokens,
    sum(cached) AS cached_input_tokens,
    countIf(is_follow_up) AS follow_ups,
    countIf(is_grown) AS grown,
    sumIf(sent_before, is_grown) AS repeated_tokens,
    groupUniqArrayIf(3)(task_id, is_grown) AS task_ids
FROM
(
    SELECT
        *,
        many >= 4 AND sent_before > 0 AS is_follow_up,
        is_follow_up AND sent > sent_before AND sent <= 2 * sent_before AS is_grown
    FROM
    (
        SELECT
            agent_id, model, provider, task_id,
            assumeNotNull(input_tokens) AS sent, ifNull(cached_input_tokens, 0) AS cached,
            lagInFrame(assumeNotNull(input_tokens), 1, 0)
                OVER (PARTITION BY task_id, model ORDER BY started_at, span_id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS sent_before,
            count() OVER (PARTITION BY task_id, model) AS many
        FROM nodes FINAL
        PREWHERE cityHash64(trace_id) % {parts:UInt32} = 0
        WHERE operation IN ('chat', 'text_completion', 'generate_content') AND success AND input_tokens > 0 AND model != ''
          AND started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)}
    )
)
GROUP BY agent_id, model
LIMIT {limit:UInt32}
