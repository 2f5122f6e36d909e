-- How do the steps of an agent fare, by name and operation?
SELECT
    node_name,
    operation,
    count() AS calls,
    countIf(success) AS succeeded,
    avg(toFloat64(success)) AS success_rate,
    quantileExactInclusive(0.5)(duration_seconds) AS p50_duration_seconds,
    quantileExactInclusive(0.95)(duration_seconds) AS p95_duration_seconds,
    sum(n.input_tokens) AS input_tokens,
    sum(n.output_tokens) AS output_tokens,
    sum(n.cost_usd) AS cost_usd,
    countIf(unpriced) AS unpriced_calls
FROM nodes AS n FINAL
WHERE started_at >= {since:DateTime64(9)}
  AND started_at < {until:DateTime64(9)}
  AND agent_id = {agent:String}
  AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
  AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
  AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
  AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
  AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
  AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
GROUP BY node_name, operation
ORDER BY calls DESC, node_name, operation
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
