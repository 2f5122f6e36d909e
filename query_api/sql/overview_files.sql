-- How many files do the tasks of a window say that they made and changed, and those of the window before it? Traces with any are
-- looked up first, for of a choice by the sorting key few rows are compared to find the newest of each.
SELECT
    if(started_at >= {since:DateTime64(9)}, 'now', 'before') AS period,
    sum(t.files_created) AS files_created,
    sum(t.files_modified) AS files_modified
FROM tasks AS t FINAL
PREWHERE trace_id IN (
    SELECT trace_id FROM tasks
    WHERE (files_created > 0 OR files_modified > 0)
      AND started_at >= {before:DateTime64(9)} AND started_at < {until:DateTime64(9)})
WHERE started_at >= {before:DateTime64(9)}
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
