"""Storing waits a little for deriving that takes long."""

import threading
import time

from merit.pipeline.pace import Pace


def waited(pace: Pace) -> float:
    began = time.monotonic()
    pace.wait()
    return time.monotonic() - began


def test_nobody_waits_where_no_round_takes_long() -> None:
    pace = Pace(patience=5, longest=5)
    assert waited(pace) < 1
    with pace:
        assert waited(pace) < 1


def test_a_round_that_takes_long_is_waited_for_until_it_ends() -> None:
    pace = Pace(patience=0, longest=5)
    ended = threading.Timer(0.1, pace.__exit__, (None, None, None))
    pace.__enter__()
    time.sleep(0.01)
    ended.start()
    assert 0.05 < waited(pace) < 4
    assert waited(pace) < 0.05


def test_and_for_no_longer_than_that() -> None:
    pace = Pace(patience=0, longest=0.1)
    with pace:
        time.sleep(0.01)
        assert 0.1 <= waited(pace) < 2
