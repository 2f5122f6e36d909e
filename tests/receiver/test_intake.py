"""Requests are kept in groups, and each is told what became of it and of nobody else."""

import threading
from contextlib import contextmanager, suppress
from datetime import timedelta

import polars as pl
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from processors.errors import NoRoom, Rejected, Unavailable
from processors.telemetry import Instruments
from receiver.decode import SPANS
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


class Into:
    """Keeps spans by handing them to a callable."""

    def __init__(self, consume):
        self.consume, self.receipts, self.full = consume, {}, None

    def known(self, digest):
        return self.receipts.get(digest)

    def refuse_if_full(self):
        if self.full:
            raise self.full

    def keep(self, frames, receipts):
        self.consume(frames[SPANS])
        self.receipts.update(receipts)


@contextmanager
def running(consume, max_bytes=1 << 20, max_batch_bytes=1 << 20, **more):
    keeper = consume if isinstance(consume, Into) else Into(consume)
    intake = Intake(keeper, lambda: NOW, Limits(), Room(max_bytes), max_batch_bytes, **more)
    intake.start()
    try:
        yield intake
    finally:
        intake.stop(GRACE)


def test_a_request_is_answered_when_its_rows_are_kept_and_not_before():
    slow = Slow()
    with running(slow) as intake:
        answer = intake.submit(BODY)
        assert slow.called.wait(WAIT)
        assert not answer.done()
        slow.go.set()
        assert answer.result(WAIT) == Outcome(accepted=1)
        assert len(slow.frames) == 1


def test_requests_that_come_while_others_are_kept_are_kept_together():
    slow = Slow()
    with running(slow) as intake:
        first = intake.submit(BODY)
        assert slow.called.wait(WAIT)
        later = [intake.submit(body(span(n))) for n in range(2, 50)]
        slow.go.set()
        assert [answer.result(WAIT) for answer in [first, *later]] == [Outcome(accepted=1)] * 49
    assert [frame.height for frame in slow.frames] == [1, 48]


def test_a_batch_waits_a_moment_to_become_as_large_as_the_one_before_and_no_longer():
    slow = Slow()
    with running(slow) as intake:
        intake.submit(BODY)
        assert slow.called.wait(WAIT)
        later = [intake.submit(body(span(n))) for n in range(2, 12)]
        slow.go.set()
        assert [answer.result(WAIT).accepted for answer in later] == [1] * 10
        assert intake.submit(body(span(12))).result(WAIT).accepted == 1, "it does not wait for nine others that do not come"
    assert [frame.height for frame in slow.frames] == [1, 10, 1]


def test_who_comes_again_when_answered_joins_those_who_wait():
    slow = Slow()
    with running(slow) as intake:
        first = intake.submit(BODY)
        assert slow.called.wait(WAIT)
        later = [intake.submit(body(span(n))) for n in range(2, 5)]
        again = []
        first.add_done_callback(lambda _: again.append(intake.submit(body(span(5)))))
        slow.go.set()
        assert [answer.result(WAIT).accepted for answer in later] == [1] * 3
        assert again[0].result(WAIT).accepted == 1
    assert [frame.height for frame in slow.frames] == [1, 4]


