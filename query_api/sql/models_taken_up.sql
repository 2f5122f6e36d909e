-- Which models has an agent taken up, in which task with which others? A model is taken up by the first of {in_a_row} tasks in a row
-- that it works in: a call that fell back to another model once is no change. The newest first.
SELECT model, argMin(models, number) AS models, min(started_at) AS since
FROM
(
    SELECT model, models, started_at, number, leadInFrame(number, {in_a_row:UInt32} - 1) OVER (
        PARTITION BY model ORDER BY number ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS last
    FROM
    (
        SELECT
            arrayFilter(model -> model != '', t.models) AS models,
            started_at,
            row_number() OVER (ORDER BY started_at, trace_id, span_id) AS number
        FROM task_scores AS t FINAL
        WHERE agent_id = {agent:String} AND notEmpty(models)
    )
    ARRAY JOIN models AS model
)
WHERE last = number + {in_a_row:UInt32} - 1
GROUP BY model
ORDER BY since DESC, model DESC
LIMIT {limit:UInt32}
