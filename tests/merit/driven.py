"""A whole Merit in a process of its own, into whose store trouble can be put and whose clock can be set.

`merit serve` holds its folder alone, so nobody else could rename a table beside it. Commands come by standard input, one JSON
object a line: `{"sql": …}` runs a statement or asks a question, `{"tick": seconds}` sets the clock on, or back.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from merit import clock, logs
from merit.program import Program, whereabouts
from merit.settings import load_here
from tests.merit.processes import Server

COMMAND = ("-m", "tests.merit.driven")


class Driven:
    """Such a process, from outside."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def sql(self, statement: str) -> Any:
        """What a statement returns, as a list of rows."""
        return self._ask({"sql": statement})

    def tick(self, seconds: float) -> None:
        """Set the clock on, or back."""
        self._ask({"tick": seconds})

    def _ask(self, command: dict[str, Any]) -> Any:
        process = self.server.process
        assert process.stdin
        assert process.stdout
        print(json.dumps(command), file=process.stdin, flush=True)
        answer = process.stdout.readline()
        assert answer, self.server.log
        return json.loads(answer)


@contextmanager
def driven(folder: Path, **environ: str) -> Iterator[Driven]:
    """One that is ready, killed at the end if it is still there."""
    server = Server(folder, command=COMMAND, **environ)
    try:
        server.wait_until_ready()
        yield Driven(server)
    finally:
        server.kill()


def main() -> None:
    """Run until standard input ends."""
    logs.to_stderr()
    log = logging.getLogger("merit")
    offset = timedelta()
    with Program(load_here(None), lambda: clock.now() + offset) as program:
        for line in whereabouts(program):
            log.info("ready: %s", line)
        for line in sys.stdin:
            said = json.loads(line)
            offset += timedelta(seconds=said.get("tick", 0))
            answer: list[Any] = []
            if "sql" in said and said["sql"].lstrip().startswith("SELECT"):
                answer = [list(row) for row in program.store.query(said["sql"]).iter_rows()]
            elif "sql" in said:
                program.store.command(said["sql"])
            sys.stdout.write(json.dumps(answer, default=str) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
