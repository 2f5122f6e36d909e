-- Mark as deleted in {into} what {present} shows of it of which there is nothing left in {source}, of groups in which a task was
-- scored after version {done}, from {since} until {until}.
INSERT INTO {into:Identifier} (by_category, category, at, agent_id, department, service_name, version, is_deleted)
SELECT by_category, category, at, agent_id, department, service_name, {version:UInt64}, 1
FROM {present:Identifier}
WHERE at >= {since:DateTime} AND at < {until:DateTime}
  AND (at, agent_id) IN
  (
      SELECT toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), agent_id FROM task_scores WHERE version > {done:UInt64}
  )
  AND (at, agent_id, department, service_name, (by_category, toString(category))) NOT IN
  (
      SELECT
          toStartOfInterval(at, toIntervalSecond({width:UInt32}), 'UTC'), agent_id, department, service_name,
          arrayJoin([(false, ''), (true, toString(category))])
      FROM {source:Identifier}
      WHERE at >= {since:DateTime} AND at < {until:DateTime}
  )
