-- What is said of these tasks and of their steps, by each evaluator the last word?
SELECT task_id, span_id, criterion, score, rating, evaluator, evaluator_type
FROM
(
    SELECT evaluation_id, task_id, span_id, criterion, score, rating, evaluator, evaluator_type, is_deleted
    FROM evaluations
    WHERE task_id IN {task_id:Array(String)}
    ORDER BY version DESC
    LIMIT 1 BY evaluation_id
)
WHERE is_deleted = 0
LIMIT {limit:UInt32}
