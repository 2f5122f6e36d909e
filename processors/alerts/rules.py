"""What a rule is: data, checked before it is used.

There are three layers, the later over the earlier by name: rules that are shipped (`shipped.yaml`), those of the settings, those
edited over the API.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal, Self, get_args

import polars as pl
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from processors.alerts.frames import ALERT_RULES, SEVERITIES, Severity, as_json
from processors.alerts.metrics import METRICS, SPLITS, Metric, metric_called
from processors.sent import Sent
from processors.shipped_files import shipped_yaml
from processors.versions import to_the_millisecond

MOST = 500
"""Rules that there may be."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
WINDOW = re.compile(r"([1-9]\d{0,4})([smhd])")
CALENDAR = ("day", "month")
WEEK_BEFORE = timedelta(days=7)
KEPT = {"is_kept": True}
"""The context of rules that were accepted once: a rule that is only refused since must not stop all others."""

Level = Annotated[float, Field(allow_inf_nan=False)]
Levels = Annotated[dict[Severity, Level] | None, Field(min_length=1, max_length=len(SEVERITIES))]
Seconds = Annotated[float, Field(ge=0, le=7 * 86_400)]
Values = Annotated[tuple[Annotated[str, Field(max_length=1024)], ...], Field(min_length=1, max_length=100)]
Split = Literal["agent_id", "category", "provider", "model", "tool", "department", "service"]


def duration(text: str) -> str:
    """`90s`, `15m`, `6h`, `7d` (up to 32 days), `day` or `month`; ValueError if it is none."""
    if text in CALENDAR:
        return text
    if not WINDOW.fullmatch(text) or not 60 <= window_seconds(text) <= 32 * 86_400:
        raise ValueError("write a number and s, m, h or d (`15m`, `7d`), from a minute to 32 days, or `day` or `month`")
    return text


def window_seconds(text: str) -> int:
    """Seconds of `15m`."""
    return int(text[:-1]) * UNITS[text[-1]]


class Rule(Sent):
    """When to raise an alert."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9 _.:-]{0,99}$")]
    """What it is called; of the same name there is one."""
    metric: str
    """What is measured: one of a fixed list, see docs/alerts.md."""
    above: Levels = None
    """More than this is too much, by severity: `{warning: 2, critical: 5}`."""
    below: Levels = None
    """Less than this is too little, by severity."""
    compare: Literal["value", "past", "budget"] = "value"
    """What the levels are of: the `value` itself; how many times that of the seven days before it is (`past`); which part of
    the budget in the settings it is (`budget`)."""
    by: Annotated[tuple[Split, ...], Field(max_length=3)] = ()
    """What is looked at on its own; empty: all together."""
    scope: dict[Split, Values] = Field({}, max_length=len(get_args(Split)))
    """Only these: `{category: [coding]}`."""
    window: Annotated[str, AfterValidator(duration)] = "1h"
    """How far back is measured: `90s`, `15m`, `6h`, `7d`; `day` and `month` begin when they do in UTC."""
    for_seconds: Seconds = 0
    """How long it must be so before the alert fires."""
    min_observations: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """With fewer nobody knows."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.99
    """Of a rate: how sure it must be that it lies beyond the level, by a binomial test."""
    hysteresis: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """An alert goes on until this part of the level is gained."""
    clear_seconds: Seconds = 300
    """How long it must be well before the alert is resolved."""
    cooldown_seconds: Seconds = 1800
    """How long after that no new alert of the same is opened."""
    group: Annotated[str, Field(max_length=100)] = ""
    """Rules of one group make one alert of what they see in the same place; empty: the rule stands alone."""
    recommended_action: Annotated[str, Field(max_length=2000)] = ""
    """What to do."""
    enabled: bool = True
    """Whether anybody looks."""

    @field_validator("metric")
    @classmethod
    def _is_known(cls, metric: str) -> str:
        metric_called(metric)
        return metric

    @model_validator(mode="after")
    def _can_be_measured(self) -> Self:
        metric = self.measured
        for what, named in (("by", self.by), ("scope", tuple(self.scope))):
            if wrong := [one for one in named if one not in SPLITS[metric.source]]:
                allowed = ", ".join(SPLITS[metric.source]) or "nothing"
                raise ValueError(f"{what}: {self.metric} is not known by {', '.join(wrong)}, but by {allowed}")
        if metric.source == "change":
            if self.levels or self.compare != "value":
                raise ValueError(f"{self.metric} has no level: leave out above, below and compare")
        elif (self.above is None) == (self.below is None):
            raise ValueError("say either above or below")
        self._check_levels(metric)
        return self

    def _check_levels(self, metric: Metric) -> None:
        side = "above" if self.above else "below"
        most = metric.most if self.compare == "value" else None
        for severity, level in self.levels.items():
            if level < 0 or (level == 0 and side == "below"):
                raise ValueError(f"{side}.{severity}: {self.metric} is never below 0, so {level:g} can never be reached")
            if most is not None and (level > most or (level == most and side == "above")):
                raise ValueError(f"{side}.{severity}: {self.metric} is between 0 and {most:g}, so {level:g} makes no sense")
        in_order = [self.levels[one] for one in SEVERITIES if one in self.levels]
        if in_order != sorted(in_order, reverse=side == "below"):
            raise ValueError(f"{side}: a worse severity needs a level further {side}")
        if self.compare == "budget" and (self.metric != "cost_usd" or self.window not in CALENDAR or self.by or self.scope):
            raise ValueError("compare: a budget is of cost_usd, by the day or month, of all together")

    @model_validator(mode="after")
    def _can_be_right(self, info: ValidationInfo) -> Self:
        metric = self.measured
        has_begun = metric.is_sum and self.window in CALENDAR
        if info.context == KEPT:
            return self
        if has_begun and (self.below is not None or self.compare == "past"):
            raise ValueError(f"window: a {self.window} that has just begun has little of everything: say 24h or 30d")
        if self.compare == "past" and metric.value is None:
            raise ValueError(f"compare: {self.metric} is known as it is now only, and has no past")
        if self.compare == "past" and self.below is not None and metric.is_of_window and not metric.is_sum:
            raise ValueError(f"compare: {self.metric} is hardly ever as much as in the week before: say above, or take a mean")
        return self

    @property
    def measured(self) -> Metric:
        """The metric."""
        return METRICS[self.metric]

    @property
    def levels(self) -> Mapping[Severity, float]:
        """The levels, whichever side they are of."""
        return self.above or self.below or {}

    @property
    def is_of_too_little(self) -> bool:
        """Whether nothing at all is what the rule looks for, of those who did something in the week before."""
        return self.below is not None and self.measured.is_sum and self.window not in CALENDAR

    @property
    def has_past(self) -> bool:
        """Whether the week before the window must be known."""
        return self.compare == "past" or self.is_of_too_little


