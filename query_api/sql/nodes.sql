-- Which steps match, the newest first?
SELECT * EXCEPT (version, is_deleted)
FROM nodes FINAL
WHERE (trace_id, span_id) IN (
    SELECT trace_id, span_id
    FROM nodes FINAL
    WHERE started_at >= {since:DateTime64(9)}
      AND started_at < {until:DateTime64(9)}
      AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
      AND (empty({task_id:Array(String)}) OR task_id IN {task_id:Array(String)})
      AND (empty({operation:Array(String)}) OR operation IN {operation:Array(String)})
      AND (empty({success:Array(Bool)}) OR success IN {success:Array(Bool)})
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
      AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
      AND (started_at, trace_id, span_id) < (fromUnixTimestamp64Nano({after_ns:Int64}), {after_trace:String}, {after_span:String})
    ORDER BY started_at DESC, trace_id DESC, span_id DESC
    LIMIT {limit:UInt32})
ORDER BY started_at DESC, trace_id DESC, span_id DESC
