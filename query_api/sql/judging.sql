-- What became of asking judges about tasks, the newest first?
SELECT * EXCEPT (version, is_deleted)
FROM judgements FINAL
WHERE judged_at >= {since:DateTime64(9)}
  AND judged_at < {until:DateTime64(9)}
  AND (empty({task_id:Array(String)}) OR task_id IN {task_id:Array(String)})
  AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
  AND (empty({evaluator:Array(String)}) OR evaluator IN {evaluator:Array(String)})
  AND (empty({outcome:Array(String)}) OR outcome IN {outcome:Array(String)})
  AND (judged_at, task_id, evaluator) < (fromUnixTimestamp64Milli({after_ms:Int64}), {after_task:String}, {after_evaluator:String})
ORDER BY judged_at DESC, task_id DESC, evaluator DESC
LIMIT {limit:UInt32}
