-- Which of these traces have been derived before?
SELECT DISTINCT trace_id FROM workflows WHERE trace_id IN {trace_ids:Array(String)}
