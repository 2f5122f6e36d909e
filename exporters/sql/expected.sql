-- What is expected by the type of an agent and the complexity of a task?
SELECT agent_type, complexity, expected_duration_seconds, toFloat64(expected_cost_usd) AS expected_cost_usd
FROM benchmarks FINAL
ORDER BY agent_type, complexity
