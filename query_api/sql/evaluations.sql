-- Who judged which task and how, the newest first? The page is found first, then what was judged is looked up.
WITH page AS (
    SELECT *
    FROM evaluations FINAL
    WHERE evaluated_at >= {since:DateTime64(9)}
      AND evaluated_at < {until:DateTime64(9)}
      AND (empty({task_id:Array(String)}) OR task_id IN {task_id:Array(String)} OR target IN {task_id:Array(String)})
      AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
      AND (empty({evaluator:Array(String)}) OR evaluator IN {evaluator:Array(String)})
      AND (empty({evaluator_type:Array(String)}) OR evaluator_type IN {evaluator_type:Array(String)})
      AND (empty({criterion:Array(String)}) OR criterion IN {criterion:Array(String)})
      AND ({pending:Int8} = -1 OR (task_id = '') = ({pending:Int8} = 1))
      AND ((empty({agent_id:Array(String)}) AND empty({category:Array(String)}) AND empty({model:Array(String)})
            AND empty({provider:Array(String)}) AND empty({department:Array(String)}) AND empty({service:Array(String)})
            AND empty({user_id:Array(String)}))
           OR task_id IN (
          SELECT task_id
          FROM tasks FINAL
          WHERE (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
            AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
            AND (empty({model:Array(String)}) OR hasAny(if(empty(models), [''], models), {model:Array(String)}))
            AND (empty({provider:Array(String)}) OR task_id IN (
                SELECT task_id FROM nodes FINAL
                WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)}
                UNION ALL
                SELECT concat(trace_id, '-', span_id) FROM task_calls FINAL
                WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)}))
            AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
            AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
            AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})))
      AND (evaluated_at, evaluation_id) < (fromUnixTimestamp64Nano({after_ns:Int64}), {after_id:String})
    ORDER BY evaluated_at DESC, evaluation_id DESC
    LIMIT {limit:UInt32})
SELECT
    page.* EXCEPT (version, is_deleted),
    judged.agent_id AS agent_id,
    judged.category AS category,
    multiIf(page.task_id != '', 'kept', page.received_at < {given_up:DateTime64(9)}, 'expired', 'pending') AS status
FROM page
LEFT JOIN (
    SELECT task_id, agent_id, category
    FROM tasks FINAL
    WHERE trace_id IN (SELECT trace_id FROM page)) AS judged ON judged.task_id = page.task_id
ORDER BY evaluated_at DESC, evaluation_id DESC
