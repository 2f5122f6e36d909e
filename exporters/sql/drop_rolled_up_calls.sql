-- Mark as deleted in {into} the sums of model calls that {present} shows of it for which there is nothing left in {source}, of
-- groups in which a task's calls changed after version {done}, from {since} until {until}.
INSERT INTO {into:Identifier} (at, agent_id, provider, model, is_call, category, department, service_name, version, is_deleted)
SELECT at, agent_id, provider, model, is_call, category, department, service_name, {version:UInt64}, 1
FROM {present:Identifier}
WHERE at >= {since:DateTime} AND at < {until:DateTime}
  AND (at, agent_id) IN
  (
      SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), agent_id FROM task_calls WHERE version >
      {done:UInt64}
  )
  AND (at, agent_id, provider, model, is_call, category, department, service_name) NOT IN
  (
      SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), agent_id, provider, model, is_call, category,
      department, service_name
      FROM {source:Identifier}
      WHERE at >= {since:DateTime} AND at < {until:DateTime}
  )
