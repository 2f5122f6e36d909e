"""Optimisation requests: opened, approved, run, measured, closed; once each, also across a restart."""

import json
import shlex
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from fastapi.testclient import TestClient

from exporters.optimizers import run_command
from exporters.store import Store
from merit.jobs.optimizing import Optimizing
from merit.program import optimizing_on
from merit.settings import Settings
from processors.errors import Rejected, Unavailable
from processors.optimizations.settings import OptimizationSettings, Optimizer
from processors.settings import ProcessorSettings
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.builders import NOW, Clock, Row
from tests.exporters.notifications.receivers import Hook, hook
from tests.merit.scored import work_out
from tests.query_api.build import evaluation, put, task
from tests.running import eventually

SECRET = "a secret of sixteen"
WRITE_DOWN = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n'); print('done')"


def settings(**said: Any) -> OptimizationSettings:
    plain = {"name": "gepa", "measured_tasks": 20, "cooldown_hours": 0, "cost_usd": 0.5, "expected_improvement": 0.1}
    return OptimizationSettings.model_validate({"optimizers": [plain | said]})


def command(folder: Path) -> dict[str, Any]:
    """An optimizer that writes down what it is told."""
    (folder / "told").write_text("")
    return {"command": [sys.executable, "-c", WRITE_DOWN, str(folder / "told")]}


def told(folder: Path) -> list[Row]:
    return [json.loads(line) for line in (folder / "told").read_text().splitlines()]


def optimizing(store: Store, said: OptimizationSettings, clock: Clock) -> Optimizing:
    return Optimizing(store, store.insert, said, clock)


def works(store: Store, first: int, many: int, ago: timedelta, quality: float) -> None:
    """Finished tasks of the writer, one a minute, all judged."""
    times = [NOW - ago + n * timedelta(minutes=1) for n in range(many)]
    put(store, "tasks", [task(first + n, agent_id="writer", started_at=at) for n, at in enumerate(times)])
    put(store, "evaluations", [evaluation(first + n, "judge", score=quality + 0.1 * (n % 2)) for n in range(many)])
    work_out(store)


def requests(store: Store) -> list[Row]:
    return store.query("SELECT * FROM optimizations FINAL ORDER BY requested_at").to_dicts()


def client(store: Store, said: OptimizationSettings, clock: Clock) -> TestClient:
    processors = ProcessorSettings(optimizations=said)
    return TestClient(create_app(store, store.insert, QueryApiSettings(), clock, Condition(), processors))


def test_an_automatic_one_is_run_once_and_closed_with_what_it_changed(tables: Store, tmp_path: Path) -> None:
    clock, said = Clock(), settings(approval=False, **command(tmp_path))
    works(tables, 1, 9, timedelta(days=2), 0.5)
    assert optimizing(tables, said, clock).run() == 0
    works(tables, 101, 20, timedelta(days=1), 0.5)
    assert optimizing(tables, said, clock).run() == 2  # opened, run
    clock.tick(3600)
    assert [optimizing(tables, said, clock).run() for _ in range(2)] == [0, 0]

    (request,) = told(tmp_path)
    assert (request["agent_id"], request["reason"]) == ("writer", "29 finished tasks in the last 30 days")
    works(tables, 201, 20, -timedelta(minutes=5), 0.8)
    clock.tick(3600)
    assert optimizing(tables, said, clock).run() == 1
    (row,) = requests(tables)
    effect, before, after = (json.loads(row[name]) for name in ("effect", "before", "after"))
    assert (row["status"], row["result"], row["tries"], row["optimization_id"]) == ("closed", "done", 1, request["key"])
    assert (before["tasks"], after["tasks"]) == (20, 20)
    assert (before["quality"], after["quality"]) == (pytest.approx(0.55), pytest.approx(0.85))
    assert effect["improved"] is True
    assert effect["quality"]["low"] < 0.3 < effect["quality"]["high"]


