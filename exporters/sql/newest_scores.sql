-- What is the highest version of anything that scoring has written?
SELECT greatest((SELECT max(version) FROM task_scores), (SELECT max(version) FROM medians), (SELECT max(version) FROM scoring_progress)) AS version