class Recurring(BaseModel):
    """A maintenance window: every week at these hours nobody is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    days: Annotated[tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], Field(min_length=1)]
    """On which days it begins."""
    start: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    """When it begins, in UTC: `22:00`."""
    hours: Annotated[float, Field(gt=0, le=168)]
    """How long it lasts."""
    scope: dict[str, Values] = {}
    """Only alerts of these (`rule`, `severity`, `agent_id`, `category`, …); empty: all."""

    @field_validator("scope")
    @classmethod
    def _known_scope(cls, scope: dict[str, Any]) -> dict[str, Any]:
        return known_scope(scope)


SCOPES = ("rule", "severity", "agent_id", "category", "provider", "model", "tool", "department", "service")
"""What alerts are silenced by."""


def known_scope(scope: dict[str, Any]) -> dict[str, Any]:
    """`scope`; ValueError if alerts are not chosen by something in it."""
    if wrong := [name for name in scope if name not in SCOPES]:
        raise ValueError(f"alerts are not chosen by {', '.join(wrong)}, but by {', '.join(SCOPES)}")
    return scope


class AlertSettings(BaseModel):
    """Which rules there are, what may be spent, and when nobody is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    shipped: bool = True
    """Whether the rules that Merit comes with are there."""
    rules: tuple[Rule, ...] = ()
    """Your own; one of the same name replaces a shipped one. Those edited over the API go before both."""
    enable: tuple[str, ...] = ()
    """Names of shipped rules that are off, to be on."""
    disable: tuple[str, ...] = ()
    """Names of shipped rules to be off."""
    budget_usd_per_day: Annotated[float, Field(gt=0)] | None = None
    """US dollars that all agents together should not spend in a UTC day; `null`: no budget."""
    budget_usd_per_month: Annotated[float, Field(gt=0)] | None = None
    """The same for a month."""
    maintenance: tuple[Recurring, ...] = ()
    """When, every week, nobody is told of alerts."""

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        names = [rule.name for rule in shipped()]
        for what in ("enable", "disable"):
            if wrong := [name for name in getattr(self, what) if name not in names]:
                raise ValueError(f"{what}: no shipped rule is called {', '.join(wrong)}; there are {', '.join(names)}")
        return self

    @property
    def budgets(self) -> dict[str, float | None]:
        """By the window."""
        return {"day": self.budget_usd_per_day, "month": self.budget_usd_per_month}


@cache
def shipped() -> tuple[Rule, ...]:
    """The rules that Merit comes with."""
    return TypeAdapter(tuple[Rule, ...]).validate_python(shipped_yaml("processors.alerts", "shipped.yaml"))


def configured(settings: AlertSettings) -> tuple[Rule, ...]:
    """The rules of the settings over those shipped."""
    said = {**dict.fromkeys(settings.enable, True), **dict.fromkeys(settings.disable, False)}
    base = [rule.model_copy(update={"enabled": said.get(rule.name, rule.enabled)}) for rule in shipped()]
    return layered(base if settings.shipped else (), settings.rules)


def layered(lower: Iterable[Rule], upper: Iterable[Rule]) -> tuple[Rule, ...]:
    """Both, by name; of one name that of `upper`."""
    by_name = {one.name: one for one in (*lower, *upper)}
    return tuple(by_name[name] for name in sorted(by_name))


def from_rows(rows: pl.DataFrame) -> tuple[Rule, ...]:
    """Rules of the table, columns ALERT_RULES."""
    return tuple(Rule.model_validate(json.loads(text), context=KEPT) for text in rows["rule"])


def to_rows(rules: Iterable[Rule], version: int, at: datetime, *, is_deleted: bool = False) -> pl.DataFrame:
    """Rows of the table; `version` in milliseconds since 1970."""
    rows = [
        {
            "name": one.name,
            "rule": as_json(one.model_dump(mode="json")),
            "updated_at": to_the_millisecond(at),
            "version": version,
            "is_deleted": int(is_deleted),
        }
        for one in rules
    ]
    return pl.DataFrame(rows, schema=dict(ALERT_RULES))


def since(window: str, now: datetime) -> datetime:
    """When a window that ends now begins."""
    if window in CALENDAR:
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return today.replace(day=1) if window == "month" else today
    return now - timedelta(seconds=window_seconds(window))


def week_before(window: str, now: datetime) -> tuple[datetime, datetime]:
    """The week before a window that ends now, in whole hours."""
    until = since(window, now).replace(minute=0, second=0, microsecond=0)
    return until - WEEK_BEFORE, until
