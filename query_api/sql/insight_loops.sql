-- Which agents make the same call, with the same input and the same output, three times or more within a task? Each call beyond
-- the first is counted as one of the task's model calls, which asked for it; the first model call is never wasted.
WITH
    ['gen_ai.tool.call.arguments', 'gen_ai.input.messages', 'input.value', 'traceloop.entity.input', 'gen_ai.prompt'] AS inputs,
    ['gen_ai.tool.call.result', 'gen_ai.output.messages', 'output.value', 'traceloop.entity.output', 'gen_ai.completion'] AS outputs
SELECT
    agent_id, category, node_name, operation,
    any(tasks) AS tasks,
    count() AS looping,
    sum(again) AS repeats,
    sum(least(again, others) * usd_per_call) AS wasted_usd,
    sum(pow(least(again, others) * usd_per_call, 2)) AS wasted_squares,
    sum(least(again, others) * tokens_per_call) AS wasted_tokens,
    groupArray(6)(task_id) AS task_ids
FROM
(
    SELECT task_id, agent_id, category, node_name, operation, sum(times - 1) AS again
    FROM
    (
        SELECT
            task_id, toString(n.agent_id) AS agent_id, toString(n.category) AS category, toString(n.node_name) AS node_name,
            toString(n.operation) AS operation, said.question AS question, said.answer AS answer, count() AS times
        FROM nodes AS n FINAL
        INNER JOIN
        (
            SELECT
                TraceId, SpanId,
                arrayFirst(text -> text != '', arrayMap(name -> SpanAttributes[name], inputs)) AS input,
                arrayFirst(text -> text != '', arrayMap(name -> SpanAttributes[name], outputs)) AS output,
                cityHash64(input) AS question,
                cityHash64(output) AS answer
            FROM otel_traces
            WHERE Operation IN ('execute_tool', 'retrieval', 'chat', 'text_completion', 'generate_content')
              AND Timestamp >= {since:DateTime64(9)} AND Timestamp < {until:DateTime64(9)}
              AND input != '' AND output != ''
            LIMIT 1 BY TraceId, SpanId
        ) AS said ON said.TraceId = n.trace_id AND said.SpanId = n.span_id
        WHERE n.started_at >= {since:DateTime64(9)} AND n.started_at < {until:DateTime64(9)} AND n.node_name != '' AND n.success
        GROUP BY task_id, agent_id, category, node_name, operation, question, answer
        HAVING times >= 3
    )
    GROUP BY task_id, agent_id, category, node_name, operation
) AS found
INNER JOIN
(
    SELECT
        task_id, count() OVER (PARTITION BY agent_id, category) AS tasks,
        greatest(llm_calls, 1) - 1 AS others,
        ifNull(toFloat64(cost_usd), 0) / greatest(llm_calls, 1) AS usd_per_call,
        total_tokens / greatest(llm_calls, 1) AS tokens_per_call
    FROM task_scores FINAL
    WHERE at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
) AS whole USING (task_id)
GROUP BY agent_id, category, node_name, operation
LIMIT {limit:UInt32}
