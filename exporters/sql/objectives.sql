-- The objectives that were edited over the API.
SELECT category, description, keywords, examples, criteria, recommended_agents, enabled, updated_at, version, is_deleted
FROM objectives FINAL
ORDER BY category
LIMIT {limit:UInt32}
