-- What is the highest version of anything that scoring has written, finished or not?
WITH (SELECT max(version) FROM scoring_progress) AS finished
SELECT greatest(
    finished,
    (SELECT max(version) FROM medians),
    (SELECT max(version) FROM task_scores WHERE version > finished),
    (SELECT max(version) FROM task_calls WHERE version > finished)
) AS version
