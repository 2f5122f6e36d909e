-- How many evaluations that came in this time never found their task?
SELECT count() AS expired
FROM evaluations FINAL
WHERE evaluation_id IN (
      SELECT evaluation_id FROM evaluations
      WHERE task_id = '' AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)})
  AND task_id = ''
  AND received_at < {until:DateTime64(3)}
