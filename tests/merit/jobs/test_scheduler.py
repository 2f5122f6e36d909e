"""The scheduler runs each job at its interval, says once what stops it, and tries again."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from merit.jobs.jobs import Job
from merit.jobs.scheduler import Attempt, Scheduler, Troubles, pause_after
from processors.errors import Unavailable
from processors.precedence import BEHIND, LAST
from processors.telemetry import Instruments

OFTEN = timedelta(milliseconds=20)


class Flaky:
    """Fails until it is mended."""

    def __init__(self) -> None:
        self.runs = 0
        self.broken = True

    def __call__(self) -> None:
        self.runs += 1
        if self.broken:
            raise Unavailable("the store is away")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_job_runs_at_once_and_again_until_it_is_stopped() -> None:
    runs: list[float] = []
    scheduler = Scheduler([Job("tick", OFTEN, lambda: runs.append(time.monotonic()))])

    scheduler.start()
    wait_for(lambda: len(runs) >= 3)
    scheduler.stop()
    scheduler.stop()

    seen = len(runs)
    time.sleep(0.1)
    assert len(runs) == seen


def test_a_long_run_is_not_overtaken_by_the_next_and_holds_up_no_other_job() -> None:
    begun, go_on, other = threading.Semaphore(0), threading.Event(), threading.Event()

    def long() -> None:
        begun.release()
        go_on.wait(10)

    scheduler = Scheduler([Job("long", OFTEN, long), Job("other", OFTEN, other.set)])
    scheduler.start()
    assert begun.acquire(timeout=10)
    assert other.wait(10)
    assert not begun.acquire(timeout=0.1)
    go_on.set()
    scheduler.stop()


@pytest.mark.parametrize(
    ("took", "parts", "pause"),
    [
        (0.25, 1, 4.75),
        (7.0, 1, 3.0),  # one beginning is left out
        (0.25, 10, 4.75),
        (1.0, 10, 9.0),  # nine parts are for others
        (60.0, 10, 20.0),  # but not for ever
    ],
)
def test_a_job_begins_at_its_interval_and_leaves_others_their_parts_of_the_time(took: float, parts: int, pause: float) -> None:
    assert pause_after(took, 5.0, parts) == pause


def test_stopping_waits_for_what_is_under_way() -> None:
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        time.sleep(0.1)
        done.set()

    scheduler = Scheduler([Job("work", timedelta(hours=1), work)])
    scheduler.start()
    begun.wait(10)
    scheduler.stop()

    assert done.is_set()


def test_what_stops_a_job_is_logged_once_and_its_recovery_too(caplog: pytest.LogCaptureFixture) -> None:
    flaky = Flaky()
    attempt = Attempt(Job("sweep", OFTEN, flaky), Instruments())

    with caplog.at_level(logging.INFO):
        attempt()
        attempt()
        flaky.broken = False
        attempt()
        attempt()

    assert flaky.runs == 4
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "job sweep cannot run",
        "sweep runs again",
    ]


def test_what_stops_many_jobs_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    flaky, troubles = Flaky(), Troubles()
    attempts = [Attempt(Job(name, OFTEN, flaky), Instruments(), troubles) for name in ("sweep", "match", "agents")]

    with caplog.at_level(logging.INFO):
        for broken in (True, True, False, False):
            flaky.broken = broken
            for attempt in attempts:
                attempt()

    assert [record.getMessage().split(", trying")[0] for record in caplog.records] == [
        "job sweep cannot run",
        "sweep, match, agents run again",
    ]


def test_a_job_that_cannot_run_shows_in_the_state() -> None:
    flaky = Flaky()
    scheduler = Scheduler([Job("sweep", OFTEN, flaky)])

    scheduler.start()
    wait_for(lambda: scheduler.state() == "sweep cannot run")
    flaky.broken = False
    wait_for(lambda: scheduler.state() == "ok")
    scheduler.stop()


def test_a_defect_in_a_job_is_not_hidden_and_it_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[None] = []

    def defect() -> None:
        runs.append(None)
        raise ZeroDivisionError

    scheduler = Scheduler([Job("defect", OFTEN, defect)])
    scheduler.start()
    wait_for(lambda: len(runs) >= 2)
    scheduler.stop()

    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)


def test_a_run_under_way_is_asked_to_hurry_when_the_program_stops() -> None:
    begun, hurried = threading.Event(), threading.Event()

    def long() -> None:
        begun.set()
        assert hurried.wait(10)

    scheduler = Scheduler([Job("long", timedelta(hours=1), long, hurried.set)])
    scheduler.start()
    assert begun.wait(10)

    scheduler.stop()

    assert hurried.is_set()


def test_a_job_that_follows_what_is_stored_rests_while_nothing_is_and_runs_at_once_when_something_is() -> None:
    attempt = Attempt(Job("roll-up", OFTEN, lambda: None, follows=True), Instruments())

    rested = [
        attempt.may_rest(changes, moment) for changes, moment in ((7, 0), (7, 20), (7, 31), (7, 49), (7, 51), (8, 52), (8, 53))
    ]

    assert rested == [False, False, True, True, False, False, False]


def test_any_other_job_and_one_in_trouble_never_rest() -> None:
    other = Attempt(Job("derive", OFTEN, lambda: None), Instruments())
    troubled = Attempt(Job("roll-up", OFTEN, Flaky(), follows=True), Instruments())
    troubled()

    for attempt in (other, troubled):
        assert not any(attempt.may_rest(7, moment) for moment in (0, 31, 32, 33))


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux alone")
@pytest.mark.parametrize(("prompt", "behind"), [(True, 0), (False, BEHIND)])
def test_only_jobs_that_nothing_waits_for_stand_behind(prompt: bool, behind: int) -> None:
    found: list[int] = []

    def run() -> None:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    scheduler = Scheduler([Job("one", timedelta(seconds=60), run, prompt=prompt)])
    scheduler.start()
    wait_for(lambda: bool(found))
    scheduler.stop()

    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert found == [min(here + behind, LAST)]
