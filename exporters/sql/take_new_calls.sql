-- Add up by task, minute, model and provider the calls of traces that were derived for the first time, of which steps were stored
-- after {after} up to {until}, and store the rows. All steps of such traces are among those, and nothing stood there before. Steps
-- that were derived together have one `stored_at`: should a trace have been stored twice, the later ones count.
INSERT INTO task_calls
(
    at, agent_id, provider, model, is_call, category, department, service_name,
    trace_id, span_id, user_id,
    first_started, last_started, calls, succeeded, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, unpriced_calls, duration_least, duration_most, durations,
    of_model, of_provider, of_pair, quality, nodes_stored_at, version, is_deleted
)
WITH
fresh AS
(
    SELECT trace_id, max(stored_at) AS stored
    FROM nodes
    WHERE stored_at > {after:DateTime64(3)} AND stored_at <= {until:DateTime64(3)}
    GROUP BY trace_id
    HAVING NOT max(again) AND (trace_id, stored) NOT IN
    (
        SELECT trace_id, nodes_stored_at FROM task_calls WHERE nodes_stored_at > {after:DateTime64(3)}
    )
),
found AS
(
    SELECT
        toStartOfMinute(started_at)::DateTime('UTC') AS at,
        agent_id, provider, model,
        operation IN ('chat', 'text_completion', 'generate_content', 'embeddings') AS is_call,
        category, department, service_name,
        trace_id,
        substring(task_id, 34) AS span_id,
        any(user_id) AS user,
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
        groupArray(duration_seconds) AS durations,
        max(stored_at) AS stored
    FROM nodes AS n
    WHERE stored_at > {after:DateTime64(3)} AND stored_at <= {until:DateTime64(3)}
      AND (trace_id, stored_at) IN (SELECT trace_id, stored FROM fresh)
      AND is_deleted = 0
      AND (operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
           OR isNotNull(n.input_tokens) OR isNotNull(n.output_tokens) OR isNotNull(n.cost_usd) OR unpriced)
    GROUP BY at, agent_id, provider, model, is_call, category, department, service_name, trace_id, span_id
)
SELECT
    at, agent_id, provider, model, is_call, category, department, service_name,
    trace_id, span_id, user,
    first_started, last_started, calls, succeeded, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, unpriced_calls, arrayMin(durations), arrayMax(durations),
    arrayReduce('quantilesDDState(0.005, 0.5, 0.95)', durations),
    is_call AND countEqual(groupArray(model) OVER before, model) = 1,
    is_call AND countEqual(groupArray(provider) OVER before, provider) = 1,
    is_call AND countEqual(groupArray((model, provider)) OVER before, (model, provider)) = 1,
    NULL, stored, {version:UInt64}, 0
FROM found
WINDOW before AS
(
    PARTITION BY trace_id, span_id, is_call ORDER BY first_started, model, provider, service_name ROWS UNBOUNDED PRECEDING
)
SETTINGS max_bytes_before_external_group_by = 1000000000, max_bytes_before_external_sort = 1000000000