def test_one_that_needs_approval_waits_for_it(tables: Store, tmp_path: Path) -> None:
    clock, said = Clock(), settings(**command(tmp_path))
    works(tables, 1, 20, timedelta(days=1), 0.5)
    job = optimizing(tables, said, clock)
    assert [job.run(), job.run()] == [1, 0]
    with client(tables, said, clock) as api:
        (waiting,) = api.get("/v1/optimizations?status=waiting").json()["optimizations"]
        where = f"/v1/optimizations/{waiting['optimization_id']}"
        assert (waiting["cost_usd"], waiting["expected_improvement"], waiting["reason"][:17]) == (0.5, 0.1, "20 finished tasks")
        assert told(tmp_path) == []
        approved = [api.post(f"{where}/approve", json={"by": "ann", "note": "go"}).json() for _ in range(2)]
        assert [(one["status"], one["decided_by"]) for one in approved] == [("approved", "ann")] * 2
        assert api.post(f"{where}/reject").status_code == 409
        assert job.run() == 1
        assert api.get(where).json()["status"] == "measuring"
        assert api.get("/v1/optimizations/status").json()["counts"] == {"measuring": 1}
    assert len(told(tmp_path)) == 1


def test_one_that_is_rejected_is_not_run_and_none_follows_at_once(tables: Store, tmp_path: Path) -> None:
    clock, said = Clock(), settings(cooldown_hours=24, **command(tmp_path))
    works(tables, 1, 20, timedelta(days=1), 0.5)
    job = optimizing(tables, said, clock)
    job.run()
    with client(tables, said, clock) as api:
        where = f"/v1/optimizations/{requests(tables)[0]['optimization_id']}"
        assert api.post(f"{where}/reject", json={"by": "ann"}).json()["status"] == "rejected"
        assert api.post(f"{where}/approve").status_code == 409
    works(tables, 101, 25, -timedelta(minutes=1), 0.5)
    clock.tick(7200)
    assert job.run() == 0
    clock.tick(86_400)
    assert job.run() == 1
    assert [row["status"] for row in requests(tables)] == ["rejected", "waiting"]
    assert told(tmp_path) == []


def test_one_can_be_asked_for(tables: Store, tmp_path: Path) -> None:
    clock, said = Clock(), settings(agent_id=["writer"], **command(tmp_path))
    with client(tables, said, clock) as api:
        asked = [api.post("/v1/optimizations/run", json={"agent_id": "writer", "by": "ann"}).json() for _ in range(2)]
        other = api.post("/v1/optimizations/run", json={"agent_id": "coder"})
        (known,) = api.get("/v1/optimizations/status").json()["optimizers"]
    assert asked[0] == asked[1]
    assert (asked[0]["status"], asked[0]["decided_by"], other.status_code) == ("approved", "ann", 409)
    assert (known["kind"], known["after_tasks"], "command" in known) == ("command", 20, False)
    assert optimizing(tables, said, clock).run() == 1
    assert len(told(tmp_path)) == 1


def test_a_webhook_is_told_again_under_the_same_key_until_it_takes_it(tables: Store) -> None:
    clock = Clock()
    with hook(Hook(answers=[500, 0])) as listening:
        said = settings(approval=False, after_tasks=5, webhook={"url": listening.url, "secret": SECRET})
        works(tables, 1, 5, timedelta(days=1), 0.5)
        for _ in range(5):
            optimizing(tables, said, clock).run()
            clock.tick(600)

    assert len({headers["Idempotency-Key"] for headers in listening.headers}) == 1
    assert [message["tries"] for message in listening.messages] == [1, 2, 3]
    assert listening.headers[0]["Merit-Signature"].startswith("t=")
    assert [row["status"] for row in requests(tables)] == ["measuring"]


