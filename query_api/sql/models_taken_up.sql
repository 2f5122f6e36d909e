-- Which sets of models did an agent work with, and since when?
SELECT arrayFilter(model -> model != '', models) AS models, min(started_at) AS since
FROM task_scores FINAL
WHERE agent_id = {agent:String}
GROUP BY models
HAVING notEmpty(models)
ORDER BY since, models
LIMIT {limit:UInt32}
