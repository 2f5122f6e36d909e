-- Finished tasks in the sample that this evaluator has not judged yet, those with fewer attempts first, then the newest.
WITH asked AS
(
    SELECT task_id, outcome, attempts
    FROM judgements FINAL
    WHERE evaluator = {evaluator:String} AND judged_at >= {since:DateTime64(3)}
)
SELECT tasks.task_id AS task_id, trace_id, agent_id, input, output, asked.attempts AS attempts
FROM tasks FINAL
LEFT JOIN asked ON asked.task_id = tasks.task_id
WHERE ended_at >= {since:DateTime64(3)} AND ended_at < {until:DateTime64(3)}
    AND status IN ('succeeded', 'failed') AND input != '' AND output != ''
    AND sipHash64(tasks.task_id) % 1000000 < {sampled:UInt32}
    AND (empty({categories:Array(String)}) OR category IN {categories:Array(String)})
    AND (empty({agents:Array(String)}) OR agent_id IN {agents:Array(String)})
    AND agent_id != {not_agent:String}
    AND (asked.outcome = '' OR (asked.outcome = 'failed' AND asked.attempts < {max_attempts:UInt8}))
    AND tasks.task_id NOT IN
    (
        SELECT task_id
        FROM evaluations FINAL
        WHERE source = 'judge' AND evaluator = {evaluator:String} AND received_at >= {since:DateTime64(3)}
    )
ORDER BY attempts, ended_at DESC, task_id
LIMIT {limit:UInt32}
