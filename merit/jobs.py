"""The jobs: what runs again and again, each harmless to repeat."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from merit.match import Matching
from merit.pipeline import Pipeline
from merit.registry import Registry
from merit.settings import JobSettings


@dataclass(frozen=True)
class Job:
    """A name, an interval, and what is done; it has its store and its clock from the one who made it."""

    name: str
    interval: timedelta
    run: Callable[[], object]


def jobs(pipeline: Pipeline, registry: Registry, matching: Matching, settings: JobSettings) -> list[Job]:
    """Every job of the program."""
    return [
        Job("derive", timedelta(seconds=settings.derive.interval_seconds), pipeline.derive),
        Job("sweep", timedelta(seconds=settings.sweep.interval_seconds), pipeline.sweep),
        Job("agents", timedelta(seconds=settings.agents.interval_seconds), registry.refresh),
        Job("refresh", timedelta(seconds=settings.refresh.interval_seconds), pipeline.refresh),
        Job("match", timedelta(seconds=settings.match.interval_seconds), matching.run),
    ]
