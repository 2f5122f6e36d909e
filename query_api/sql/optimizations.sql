-- Which optimisation requests were there, the newest first? An id finds one.
SELECT *
FROM optimizations FINAL
WHERE requested_at >= {since:DateTime64(9)}
  AND requested_at < {until:DateTime64(9)}
  AND (empty({optimization_id:String}) OR optimization_id = {optimization_id:String})
  AND (empty({status:Array(String)}) OR status IN {status:Array(String)})
  AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
  AND (empty({optimizer:Array(String)}) OR optimizer IN {optimizer:Array(String)})
ORDER BY requested_at DESC, optimization_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
