-- On which day did the first of the scored tasks begin? No row if there is none.
SELECT toDate(min(at)) AS day FROM task_scores HAVING count() > 0