class Dying:
    """A store that dies when it is to write down how a run ended."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, table: str, rows: Any) -> None:
        if "measuring" in rows["status"]:
            raise Unavailable("the process is killed")
        self._store.insert(table, rows)


def test_a_process_that_dies_while_it_runs_begins_again_under_the_same_key(tables: Store, tmp_path: Path) -> None:
    clock, said = Clock(), settings(approval=False, **command(tmp_path))
    works(tables, 1, 20, timedelta(days=1), 0.5)
    with pytest.raises(Unavailable):
        Optimizing(tables, Dying(tables), said, clock).run()
    optimizing(tables, said, clock).run()

    assert [(one["tries"], one["key"]) for one in told(tmp_path)] == [(n, requests(tables)[0]["optimization_id"]) for n in (1, 2)]
    assert [row["status"] for row in requests(tables)] == ["measuring"]


def test_a_command_that_fails_has_failed_and_says_why(tables: Store) -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('no examples')"]
    works(tables, 1, 20, timedelta(days=1), 0.5)
    optimizing(tables, settings(approval=False, command=failing), Clock()).run()

    (row,) = requests(tables)
    assert (row["status"], row["error"].endswith("ended with 1: no examples")) == ("failed", True)


def test_with_too_few_tasks_afterwards_it_is_closed_all_the_same_when_time_is_up(tables: Store, tmp_path: Path) -> None:
    clock, said = Clock(), settings(approval=False, measured_days=2, **command(tmp_path))
    works(tables, 1, 20, timedelta(days=1), 0.5)
    optimizing(tables, said, clock).run()
    clock.tick(3 * 86_400)
    optimizing(tables, said, clock).run()

    (row,) = requests(tables)
    assert (row["status"], json.loads(row["effect"])["improved"]) == ("closed", None)


def test_what_has_no_optimizer_any_more_has_failed(tables: Store, tmp_path: Path) -> None:
    works(tables, 1, 20, timedelta(days=1), 0.5)
    optimizing(tables, settings(**command(tmp_path)), Clock()).run()
    optimizing(tables, settings(name="other", after_tasks=1000, **command(tmp_path)), Clock()).run()

    assert [row["status"] for row in requests(tables)] == ["failed"]


SLEEPING = Optimizer(name="x", command=(sys.executable, "-c", "import time; time.sleep(60)"), timeout_seconds=0.3)


def test_a_command_that_takes_too_long_is_ended() -> None:
    with pytest.raises(Rejected, match=r"took longer than 0\.3 s"):
        run_command(SLEEPING, {}, lambda: False)


def test_a_command_is_ended_when_merit_stops() -> None:
    stopping = threading.Event()
    threading.Timer(0.3, stopping.set).start()
    began = time.monotonic()
    with pytest.raises(Unavailable, match="stopped"):
        run_command(SLEEPING.model_copy(update={"timeout_seconds": 60.0}), {}, stopping.is_set)
    assert time.monotonic() - began < 10


def test_what_a_command_has_started_is_ended_with_it(tmp_path: Path) -> None:
    """The command ends when it is asked to; its child does not."""
    child = f"trap '' TERM; echo $$ > {tmp_path}/child; while :; do sleep 0.1; done"
    both = f"sh -c {shlex.quote(child)} & sleep 60"
    with pytest.raises(Rejected, match="took longer"):
        run_command(Optimizer(name="x", command=("sh", "-c", both), timeout_seconds=1.0), {}, lambda: False)

    pid = int((tmp_path / "child").read_text())
    eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_command_that_is_not_there_cannot_be_run() -> None:
    with pytest.raises(Rejected, match="/no/such cannot be run: No such file"):
        run_command(Optimizer(name="x", command=("/no/such",)), {}, lambda: False)


def test_nothing_is_done_unless_something_is_named(tables: Store, tmp_path: Path) -> None:
    def names(said: OptimizationSettings) -> list[str]:
        return [job.name for job in optimizing_on(tables, Settings(processors=ProcessorSettings(optimizations=said)), Clock())]

    assert names(OptimizationSettings()) == []
    assert names(settings(**command(tmp_path))) == ["optimize"]


def test_what_a_program_prints_is_masked(tables: Store) -> None:
    printing = [sys.executable, "-c", "print('key sk-proj-' + 'a1B2c3D4e5F6g7H8' * 3)"]
    works(tables, 1, 20, timedelta(days=1), 0.5)
    said = Settings(processors=ProcessorSettings(optimizations=settings(approval=False, command=printing)))
    (job,) = optimizing_on(tables, said, Clock())
    job.run()

    (row,) = requests(tables)
    assert (row["status"], "a1B2c3D4" in row["result"]) == ("measuring", False)
