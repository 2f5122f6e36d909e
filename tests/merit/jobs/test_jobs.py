"""The jobs: what runs, how often, and that repeating it does no harm."""

from datetime import timedelta

import pytest

from exporters.store import Store
from merit.jobs.alerts import Alerting
from merit.jobs.jobs import jobs
from merit.jobs.judge import Judge
from merit.jobs.match import Matching
from merit.jobs.registry import Registry
from merit.jobs.scoring import Scoring
from merit.pipeline.pipeline import Pipeline
from merit.settings import JobSettings
from processors.alerts.rules import AlertSettings
from processors.cost import Pricer
from processors.judging.settings import JudgeSettings
from processors.scoring.settings import ScoringSettings
from processors.settings import ProcessorSettings
from tests.builders import Clock, frame, job


@pytest.fixture
def pipeline(tables: Store, clock: Clock) -> Pipeline:
    return Pipeline(tables, ProcessorSettings(), 30, clock)


@pytest.fixture
def registry(tables: Store, clock: Clock) -> Registry:
    return Registry(tables, 395, clock)


@pytest.fixture
def matching(tables: Store, clock: Clock) -> Matching:
    return Matching(tables, clock)


@pytest.fixture
def scoring(tables: Store, clock: Clock) -> Scoring:
    return Scoring(tables, ScoringSettings(), clock)


@pytest.fixture
def alerting(tables: Store, clock: Clock) -> Alerting:
    return Alerting(tables, AlertSettings(), clock)


def test_every_job_has_its_interval_from_the_settings(
    pipeline: Pipeline, registry: Registry, matching: Matching, scoring: Scoring, alerting: Alerting
) -> None:
    settings = JobSettings.model_validate({"derive": {"interval_seconds": 0.5}})

    assert {it.name: it.interval for it in jobs(pipeline, registry, matching, scoring, alerting, settings)} == {
        "derive": timedelta(seconds=0.5),
        "sweep": timedelta(seconds=60),
        "agents": timedelta(seconds=5),
        "refresh": timedelta(seconds=5),
        "match": timedelta(seconds=5),
        "roll-up": timedelta(seconds=1),
        "medians": timedelta(hours=1),
        "alerts": timedelta(seconds=15),
    }


def test_every_job_may_be_run_again_and_again(
    pipeline: Pipeline, registry: Registry, matching: Matching, scoring: Scoring, alerting: Alerting
) -> None:
    pipeline.consume(frame(job(1)))
    for _ in range(2):
        for it in jobs(pipeline, registry, matching, scoring, alerting, JobSettings()):
            it.run()


def test_a_sweep_by_hand_derives_what_is_stored(
    pipeline: Pipeline, registry: Registry, matching: Matching, scoring: Scoring, alerting: Alerting, tables: Store, clock: Clock
) -> None:
    pipeline.consume(frame(job(1)))
    clock.tick(5)

    fresh = Pipeline(tables, ProcessorSettings(), 30, clock)
    by_name = {it.name: it for it in jobs(fresh, registry, matching, scoring, alerting, JobSettings())}

    assert by_name["sweep"].run() == 1


def test_there_is_a_job_that_judges_if_somebody_judges(
    pipeline: Pipeline, registry: Registry, matching: Matching, scoring: Scoring, alerting: Alerting, tables: Store, clock: Clock
) -> None:
    judging = JudgeSettings.model_validate(
        {"evaluators": [{"preset": "critical_analyst", "model": "m", "base_url": "http://h/v1"}]}
    )
    judge = Judge(tables, tables.insert, judging, Pricer(), clock)

    last = jobs(pipeline, registry, matching, scoring, alerting, JobSettings(), judge)[-1]

    assert (last.name, last.interval, last.run()) == ("judge", timedelta(seconds=30), 0)
