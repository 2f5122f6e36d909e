-- Write down with the calls of tasks how good these were judged, by profile {profile}: of tasks scored after version {done}
-- that are judged, or of which something that was said was taken back after {after}.
INSERT INTO task_calls
(
    at, agent_id, provider, model, is_call, category, department, service_name,
    trace_id, span_id, user_id,
    first_started, last_started, calls, succeeded, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, unpriced_calls, duration_least, duration_most, durations,
    of_model, of_provider, of_pair, quality, nodes_stored_at, version, is_deleted
)
WITH judged AS
(
    SELECT trace_id, span_id, quality[indexOf(profiles, {profile:String})] AS score
    FROM task_scores FINAL
    WHERE version > {done:UInt64}
      AND (judgements > 0 OR task_id IN (SELECT task_id FROM evaluations WHERE stored_at > {after:DateTime64(3)} AND is_deleted
      = 1))
)
SELECT
    at, agent_id, provider, model, is_call, category, department, service_name,
    trace_id, span_id, user_id,
    first_started, last_started, calls, succeeded, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, unpriced_calls, duration_least, duration_most, durations,
    of_model, of_provider, of_pair, score, nodes_stored_at, {version:UInt64}, 0
FROM
(
    SELECT * FROM task_calls FINAL WHERE trace_id IN (SELECT trace_id FROM judged)
) AS calls
INNER JOIN judged USING (trace_id, span_id)
WHERE is_call AND calls.quality IS DISTINCT FROM judged.score
