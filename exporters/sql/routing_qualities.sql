-- How good are the tasks of which a judgement was stored since, by the criteria that count?
WITH fresh AS
(
    SELECT DISTINCT task_id FROM evaluations
    WHERE stored_at >= {since:DateTime64(3)} AND task_id != ''
    LIMIT {most:UInt32}
)
SELECT
    judged.task_id AS task_id, done.agent_id AS agent_id, done.category AS category,
    substringUTF8(done.input, 1, 1000) AS description, if(done.complexity_said, done.complexity, 0) AS complexity,
    judged.quality AS quality, done.ended_at AS ended_at, done.models AS models
FROM
(
    SELECT task_id, avg(score) AS quality
    FROM evaluations FINAL
    WHERE task_id IN fresh AND criterion IN ('', 'accuracy', 'completeness', 'relevance') AND span_id = ''
    GROUP BY task_id
) AS judged
INNER JOIN
(
    SELECT task_id, agent_id, category, input, complexity, complexity_said, ended_at, models
    FROM tasks FINAL
    WHERE trace_id IN (SELECT substring(task_id, 1, 32) FROM fresh) AND status = 'succeeded'
) AS done ON done.task_id = judged.task_id
ORDER BY ended_at, task_id
LIMIT {most:UInt32}
