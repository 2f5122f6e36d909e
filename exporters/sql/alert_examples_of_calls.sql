-- Which traces show best what each of some alerts tells of: those whose calls failed last, took longest, have no known price?
SELECT key, trace_id
FROM
(
    SELECT
        {keys:Array(String)}[i] AS key,
        trace_id,
        if({shows:Array(String)}[i] = 'duration', max(duration_seconds), toFloat64(max(toUnixTimestamp64Milli(started_at)))) AS much
    FROM
    (
        SELECT *, if(operation = 'execute_tool', node_name, '') AS tool
        FROM nodes FINAL
        WHERE started_at >= fromUnixTimestamp64Milli(arrayMin({since_ms:Array(Int64)}))
          AND operation IN ('chat', 'text_completion', 'generate_content', 'embeddings', 'execute_tool')
    )
    ARRAY JOIN arrayFilter(
        i -> toUnixTimestamp64Milli(started_at) >= {since_ms:Array(Int64)}[i]
            AND ({shows:Array(String)}[i] != 'failed' OR NOT success)
            AND ({shows:Array(String)}[i] != 'unpriced' OR unpriced)
            AND (empty({agent_id:Array(Array(String))}[i]) OR has({agent_id:Array(Array(String))}[i], agent_id))
            AND (empty({category:Array(Array(String))}[i]) OR has({category:Array(Array(String))}[i], category))
            AND (empty({department:Array(Array(String))}[i]) OR has({department:Array(Array(String))}[i], department))
            AND (empty({service:Array(Array(String))}[i]) OR has({service:Array(Array(String))}[i], service_name))
            AND (empty({provider:Array(Array(String))}[i]) OR has({provider:Array(Array(String))}[i], provider))
            AND (empty({model:Array(Array(String))}[i]) OR has({model:Array(Array(String))}[i], model))
            AND (empty({tool:Array(Array(String))}[i]) OR has({tool:Array(Array(String))}[i], tool)),
        arrayEnumerate({keys:Array(String)})) AS i
    GROUP BY i, trace_id
)
ORDER BY key, much DESC, trace_id
LIMIT {each:UInt32} BY key
LIMIT {limit:UInt32}
