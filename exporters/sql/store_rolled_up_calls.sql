-- Add up the model calls of {source} by spans of {width} seconds, those in which a task's calls changed after version {done},
-- and store the sums in {into}, from {since} until {until}. `everything` adds up all.
INSERT INTO {into:Identifier}
(
    at, agent_id, provider, model, is_call, category, department, service_name,
    first_started, last_started, calls, succeeded, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, unpriced_calls, duration_least, duration_most, durations,
    model_tasks, model_rated, model_quality, provider_tasks, provider_rated, provider_quality, pair_tasks, pair_rated,
    pair_quality,
    version, is_deleted
)
SELECT
    bucket, agent_id, provider, model, is_call, category, department, service_name,
    min(source.first_started),
    max(source.last_started),
    sum(source.calls),
    sum(source.succeeded),
    sum(source.input_tokens),
    sum(source.output_tokens),
    sum(source.cached_input_tokens),
    sum(source.cache_write_tokens),
    sum(source.reasoning_tokens),
    sum(source.cost_usd),
    sum(source.unpriced_calls),
    min(source.duration_least),
    max(source.duration_most),
    quantilesDDMergeState(0.005, 0.5, 0.95)(source.durations),
    sum(source.model_tasks),
    sum(source.model_rated),
    sum(source.model_quality),
    sum(source.provider_tasks),
    sum(source.provider_rated),
    sum(source.provider_quality),
    sum(source.pair_tasks),
    sum(source.pair_rated),
    sum(source.pair_quality),
    {version:UInt64},
    0
FROM
(
    SELECT *, toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC') AS bucket
    FROM {source:Identifier}
    WHERE at >= {since:DateTime} AND at < {until:DateTime}
      AND ({everything:Bool} OR toStartOfDay(at) IN (SELECT toStartOfDay(at) FROM task_calls WHERE version > {done:UInt64}))
      AND ({everything:Bool} OR (bucket, agent_id) IN
      (
          SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), agent_id FROM task_calls WHERE version >
          {done:UInt64}
      ))
) AS source
GROUP BY bucket, agent_id, provider, model, is_call, category, department, service_name
