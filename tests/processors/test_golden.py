"""Real captures of real frameworks, read and derived: every agent, call, token, cost and failure as it was."""

from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

import polars as pl
import pytest

from processors.conventions.read import Conventions
from processors.cost import Pricer
from processors.derive import Derived, Phase, derive
from receiver.decode import decode
from receiver.limits import Limits
from tests.golden.truth import Run, differences, runs

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUNS = runs()
conventions, price = Conventions(), Pricer()


@cache
def received(run: Run) -> pl.DataFrame:
    return decode(run.payloads, Limits(retention=timedelta(days=36_500)), NOW).spans


def work_out(spans: pl.DataFrame) -> Derived:
    return derive(price(conventions(spans)), Phase.WHOLE, NOW, price)


@cache
def worked_out(run: Run) -> Derived:
    return work_out(received(run))


def test_the_captures_are_there() -> None:
    assert len(RUNS) >= 249


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_what_is_derived_of_a_capture_is_what_happened(run: Run) -> None:
    assert differences(run, worked_out(run)) == []


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_order_and_repeats_of_spans_change_nothing(run: Run) -> None:
    spans = received(run)
    shuffled = pl.concat([spans, spans]).sample(fraction=1, shuffle=True, seed=Random(str(run)).randrange(2**32))

    once, again = worked_out(run), work_out(shuffled)

    assert once.nodes.sort("span_id").equals(again.nodes.sort("span_id"))
    assert once.tasks.sort("task_id").equals(again.tasks.sort("task_id"))
    assert once.workflows.sort("trace_id").equals(again.workflows.sort("trace_id"))
