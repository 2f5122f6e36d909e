-- Mark as deleted in {into} the sums that {present} shows of it for which there is nothing left in {source}, of groups in which a task was scored after
-- version {done}, from {since} until {until}.
INSERT INTO {into:Identifier} (at, agent_id, category, department, service_name, complexity, version, is_deleted)
SELECT at, agent_id, category, department, service_name, complexity, {version:UInt64}, 1
FROM {present:Identifier}
WHERE at >= {since:DateTime} AND at < {until:DateTime}
  AND (at, agent_id) IN
  (
      SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), agent_id FROM task_scores WHERE version > {done:UInt64}
  )
  AND (at, agent_id, category, department, service_name, complexity) NOT IN
  (
      SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), agent_id, category, department, service_name, complexity
      FROM {source:Identifier}
      WHERE at >= {since:DateTime} AND at < {until:DateTime}
  )
