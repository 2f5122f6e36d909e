"""The job `alerts`: looks whether something has got worse, and lets alerts live."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple

import polars as pl

from exporters import alerts as stored
from exporters.alert_examples import examples
from exporters.alerts import Bounds, Window
from exporters.store import Store
from merit.jobs.usual import Usual
from processors.alerts import rules as alert_rules
from processors.alerts.accepted import Accepted, accepted_changes, as_since, in_place, still_accepted, unaccepted, well_again
from processors.alerts.causes import Cause, cause
from processors.alerts.changes import CHANGES, changes
from processors.alerts.examples import known_traces, wanted, with_traces
from processors.alerts.levels import MEASURED, SUMS, Seen, look, past_of
from processors.alerts.life import LONGEST_REST, advance, as_people_say
from processors.alerts.metrics import METRICS
from processors.alerts.rules import CALENDAR, AlertSettings, Rule, configured, from_rows, layered
from processors.alerts.silences import silencer
from processors.alerts.together import allowed, findings_of_changes, homes_of, one_a_key, watched
from processors.frames import empty
from processors.versions import to_the_millisecond

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
RECENT = 200
"""The newest tasks of an agent and category: among these a change is looked for."""
RECENT_DAYS = 7
SHORT = timedelta(hours=2)
"""Windows that are longer than this are added up"""
SELDOM = timedelta(minutes=5)
"""this seldom."""


Change = tuple[str, str, str, datetime]
"""Agent, category, measure, and since when."""


class Explained(NamedTuple):
    """What explained a change when it was looked for."""

    at: datetime
    why: Cause | None


class Alerting:
    """Looks at everything that rules name, and opens, goes on with and resolves alerts.

    What it remembers between rounds are short cuts, and the same after a restart: what is usual, sums of long windows, causes.

    Args:
        store: has everything.
        settings: rules, budgets, maintenance windows.
        now: what time it is.
        itself: what is known of Merit itself, by the name of a metric.
        opportunities: how many insights there are about each agent, columns MEASURED.
        listening_since: who was not heard before then may have spoken nevertheless.
    """

    def __init__(
        self,
        store: Store,
        settings: AlertSettings,
        now: Callable[[], datetime],
        itself: Callable[[], Mapping[str, float]] = dict,
        opportunities: Callable[[], pl.DataFrame] = lambda: empty(MEASURED),
        listening_since: datetime = stored.ALWAYS,
    ) -> None:
        self._store, self._settings, self._now, self._itself = store, settings, now, itself
        self._opportunities, self._listening_since = opportunities, listening_since
        self._base = configured(settings)
        self._long: tuple[datetime, tuple[str, ...], pl.DataFrame] | None = None
        self._usual = Usual(store)
        self._explained: dict[Change, Explained] = {}
        self._lock = Lock()

    def run(self) -> int:
        """One round; how many alerts changed. Raises Unavailable."""
        with self._lock:
            return self._round(self._now())

    def _round(self, now: datetime) -> int:
        now = to_the_millisecond(now)
        rules = [rule for rule in self.rules() if rule.enabled and self._can_be_broken(rule)]
        known = stored.to_go_on(self._store, now - LONGEST_REST)
        said = stored.by_people(self._store, known["alert_id"].to_list())
        alerts = as_people_say(known, said)
        opened, accepted = alerts.filter(pl.col("status") != "resolved"), still_accepted(alerts)
        levels = self._levels(rules, pl.concat([opened, accepted]), now)
        changed, as_was = self._changes(rules, opened, accepted_changes(accepted), now)
        findings = pl.concat([unaccepted(levels, accepted, opened), changed])
        findings = self._with_traces(one_a_key(findings, opened), opened, rules, now)
        silenced = silencer(stored.silences(self._store, now), self._settings.maintenance, now)
        well = well_again(accepted, as_was, levels, now)
        dropped = frozenset(opened["rule"]) - {rule.name for rule in rules}
        made = advance(known, said, findings, silenced, now, well, dropped)
        self._store.insert("alert_events", made.events)
        self._store.insert("alerts", made.alerts)
        for event in made.events.join(made.alerts, on="alert_id").iter_rows(named=True):
            log.info("alert %s %s: %s (%s)", event["event"], event["alert_id"], event["title"], event["severity"])
        return made.alerts.height

    def rules(self) -> tuple[Rule, ...]:
        """Every rule: those edited over the API, over those of the settings, over those shipped."""
        return layered(self._base, from_rows(stored.edited_rules(self._store, alert_rules.MOST)))

    def _can_be_broken(self, rule: Rule) -> bool:
        """Whether there is anything to look at: adding up a month for a budget that nobody has set costs as much as all else."""
        return rule.compare != "budget" or bool(self._settings.budgets[rule.window])

    def _with_traces(self, findings: pl.DataFrame, opened: pl.DataFrame, rules: list[Rule], now: datetime) -> pl.DataFrame:
        """Findings with traces to look at, which are asked for when an alert begins."""
        known = known_traces(opened)
        asked = wanted(findings, {rule.name: rule for rule in rules}, known, now)
        return with_traces(findings, known | examples(self._store, asked))

    def _levels(self, rules: list[Rule], alerts: pl.DataFrame, now: datetime) -> pl.DataFrame:
        measured = stored.measured(self._store, {rule.metric for rule in rules}, now, self._listening_since)
        itself = [
            {"metric": name, "agent_id": "", "service": "", "value": value, "n": 1} for name, value in self._itself().items()
        ]
        all_measured = pl.concat([pl.DataFrame(itself, schema=dict(MEASURED)), self._opportunities(), measured])
        return look(rules, Seen(self._sums(rules, now), all_measured, self._settings.budgets), alerts, now)

    def _sums(self, rules: list[Rule], now: datetime) -> pl.DataFrame:
        """Columns SUMS: short windows as of now, long ones as of a while ago."""
        short = [sums_of(self._store, rules, now, is_long=False)]
        names = tuple(sorted({f"{rule.measured.source} {rule.window} {rule.has_past}" for rule in rules}))
        if self._long is None or now - self._long[0] >= SELDOM or self._long[1] != names:
            self._long = (now, names, sums_of(self._store, rules, now, is_long=True))
        return pl.concat([*short, self._long[2]])

    def _changes(
        self, rules: list[Rule], opened: pl.DataFrame, accepted: Accepted, now: datetime
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """What change detection finds, columns FINDINGS, and what has changed whatever people accept, columns CHANGES."""
        watching = allowed(rules)
        found = as_was = empty(CHANGES)
        if watching:
            known = self._usual(Bounds(accepted, alarmed(opened)), now)
            recent = stored.recent(self._store, now - RECENT_DAYS * DAY, RECENT)
            found = as_was = changes(recent, known.usual, known.volumes)
            if accepted:
                found = in_place(as_was, changes(as_since(recent, accepted), known.accepted, known.volumes), accepted)
        found = watched(found, watching)
        return findings_of_changes(found, self._causes(found, now), watching, opened), as_was

    def _causes(self, found: pl.DataFrame, now: datetime) -> dict[tuple[str, str, str], Cause]:
        """What explains changes: of those that are raised. Looked for again every few minutes while they go on."""
        raised = found.filter(pl.col("state") == "raised").select("agent_id", "category", "measure", "since").rows()
        recent = {change: said for change, said in self._explained.items() if now - said.at < SELDOM}
        new = [change for change in raised if change not in recent]
        whys = self._look_for_causes(new, now) if new else {}
        self._explained = {change: recent.get(change) or Explained(now, whys.get(change)) for change in raised}
        return {change[:3]: said.why for change, said in self._explained.items() if said.why}

    def _look_for_causes(self, changed: list[Change], now: datetime) -> dict[Change, Cause]:
        since: dict[str, datetime] = {}
        for agent, _, _, at in changed:
            since[agent] = min(at, since.get(agent, at))
        steps = stored.steps(self._store, since, now - RECENT_DAYS * DAY).partition_by(["agent_id", "category"], as_dict=True)
        named = {}
        for change in changed:
            parts = steps.get(change[:2])
            if parts is not None and (why := cause(parts, change[2])):
                named[change] = why
        return named


def alarmed(opened: pl.DataFrame) -> dict[str, datetime]:
    """Where the past of agents ends, by their open alerts of changes."""
    until: dict[str, datetime] = {}
    for (_, agent), (_, _, row) in homes_of(opened).items():
        until[agent] = min(row["started_at"], until.get(agent, row["started_at"]))
    return until


def sums_of(store: Store, rules: list[Rule], now: datetime, *, is_long: bool) -> pl.DataFrame:
    """What was done in the windows of rules, columns SUMS."""
    parts = [empty(SUMS)]
    for source in ("tasks", "calls"):
        mine = [rule for rule in rules if METRICS[rule.metric].source == source]
        windows = {rule.window: alert_rules.since(rule.window, now) for rule in mine}
        wanted = [Window(name, since, now) for name, since in windows.items() if is_long_window(name, since, now) == is_long]
        if is_long:
            pasts = sorted({rule.window for rule in mine if rule.has_past})
            wanted += [Window(past_of(name), *alert_rules.week_before(name, now)) for name in pasts]
        parts.append(stored.sums(store, source, wanted))
    return pl.concat(parts)


def is_long_window(name: str, since: datetime, now: datetime) -> bool:
    """Whether a window is added up seldom."""
    return name in CALENDAR or now - since > SHORT
