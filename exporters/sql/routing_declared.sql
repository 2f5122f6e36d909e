-- Who has declared to be able to do which category?
SELECT agent_id, arrayJoin(capabilities) AS category
FROM known_agents
ORDER BY agent_id, category
LIMIT {most:UInt32}
