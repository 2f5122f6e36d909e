-- As before, but that a cut at the very beginning of a day or an hour does not keep it from being read as a whole.
-- What agents did from `since` until `until`, in as few rows as will do: whole days, hours and minutes where none of `cuts`
-- lies within, else tasks. `segment` is how many cuts lie at or before; `since` and `until` are among them. Users, models and
-- providers are known of tasks only.
CREATE OR REPLACE VIEW agent_work AS
WITH
    (SELECT max((version, hourly_until)).2::DateTime('UTC') FROM scoring_progress) AS hours_until,
    (SELECT max((version, daily_until)).2::DateTime('UTC') FROM scoring_progress) AS days_until,
    arrayMap(c -> toDateTime(c, 'UTC'), {cuts:Array(DateTime64(9))}) AS cut_at,
    arrayMap(c -> toStartOfDay(c), arrayFilter(c -> c != toStartOfDay(c), cut_at)) AS cut_days,
    arrayMap(c -> toStartOfHour(c), arrayFilter(c -> c != toStartOfHour(c), cut_at)) AS cut_hours,
    arrayMap(c -> toStartOfMinute(c), {cuts:Array(DateTime64(9))}) AS cut_minutes,
    notEmpty({user_id:Array(String)}) OR notEmpty({model:Array(String)}) OR notEmpty({provider:Array(String)}) AS by_task
SELECT *, arrayCount(c -> c <= moment, {cuts:Array(DateTime64(9))})::UInt8 AS segment
FROM
(
    SELECT *, toDateTime64(at, 9, 'UTC') AS moment
    FROM agent_days
    WHERE NOT by_task
      AND at < days_until AND NOT has(cut_days, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT *, toDateTime64(at, 9, 'UTC') AS moment
    FROM agent_hours
    WHERE NOT by_task
      AND at < hours_until AND (at >= days_until OR has(cut_days, toStartOfDay(at))) AND NOT has(cut_hours, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT *, toDateTime64(at, 9, 'UTC') AS moment
    FROM agent_minutes
    WHERE NOT by_task
      AND at >= hours_until AND NOT has(cut_minutes, at)
      AND at >= {since:DateTime64(9)} AND at < {until:DateTime64(9)}
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
    UNION ALL
    SELECT * EXCEPT (task_id, started_at, user_id, models), started_at AS moment
    FROM task_measures
    WHERE (by_task OR if(at < hours_until, has(cut_hours, toStartOfHour(at)), has(cut_minutes, at)))
      AND at >= toStartOfMinute({since:DateTime64(9)}) AND at < {until:DateTime64(9)}
      AND started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)}
      AND (empty({user_id:Array(String)}) OR user_id IN {user_id:Array(String)})
      AND (empty({model:Array(String)}) OR hasAny(models, {model:Array(String)}))
      AND (empty({provider:Array(String)}) OR task_id IN (
          SELECT task_id FROM nodes FINAL
          WHERE notEmpty({provider:Array(String)}) AND provider IN {provider:Array(String)} AND started_at >= {since:DateTime64(9)}))
      AND (empty({category:Array(String)}) OR category IN {category:Array(String)})
      AND (empty({department:Array(String)}) OR department IN {department:Array(String)})
      AND (empty({service:Array(String)}) OR service_name IN {service:Array(String)})
);
