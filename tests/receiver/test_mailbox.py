"""Answers reach those who wait in an event loop, from another thread."""

import asyncio
import threading

import pytest

from processors.errors import Rejected
from receiver.intake import Answer, Intake
from receiver.mailbox import Mailbox
from receiver.reading import Outcome
from tests.receiver.builders import body, span
from tests.receiver.test_intake import Slow, running


class Held:
    """Takes requests and answers none of them."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def take(self, _body: bytes, answer: Answer) -> None:
        self.answers.append(answer)


async def waiting(intake: "Held | Intake", count: int) -> list["asyncio.Task[Outcome]"]:
    mailbox = Mailbox()
    tasks = [asyncio.create_task(mailbox.submit(intake, body(span(n)))) for n in range(1, count + 1)]  # type: ignore[arg-type]
    await asyncio.sleep(0)
    return tasks


def test_each_of_many_is_told_what_became_of_its_own_request() -> None:
    async def send() -> list[Outcome]:
        held = Held()
        tasks = await waiting(held, 50)

        def answer() -> None:
            for number, one in enumerate(held.answers):
                one.set_result(Outcome(accepted=number))

        await asyncio.to_thread(answer)
        return await asyncio.gather(*tasks)

    assert [outcome.accepted for outcome in asyncio.run(send())] == list(range(50))


def test_what_is_answered_together_wakes_the_loop_once() -> None:
    async def send() -> int:
        held, woken = Held(), 0
        tasks = await waiting(held, 20)
        loop = asyncio.get_running_loop()
        schedule = loop.call_soon_threadsafe

        def counted(*args: object) -> asyncio.Handle:
            nonlocal woken
            woken += 1
            return schedule(*args)  # type: ignore[arg-type]

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign, assignment]
        answering = threading.Thread(target=lambda: [one.set_result(Outcome()) for one in held.answers])
        answering.start()
        answering.join()  # the loop stands still meanwhile
        await asyncio.gather(*tasks)
        return woken

    assert asyncio.run(send()) == 1


def test_why_a_request_was_not_taken_is_raised_and_who_has_gone_is_not_told() -> None:
    async def send() -> None:
        held = Held()
        refused, gone = await waiting(held, 2)
        gone.cancel()
        await asyncio.sleep(0)
        assert [one.set_running_or_notify_cancel() for one in held.answers] == [True, False]
        for one in held.answers:
            one.set_exception(Rejected("no span"))
        with pytest.raises(Rejected, match="no span"):
            await refused
        assert gone.cancelled()

    asyncio.run(send())


def test_an_answer_that_comes_when_the_loop_is_closed_is_nobodys() -> None:
    held = Held()

    async def send() -> None:
        await waiting(held, 1)

    asyncio.run(send())
    held.answers[0].set_result(Outcome())


def test_requests_of_a_sender_that_has_gone_are_not_kept() -> None:
    slow = Slow()

    async def send(intake: Intake) -> None:
        first, second, third = await waiting(intake, 3)
        await asyncio.to_thread(slow.called.wait)
        later = asyncio.create_task(Mailbox().submit(intake, body(span(9))))
        await asyncio.sleep(0)
        later.cancel()
        await asyncio.sleep(0)
        slow.go.set()
        await asyncio.gather(first, second, third)

    with running(slow) as intake:
        asyncio.run(send(intake))
    assert sum(frame.height for frame in slow.frames) == 3
