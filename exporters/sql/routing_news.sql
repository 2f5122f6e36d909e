-- What is there that routing learns from: of each kind how many rows since its own time, and a number that grows with the newest?
SELECT 'tasks' AS kind, count() AS rows, toUInt64(toUnixTimestamp64Milli(max(stored_at))) AS newest
FROM tasks WHERE stored_at >= {tasks:DateTime64(3)}
UNION ALL SELECT 'evaluations', count(), toUInt64(toUnixTimestamp64Milli(max(stored_at)))
FROM evaluations WHERE stored_at >= {evaluations:DateTime64(3)}
UNION ALL SELECT 'outcomes', count(), toUInt64(toUnixTimestamp64Milli(max(stored_at)))
FROM routing_outcomes WHERE stored_at >= {outcomes:DateTime64(3)}
UNION ALL SELECT 'decisions', count(), toUInt64(toUnixTimestamp64Milli(max(stored_at)))
FROM routing_decisions WHERE stored_at >= {decisions:DateTime64(3)}
UNION ALL SELECT 'agents', count(), max(version) FROM agents
UNION ALL SELECT 'edits', count(), max(version) FROM agent_edits
