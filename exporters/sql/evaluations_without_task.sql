-- Which of these evaluations have no task?
SELECT * FROM evaluations FINAL WHERE evaluation_id IN {evaluation_id:Array(String)} AND task_id = ''
