"""Threads that nobody waits for stand behind those that answer."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from processors.precedence import BEHIND, LAST, stand_behind

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux alone")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def behind_once_and_twice() -> tuple[int, int]:
    stand_behind()
    once = niceness()
    stand_behind()
    return once, niceness()


def test_a_thread_stands_behind_and_the_others_stay_where_they_are():
    here = niceness()
    with ThreadPoolExecutor(1) as pool:
        once, twice = pool.submit(behind_once_and_twice).result()

    assert once == min(here + BEHIND, LAST)
    assert twice == min(here + 2 * BEHIND, LAST)
    assert niceness() == here
