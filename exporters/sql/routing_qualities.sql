-- How good were the tasks that were judged since, by the criteria that count?
SELECT
    judged.task_id AS task_id, tasks.agent_id AS agent_id, tasks.category AS category,
    substringUTF8(tasks.input, 1, 1000) AS description, if(tasks.complexity_said, tasks.complexity, 0) AS complexity,
    judged.quality AS quality, tasks.ended_at AS ended_at, tasks.models AS models
FROM
(
    SELECT task_id, any(evaluations.trace_id) AS trace_id, avg(score) AS quality
    FROM evaluations FINAL
    WHERE task_id != '' AND criterion IN ('', 'accuracy', 'completeness', 'relevance') AND span_id = ''
    GROUP BY task_id
    HAVING max(received_at) >= {since:DateTime64(3)}
    ORDER BY max(received_at) DESC
    LIMIT {most:UInt32}
) AS judged
INNER JOIN (SELECT * FROM tasks FINAL WHERE status = 'succeeded') AS tasks ON tasks.task_id = judged.task_id
ORDER BY ended_at, task_id
LIMIT {most:UInt32}
