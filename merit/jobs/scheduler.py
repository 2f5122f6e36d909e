"""Runs the jobs, each in a thread of its own, at its interval and never twice at once.

Intervals are measured on a clock that nobody sets: one that is set back by an hour must not stop the jobs for an hour, as it
stops schedulers that work out times of day. A job that meets a store that is away says so once, is tried again at every
interval, and says when it is well again. Anything else that a job raises is a defect: it is logged with its traceback, and
the job is tried again.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from merit.jobs.jobs import Job
from processors.errors import MeritError
from processors.precedence import stand_behind
from processors.telemetry import Instruments

log = logging.getLogger(__name__)


QUIET_SECONDS = 30.0
"""When nothing has been stored for so long, jobs that follow what is stored run no more often than this: an idle Merit should
cost next to nothing."""

MOST_LEFT_OUT = 4
"""So many runs are left out at the most for the sake of others."""


class Scheduler:
    """Runs `jobs` until it is stopped, the first time at once.

    Args:
        jobs: each gets a thread of its own, so that a long sweep does not hold up what is due.
        instruments: count the runs.
        changes: a number that is another one whenever something may have been stored.
    """

    def __init__(
        self, jobs: Sequence[Job], instruments: Instruments | None = None, changes: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._stopping = threading.Event()
        self._changes = changes
        troubles = Troubles()
        self._attempts = [Attempt(job, instruments or Instruments(), troubles) for job in jobs]
        self._threads = [
            threading.Thread(target=self._work, args=(attempt, at / len(jobs)), name=f"merit-job-{attempt.job.name}", daemon=True)
            for at, attempt in enumerate(self._attempts)
        ]

    def start(self) -> None:
        """Start running the jobs."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Start no further run and wait for those that are under way. Safe to call twice."""
        self._stopping.set()
        for attempt in self._attempts:
            attempt.job.hurry()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    @property
    def failing(self) -> int:
        """How many jobs could not run the last time."""
        return sum(bool(attempt.trouble) for attempt in self._attempts)

    def state(self) -> str:
        """`ok`, or which jobs could not run the last time."""
        troubled = [attempt.job.name for attempt in self._attempts if attempt.trouble]
        return f"{', '.join(troubled)} cannot run" if troubled else "ok"

    def _work(self, attempt: "Attempt", share: float) -> None:
        """Run a job until the end; after the first time later by a share of a second, for not all jobs should begin at once."""
        if not attempt.job.prompt:
            stand_behind()
        interval = attempt.job.interval.total_seconds()
        pause, later = 0.0, share * min(interval, 1.0)
        while not self._stopping.wait(pause):
            began = time.monotonic()
            if not attempt.may_rest(self._changes(), began):
                attempt()
            pause, later = pause_after(time.monotonic() - began, interval, attempt.job.parts) + later, 0.0


def pause_after(took: float, interval: float, parts: int) -> float:
    """Seconds until a job may begin again.

    What would have begun during a long run is left out. Then the others have their parts of the time, as far as that leaves
    out no more than `MOST_LEFT_OUT`.
    """
    return max(interval - took % interval, min(took * (parts - 1), MOST_LEFT_OUT * interval))


class Troubles:
    """What stops jobs: said once however many it stops, and once when it is over."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._of: dict[str, str] = {}
        self._stopped: dict[str, list[str]] = {}

    def note(self, job: Job, trouble: str, *, known: bool = False) -> None:
        """Note what stops a job, nothing if it has run; `known` if that has been logged."""
        with self._guard:
            before = self._of.get(job.name, "")
            if trouble == before:
                return
            self._of[job.name] = trouble
            if trouble and trouble not in self._stopped and not known:
                log.warning("job %s cannot run, trying again every %s: %s", job.name, job.interval, trouble)
            if trouble:
                self._stopped.setdefault(trouble, []).append(job.name)
            if before and before not in self._of.values():
                jobs = self._stopped.pop(before)
                if not trouble:
                    log.info("%s %s again", ", ".join(jobs), "runs" if len(jobs) == 1 else "run")


class Attempt:
    """One job's runs, with a memory of what went wrong with the last."""

    def __init__(self, job: Job, instruments: Instruments, troubles: Troubles | None = None) -> None:
        self.job = job
        self._instruments, self._troubles = instruments, troubles or Troubles()
        self.trouble = ""
        self._seen, self._seen_at, self._ran_at = -1, 0.0, 0.0

    def may_rest(self, changes: int, moment: float) -> bool:
        """Whether this run can be left out: it only follows what is stored, nothing has been for a while, and it ran lately."""
        if changes != self._seen:
            self._seen, self._seen_at = changes, moment
        quiet = self.job.follows and moment - self._seen_at > QUIET_SECONDS and moment - self._ran_at < QUIET_SECONDS
        if not quiet:
            self._ran_at = moment
        return quiet and not self.trouble

    def __call__(self) -> None:
        """Run the job; log what stops it, once until it changes. Never raises."""
        before, defect = self.trouble, False
        try:
            with self._instruments.job.of(job=self.job.name):
                self.job.run()
            self.trouble = ""
        except MeritError as error:
            self.trouble = str(error)
        except Exception as error:
            self.trouble, defect = repr(error), True
            if self.trouble != before:
                log.exception("job %s has failed for a reason of ours; trying again every %s", self.job.name, self.job.interval)
        self._instruments.job_failures(bool(self.trouble), job=self.job.name)
        self._troubles.note(self.job, self.trouble, known=defect)
