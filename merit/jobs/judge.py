"""The job `judge`: asks evaluators about tasks and keeps what they say, within a budget.

A round takes a sample of finished tasks that were not judged yet, asks a few at a time, and ends. What is judged and what
it has cost is read from the store each round, so a restart forgets neither. Whoever does not answer is left alone for a
while, longer each time, as a `Retry-After` says or twice as long as before.
"""

import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, zip_longest
from threading import Event, Lock
from typing import Any

import polars as pl

from exporters.chat import Chat
from exporters.judgements import spent_since, unjudged
from exporters.store import Store
from processors.cost import Pricer
from processors.errors import NoRoom, Rejected, Unavailable
from processors.judging.ask import Message, messages, schema
from processors.judging.costs import worst_cost
from processors.judging.exchange import Reply, judge
from processors.judging.purse import Purse
from processors.judging.rows import Judgement, evaluation_rows, judgement_rows
from processors.judging.settings import Evaluator, JudgeSettings

log = logging.getLogger(__name__)

TASKS_A_ROUND = 200
"""Tasks taken up in a round, of each evaluator."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
MISCONFIGURED = timedelta(minutes=10)
"""How long an evaluator rests whose key or model is wrong."""


@dataclass(frozen=True)
class Assignment:
    """A task for an evaluator."""

    evaluator: Evaluator
    task: dict[str, Any]
    asked: list[Message]
    worst: Decimal | None
    """The most that it can cost."""


@dataclass
class Rest:
    """How an evaluator that did not answer is left alone."""

    until: datetime
    failures: int


@dataclass
class Round:
    """What one round does, for its line in the log."""

    outcomes: Counter[str] = field(default_factory=Counter)
    troubles: dict[str, str] = field(default_factory=dict)
    is_out_of_money: bool = False


class Judge:
    """Asks the evaluators of the settings.

    Args:
        store: has the tasks, and what was judged before.
        keep: takes rows of a table into safety.
        settings: who judges, how much, for how much.
        price: prices model calls.
        now: what time it is.
        mark: a word that nobody can foresee, for each request.
    """

    def __init__(
        self,
        store: Store,
        keep: Callable[[str, pl.DataFrame], None],
        settings: JudgeSettings,
        price: Pricer,
        now: Callable[[], datetime],
        mark: Callable[[], str] = secrets.token_hex,
    ) -> None:
        self._store, self._keep, self._settings, self._price, self._now, self._mark = store, keep, settings, price, now, mark
        self._chats: dict[str, Chat] = {}
        self._rests: dict[str, Rest] = {}
        self._unkept: list[tuple[str, pl.DataFrame]] = []
        self._hurried = Event()
        self._running = Lock()

    def run(self) -> int:
        """One round; how many tasks were judged, refused or given up.

        Raises:
            Rejected: the client of OpenAI's API is not installed.
            Unavailable: the store is away.
        """
        with self._running:
            self._keep_all()
            now, one = self._now(), Round()
            limit = self._settings.budget_usd_per_day
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            purse = Purse(None if limit is None else Decimal(str(limit)), spent_since(self._store, midnight))
            queue = deque(self._assignments(now, one))
            if queue:
                self._work(queue, purse, one)
            self._tell(one, purse)
            return one.outcomes.total()

    def hurry(self) -> None:
        """Begin no further request, for good: the program stops."""
        self._hurried.set()

    def _assignments(self, now: datetime, one: Round) -> list[Assignment]:
        """What is to be judged: of each evaluator in turn."""
        awake = [evaluator for evaluator in self._settings.evaluators if not self._rests_at(evaluator, now)]
        queues = [self._of(evaluator, now, one) for evaluator in awake]
        return [each for each in chain.from_iterable(zip_longest(*queues)) if each]

    def _of(self, evaluator: Evaluator, now: datetime, one: Round) -> list[Assignment]:
        settings = self._settings
        since, until = (now - timedelta(seconds=s) for s in (settings.max_age_seconds, settings.min_age_seconds))
        found = unjudged(self._store, evaluator, settings, since, until, TASKS_A_ROUND)
        made = []
        for task in found.to_dicts():
            asked = messages(evaluator, task, self._mark())
            worst = worst_cost(self._price, evaluator, asked, settings.max_output_tokens, now)
            made.append(Assignment(evaluator, task, asked, worst))
        if made and settings.budget_usd_per_day is not None and made[0].worst is None:
            one.troubles[evaluator.name] = (
                f"no price is known of {evaluator.model}, so the budget cannot be kept: give it one in processors.cost.overrides "
                "(0 on machines of your own), or set processors.judge.budget_usd_per_day: null"
            )
            return []
        return made

    def _work(self, queue: deque[Assignment], purse: Purse, one: Round) -> None:
        until = time.monotonic() + self._settings.round_seconds
        trouble: Unavailable | None = None
        with ThreadPoolExecutor(self._settings.concurrency, "judge") as pool:
            under_way: dict[Future[Judgement], Assignment] = {}
            while True:
                while queue and len(under_way) < self._settings.concurrency and self._may_begin(until):
                    self._begin(queue.popleft(), pool, under_way, purse, one)
                if not under_way:
                    break
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                try:
                    self._settle([(under_way.pop(future), future) for future in done], purse, one)
                except Unavailable as error:  # what is under way is paid for as well
                    trouble = error
                    queue.clear()
        if trouble:
            raise trouble

    def _may_begin(self, until: float) -> bool:
        return not self._hurried.is_set() and time.monotonic() < until

    def _begin(
        self,
        each: Assignment,
        pool: ThreadPoolExecutor,
        under_way: dict[Future[Judgement], Assignment],
        purse: Purse,
        one: Round,
    ) -> None:
        if self._rests_at(each.evaluator, self._now()):
            return
        if not purse.take(each.worst):
            one.is_out_of_money = True
            return
        under_way[pool.submit(self._ask, each, self._chat(each.evaluator))] = each

    def _settle(self, finished: list[tuple[Assignment, Future[Judgement]]], purse: Purse, one: Round) -> None:
        """Keep what came, scores first: a judgement that is there has its evaluations."""
        settled = []
        for each, future in finished:
            judgement = self._outcome(each, future, one)
            purse.pay(each.worst, judgement.cost_usd if judgement else None)
            if judgement:
                settled.append(judgement)
                one.outcomes[judgement.outcome] += 1
        if settled:
            now = self._now()
            self._unkept += [("evaluations", evaluation_rows(settled, now)), ("judgements", judgement_rows(settled, now))]
            self._keep_all()

    def _keep_all(self) -> None:
        """Keep what is paid for; what cannot be kept now is kept before the next round begins."""
        while self._unkept:
            self._keep(*self._unkept[0])
            self._unkept.pop(0)

    def _outcome(self, each: Assignment, future: Future[Judgement], one: Round) -> Judgement | None:
        """What to keep of a request; None if it says nothing of the task."""
        try:
            judgement = future.result()
        except (Rejected, NoRoom) as error:
            self._leave_alone(each.evaluator, MISCONFIGURED if isinstance(error, Rejected) else error.retry_after)
            one.troubles[each.evaluator.name] = str(error)
            return None
        except Unavailable as error:
            self._leave_alone(each.evaluator, error.retry_after)
            one.troubles[each.evaluator.name] = str(error)
            return Judgement(each.evaluator, each.task, "failed", str(error))
        self._rests.pop(each.evaluator.name, None)
        return judgement

    def _ask(self, each: Assignment, chat: Chat) -> Judgement:
        """Runs in a thread of its own."""
        model, form, most = each.evaluator.model, schema(each.evaluator), self._settings.max_output_tokens

        def ask(asked: list[Message]) -> Reply:
            return chat.ask(model, asked, form, most)

        return judge(ask, each.evaluator, each.task, each.asked, self._price, self._now())

    def _chat(self, evaluator: Evaluator) -> Chat:
        if evaluator.name not in self._chats:
            self._chats[evaluator.name] = Chat(evaluator.base_url, evaluator.api_key, self._settings.timeout_seconds, self._now)
        return self._chats[evaluator.name]

    def _rests_at(self, evaluator: Evaluator, now: datetime) -> bool:
        rest = self._rests.get(evaluator.name)
        return rest is not None and now < rest.until

    def _leave_alone(self, evaluator: Evaluator, told: timedelta) -> None:
        """Rest as long as was told, and longer with each failure in a row; those of requests under way count once."""
        now, before = self._now(), self._rests.get(evaluator.name)
        if before and now < before.until:
            return
        failures = before.failures if before else 0
        pause = max(told, min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE))
        self._rests[evaluator.name] = Rest(now + pause, min(failures + 1, 20))

    def _tell(self, one: Round, purse: Purse) -> None:
        """One line of a round that did something, or could not."""
        if not (one.outcomes or one.troubles or one.is_out_of_money):
            return
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(one.outcomes.items())) or "nothing judged"
        parts = [counts, f"{purse.spent:.4f} US dollars today"]
        if one.is_out_of_money:
            parts.append(f"no more today, for the next could exceed the budget of {purse.limit}")
        parts += [f"{name}: {trouble}" for name, trouble in sorted(one.troubles.items())]
        said = "; ".join(parts)
        log.log(logging.WARNING if one.troubles else logging.INFO, "judged: %s", said)
