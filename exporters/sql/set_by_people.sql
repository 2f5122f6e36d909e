-- Which type and which department have people set for agents? Null where they did not.
SELECT
    agent_id,
    anyOrNullIf(value[1], field = 'agent_type') AS agent_type,
    anyOrNullIf(value[1], field = 'department') AS department
FROM agent_edits FINAL
WHERE field IN ('agent_type', 'department')
GROUP BY agent_id
ORDER BY agent_id
