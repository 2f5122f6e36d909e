-- Mark as deleted in {into} what {present} shows of it of which there is nothing left in {source}, of models and providers of which
-- a task's calls changed after version {done}, from {since} until {until}.
INSERT INTO {into:Identifier} (at, provider, model, version, is_deleted)
SELECT at, provider, model, {version:UInt64}, 1
FROM {present:Identifier}
WHERE at >= {since:DateTime} AND at < {until:DateTime}
  AND (at, provider, model) IN
  (
      SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), provider, model FROM task_calls WHERE version > {done:UInt64}
  )
  AND (at, provider, model) NOT IN
  (
      SELECT at, provider, model FROM {source:Identifier} WHERE is_call AND at >= {since:DateTime} AND at < {until:DateTime}
  )
