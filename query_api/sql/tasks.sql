-- Which tasks of these traces, and of these places if there are any, match, the newest first, none before {last_ns}?
SELECT * EXCEPT (version, is_deleted, decision_id)
FROM tasks FINAL
WHERE trace_id IN {traces:Array(String)}
  AND (empty({places:Array(String)}) OR concat(trace_id, '-', span_id) IN {places:Array(String)})
  AND started_at >= {since:DateTime64(9)}
  AND started_at < {until:DateTime64(9)}
  AND (empty({status:Array(String)}) OR status IN {status:Array(String)})
  AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
  AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
  AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
  AND (empty({provider:Array(String)}) OR task_id IN (
      SELECT task_id FROM nodes FINAL
      WHERE trace_id IN {traces:Array(String)} AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}
      UNION ALL
      SELECT concat(trace_id, '-', span_id) FROM task_calls FINAL
      WHERE trace_id IN {traces:Array(String)} AND provider IN {provider:Array(String)}
        AND trace_id NOT IN (SELECT trace_id FROM nodes WHERE trace_id IN {traces:Array(String)})))
  AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
  AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
  AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
  AND (started_at, trace_id, span_id) < (fromUnixTimestamp64Nano({after_ns:Int64}), {after_trace:String}, {after_span:String})
  AND (started_at, trace_id, span_id) >= (fromUnixTimestamp64Nano({last_ns:Int64}), {last_trace:String}, {last_span:String})
ORDER BY started_at DESC, trace_id DESC, span_id DESC
LIMIT {limit:UInt32}
