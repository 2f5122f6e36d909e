-- Put together how long the model calls of {source} took, by spans of {width} seconds, model and provider: of those that a task
-- whose calls changed after version {done} called, from {since} until {until}. `everything` takes all.
INSERT INTO {into:Identifier} (at, provider, model, durations, version, is_deleted)
SELECT at, provider, model, quantilesDDMergeState(0.005, 0.5, 0.95)(source.durations), {version:UInt64}, 0
FROM {source:Identifier} AS source
WHERE is_call AND at >= {since:DateTime} AND at < {until:DateTime}
  AND ({everything:Bool} OR (at, provider, model) IN
  (
      SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), provider, model FROM task_calls WHERE version > {done:UInt64}
  ))
GROUP BY at, provider, model
