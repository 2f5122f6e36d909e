"""One process to a folder, and it is said which."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exporters.folder import FolderLock
from processors.errors import Unavailable

HOLD = """
import sys
from pathlib import Path
from exporters.folder import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_which_one_has_the_folder(tmp_path: Path) -> None:
    with holder(tmp_path) as other, pytest.raises(Unavailable) as caught:
        FolderLock(tmp_path).acquire()

    assert str(caught.value) == (
        f"the folder {tmp_path} is in use by process {other.pid}: stop it, or choose another folder in exporters.clickhouse.dsn"
    )


def test_the_folder_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()

        lock = FolderLock(tmp_path)
        lock.acquire()
        lock.release()

    assert (tmp_path / "merit.pid").read_text() == str(os.getpid())


def test_the_folder_can_be_taken_again_after_it_was_let_go(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "new" / "folder")
    for _ in range(2):
        lock.acquire()
        lock.release()
        lock.release()


def test_a_process_may_not_take_its_folder_twice(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.acquire()
    with pytest.raises(Unavailable, match=f"in use by process {os.getpid()}"):
        FolderLock(tmp_path).acquire()
    lock.release()


def test_a_folder_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match=r"cannot use the folder .*/file/data: Not a directory; choose another in exporters"):
        FolderLock(tmp_path / "file" / "data").acquire()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named_with_the_reason(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(Unavailable, match="Permission denied"):
        FolderLock(tmp_path).acquire()
