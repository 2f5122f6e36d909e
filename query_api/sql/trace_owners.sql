-- Whose task is each span of this trace? A node belongs to its task; a span that is a task itself, to that one.
SELECT span_id, any(owner) AS task_id, any(agent) AS agent_id
FROM (
    SELECT span_id, task_id AS owner, agent_id AS agent FROM tasks FINAL WHERE trace_id = {trace_id:String}
    UNION ALL
    SELECT span_id, task_id, agent_id FROM nodes FINAL
    WHERE trace_id = {trace_id:String} AND span_id NOT IN (SELECT span_id FROM tasks FINAL WHERE trace_id = {trace_id:String})
)
GROUP BY span_id
LIMIT {limit:UInt32}
