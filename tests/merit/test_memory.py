import ctypes
import sys

import pytest

from merit.memory import CHANGED_BYTES, GivingBack, resident_bytes, trim_of_glibc
from tests.running import eventually

MIB = 1 << 20


class Process:
    """One that grows by so much between two looks, or shrinks, until it is trimmed: then it is what it was."""

    def __init__(self, growth: int) -> None:
        self.growth, self.resident, self.looks, self.trims = growth, 500 * MIB, 0, 0

    def look(self) -> int:
        self.looks += 1
        self.resident += self.growth
        return self.resident

    def trim(self) -> None:
        self.trims += 1
        self.resident = 500 * MIB


def looked_at(process: Process) -> Process:
    giving_back = GivingBack(process.trim, process.look, seconds=0.001)
    giving_back.start()
    eventually(lambda: process.looks > 50, 10)
    giving_back.stop()
    giving_back.stop()
    return process


@pytest.mark.parametrize("change", [2 * CHANGED_BYTES, -2 * CHANGED_BYTES])
def test_a_process_that_grows_or_shrinks_gives_back_again_and_again(change):
    assert looked_at(Process(change)).trims > 10


def test_one_that_does_not_is_left_alone_after_the_first_time():
    assert looked_at(Process(0)).trims == 1


@pytest.mark.skipif(sys.platform != "linux", reason="there is no glibc")
def test_holes_between_what_is_used_are_given_back():
    if (trim := trim_of_glibc()) is None:
        pytest.skip("this libc has no malloc_trim")
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    taken = [libc.malloc(64 * 1024) for _ in range(4_000)]
    for at in taken:
        ctypes.memset(at, 1, 64 * 1024)
    for number, at in enumerate(taken):
        if number % 10:
            libc.free(at)
    before = resident_bytes()
    trim()
    after = resident_bytes()
    for at in taken[::10]:
        libc.free(at)

    assert before - after > 100 * MIB
