-- What is known of these agents, or of all if none is named?
SELECT * FROM agents FINAL WHERE empty({agent_ids:Array(String)}) OR agent_id IN {agent_ids:Array(String)}
