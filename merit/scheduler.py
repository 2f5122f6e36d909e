"""Runs the jobs, each at its interval and never twice at once.

A job that meets a store that is away says so once, is tried again at every interval, and says when it is well again.
Anything else that a job raises is a defect: apscheduler logs it with its traceback, and the job is tried again.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from merit.jobs import Job
from processors.errors import MeritError
from processors.telemetry import Instruments

log = logging.getLogger(__name__)


class Scheduler:
    """Runs `jobs` until it is stopped, the first time at once.

    Args:
        jobs: each gets a thread of its own, so that a long sweep does not hold up what is due.
        now: what time it is.
        instruments: count the runs.
    """

    def __init__(self, jobs: Sequence[Job], now: Callable[[], datetime], instruments: Instruments | None = None) -> None:
        self._now = now
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(max(1, len(jobs)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns whenever a run takes longer than the interval
        self._attempts = [Attempt(job, instruments or Instruments()) for job in jobs]

    def start(self) -> None:
        """Start running the jobs."""
        for attempt in self._attempts:
            job = attempt.job
            trigger = IntervalTrigger(seconds=job.interval.total_seconds(), timezone=UTC)
            self._scheduler.add_job(attempt, trigger, id=job.name, name=job.name, next_run_time=self._now())
        self._scheduler.start()

    def stop(self) -> None:
        """Start no further run and wait for those that are under way. Safe to call twice."""
        for attempt in self._attempts:
            attempt.job.hurry()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def state(self) -> str:
        """`ok`, or which jobs could not run the last time."""
        troubled = [attempt.job.name for attempt in self._attempts if attempt.trouble]
        return f"{', '.join(troubled)} cannot run" if troubled else "ok"


class Attempt:
    """One job's runs, with a memory of what went wrong with the last."""

    def __init__(self, job: Job, instruments: Instruments) -> None:
        self.job = job
        self._instruments = instruments
        self.trouble = ""

    def __call__(self) -> None:
        """Run the job; log what stops it, once until it changes."""
        before = self.trouble
        try:
            with self._instruments.job.of(job=self.job.name):
                self.job.run()
            self.trouble = ""
        except MeritError as error:
            self.trouble = str(error)
        except Exception as error:
            self.trouble = repr(error)
            raise
        finally:
            self._instruments.job_failures(bool(self.trouble), job=self.job.name)
        if self.trouble not in ("", before):
            log.warning("job %s cannot run, trying again every %s: %s", self.job.name, self.job.interval, self.trouble)
        elif before and not self.trouble:
            log.info("job %s runs again", self.job.name)
