-- Which task of this trace works for which other, in the order they began?
SELECT
    callers.agent_id AS from_agent_id,
    called.agent_id AS to_agent_id,
    called.parent_task_id AS from_task_id,
    called.task_id AS to_task_id
FROM (SELECT * FROM tasks FINAL WHERE trace_id = {trace_id:String} AND parent_task_id != '') AS called
INNER JOIN (SELECT task_id, agent_id FROM tasks FINAL WHERE trace_id = {trace_id:String}) AS callers
    ON callers.task_id = called.parent_task_id
ORDER BY called.started_at, called.span_id
LIMIT {limit:UInt32}
