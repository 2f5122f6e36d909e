-- Is this agent in the registry, and what is the newest version of what people have set of it?
SELECT agent_id, (SELECT max(version) FROM agent_edits WHERE agent_id = {agent:String}) AS edited
FROM agents FINAL
WHERE agent_id = {agent:String}
LIMIT {limit:UInt32}
