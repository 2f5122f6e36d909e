-- Who judges whom, and how? `difference` compares each score with the mean of what others gave the same task, step and criterion.
WITH
    {group_by:String} AS grouped,
    scores AS (
        SELECT task_id, span_id, criterion, evaluator_type, evaluator, avg(score) AS score, count() AS n
        FROM evaluations FINAL
        WHERE task_id != '' AND evaluated_at >= {since:DateTime64(9)} AND evaluated_at < {until:DateTime64(9)}
        GROUP BY task_id, span_id, criterion, evaluator_type, evaluator),
    compared AS (
        SELECT *, (sum(score) OVER same - score) / nullIf(count() OVER same - 1, 0) AS others
        FROM scores
        WINDOW same AS (PARTITION BY task_id, span_id, criterion))
SELECT
    if(grouped = 'evaluated', '', evaluator_type) AS evaluator_type,
    if(grouped = 'evaluated', '', evaluator) AS evaluator,
    if(grouped = 'evaluator', '', judged.agent_id) AS agent_id,
    sum(n) AS evaluations,
    uniqExact(compared.task_id) AS tasks,
    sum(score * n) / sum(n) AS mean_score,
    avgOrNull(score - others) AS difference,
    count(others) AS compared
FROM compared
INNER JOIN (
    SELECT task_id, agent_id
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
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})) AS judged ON judged.task_id = compared.task_id
WHERE (empty({task_id:Array(String)}) OR task_id IN {task_id:Array(String)})
  AND (empty({trace_id:Array(String)}) OR substring(task_id, 1, 32) IN {trace_id:Array(String)})
  AND (empty({evaluator:Array(String)}) OR compared.evaluator IN {evaluator:Array(String)})
  AND (empty({evaluator_type:Array(String)}) OR compared.evaluator_type IN {evaluator_type:Array(String)})
  AND (empty({criterion:Array(String)}) OR criterion IN {criterion:Array(String)})
GROUP BY 1, 2, 3
ORDER BY evaluations DESC, evaluator_type, evaluator, agent_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
