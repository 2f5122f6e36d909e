-- Add up by task, minute, model and provider the calls of traces that had been derived before, of which steps were stored after
-- {after} up to {until}, and store the rows; those that stood there before and are no more are deleted. What is known of a task's
-- quality is kept.
INSERT INTO task_calls
(
    at, agent_id, provider, model, is_call, category, department, service_name,
    trace_id, span_id, user_id,
    first_started, last_started, calls, succeeded, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, unpriced_calls, duration_least, duration_most, durations,
    of_model, of_provider, of_pair, quality, nodes_stored_at, version, is_deleted
)
WITH
changed AS
(
    SELECT trace_id, max(stored_at) AS stored
    FROM nodes
    WHERE stored_at > {after:DateTime64(3)} AND stored_at <= {until:DateTime64(3)}
    GROUP BY trace_id
    HAVING max(again) AND (trace_id, stored) NOT IN (SELECT trace_id, nodes_stored_at FROM task_calls WHERE nodes_stored_at >
    {after:DateTime64(3)})
),
present AS
(
    SELECT at, agent_id, provider, model, is_call, category, department, service_name, trace_id, span_id, quality, nodes_stored_at
    FROM task_calls FINAL
    WHERE trace_id IN (SELECT trace_id FROM changed)
),
found AS
(
    SELECT
        toStartOfMinute(started_at)::DateTime('UTC') AS at,
        toString(n.agent_id) AS agent_id,
        toString(n.provider) AS provider,
        toString(n.model) AS model,
        operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AS is_call,
        toString(n.category) AS category,
        toString(n.department) AS department,
        toString(n.service_name) AS service_name,
        trace_id,
        substring(task_id, 34) AS span_id,
        any(n.user_id) AS user_id,
        min(started_at) AS first_started,
        max(started_at) AS last_started,
        countIf(is_call) AS calls,
        countIf(is_call AND success) AS succeeded,
        sum(ifNull(n.input_tokens, 0)) AS input_tokens,
        sum(ifNull(n.output_tokens, 0)) AS output_tokens,
        sum(ifNull(n.cached_input_tokens, 0)) AS cached_input_tokens,
        sum(ifNull(n.cache_write_tokens, 0)) AS cache_write_tokens,
        sum(ifNull(n.reasoning_tokens, 0)) AS reasoning_tokens,
        sum(n.cost_usd) AS cost_usd,
        countIf(unpriced) AS unpriced_calls,
        min(duration_seconds) AS duration_least,
        max(duration_seconds) AS duration_most,
        quantilesDDState(0.005, 0.5, 0.95)(duration_seconds) AS durations
    FROM nodes AS n FINAL
    WHERE trace_id IN (SELECT trace_id FROM changed)
      AND (operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
           OR isNotNull(n.input_tokens) OR isNotNull(n.output_tokens) OR isNotNull(n.cost_usd) OR unpriced)
    GROUP BY at, agent_id, provider, model, is_call, category, department, service_name, trace_id, span_id
)
SELECT
    found.at, found.agent_id, found.provider, found.model, found.is_call, found.category, found.department, found.service_name,
    found.trace_id, found.span_id, user_id,
    first_started, last_started, calls, succeeded, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, unpriced_calls, duration_least, duration_most, durations,
    is_call AND row_number() OVER (PARTITION BY found.trace_id, found.span_id, is_call, model ORDER BY first_started, provider,
    service_name) = 1,
    is_call AND row_number() OVER (PARTITION BY found.trace_id, found.span_id, is_call, provider ORDER BY first_started, model,
    service_name) = 1,
    is_call AND row_number() OVER (PARTITION BY found.trace_id, found.span_id, is_call, model, provider ORDER BY first_started,
    service_name) = 1,
    known.quality,
    stored,
    {version:UInt64},
    0
FROM found
INNER JOIN changed ON changed.trace_id = found.trace_id
LEFT JOIN (SELECT trace_id, span_id, any(quality) AS quality FROM present GROUP BY trace_id, span_id) AS known
    ON known.trace_id = found.trace_id AND known.span_id = found.span_id
UNION ALL
SELECT
    at, agent_id, provider, model, is_call, category, department, service_name,
    trace_id, span_id, '',
    toDateTime64(at, 9, 'UTC'), toDateTime64(at, 9, 'UTC'), 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 0,
    initializeAggregation('quantilesDDState(0.005, 0.5, 0.95)', 0.0),
    0, 0, 0, NULL, nodes_stored_at, {version:UInt64}, 1
FROM present
WHERE (at, agent_id, trace_id, span_id, provider, model, is_call, service_name) NOT IN
(
    SELECT at, agent_id, trace_id, span_id, provider, model, is_call, service_name FROM found
)
-- After an upgrade all steps that are kept come at once.
SETTINGS max_bytes_before_external_group_by = 1000000000, max_bytes_before_external_sort = 1000000000
