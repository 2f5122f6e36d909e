"""Questions to what is added up: asked level by level, and kept for as long as the sums are what they were.

What whole days show is asked for again only when something in them has changed; the newest minutes whenever scoring has gone on.
Every answer is kept under the version of the sums (`scoring_progress`), which is in the store: so each process, and each replica,
sees at once that what it keeps is no longer true.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from threading import local
from typing import Any, NamedTuple

import polars as pl

from query_api.asking.filters import bound
from query_api.asking.kept import Kept
from query_api.asking.pieces import DAYS, EPOCH, FOURS, HOURS, LEVELS, TASKS, Level, Piece, Reach, pieces

AskStore = Callable[[str, Mapping[str, Any], int], pl.DataFrame]
MOST_BESIDE = 4
"""Questions that are asked beside those that the API's own threads ask."""
ONLY_TASKS = ("user_id", "model", "provider")
"""What only tasks can be chosen by."""
COARSEST = {"hour": HOURS, "day": DAYS, "week": DAYS}
"""The longest sums that lie within a period."""
KEYS = ("agent_id", "category", "complexity", "of_department", "segment", "started_at")
WHOLE = frozenset(
    {
        *("agent_categories", "agent_models", "agent_steps", "agents", "costs", "departments", "goal_months", "messages"),
        *("model_calls", "model_durations", "models_taken_up", "overview_files", "overview_users", "overview_workflows"),
        "workflow_summary",
    }
)
"""Questions that are kept as they are. Some read tasks themselves: whatever of these is new is soon scored."""


class State(NamedTuple):
    """What the sums are: a row of `sums_version`."""

    version: int = 0
    hours_version: int = 0
    days_version: int = 0
    hourly_until: datetime = EPOCH
    daily_until: datetime = EPOCH
    fours_until: datetime = EPOCH
    agents_version: int = 0

    @property
    def reach(self) -> Reach:
        """What is added up."""
        return Reach(self.hourly_until, self.daily_until, self.fours_until)

    def of(self, level: Level) -> int:
        """The version of the sums of a level."""
        return {FOURS: self.days_version, DAYS: self.days_version, HOURS: self.hours_version}.get(level, self.version)


