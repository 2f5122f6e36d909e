"""Decisions are written down together, each of them, and nobody waits for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import polars as pl
import pytest

from merit.routing.ledger import Ledger
from processors.errors import Rejected, Unavailable
from processors.routing.answer import Answered, Question, answer, nothing_known
from processors.routing.decide import Assignment
from processors.routing.policies import policy
from processors.routing.settings import RoutingSettings
from tests.builders import NOW
from tests.processors.routing.simulation import NOTHING

SETTINGS = RoutingSettings()


class Disk:
    """Takes lots, or says why it does not."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.lots: list[list[str]] = []

    def __call__(self, table: str, rows: pl.DataFrame) -> None:
        assert table == "routing_decisions"
        if self.trouble:
            raise self.trouble
        self.lots.append(rows["decision_id"].to_list())

    @property
    def written(self) -> list[str]:
        return [each for lot in self.lots for each in lot]


def decision(name: str) -> Answered:
    asked = Question("agent", Assignment("research", NOTHING), policy(SETTINGS, None, None), ("a", "b"), "", None, "")
    return answer(nothing_known(), asked, {}, SETTINGS, NOW, name, 0.5)


@contextmanager
def ledger_on(disk: Disk, **more: int) -> Iterator[Ledger]:
    ledger = Ledger(disk, **more)
    try:
        yield ledger
    finally:
        ledger.stop()
        ledger.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_decisions_of_a_moment_are_written_together_without_anybody_asking_for_it():
    disk = Disk()
    with ledger_on(disk) as ledger:
        for number in range(20):
            ledger(decision(f"{number}"))
        wait_for(lambda: len(disk.written) == 20)
        lots = len(disk.lots)

    assert disk.written == [f"{number}" for number in range(20)]
    assert lots <= 2


def test_what_waits_is_written_when_the_ledger_stops():
    disk = Disk()
    with ledger_on(disk) as ledger:
        ledger(decision("last"))

    assert disk.written == ["last"]


def test_decisions_wait_for_a_disk_that_is_full_and_each_is_written_once_when_it_no_longer_is(caplog):
    disk = Disk()
    disk.trouble = Unavailable("the disk is full")
    with ledger_on(disk) as ledger, caplog.at_level("INFO"):
        ledger(decision("one"))
        wait_for(lambda: "decisions wait in memory, for they cannot be written: the disk is full" in caplog.text)
        ledger(decision("two"))
        disk.trouble = None
        wait_for(lambda: len(disk.written) == 2)

    assert disk.written == ["one", "two"]
    assert "decisions are written again" in caplog.text


def test_when_too_many_wait_there_are_no_more_and_it_says_why(caplog):
    disk = Disk()
    disk.trouble = Unavailable("the disk is full")
    with ledger_on(disk, most_candidates=4) as ledger:
        ledger(decision("one"))
        wait_for(lambda: "cannot be written" in caplog.text)
        ledger(decision("two"))
        with pytest.raises(Unavailable, match="the disk is full"):
            ledger(decision("three"))

    assert "decisions are lost, for they could not be written: the disk is full" in caplog.text
    assert disk.written == []


@pytest.mark.parametrize("trouble", [ValueError("a defect"), Rejected("never to be taken")])
def test_decisions_that_can_never_be_written_do_not_stop_those_after_them(caplog, trouble):
    disk = Disk()
    disk.trouble = trouble
    with ledger_on(disk) as ledger:
        ledger(decision("bad"))
        wait_for(lambda: "lost for a reason of ours" in caplog.text)
        disk.trouble = None
        ledger(decision("good"))

    assert disk.written == ["good"]
