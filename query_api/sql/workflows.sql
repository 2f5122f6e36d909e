-- Which workflows match, the newest first? Filters that speak of tasks ask for one task that meets them all.
SELECT * EXCEPT (version, is_deleted, ingested_at)
FROM workflows FINAL
WHERE started_at >= {since:DateTime64(9)}
  AND started_at < {until:DateTime64(9)}
  AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
  AND (empty({status:Array(String)}) OR status IN {status:Array(String)})
  AND (empty({service:Array(String)}) OR hasAny(services, {service:Array(String)}))
  AND (started_at, trace_id) < (fromUnixTimestamp64Nano({after_ns:Int64}), {after_trace:String})
  AND ((empty({agent_id:Array(String)}) AND empty({category:Array(String)}) AND empty({model:Array(String)})
        AND empty({provider:Array(String)}) AND empty({department:Array(String)}) AND empty({user_id:Array(String)}))
       OR trace_id IN (
          SELECT trace_id FROM tasks FINAL
          WHERE started_at >= {since:DateTime64(9)}
            AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
            AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
            AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
            AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
            AND (empty({provider:Array(String)}) OR task_id IN (
                SELECT task_id FROM nodes FINAL
                WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}
                UNION ALL
                SELECT concat(trace_id, '-', span_id) FROM task_calls FINAL
                WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND first_started >= {since:DateTime64(9)}))
            AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
            AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})))
ORDER BY started_at DESC, trace_id DESC
LIMIT {limit:UInt32}
