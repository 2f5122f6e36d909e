-- How far have sums come, up to when are they by hour and by day, and how new is what is known of agents?
SELECT
    p.version AS version, hours_version, days_version, hourly_until, daily_until, fours_until,
    (SELECT max(version) FROM agents) + (SELECT sum(cityHash64(agent_id, field, value, version, is_deleted)) FROM agent_edits) AS agents_version
FROM scoring_progress AS p
ORDER BY p.version DESC
LIMIT 1
