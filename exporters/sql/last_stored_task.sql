-- When was the last task stored?
SELECT max(stored_at) AS stored_at FROM tasks
