"""What a report recommends: what open alerts say is to be done, and what insights say."""

from processors.reports import periods
from query_api.asking.answers import Row
from query_api.asking.filters import Period
from query_api.asking.pages import MONTH
from query_api.insights.insights import Insights
from query_api.reports.composing import Recommend

OPPORTUNITY = "optimisation-opportunity"
"""The rule whose alerts say no more than that there are insights, which are shown themselves."""


def advice(insights: Insights) -> Recommend:
    """What to do, going by a period and its alerts: insights are told by the 30 days until it ends."""

    def recommend(found: periods.Period, alerts: list[Row]) -> list[Row]:
        told, _ = insights(Period(found.until - MONTH, found.until))
        return of_alerts(alerts) + [of_insight(row) for row in told]

    return recommend


def of_insight(row: Row) -> Row:
    """An insight as a recommendation."""
    return {"kind": row["kind"], "agent_id": row["agent_id"], "advice": row["advice"], "about": row["insight_id"]}


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
        if row["recommended_action"] and not row["resolved_at"] and row["rule"] != OPPORTUNITY
    ]
