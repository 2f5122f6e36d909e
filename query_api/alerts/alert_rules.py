"""/v1/alert-rules: when alerts are raised."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from processors.alerts.frames import Severity
from processors.alerts.metrics import METRICS, SPLITS
from processors.alerts.rules import MOST, AlertSettings, Rule, configured, from_rows, shipped, to_rows
from processors.versions import version_at
from query_api.asking.answers import Answer, Time, rows
from query_api.asking.filters import Question
from query_api.asking.problems import ProblemError
from query_api.asking.questions import Ask, Keep, Now
from query_api.expectations.whole_lists import off, refuse_too_many, refuse_twice
from query_api.tasks.tasks import Id


class AllRules(Question):
    """All rules that there are to be."""

    alert_rules: Annotated[tuple[Rule, ...], Field(max_length=MOST, fail_fast=True)]
    """They replace those that there are: your own that are left out are gone, others that are left out are switched off."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        refuse_twice(one.name for one in self.alert_rules)
        return self


class KnownRule(Answer):
    """When an alert is raised."""

    name: str
    """What it is called."""
    metric: str = Field(examples=["success_rate"])
    """What is measured."""
    above: dict[Severity, float] | None
    """More than this is too much, by severity."""
    below: dict[Severity, float] | None
    """Less than this is too little, by severity."""
    compare: Literal["value", "past", "budget"]
    """What the levels are of."""
    by: list[str]
    """What is looked at on its own."""
    scope: dict[str, list[str]]
    """Only these."""
    window: str = Field(examples=["1h"])
    """How far back is measured."""
    for_seconds: float
    """How long it must be so before it fires."""
    min_observations: int
    """With fewer nobody knows."""
    confidence: float
    """Of a rate: how sure it must be."""
    hysteresis: float
    """An alert goes on until this part of the level is gained."""
    clear_seconds: float
    """How long it must be well before it is resolved."""
    cooldown_seconds: float
    """How long after that no new one is opened."""
    group: str
    """Rules of one group make one alert of what they see in the same place."""
    recommended_action: str
    """What to do."""
    enabled: bool
    """Whether anybody looks."""
    source: Literal["shipped", "settings", "api"]
    """Who said it last."""
    updated_at: Time | None
    """When it was edited over the API; null if it was not."""


class KnownMetric(Answer):
    """What a rule may measure."""

    metric: str
    """Its name."""
    about: str
    """What it is."""
    by: list[str]
    """What it can be split by and chosen by."""


class AlertRules(Answer):
    """Every rule, by name."""

    alert_rules: list[KnownRule]
    """The rules."""
    metrics: list[KnownMetric]
    """What rules may measure."""
    next_cursor: None = None
    """Always null: all are shown."""


def routes(ask: Ask, keep: Keep, now: Now, settings: AlertSettings) -> APIRouter:
    """The routes below /v1/alert-rules."""
    router = APIRouter(tags=["alerts"])
    base = configured(settings)

    @router.get("/v1/alert-rules", response_model=AlertRules, summary="When alerts are raised")
    def rules(_: Annotated[Question, Query()]) -> Any:
        """Rules by name (shipped, over them of the settings, over both edited here), and what can be measured."""
        return shown(base, edited(ask))

    @router.put("/v1/alert-rules", response_model=AlertRules, summary="Set all rules")
    def set_rules(sent: AllRules) -> Any:
        """Replace all rules by these. The answer is the list as it is now; the next round goes by it."""
        before, moment = edited(ask), now()
        named = {one.name for one in sent.alert_rules}
        gone = before.filter(~pl.col("name").is_in([*named, *(one.name for one in base)]))
        version = version_at(moment, *before["version"])
        kept = to_rows([*sent.alert_rules, *off(base, named, "name")], version, moment)
        refuse_too_many(kept["name"], MOST, "rules")
        keep("alert_rules", pl.concat([kept, ended(gone, version, moment)]))
        return shown(base, kept)

    @router.post("/v1/alert-rules", response_model=AlertRules, summary="Set one rule")
    def set_rule(sent: Rule) -> Any:
        """Add a rule, or replace the one of the same name. The answer is the list as it is now; the next round goes by it."""
        before = edited(ask)
        refuse_too_many({one.name for one in base} | {*before["name"], sent.name}, MOST, "rules")
        row = to_rows([sent], version_at(now(), *before["version"]), now())
        keep("alert_rules", row)
        return shown(base, pl.concat([before.filter(pl.col("name") != sent.name), row]))

    @router.delete("/v1/alert-rules/{name}", response_model=AlertRules, summary="Forget what was said of a rule")
    def forget_rule(name: Id, _: Annotated[Question, Query()]) -> Any:
        """Forget what was said of a rule here: your own is gone, one that is shipped or of the settings is as it was."""
        before = edited(ask)
        mine = before.filter(pl.col("name") == name)
        if mine.is_empty():
            raise ProblemError(
                404, f"Nothing was said of the rule {name[:200]!r} here: to switch it off, post it with enabled: false"
            )
        keep("alert_rules", ended(mine, version_at(now(), *before["version"]), now()))
        return shown(base, before.filter(pl.col("name") != name))

    return router


def edited(ask: Ask) -> pl.DataFrame:
    """What was said over the API, columns ALERT_RULES."""
    return ask("alert_rules", {"limit": MOST}, MOST)


def ended(mine: pl.DataFrame, version: int, at: datetime) -> pl.DataFrame:
    """The end of rows of ALERT_RULES."""
    return to_rows(from_rows(mine), version, at, is_deleted=True)


def shown(base: Iterable[Rule], kept: pl.DataFrame) -> dict[str, Any]:
    """Rules as an answer; `kept` are rows of ALERT_RULES that hold over `base`."""
    as_shipped = {one.name: one for one in shipped()}
    times = {str(row["name"]): row["updated_at"] for row in rows(kept)}

    def described(one: Rule, source: str, updated_at: object = None) -> dict[str, Any]:
        return one.model_dump(mode="json") | {"source": source, "updated_at": updated_at}

    def is_as_shipped(one: Rule) -> bool:
        """But for `enabled`, which settings may say by itself."""
        theirs = as_shipped.get(one.name)
        return theirs is not None and one.model_copy(update={"enabled": theirs.enabled}) == theirs

    below = {one.name: described(one, "shipped" if is_as_shipped(one) else "settings") for one in base}
    both = below | {one.name: described(one, "api", times[one.name]) for one in from_rows(kept)}
    metrics = [{"metric": name, "about": one.about, "by": list(SPLITS[one.source])} for name, one in METRICS.items()]
    return {"alert_rules": [both[name] for name in sorted(both)], "metrics": metrics}
