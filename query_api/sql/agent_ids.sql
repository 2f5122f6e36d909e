-- Who are the agents?
SELECT toString(agent_id) AS agent_id FROM agents FINAL WHERE agent_id != '' ORDER BY agent_id LIMIT {limit:UInt32}
