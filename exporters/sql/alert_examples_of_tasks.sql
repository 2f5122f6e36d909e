-- Which tasks show best what each of some alerts tells of: those that failed last, took longest, cost most, were scored lowest?
SELECT key, trace_id
FROM
(
    SELECT
        {keys:Array(String)}[i] AS key,
        trace_id,
        multiIf(
            {shows:Array(String)}[i] = 'duration', duration_seconds,
            {shows:Array(String)}[i] = 'cost', ifNull(toFloat64(cost_usd), 0),
            {shows:Array(String)}[i] = 'tokens', toFloat64(total_tokens),
            {shows:Array(String)}[i] = 'quality', ifNull(-score, -inf),
            toFloat64(toUnixTimestamp64Milli(started_at))) AS much
    FROM
    (
        SELECT
            *, (ifNull(accuracy, 0) + ifNull(completeness, 0) + ifNull(relevance, 0))
            / nullIf(isNotNull(accuracy) + isNotNull(completeness) + isNotNull(relevance), 0) AS score
        FROM task_scores FINAL
        WHERE at >= toStartOfMinute(fromUnixTimestamp64Milli(arrayMin({since_ms:Array(Int64)})))
          AND status IN ('succeeded', 'failed')
    )
    ARRAY JOIN arrayFilter(
        i -> toUnixTimestamp64Milli(started_at) >= {since_ms:Array(Int64)}[i]
            AND ({shows:Array(String)}[i] != 'failed' OR status = 'failed')
            AND (empty({agent_id:Array(Array(String))}[i]) OR has({agent_id:Array(Array(String))}[i], agent_id))
            AND (empty({category:Array(Array(String))}[i]) OR has({category:Array(Array(String))}[i], category))
            AND (empty({department:Array(Array(String))}[i]) OR has({department:Array(Array(String))}[i], department))
            AND (empty({service:Array(Array(String))}[i]) OR has({service:Array(Array(String))}[i], service_name)),
        arrayEnumerate({keys:Array(String)})) AS i
)
ORDER BY key, much DESC, trace_id
LIMIT {each:UInt32} BY key
LIMIT {limit:UInt32}
