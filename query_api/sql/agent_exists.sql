-- Is there an agent of this id?
SELECT agent_id
FROM (SELECT agent_id FROM agents FINAL UNION ALL SELECT agent_id FROM tasks FINAL)
WHERE agent_id = {agent:String}
LIMIT {limit:UInt32}
