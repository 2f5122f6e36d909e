-- {count} tasks from number {first}, evenly over the day that begins at {day}: 500 agents, each at work in 4 of 20 categories, two to a
-- trace, or all of {trace}.
INSERT INTO made
(
    task_id, trace_id, span_id, parent_task_id, agent_id, agent_name, agent_type, department, service_name, name, category, complexity,
    status, started_at, ended_at, duration_seconds, nodes, llm_calls, tool_calls, input_tokens, output_tokens, total_tokens, cost_usd,
    models, user_id, version
)
WITH
    cityHash64(number) AS random,
    if({trace:String} = '', lower(hex(MD5(toString(intDiv(number, 2))))), {trace:String}) AS trace,
    if({trace:String} = '', number % 2, number - {first:UInt64}) AS place,
    number % 500 AS agent
SELECT
    concat(trace, '-', span_id),
    trace,
    leftPad(toString(place), 16, '0') AS span_id,
    if(place > 0, concat(trace, '-', '0000000000000000'), ''),
    concat('agent-', toString(agent)),
    concat('Agent ', toString(agent)),
    'cognitive',
    concat('department-', toString(agent % 8)),
    concat('service-', toString(agent % 10)),
    'invoke_agent',
    concat('category-', toString((agent + random % 4) % 20)),
    2,
    if(random % 100 < 50 + agent / 10, 'succeeded', 'failed'),
    toDateTime64({day:DateTime64(3)}, 9, 'UTC') + toIntervalNanosecond(toInt64((number - {first:UInt64}) * 86400e9 / {count:UInt64})) AS started_at,
    started_at + toIntervalMillisecond(toInt64(1000 * duration_seconds)),
    1 + (random % 1000) / 50 AS duration_seconds,
    10, 4, 3, 4000, 400, 4400,
    toDecimal64(0.001 + (random % 1000) / 1e5, 12),
    [concat('model-', toString(agent % 12)), concat('model-', toString((agent + 1) % 12))],
    concat('user-', toString(random % 5000)),
    1
FROM numbers({first:UInt64}, {count:UInt64})
