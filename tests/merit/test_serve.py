"""`merit serve` as a process: it says where it is, holds its folder and ports alone, and stops when it is told to."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.merit.processes import FREE_PORTS, WAIT_SECONDS, Server, environment, merit, serving


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(folder) as running:
        yield running


def test_the_ready_lines_say_where_everything_is(server: Server, folder: Path) -> None:
    assert server.find(r"ready: OTLP/gRPC on 127.0.0.1:(\d+)") != "0"
    assert server.find(r"ready: OTLP/HTTP on http://127.0.0.1:(\d+)/v1/traces") != "0"
    assert server.find(r"ready: API on \S+/v1/rankings, its description on (\S+)").endswith("/docs")
    assert server.find(r"ready: data in (\S+)") == str(folder / "merit-data")


def test_it_is_ready_when_it_says_so(server: Server) -> None:
    assert server.get("/readyz")["parts"] == {"store": "ok", "receiver": "ok", "jobs": "ok", "journal": "ok"}
    assert server.get("/v1/rankings")["rankings"] == []


def test_a_second_one_on_the_same_folder_is_refused_and_told_who_has_it(server: Server, folder: Path) -> None:
    second = merit(folder, "serve", **FREE_PORTS)

    assert second.returncode == 1
    assert f"the folder {folder / 'merit-data'} is in use by process {server.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr


def test_check_beside_it_reports_the_holder_and_leaves_it_alone(server: Server, folder: Path) -> None:
    checked = merit(folder, "check", **FREE_PORTS)

    assert checked.returncode == 1
    assert f"is in use by process {server.process.pid}" in checked.stdout
    assert server.get("/readyz")["status"] == "ok"


@pytest.mark.parametrize("name", FREE_PORTS)
def test_a_taken_port_is_refused_by_the_name_of_its_setting(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"

        refused = merit(tmp_path, "serve", **FREE_PORTS | {name: endpoint})

    assert refused.returncode == 1
    assert name.removeprefix("MERIT_").replace("__", ".").lower() in refused.stderr
    assert endpoint in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order_and_its_folder_is_free_again(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as running:
        assert running.end(number) == 0
        assert f"stopping on {number.name}" in running.log
        assert running.lines[-1].endswith("merit: stopped")

    checked = merit(tmp_path, "check", **FREE_PORTS)
    assert checked.returncode == 0, checked.stdout
    assert "answers, has schema" in checked.stdout


def test_wrong_settings_are_refused_before_anything_is_touched(tmp_path: Path) -> None:
    (tmp_path / "merit.yaml").write_text("exporters:\n  clickhouse:\n    dns: chdb:///./x\n")

    refused = merit(tmp_path, "serve")

    assert refused.returncode == 2
    assert "merit.yaml, line 3: exporters.clickhouse.dns is no setting; did you mean exporters.clickhouse.dsn?" in refused.stderr
    assert not (tmp_path / "merit-data").exists()


DRAINING_FOR_LONG = """
import time
from merit.program import stop_asked
wait = stop_asked()
print("up", flush=True)
wait()
print("draining", flush=True)
time.sleep(60)
"""


def test_a_second_signal_hurries() -> None:
    command = [sys.executable, "-c", DRAINING_FOR_LONG]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process, process.stdout:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "draining\n"
        process.send_signal(signal.SIGTERM)

        assert process.wait(WAIT_SECONDS) == 130


BUSY_ELSEWHERE = """
import threading, time
from merit.program import stop_asked
def work():
    while True:
        time.sleep(0.01)
for _ in range(80):
    threading.Thread(target=work, daemon=True).start()
wait = stop_asked()
print("up", flush=True)
wait()
print("draining", flush=True)
threading.Event().wait()
"""


def test_no_signal_is_lost_that_another_thread_takes() -> None:
    """What comes while a process is stopped is handed to whichever thread goes on first."""
    process = subprocess.Popen([sys.executable, "-c", BUSY_ELSEWHERE], env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process, process.stdout:
        try:
            for said in ("up", "draining"):
                assert process.stdout.readline() == f"{said}\n"
                for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
                    process.send_signal(number)
            assert process.wait(WAIT_SECONDS) == 130
        finally:
            process.kill()


INTERRUPTED_WHILE_LOGGING = """
import io, logging, signal
from merit.program import stop_asked

class Interrupted(io.RawIOBase):
    left = [signal.SIGTERM]
    def writable(self):
        return True
    def write(self, written):
        if self.left:
            signal.raise_signal(self.left.pop())
        return len(written)

wait = stop_asked()
logging.basicConfig(stream=io.TextIOWrapper(io.BufferedWriter(Interrupted())), level="INFO")
logging.info("a line")
wait()
"""


def test_a_signal_that_comes_while_a_line_is_logged_is_not_lost() -> None:
    command = [sys.executable, "-c", INTERRUPTED_WHILE_LOGGING]
    assert subprocess.run(command, env=environment(), timeout=WAIT_SECONDS, check=False).returncode == 0
