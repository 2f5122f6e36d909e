-- The tasks of these traces, as far as workflows are made of them.
SELECT
    trace_id, span_id, agent_id, ended_at, input_tokens, output_tokens, total_tokens, cost_usd, unpriced_calls
FROM tasks FINAL
WHERE trace_id IN {trace_ids:Array(String)}
