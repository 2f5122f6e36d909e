-- The spans of the tasks that were made, and of their steps.
INSERT INTO otel_traces
(
    Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, SpanAttributes, Duration,
    StatusCode, Operation, AgentId
)
SELECT
    started_at + toIntervalMillisecond(100 * greatest(step, 0)), trace_id,
    if(step < 0, span_id, concat('a', substring(span_id, 14, 3), leftPad(toString(step), 12, '0'))),
    if(step < 0, substring(parent_task_id, 34), span_id),
    if(step < 0, 'invoke_agent', concat('step ', toString(step))), 'Internal', service_name,
    map('service.name', service_name), 'agents',
    map('gen_ai.agent.name', agent_name, 'gen_ai.operation.name', 'chat', 'gen_ai.request.model', models[1],
        'gen_ai.usage.input_tokens', '1000', 'gen_ai.usage.output_tokens', '100', 'session.id', user_id),
    toUInt64(duration_seconds * 1e8),
    if(status = 'succeeded', 'Ok', 'Error'),
    multiIf(step < 0, 'invoke_agent', step < 4, 'chat', step < 7, 'execute_tool', 'node'),
    agent_id
FROM made
ARRAY JOIN range(-1, 10) AS step