def test_a_batch_is_bounded_in_bytes_but_takes_at_least_one_request():
    slow = Slow()
    slow.go.set()
    with running(slow, max_batch_bytes=len(BODY) // 2) as intake:
        answers = [intake.submit(body(span(n))) for n in range(1, 6)]
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
        good, malformed = intake.submit(body(span(3))), intake.submit(INVALID_UTF8)
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
            intake.submit(body(span(2)))
        slow.go.set()
        assert first.result(WAIT).accepted == 1
        intake.stop(GRACE)
    assert len(slow.frames) == 1


def test_room_is_given_back_when_a_request_is_answered():
    frames = []
    with running(frames.append, max_bytes=2 * (len(BODY) + OVERHEAD)) as intake:
        for number in range(1, 21):
            while True:
                try:
                    answer = intake.submit(body(span(number)))
                    break
                except NoRoom:
                    continue
            assert answer.result(WAIT).accepted == 1
    assert sum(frame.height for frame in frames) == 20


def test_a_request_that_comes_again_is_told_the_same_and_kept_once():
    frames = []
    with running(frames.append) as intake:
        first = intake.submit(body(span(1), span(2, trace_id=b""))).result(WAIT)
        again = intake.submit(body(span(1), span(2, trace_id=b""))).result(WAIT)
    assert again == first
    assert (again.accepted, again.rejected, "trace_id is 0 bytes" in again.reason) == (1, 1, True)
    assert sum(frame.height for frame in frames) == 1


def test_a_request_that_comes_twice_at_once_is_kept_once():
    slow = Slow()
    with running(slow) as intake:
        intake.submit(BODY)
        assert slow.called.wait(WAIT)
        twins = [intake.submit(body(span(2))) for _ in range(3)]
        slow.go.set()
        assert [twin.result(WAIT).accepted for twin in twins] == [1, 1, 1]
    assert [frame.height for frame in slow.frames] == [1, 1]


def test_a_request_that_was_not_kept_is_kept_when_it_comes_again():
    away, frames = [Unavailable("the disk is full")], []

    def consume(frame):
        if away:
            raise away.pop()
        frames.append(frame)

    with running(consume) as intake:
        with pytest.raises(Unavailable):
            intake.submit(BODY).result(WAIT)
        assert intake.submit(BODY).result(WAIT).accepted == 1
    assert len(frames) == 1


def test_a_full_journal_refuses_at_once_and_takes_no_room():
    keeper = Into([].append)
    with running(keeper, max_bytes=len(BODY) + OVERHEAD) as intake:
        keeper.full = NoRoom("over 1 MiB wait to be stored")
        for _ in range(3):
            with pytest.raises(NoRoom, match="1 MiB"):
                intake.submit(BODY)
        keeper.full = None
        assert intake.submit(BODY).result(WAIT).accepted == 1


def test_only_what_is_left_by_redaction_is_kept():
    frames = []
    with running(frames.append, redact=lambda spans: spans.with_columns(SpanName=pl.lit("***"))) as intake:
        assert intake.submit(BODY).result(WAIT).accepted == 1
    assert frames[0]["SpanName"].to_list() == ["***"]


def test_when_nothing_can_be_kept_every_request_is_asked_to_come_again_and_the_next_is_taken():
    away = [Unavailable("the disk is away", retry_after=timedelta(seconds=5))]

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


def test_stopping_keeps_what_waits_and_refuses_what_comes_later():
    frames = []
    with running(frames.append) as intake:
        answers = [intake.submit(body(span(n))) for n in range(1, 21)]
        intake.stop(GRACE)
        assert all(answer.done() and answer.result().accepted == 1 for answer in answers)
        with pytest.raises(Unavailable, match="stopping"):
            intake.submit(BODY)
        intake.stop(GRACE)
    assert sum(frame.height for frame in frames) == 20


def test_stopping_gives_up_on_what_is_not_kept_in_time():
    slow = Slow()
    with running(slow) as intake:
        intake.submit(BODY)
        assert slow.called.wait(WAIT)
        waiting = intake.submit(body(span(2)))
        intake.stop(timedelta(milliseconds=10))
        with pytest.raises(Unavailable, match="stopped"):
            waiting.result(WAIT)
        slow.go.set()


def test_a_sender_that_went_away_does_not_stop_the_others():
    slow = Slow()
    with running(slow) as intake:
        intake.submit(BODY)
        assert slow.called.wait(WAIT)
        gone, stays = intake.submit(body(span(2))), intake.submit(body(span(3)))
        assert gone.cancel()
        slow.go.set()
        assert stays.result(WAIT).accepted == 1


def counted(reader):
    """Name and attributes of each counter to its value."""
    metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    points = [(metric.name, point) for metric in metrics for point in metric.data.data_points if hasattr(point, "value")]
    return {(name, *sorted(point.attributes.values())): point.value for name, point in points}


def test_what_comes_and_what_becomes_of_it_is_counted():
    reader = InMemoryMetricReader()
    instruments = Instruments(MeterProvider([reader]).get_meter("merit"))
    two_wrong = body(span(1), span(2, trace_id=b"short"), span(3, start_time_unix_nano=1))
    with running(Into(lambda _: None), instruments=instruments) as intake:
        for request in (two_wrong, b"\xff", body(span(4))):
            with suppress(Rejected):
                intake.submit(request).result(WAIT)

    found = counted(reader)

    assert found["merit.otlp.received", "traces"] == 4
    assert found["merit.otlp.accepted", "traces"] == 2
    assert found["merit.otlp.rejected", "trace_id", "traces"] == 1
    assert found["merit.otlp.rejected", "too old", "traces"] == 1
    assert {name: found["merit.otlp.requests", *sorted((name, "traces"))] for name in ("accepted", "partial", "rejected")} == {
        "accepted": 1,
        "partial": 1,
        "rejected": 1,
    }


def test_a_request_for_which_there_is_no_room_is_counted():
    reader = InMemoryMetricReader()
    instruments = Instruments(MeterProvider([reader]).get_meter("merit"))
    with running(Slow(), max_bytes=1, instruments=instruments) as intake, pytest.raises(NoRoom):
        intake.submit(BODY)

    assert counted(reader) == {("merit.otlp.requests", "full", "traces"): 1}
