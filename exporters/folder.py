"""One process to a folder of the embedded engine, and a message that says which one has it.

chDB itself only says "Error initializing EmbeddedServer". The lock is the kernel's (flock): it goes with its process,
however that dies.
"""

import fcntl
import os
from pathlib import Path
from typing import IO

from processors.errors import Unavailable


class FolderLock:
    """Exclusive use of `folder`, made if it is not there; `setting` is where another can be chosen."""

    def __init__(self, folder: Path, setting: str = "exporters.clickhouse.dsn") -> None:
        self.folder, self._setting = folder, setting
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the folder; raises Unavailable with the pid of the process that has it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / "merit.pid").open("a+", encoding="ascii")
        except OSError as error:
            raise Unavailable(
                f"cannot use the folder {self.folder}: {error.strerror}; choose another in {self._setting}"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise Unavailable(
                f"the folder {self.folder} is in use by process {holder}: stop it, or choose another folder in {self._setting}"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go of the folder. Safe to call twice."""
        if self._file:
            self._file.close()
            self._file = None
