"""The jobs: what runs again and again, each harmless to repeat."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from merit.jobs.alerts import Alerting
from merit.jobs.judge import Judge
from merit.jobs.match import Matching
from merit.jobs.registry import Registry
from merit.jobs.scoring import Scoring
from merit.pipeline.pipeline import Pipeline
from merit.settings import JobSettings


@dataclass(frozen=True)
class Job:
    """A name, an interval, and what is done; it has its store and its clock from the one who made it."""

    name: str
    interval: timedelta
    run: Callable[[], object]
    hurry: Callable[[], None] = lambda: None
    """Asks a run that is under way to come to its end; nothing is run after it."""
    follows: bool = False
    """Whether it only follows what is stored, and may rest while nothing is."""
    parts: int = 1
    """It may take one part of the time, of so many: the others are for what it only looks at."""
    prompt: bool = False
    """Whether spans that have come wait for it to be seen; other jobs go after who answers, where processors are short."""


SHARED = 10
"""Of so many parts of the time, one is for a job that looks at what others have done: on a busy machine it comes less often."""


def jobs(
    pipeline: Pipeline,
    registry: Registry,
    matching: Matching,
    scoring: Scoring,
    alerting: Alerting,
    settings: JobSettings,
    judge: Judge | None = None,
) -> list[Job]:
    """Every job of the program; without a judge nobody judges."""
    every = [
        Job("derive", timedelta(seconds=settings.derive.interval_seconds), pipeline.derive, prompt=True),
        Job("sweep", timedelta(seconds=settings.sweep.interval_seconds), pipeline.sweep),
        Job("agents", timedelta(seconds=settings.agents.interval_seconds), registry.refresh, follows=True, parts=SHARED),
        Job("refresh", timedelta(seconds=settings.refresh.interval_seconds), pipeline.refresh),
        Job("match", timedelta(seconds=settings.match.interval_seconds), matching.run, follows=True, parts=SHARED),
        Job(
            "roll-up", timedelta(seconds=settings.roll_up.interval_seconds), scoring.run, scoring.hurry, follows=True, prompt=True
        ),
        Job("medians", timedelta(seconds=settings.medians.interval_seconds), scoring.refresh_medians, scoring.hurry),
        Job("alerts", timedelta(seconds=settings.alerts.interval_seconds), alerting.run, parts=SHARED),
    ]
    if judge:
        every.append(Job("judge", timedelta(seconds=settings.judge.interval_seconds), judge.run, judge.hurry))
    return every
