"""What a report recommends: what open alerts say is to be done."""

from processors.reports.periods import Period
from query_api.answers import Row, rows
from query_api.filters import bound
from query_api.questions import Ask
from query_api.reporting import MOST_ALERTS, Recommend


def advice(ask: Ask) -> Recommend:
    """What to do, going by a period."""

    def recommend(found: Period) -> list[Row]:
        asked = {"since": bound(found.since), "until": bound(found.until), "limit": MOST_ALERTS}
        return of_alerts(rows(ask("report_alerts", asked, MOST_ALERTS)))

    return recommend


def of_alerts(alerts: list[Row]) -> list[Row]:
    """What alerts that are still open recommend."""
    return [
        {
            "kind": "alert",
            "agent_id": row["agent_id"],
            "advice": f"{row['title']}: {row['recommended_action']}",
            "about": row["alert_id"],
        }
        for row in alerts
        if row["recommended_action"] and not row["resolved_at"]
    ]
