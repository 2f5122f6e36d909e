-- What did the tasks of some agents consist of, before and after each one's change?
WITH
    steps AS
    (
        SELECT
            agent_id, category, task_id, operation, provider, model, node_name, success, duration_seconds, cost_usd,
            if(toUnixTimestamp64Milli(started_at) >= transform(agent_id, {agents:Array(String)}, {since_ms:Array(Int64)}, 0::Int64),
               'after', 'before') AS period
        FROM nodes FINAL
        WHERE started_at >= {since:DateTime64(9)}
          AND agent_id IN {agents:Array(String)}
          AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings', 'retrieval', 'execute_tool')
    ),
    named AS
    (
        SELECT *, pair.1 AS kind, pair.2 AS name
        FROM steps
        ARRAY JOIN if(operation = 'execute_tool' OR operation = 'retrieval',
            [('tool', toString(node_name))], [('model', toString(model)), ('provider', toString(provider))]) AS pair
        WHERE name != ''
    )
SELECT
    agent_id, category, period, kind, name,
    uniqExact(task_id) AS tasks, count() AS calls, uniqExactIf(task_id, NOT success) AS failed,
    sum(duration_seconds) AS seconds, sum(ifNull(toFloat64(cost_usd), 0)) AS cost_usd
FROM named
GROUP BY agent_id, category, period, kind, name
UNION ALL
SELECT
    agent_id, category,
    if(toUnixTimestamp64Milli(started_at) >= transform(agent_id, {agents:Array(String)}, {since_ms:Array(Int64)}, 0::Int64),
       'after', 'before') AS period,
    'task' AS kind, '' AS name,
    count() AS tasks, count() AS calls, countIf(status = 'failed') AS failed,
    sum(duration_seconds) AS seconds, sum(ifNull(toFloat64(cost_usd), 0)) AS cost_usd
FROM task_scores FINAL
WHERE at >= {since:DateTime64(9)}
  AND agent_id IN {agents:Array(String)}
  AND status IN ('succeeded', 'failed')
GROUP BY agent_id, category, period
LIMIT {limit:UInt32}