class Sums:
    """An `Ask` that knows of sums.

    Args:
        ask: puts one question to the store.
        kept: answers that are still true.
    """

    def __init__(self, ask: AskStore, kept: Kept) -> None:
        self._ask = ask
        self._kept = kept
        self._local = local()

    def __call__(self, question: str, parameters: Mapping[str, Any], rows: int) -> pl.DataFrame:
        """The answer to `question`, a file in query_api/sql, of at most `rows` rows."""
        if question == "agent_statistics":
            return self._statistics(parameters, rows)
        if question == "ranking_agents":
            state = self._state()
            asked = {**parameters, **pieces_of(parameters, state.reach), "limit": rows + 1}
            asked["hours"] = "agent_hourly" if parameters["category"] else "agent_work_hourly"
            return self._keep(state, (question, state.version, state.agents_version), asked, rows)
        if question in WHOLE:
            state = self._state()
            return self._keep(state, (question, state.version, state.agents_version), parameters, rows)
        return self._ask(question, parameters, rows)

    def soon(self, question: str, parameters: Mapping[str, Any], rows: int) -> Callable[[], pl.DataFrame]:
        """Ask beside this thread, of the same state of the sums; what is returned waits for the answer.

        The embedded engine works on each question with one thread, however many cores there are.
        """
        return self._beside(lambda: self(question, parameters, rows))

    def _beside(self, make: Callable[[], pl.DataFrame]) -> Callable[[], pl.DataFrame]:
        """Have `make` work in another thread. It must not ask for more threads itself: all of them could come to wait for one."""
        state = getattr(self._local, "state", None)

        def work() -> pl.DataFrame:
            self._local.state = state
            try:
                return make()
            finally:
                self._local.state = None

        return threads().submit(work).result

    def once(self, key: Hashable, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """What `make` works out of sums, once as long as they are the same; what it asks meanwhile is of one state."""
        with self.one_state() as state:
            return self._kept((state, key), make) if state.version else make()

    @contextmanager
    def one_state(self) -> Iterator[State]:
        """While it lasts, what this thread asks is of one state of the sums, which is asked for once."""
        before: State | None = getattr(self._local, "state", None)
        self._local.state = self._state()
        try:
            yield self._local.state
        finally:
            self._local.state = before

    def _statistics(self, parameters: Mapping[str, Any], rows: int) -> pl.DataFrame:
        """`agent_statistics` of all levels together: one row for each of KEYS."""
        state = self._state()
        mine, *others = shared_out(split_up(parameters, state.reach))
        waiting = [self._beside(partial(self._level, other, parameters, rows, state)) for other in others]
        found = [self._level(mine, parameters, rows, state), *(answer() for answer in waiting)]
        spans = [pl.col("first_started").min(), pl.col("last_started").max()]
        return pl.concat(found).group_by(KEYS).agg(*spans, pl.exclude(*KEYS, "first_started", "last_started").sum())

    def _level(self, mine: list[Piece], parameters: Mapping[str, Any], rows: int, state: State) -> pl.DataFrame:
        level = mine[0].level
        asked = {"by_department": False, "period": "", **parameters}
        asked |= {"level": level.table, "segments": [one.segment for one in mine]}
        asked |= {"begins": [bound(one.begin) for one in mine], "ends": [bound(one.end) for one in mine]}
        asked |= {"since": bound(min(one.begin for one in mine)), "until": bound(max(one.end for one in mine))}
        asked["limit"] = rows + 1  # more than may be: then it is refused rather than wrong
        del asked["cuts"]
        found = self._keep(state, ("agent_statistics", state.of(level)), asked, rows)
        return found.rename({"step": "started_at"}).cast(dict.fromkeys(("agent_id", "category", "of_department"), pl.String))

    def _keep(self, state: State, question: tuple[Hashable, ...], asked: Mapping[str, Any], rows: int) -> pl.DataFrame:
        """The answer to a question, kept under a version; without sums there is nothing to know a change by."""

        def make() -> pl.DataFrame:
            return self._ask(str(question[0]), asked, rows)

        return self._kept((question, rows, frozen(asked)), make) if state.version else make()

    def _state(self) -> State:
        known: State | None = getattr(self._local, "state", None)
        if known is None:
            found = self._ask("sums_version", {}, 1)
            known = State(**found.row(0, named=True)) if len(found) else State()
        return known


@cache
def threads() -> ThreadPoolExecutor:
    """Those of the process that questions are asked in beside each other."""
    return ThreadPoolExecutor(MOST_BESIDE, thread_name_prefix="merit-question")


def split_up(parameters: Mapping[str, Any], reach: Reach) -> list[Piece]:
    """Where to read what is between the cuts of a question."""
    cuts = [datetime.fromisoformat(cut).replace(tzinfo=UTC) for cut in parameters["cuts"]]
    if any(parameters[name] for name in ONLY_TASKS):
        levels: tuple[Level, ...] = (TASKS,)
    else:
        levels = LEVELS[LEVELS.index(COARSEST.get(parameters.get("period", ""), FOURS)) :]
    return pieces(cuts, reach, levels) or [Piece(TASKS, cuts[0], cuts[0], 1)]


def shared_out(found: list[Piece]) -> list[list[Piece]]:
    """What is asked beside each other: a level each, but days, where they are not told by four of them, in two halves."""
    by_level: dict[Level, list[Piece]] = {}
    for piece in found:
        by_level.setdefault(piece.level, []).append(piece)
    days = by_level.pop(DAYS, [])
    half = 0 if FOURS in by_level else len(days) // 2
    return [some for some in (days[half:], days[:half], *by_level.values()) if some]


def pieces_of(parameters: Mapping[str, Any], reach: Reach) -> dict[str, list[str]]:
    """The pieces as parameters, of each level."""
    found = split_up(parameters, reach)
    ends = {f"{level.name}_{side}": [] for level in LEVELS for side in ("begins", "ends")}  # type: dict[str, list[str]]
    for piece in found:
        ends[f"{piece.level.name}_begins"].append(bound(piece.begin))
        ends[f"{piece.level.name}_ends"].append(bound(piece.end))
    return ends


def frozen(parameters: Mapping[str, Any]) -> Hashable:
    """Parameters as a key."""
    return tuple(sorted((name, tuple(value) if isinstance(value, list) else value) for name, value in parameters.items()))
