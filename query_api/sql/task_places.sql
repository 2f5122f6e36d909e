-- Where may the tasks that match stand, the newest first? Scored tasks are sorted by time; what was stored since they were scored is
-- looked at besides. Each row may be told several times, and what it was before: what it is now shows when it is read by its key.
WITH (SELECT max((version, tasks_until)).2 - INTERVAL 15 SECOND FROM scoring_progress) AS scored_until
SELECT started_at, trace_id, span_id
FROM
(
    SELECT started_at, trace_id, span_id
    FROM task_scores
    WHERE at >= toStartOfMinute({since:DateTime64(9)})
      AND at <= least({until:DateTime64(9)}, fromUnixTimestamp64Nano({after_ns:Int64}))
      AND started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({status:Array(String)}) OR status IN {status:Array(String)})
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
      AND (empty({provider:Array(String)}) OR trace_id IN (
          SELECT trace_id FROM nodes
          WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}
          UNION ALL
          SELECT trace_id FROM task_calls
          WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND at >= toStartOfMinute({since:DateTime64(9)})))
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
      AND (started_at, trace_id, span_id) < (fromUnixTimestamp64Nano({after_ns:Int64}), {after_trace:String}, {after_span:String})
    ORDER BY at DESC, started_at DESC, trace_id DESC, span_id DESC
    LIMIT {limit:UInt32}
    UNION ALL
    SELECT started_at, trace_id, span_id
    FROM tasks
    WHERE stored_at > scored_until
      AND started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({status:Array(String)}) OR status IN {status:Array(String)})
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
      AND (started_at, trace_id, span_id) < (fromUnixTimestamp64Nano({after_ns:Int64}), {after_trace:String}, {after_span:String})
    ORDER BY started_at DESC, trace_id DESC, span_id DESC
    LIMIT {limit:UInt32}
)
ORDER BY started_at DESC, trace_id DESC, span_id DESC
LIMIT {limit:UInt32}
