"""Keeps scores, medians and sums true: each task is scored when it is stored, when it is judged, and when what is usual changed.

Everything is worked out again from what it depends on, never added to what was there: scoring twice is scoring once. How far
it has come is one row of the store, written last, so that a process that dies does again what it had begun. Sums follow in
`merit.jobs.sums`.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b
from threading import Event, RLock
from time import monotonic

import polars as pl

from exporters import calls, scores
from exporters.looks import Looks, Stretch
from exporters.scores import NEVER, Progress
from exporters.store import Store
from merit.jobs.sums import add_up, boundaries
from processors.frames import empty
from processors.scoring.rows import left_behind, newest, scored_rows
from processors.scoring.settings import ScoringSettings

AT_ONCE = 20_000
"""Tasks scored together."""
STEPS = 10
"""Of so many times as many steps calls are added up together."""
OVERLAP = timedelta(seconds=15)
"""A row may become readable this long after the time at which it was stored."""
PARTS, PARTS_BEHIND = 5, 2
"""One part of the time is for scoring, of this many; a larger one while there is more to do than fits into it."""
LONGEST = 3.0
"""Seconds after which a run ends though there is more to do: the next one goes on."""
LONGEST_WAIT = 2.0
"""Seconds that what was said of tasks waits at the most while the rest of scoring rests: people look for their rating."""
READ_AGAIN = 10.0
"""Seconds after which it is read again how far scoring has come and what is expected of tasks."""
MEDIANS_EVERY = timedelta(hours=1)
MEDIANS_AT_ONCE = timedelta(days=90)
"""Of so many days medians are worked out together: those of years would not fit into memory."""
AHEAD = timedelta(days=2)
"""Tasks may begin in the future, by the clocks of their senders: their day needs a usual too."""
DAY = timedelta(days=1)

Steps = Sequence[Callable[[], int | None]]
"""What there may be to do: each does some of it and says how many tasks it has scored, None if there is nothing."""


class Scoring:
    """Scores tasks and adds them up.

    Args:
        store: where everything is.
        settings: the profiles.
        now: what time it is.
        seconds: a clock that nobody sets, for how long work takes.
        at_once: tasks scored together.
    """

    def __init__(
        self,
        store: Store,
        settings: ScoringSettings,
        now: Callable[[], datetime],
        seconds: Callable[[], float] = monotonic,
        at_once: int = AT_ONCE,
    ) -> None:
        self._store, self._now, self._seconds, self._at_once = store, now, seconds, at_once
        self._profiles, self._fingerprint = settings.named, settings.fingerprint
        self._most_unpriced = settings.most_unpriced
        self._lock = RLock()
        self._hurried = Event()
        self._rest_until = self._hear_again = self._read_again = 0.0
        self._known: Progress | None = None
        self._medians_at: datetime | None = None
        self._looks = Looks(store, OVERLAP)
        self._is_judged = self._has_moved = True
        self._judged_since: Progress | None = None
        """Where scoring was when something was judged of which calls may be taken later."""
        self._calls_first, self._is_behind = True, False

    def run(self) -> int:
        """What there is to do; how many tasks were scored.

        Scoring rests when it has had its part of the time. While it does, what was said of tasks is still taken in.
        """
        begun = self._seconds()
        if begun < min(self._rest_until, self._hear_again):
            return 0
        rests = begun < self._rest_until
        self._calls_first ^= not rests
        try:
            return self._work(begun + LONGEST, (self._score_judged,) if rests else self._steps)
        finally:
            ended = self._seconds()
            self._hear_again = ended + min(ended - begun, LONGEST_WAIT)
            if not rests:
                parts = PARTS_BEHIND if self._is_behind else PARTS
                self._rest_until = ended + (parts - 1) * (ended - begun)

    def catch_up(self) -> int:
        """All there is to do, however long it takes; how many tasks were scored. Sums show it part by part."""
        count, goes_on = 0, True
        while goes_on:
            count += self._work(self._seconds() + LONGEST, self._steps)
            goes_on = self._is_behind and not self._hurried.is_set()
            self._calls_first = not self._calls_first
        return count

    def refresh_medians(self) -> int:
        """Work out what is usual, though it is not time, and do all that follows from it; how many tasks were scored."""
        with self._lock:
            self._medians_at = None
            return self.catch_up()

    def hurry(self) -> None:
        """End what is under way soon; what is left is done by the next process."""
        self._hurried.set()

    @property
    def _steps(self) -> Steps:
        """All that there may be to do, what people wait for first; tasks or calls first in turns, lest one starves."""
        tasks, calls_of_tasks = self._score_changed, self._take_calls
        coming = (calls_of_tasks, tasks) if self._calls_first else (tasks, calls_of_tasks)
        return (self._score_judged, *coming, self._work_out_medians, self._score_outdated)

    def _work(self, deadline: float, steps: Steps) -> int:
        with self._lock:
            known, self._known = self._known, None  # what fails is read anew
            if known is None:
                self._looks.forget()
                self._is_judged = self._has_moved = True
            anew = known is None or self._seconds() > self._read_again
            before = self._read() if anew else known
            assert before is not None
            self._progress, begun, count = before, self._version, 0
            while (scored := first(steps)) is not None:
                count += scored
                if self._hurried.is_set() or self._seconds() > deadline:
                    break
            self._is_behind = scored is not None
            worked = self._version > begun
            if self._is_judged:
                self._judge_calls_since(before)
                self._is_judged, self._judged_since = False, self._judged_since or before
            if self._judged_since and scored is None and self._take_calls in steps:  # all calls of what was judged are there
                if self._judged_since is not before:
                    self._judge_calls_since(self._judged_since)
                self._judged_since = None
            if anew or worked or boundaries(self._progress, self._now()) != self._progress:
                version, now = self._next_version(), self._now()
                self._progress = add_up(self._store, self._progress, before.version, version, now, moved=self._has_moved)
                self._has_moved = False
            if self._progress != before or worked:
                self._progress = self._progress._replace(version=self._version)
                scores.store_progress(self._store, self._progress)
            self._known = self._progress
            return count

    def _judge_calls_since(self, progress: Progress) -> None:
        """Write down with the calls that are there how good tasks were judged that were scored since."""
        calls.judge_calls(self._store, progress.version, progress.evaluations_until - OVERLAP, self._next_version())

    def _read(self) -> Progress:
        """How far scoring has come by the store; from time to time, for another process may have gone on."""
        known = scores.progress(self._store) or boundaries(Progress(), self._now())
        self._version = max(known.version, scores.newest_version(self._store))
        self._expected = scores.expected(self._store)
        self._medians_until = scores.newest_medians(self._store)
        self._read_again = self._seconds() + READ_AGAIN
        return known

    def _score_changed(self) -> int | None:
        """Score tasks that have been stored, and delete the scores of those that are gone or have moved."""
        look = self._looks.next("tasks", self._progress.tasks_until, self._at_once)
        if look is None:
            return None
        changed = scores.changed_tasks(self._store, look)
        if len(changed):
            self._score_rows(changed, look)
        self._progress = self._progress._replace(tasks_until=look.until)
        return changed.height

    def _score_rows(self, changed: pl.DataFrame, look: Stretch) -> None:
        """Of traces that were derived for the first time, which are nearly all, nothing stands scored yet."""
        places = scores.places_of_tasks(self._store, look) if changed["again"].any() else empty(scores.PLACES)
        self._has_moved |= len(places) > 0
        counting = newest(changed, places)
        gone = left_behind(places, counting, self._next_version())
        live = counting.filter(pl.col("is_deleted") == 0)
        if live.is_empty() and gone.is_empty():  # out of date when they came, or deleted before they were scored
            return
        self._score(live, scores.judgements_of_changed(self._store, look), gone)
        self._median_days_from(pl.concat([counting["started_at"], gone["started_at"]]).dt.date())

    def _score_judged(self) -> int | None:
        """Score tasks again of which something has been said."""
        look = self._looks.next("evaluations", self._progress.evaluations_until, self._at_once)
        if look is None:
            return None
        tasks = scores.rejudged_tasks(self._store, look)
        if len(tasks):
            self._is_judged = True
            self._score(tasks, scores.judgements_of_rejudged(self._store, look))
        self._progress = self._progress._replace(evaluations_until=look.until)
        return tasks.height

    def _take_calls(self) -> int | None:
        """Add up model calls by task, of steps that have been stored."""
        look = self._looks.next("nodes", self._progress.calls_until, STEPS * self._at_once)
        if look is None:
            return None
        calls.take_calls(self._store, look, self._next_version())
        self._progress = self._progress._replace(calls_until=look.until)
        return 0

    def _work_out_medians(self) -> int | None:
        """Work out what is usual on the days for which it may have changed: at once for days that have begun, else hourly."""
        now, since = self._now(), self._progress.medians_from
        late = since <= now.date() or self._medians_at is None or now - self._medians_at >= MEDIANS_EVERY
        if since == NEVER or not late:
            return None
        end = (now + AHEAD).date()
        until = since + MEDIANS_AT_ONCE if since + MEDIANS_AT_ONCE < now.date() else end
        scores.store_medians(self._store, since, until, self._next_version())
        self._medians_at, self._medians_until = now, scores.newest_medians(self._store)
        self._progress = self._progress._replace(medians_from=NEVER if until == end else until + DAY)
        return 0

    def _score_outdated(self) -> int | None:
        """Score tasks again that were scored under other settings, or against a usual that has changed.

        Under other settings other costs may count as known: once all is scored by them, medians are worked out again.
        """
        if self._progress.scoring == self._scoring and self._progress.medians_until >= self._medians_until:
            return None
        tasks = scores.outdated_scores(self._store, self._scoring, self._progress.medians_until, self._at_once)
        if tasks.is_empty():
            is_other = self._progress.scoring != self._scoring
            self._progress = self._progress._replace(scoring=self._scoring, medians_until=self._medians_until)
            if not is_other:
                return None
            self._median_days_from(scores.first_scored(self._store))
            return 0
        since, until = tasks["at"].min(), tasks["at"].max()
        self._score(tasks, scores.judgements_between(self._store, since, until))  # type: ignore[arg-type]
        return tasks.height

    def _score(self, tasks: pl.DataFrame, said: pl.DataFrame, gone: pl.DataFrame | None = None) -> None:
        self._is_judged |= len(said) > 0
        days = tasks["started_at"].dt.date()
        usuals = scores.usuals(self._store, days.min() or NEVER, days.max() or NEVER)  # type: ignore[arg-type]
        version = self._next_version()
        rows = scored_rows(tasks, said, usuals, self._expected, self._profiles, self._most_unpriced, self._scoring, version)
        scores.store_scores(self._store, rows if gone is None else pl.concat([rows, gone]))

    def _median_days_from(self, days: pl.Series) -> None:
        """Remember that what is usual after the first of `days` may have changed."""
        if len(days):
            first: date = days.min() + DAY  # type: ignore[operator, assignment]
            before = self._progress.medians_from
            self._progress = self._progress._replace(medians_from=first if before == NEVER else min(first, before))

    @property
    def _scoring(self) -> str:
        """Stands for all settings that scores depend on."""
        return blake2b(f"{self._fingerprint}{self._expected.rows()}".encode(), digest_size=8).hexdigest()

    def _next_version(self) -> int:
        self._version += 1
        return self._version


def first(steps: Steps) -> int | None:
    """Do what is next of `steps`; how many tasks were scored by it, None if there is nothing to do."""
    return next((scored for step in steps if (scored := step()) is not None), None)
