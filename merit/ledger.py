"""Writes decisions down: on disk when they are answered, and together, for each write has a price of its own.

While one lot is written the next gathers (group commit), so a question waits for two writes at most, however many there are.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from processors.routing.answer import Answered
from processors.routing.rows import as_rows
from query_api.questions import Keep


class Ledger:
    """Takes decisions; a callable that says when they are on disk, and waits for nothing itself.

    Args:
        keep: takes rows of `routing_decisions` into safety.
    """

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._writer = ThreadPoolExecutor(1, "ledger")
        self._guard = Lock()
        self._lot: list[Answered] = []
        self._written: Future[None] | None = None

    def __call__(self, answered: Answered) -> Future[None]:
        """Write a decision down: done when it is on disk, or with what `keep` raises. Shared by all of a lot."""
        with self._guard:
            self._lot.append(answered)
            self._written = self._written or self._writer.submit(self._write)
            return self._written

    def stop(self) -> None:
        """Write what waits, and end. Safe to call twice."""
        self._writer.shutdown()

    def _write(self) -> None:
        """Write all that has gathered; who waits for it is told how it went by its future."""
        with self._guard:
            lot, self._lot, self._written = self._lot, [], None
        self._keep("routing_decisions", as_rows(lot))
