"""Writes decisions down, together, within a moment of their answers.

Who asks waits for no disk: an answer comes from memory, and writing a decision takes several times as long as making it, alone
even more. So decisions gather for a moment and are written in one go; what a crash of the process can lose is that moment. While
they cannot be written they wait in memory, up to a bound, and beyond it there are no more answers: each one is written.
"""

import logging
from threading import Condition, Thread

from processors.errors import Unavailable
from processors.precedence import stand_behind
from processors.routing.answer import Answered
from processors.routing.rows import as_rows
from query_api.asking.questions import Keep

GATHERING_SECONDS = 0.1
RETRY_SECONDS = 1.0
MOST_CANDIDATES = 500_000
"""Of decisions that wait: some 60 MB."""

log = logging.getLogger(__name__)


class Ledger:
    """Takes decisions, and waits for nothing. Safe from any thread.

    Args:
        keep: takes rows of `routing_decisions` into safety.
        most_candidates: of decisions that wait to be written.
    """

    def __init__(self, keep: Keep, most_candidates: int = MOST_CANDIDATES) -> None:
        self._keep, self._most_candidates = keep, most_candidates
        self._changed = Condition()
        self._waiting: list[Answered] = []
        self._candidates = 0
        self._trouble: Unavailable | None = None
        self._stopping = False
        self._writer = Thread(target=self._work, name="merit-ledger", daemon=True)
        self._writer.start()

    def __call__(self, answered: Answered) -> None:
        """Have a decision written down.

        Raises:
            Unavailable: too many wait; says why they cannot be written.
        """
        with self._changed:
            if self._candidates >= self._most_candidates:
                raise Unavailable(str(self._trouble or "decisions come faster than they can be written: ask again later"))
            if not self._waiting:  # else it gathers or writes: to wake it for each takes the interpreter from who answers
                self._changed.notify_all()
            self._waiting.append(answered)
            self._candidates += len(answered.names)

    def stop(self) -> None:
        """Write what waits, and end. Safe to call twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._writer.join()

    def _work(self) -> None:
        stand_behind()
        while lot := self._gathered():
            self._write(lot)

    def _gathered(self) -> list[Answered]:
        """What is to be written next; nothing when stopping and nothing is left."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            self._changed.wait_for(lambda: self._stopping, GATHERING_SECONDS)
            return self._waiting.copy()

    def _write(self, lot: list[Answered]) -> None:
        """Write decisions, or leave them where they are until the next try."""
        try:
            self._keep("routing_decisions", as_rows(lot))
        except Unavailable as error:
            if self._try_again(error):
                return
            log.error("%d decisions are lost, for they could not be written: %s", len(lot), error)
        except Exception:
            log.exception("%d decisions are lost for a reason of ours", len(lot))
        else:
            self._says(None)
        with self._changed:
            del self._waiting[: len(lot)]
            self._candidates -= sum(len(each.names) for each in lot)

    def _try_again(self, error: Unavailable) -> bool:
        """Whether there is another try, after a pause; none when stopping."""
        self._says(error)
        with self._changed:
            return not self._changed.wait_for(lambda: self._stopping, RETRY_SECONDS)

    def _says(self, error: Unavailable | None) -> None:
        """Log once that decisions cannot be written, and once that they can."""
        if error and not self._trouble:
            log.warning("decisions wait in memory, for they cannot be written: %s", error)
        if self._trouble and not error:
            log.info("decisions are written again")
        self._trouble = error
