-- Which evaluations that came since have no task? Candidates: some may have been replaced. Page by page.
SELECT DISTINCT evaluation_id
FROM evaluations
WHERE task_id = '' AND received_at >= {since:DateTime64(3)} AND evaluation_id > {after:String}
ORDER BY evaluation_id
LIMIT {limit:UInt32}
