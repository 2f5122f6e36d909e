-- What is said of the judged tasks that began from {since} up to {until}?
SELECT task_id, criterion, score, rating, evaluator, evaluator_type
FROM
(
    SELECT evaluation_id, task_id, span_id, criterion, score, rating, evaluator, evaluator_type, is_deleted
    FROM evaluations
    WHERE task_id IN
    (
        SELECT task_id FROM task_scores WHERE at >= {since:DateTime} AND at <= {until:DateTime} AND judgements > 0
    )
    ORDER BY version DESC
    LIMIT 1 BY evaluation_id
)
WHERE is_deleted = 0 AND (span_id = '' OR endsWith(task_id, span_id))
