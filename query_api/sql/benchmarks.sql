-- What is expected of tasks, by the type of the agent and the complexity (0: any)?
SELECT *
FROM benchmarks FINAL
ORDER BY agent_type, complexity
LIMIT {limit:UInt32}
