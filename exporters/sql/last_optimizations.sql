-- What is the last optimisation request of each optimizer and agent?
SELECT * FROM optimizations FINAL
ORDER BY requested_at DESC, optimization_id
LIMIT 1 BY optimizer, agent_id
LIMIT {limit:UInt32}
