-- How good was the work in which each model, or each provider, was called? Each task counts once for each that it called.
SELECT group, count() AS rated_tasks, avg(scored.score) AS quality
FROM
(
    SELECT DISTINCT if({group_by:String} = 'model', toString(n.model), toString(n.provider)) AS group, task_id
    FROM nodes AS n FINAL
    WHERE operation IN ('chat', 'text_completion', 'generate_content', 'embeddings')
      AND started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
      AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
) AS used
INNER JOIN
(
    SELECT task_id, quality[indexOf(profiles, {profile:String})] AS score
    FROM task_scores FINAL
    WHERE judgements > 0
      AND at >= {since:DateTime64(9)} - INTERVAL 1 DAY
      AND at < {until:DateTime64(9)}
) AS scored USING (task_id)
WHERE isNotNull(scored.score)
GROUP BY group
LIMIT {limit:UInt32}
