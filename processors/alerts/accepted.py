"""What people have accepted: who resolves an alert by hand says that this is how it is now.

That is said of the very faults that the alert tells of, and of nothing else: of a change, by agent, category and measure; of a
level, by rule and place, at this severity or a milder one. It holds until it has been well in between. A change is compared with
how it has been since, so that worse is told; and with how it was before, to know when it is well again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from processors.alerts.changes import COLUMN_OF, GROUP, LEAST_USUAL, SUSPECT
from processors.alerts.frames import MERIT, SEVERITIES
from processors.alerts.life import Fault, changes_of, faults_of
from processors.frames import STRING, TIME

Accepted = Mapping[Fault, datetime]
"""By agent, category and measure: since when a change is taken for usual."""

PAST = timedelta(days=29)
"""Of a change that is older, all that it is compared with has come after it."""
COLUMNS = tuple(dict.fromkeys(COLUMN_OF.values()))
SINCE = "_since"


def still_accepted(alerts: pl.DataFrame) -> pl.DataFrame:
    """Those of `alerts`, columns ALERTS, that somebody has resolved, and that have not been well since."""
    by_hand = ~pl.col("resolved_by").is_in(["", MERIT])
    return alerts.filter(pl.col("status") == "resolved", by_hand, pl.col("clear_since").is_null())


def accepted_changes(alerts: pl.DataFrame) -> dict[Fault, datetime]:
    """Since when each change is accepted that `alerts`, from `still_accepted`, tell of."""
    rows = alerts.sort("started_at").iter_rows(named=True)
    return {fault: row["started_at"] for row in rows for fault in changes_of(row)}


def unaccepted(findings: pl.DataFrame, alerts: pl.DataFrame, opened: pl.DataFrame) -> pl.DataFrame:
    """Findings of levels without those that `alerts`, from `still_accepted`, tell of, unless an open alert does, too."""
    worst: dict[Fault, int] = {}
    for row in alerts.iter_rows(named=True):
        for fault in faults_of(row):
            worst[fault] = max(SEVERITIES.index(row["severity"]), worst.get(fault, 0))
    told = {fault for row in opened.iter_rows(named=True) for fault in faults_of(row)}
    kept = [
        (rule, scope) in told or SEVERITIES.index(severity) > worst.get((rule, scope), -1)
        for rule, scope, severity in findings.select("rule", "scope", "severity").iter_rows()
    ]
    return findings.filter(pl.Series(kept, dtype=pl.Boolean))


def as_before(past: pl.DataFrame, accepted: Accepted, until: datetime) -> pl.DataFrame:
    """The past until `until`, of what is accepted only as it was before; columns OBSERVED."""
    both = past.filter(pl.col("at") < until).join(times(accepted), on=list(GROUP), how="left", suffix=SINCE)
    kept = [pl.when((pl.col("at") < pl.col(one + SINCE)).fill_null(value=True)).then(one).alias(one) for one in COLUMNS]
    return both.with_columns(kept).select(past.columns)


def as_since(tasks: pl.DataFrame, accepted: Accepted, until: datetime | None = None) -> pl.DataFrame:
    """Of what is accepted only as it has been since; columns OBSERVED.

    With `until` only what was before, or the first tasks if these are too few to know what is usual.
    """
    both = tasks.join(times(accepted), on=list(GROUP), suffix=SINCE).sort("at")
    kept = []
    for one in COLUMNS:
        counts = (pl.col("at") >= pl.col(one + SINCE)) & pl.col(one).is_not_null()
        enough = pl.lit(value=True) if until is None else (pl.col("at") < until) | (counts.cum_sum().over(GROUP) <= LEAST_USUAL)
        kept.append(pl.when(counts & enough).then(one).alias(one))
    return both.with_columns(kept).select(tasks.columns)


def times(accepted: Accepted) -> pl.DataFrame:
    """A row a group: since when each column is accepted, null where it is not."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for (agent, category, measure), since in accepted.items():
        found.setdefault((agent, category), {"agent_id": agent, "category": category})[COLUMN_OF[measure]] = since
    return pl.DataFrame(list(found.values()), schema=dict.fromkeys(GROUP, STRING) | dict.fromkeys(COLUMNS, TIME))


def in_place(before: pl.DataFrame, since: pl.DataFrame, accepted: Accepted) -> pl.DataFrame:
    """Changes, columns CHANGES: of what is accepted those from how it has been `since`, of all else those from `before`."""
    return pl.concat([before.filter(~among(accepted)), since.filter(among(accepted))])


def among(accepted: Accepted) -> pl.Expr:
    """Whether a change is accepted."""
    return pl.struct(*GROUP, "measure").is_in([dict(zip((*GROUP, "measure"), one, strict=True)) for one in accepted])


def well_again(alerts: pl.DataFrame, changes: pl.DataFrame, findings: pl.DataFrame, now: datetime) -> set[str]:
    """Ids of those of `alerts`, from `still_accepted`, of which nothing is accepted any more.

    Args:
        alerts: from `still_accepted`.
        changes: columns CHANGES, from how it was before.
        findings: columns FINDINGS, of levels.
        now: what time it is.
    """
    calm = set(changes.filter(state="clear").filter(pl.col("surprise") < SUSPECT).select(*GROUP, "measure").iter_rows())
    calm |= set(findings.filter(state="clear").select("rule", "scope").iter_rows())
    rows = list(alerts.iter_rows(named=True))
    old = {row["alert_id"] for row in rows if row["started_at"] <= now - PAST and changes_of(row)}
    return old | {row["alert_id"] for row in rows if faults_of(row) <= calm}
