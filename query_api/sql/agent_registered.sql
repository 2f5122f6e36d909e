-- Is this agent in the registry?
SELECT agent_id
FROM agents FINAL
WHERE agent_id = {agent:String}
LIMIT {limit:UInt32}
