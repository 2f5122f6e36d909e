"""Answers of intakes for those who wait in an event loop: it is woken once for all that were answered together.

Futures of `concurrent.futures` wake the loop each for itself, and cost a lock and a condition besides.
"""

import asyncio
from collections import deque
from contextlib import suppress

from receiver.intake import Intake
from receiver.reading import Outcome


class Mailbox:
    """Brings answers into the event loop that it is made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._put: deque[tuple[asyncio.Future[Outcome], Outcome | BaseException]] = deque()
        self._is_woken = False

    async def submit(self, intake: Intake, body: bytes) -> Outcome:
        """What became of a request; raises what `Intake.take` raises, or its answer."""
        answer = Awaited(self._loop.create_future(), self)
        intake.take(body, answer)
        try:
            return await answer.future
        finally:
            del answer  # an error holds this frame, and the future the error: they would keep the body

    def put(self, future: "asyncio.Future[Outcome]", result: Outcome | BaseException) -> None:
        """Answer, from any thread."""
        self._put.append((future, result))
        if not self._is_woken:
            self._is_woken = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._is_woken = False  # before anything is taken out: what is put from now on wakes the loop again
        while self._put:
            future, result = self._put.popleft()
            if future.done():  # the sender has gone
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)


class Awaited:
    """The answer to one request, as an intake gives it."""

    def __init__(self, future: "asyncio.Future[Outcome]", mailbox: Mailbox) -> None:
        self.future, self._mailbox = future, mailbox

    def set_running_or_notify_cancel(self) -> bool:
        """Whether somebody still waits."""
        return not self.future.cancelled()

    def set_result(self, result: Outcome) -> None:
        """Say what became of the request."""
        self._mailbox.put(self.future, result)

    def set_exception(self, exception: BaseException | None) -> None:
        """Say why it was not taken."""
        self._mailbox.put(self.future, exception or RuntimeError("no reason was given"))
