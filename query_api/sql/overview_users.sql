-- On behalf of how many users were tasks done in a window and in the window before it?
SELECT
    if(started_at >= {since:DateTime64(9)}, 'now', 'before') AS period,
    uniqExactIf(user_id, user_id != '') AS users
FROM task_scores FINAL
WHERE at >= toStartOfMinute({before:DateTime64(9)})
  AND at < {until:DateTime64(9)}
  AND started_at >= {before:DateTime64(9)}
  AND started_at < {until:DateTime64(9)}
  AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
  AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
  AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
  AND (empty({provider:Array(String)}) OR task_id IN (
      SELECT concat(trace_id, '-', span_id) FROM task_calls FINAL WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)}))
  AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
  AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
  AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
GROUP BY period
LIMIT {limit:UInt32}
