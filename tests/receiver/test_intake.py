"""Requests are stored in groups, and each is told what became of it and of nobody else."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from processors.errors import NoRoom, Rejected, Unavailable
from receiver.intake import OVERHEAD, Intake
from receiver.limits import Limits
from receiver.reading import Outcome
from receiver.room import Room
from tests.receiver.builders import INVALID_UTF8, NOW, body, span

WAIT = 10
GRACE = timedelta(seconds=WAIT)
BODY = body(span(1))


class Slow:
    """A consume whose calls wait until they are let go."""

    def __init__(self):
        self.frames = []
        self.called = threading.Event()
        self.go = threading.Event()

    def __call__(self, frame):
        self.called.set()
        assert self.go.wait(WAIT)
        self.frames.append(frame)


@contextmanager
def running(consume, max_bytes=1 << 20, max_batch_bytes=1 << 20):
    intake = Intake(consume, lambda: NOW, Limits(), Room(max_bytes), max_batch_bytes)
    intake.start()
    try:
        yield intake
    finally:
        intake.stop(GRACE)


def test_a_request_is_answered_when_its_rows_are_stored_and_not_before():
    slow = Slow()
    with running(slow) as intake:
        answer = intake.submit(BODY)
        assert slow.called.wait(WAIT)
        assert not answer.done()
        slow.go.set()
        assert answer.result(WAIT) == Outcome(accepted=1)
        assert len(slow.frames) == 1


def test_requests_that_come_during_an_insert_share_the_next():
    slow = Slow()
    with running(slow) as intake:
        first = intake.submit(BODY)
        assert slow.called.wait(WAIT)
        later = [intake.submit(body(span(n))) for n in range(2, 50)]
        slow.go.set()
        assert [answer.result(WAIT) for answer in [first, *later]] == [Outcome(accepted=1)] * 49
    assert [frame.height for frame in slow.frames] == [1, 48]


def test_a_batch_is_bounded_in_bytes_but_takes_at_least_one_request():
    slow = Slow()
    slow.go.set()
    with running(slow, max_batch_bytes=len(BODY) // 2) as intake:
        answers = [intake.submit(BODY) for _ in range(5)]
        assert all(answer.result(WAIT).accepted == 1 for answer in answers)
    assert [frame.height for frame in slow.frames] == [1] * 5


def test_an_empty_request_is_answered_without_the_store():
    frames = []
    with running(frames.append) as intake:
        answers = [intake.submit(b""), intake.submit(body())]
        assert [answer.result(WAIT) for answer in answers] == [Outcome(), Outcome()]
    assert frames == []


def test_malformed_requests_and_wrong_spans_are_told_to_their_sender_alone():
    slow = Slow()
    with running(slow) as intake:
        intake.submit(BODY)
        assert slow.called.wait(WAIT)
        good, malformed = intake.submit(BODY), intake.submit(INVALID_UTF8)
        partial = intake.submit(body(span(1), span(2, trace_id=b"")))
        slow.go.set()
        assert good.result(WAIT) == Outcome(accepted=1)
        assert (partial.result(WAIT).accepted, partial.result(WAIT).rejected) == (1, 1)
        with pytest.raises(Rejected, match="UTF-8"):
            malformed.result(WAIT)


def test_when_the_room_is_full_a_request_is_refused_at_once_and_taken_later():
    slow = Slow()
    with running(slow, max_bytes=len(BODY) + OVERHEAD) as intake:
        first = intake.submit(BODY)
        with pytest.raises(NoRoom, match="again later"):
            intake.submit(BODY)
        slow.go.set()
        assert first.result(WAIT).accepted == 1
        intake.stop(GRACE)
    assert len(slow.frames) == 1


def test_room_is_given_back_when_a_request_is_answered():
    frames = []
    with running(frames.append, max_bytes=2 * (len(BODY) + OVERHEAD)) as intake:
        for _ in range(20):
            while True:
                try:
                    answer = intake.submit(BODY)
                    break
                except NoRoom:
                    continue
            assert answer.result(WAIT).accepted == 1
    assert sum(frame.height for frame in frames) == 20


def test_of_a_batch_that_the_store_rejects_the_guilty_request_alone_is_told():
    stored, first, go = [], threading.Event(), threading.Event()

    def consume(frame):
        first.set()
        assert go.wait(WAIT)
        if "bad" in frame["SpanName"]:
            raise Rejected("the store never takes this")
        stored.extend(frame["SpanId"].str.slice(-1))

    with running(consume) as intake:
        intake.submit(body(span(1)))
        assert first.wait(WAIT)
        answers = [intake.submit(made) for made in (body(span(2)), body(span(3, name="bad")), body(span(4), span(5)))]
        go.set()
        assert answers[0].result(WAIT) == Outcome(accepted=1)
        assert answers[2].result(WAIT) == Outcome(accepted=2)
        with pytest.raises(Rejected, match="never takes"):
            answers[1].result(WAIT)
    assert stored == ["1", "2", "4", "5"]


def test_when_the_store_is_away_every_request_is_asked_to_come_again_and_the_next_is_taken():
    away = [Unavailable("the store is away", retry_after=timedelta(seconds=5))]

    def consume(_frame):
        if away:
            raise away.pop()

    with running(consume) as intake:
        with pytest.raises(Unavailable, match="away") as caught:
            intake.submit(BODY).result(WAIT)
        assert caught.value.retry_after == timedelta(seconds=5)
        assert intake.submit(BODY).result(WAIT).accepted == 1


def test_a_fault_of_ours_is_logged_told_without_its_cause_and_survived(caplog):
    def consume(frame):
        if "bad" in frame["SpanName"]:
            raise ZeroDivisionError("secret")

    with running(consume) as intake:
        with pytest.raises(Unavailable, match="internal error") as caught:
            intake.submit(body(span(name="bad"))).result(WAIT)
        assert intake.submit(BODY).result(WAIT).accepted == 1
    assert "secret" not in str(caught.value)
    assert "secret" in caplog.text


def test_stopping_stores_what_waits_and_refuses_what_comes_later():
    frames = []
    with running(frames.append) as intake:
        answers = [intake.submit(BODY) for _ in range(20)]
        intake.stop(GRACE)
        assert all(answer.done() and answer.result().accepted == 1 for answer in answers)
        with pytest.raises(Unavailable, match="stopping"):
            intake.submit(BODY)
        intake.stop(GRACE)
    assert sum(frame.height for frame in frames) == 20


def test_stopping_gives_up_on_what_is_not_stored_in_time():
    slow = Slow()
    with running(slow) as intake:
        intake.submit(BODY)
        assert slow.called.wait(WAIT)
        waiting = intake.submit(BODY)
        intake.stop(timedelta(milliseconds=10))
        with pytest.raises(Unavailable, match="stopped"):
            waiting.result(WAIT)
        slow.go.set()


def test_a_sender_that_went_away_does_not_stop_the_others():
    slow = Slow()
    with running(slow) as intake:
        intake.submit(BODY)
        assert slow.called.wait(WAIT)
        gone, stays = intake.submit(BODY), intake.submit(BODY)
        assert gone.cancel()
        slow.go.set()
        assert stays.result(WAIT).accepted == 1
