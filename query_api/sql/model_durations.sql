-- How long do model calls take, by model or by provider: half of them, and nineteen in twenty? Beside `model_calls`, which reads the
-- same in the same pieces: to put sketches together takes longest, so that {days} and {hours} are those by model and provider
-- alone, where nothing else is chosen by.
WITH
    {group_by:String} = 'model' AS by_model,
    (SELECT max((version, hourly_until)).2::DateTime('UTC') FROM scoring_progress) AS hours_until,
    (SELECT max((version, daily_until)).2::DateTime('UTC') FROM scoring_progress) AS days_until,
    arrayMap(c -> toDateTime(c, 'UTC'), {cuts:Array(DateTime64(9))}) AS cut_at,
    arrayMap(c -> toStartOfDay(c), arrayFilter(c -> c != toStartOfDay(c), cut_at)) AS cut_days,
    arrayMap(c -> toStartOfHour(c), arrayFilter(c -> c != toStartOfHour(c), cut_at)) AS cut_hours
SELECT
    if(by_model, toString(work.model), toString(work.provider)) AS group,
    quantilesDDMerge(0.005, 0.5, 0.95)(work.durations) AS usual
FROM
(
    SELECT model, provider, durations
    FROM {days:Identifier}
    WHERE is_call AND NOT {by_task:Bool}
      AND at < days_until AND NOT has(cut_days, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
      AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT model, provider, durations
    FROM {hours:Identifier}
    WHERE is_call AND NOT {by_task:Bool}
      AND at < hours_until AND (at >= days_until OR has(cut_days, toStartOfDay(at))) AND NOT has(cut_hours, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
      AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT model, provider, durations
    FROM task_calls
    WHERE is_call AND ({by_task:Bool} OR at >= hours_until OR has(cut_hours, toStartOfHour(at)))
      AND at >= toStartOfMinute({since:DateTime64(9)}) AND at < {until:DateTime64(9)}
      AND first_started >= {since:DateTime64(9)} AND first_started < {until:DateTime64(9)}
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
      AND (empty({trace_id:Array(String)}) OR trace_id IN {trace_id:Array(String)})
      AND (empty({agent_id:Array(String)}) OR agent_id IN {agent_id:Array(String)})
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({model:Array(String)}) OR model IN {model:Array(String)})
      AND (empty({provider:Array(String)}) OR provider IN {provider:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
) AS work
GROUP BY group
LIMIT {limit:UInt32}
SETTINGS final = 1
