"""Imports run one way, and what reaches outside does so in one file: checked here, and the check itself is proven to fail."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "processors": set(),
    "receiver": {"processors"},
    "exporters": {"processors"},
    "query_api": {"processors"},
    "merit": {"processors", "receiver", "exporters", "query_api"},
}
"""merit → query_api, receiver, exporters → processors."""

ONE_FILE = {
    "clickhouse_connect": "exporters/store.py",
    "os.environ": "merit/settings/__init__.py",
    "os.environb": "merit/settings/__init__.py",
    "os.getenv": "merit/settings/__init__.py",
    "datetime.datetime.now": "merit/clock.py",
    "datetime.datetime.today": "merit/clock.py",
    "datetime.datetime.utcnow": "merit/clock.py",
    "datetime.date.today": "merit/clock.py",
    "time.time": "merit/clock.py",
    "time.time_ns": "merit/clock.py",
}
"""What is used in one file only, and in which."""

IN_FOLDERS = ("merit", "query_api")
"""Packages whose folders import one way as well."""


def violations(root: Path) -> list[str]:
    """Every breach below `root`, as `file:line: what`."""
    files = sorted(path for package in MAY_IMPORT for path in (root / package).rglob("*.py"))
    return [found for path in files for found in breaches(path.relative_to(root), ast.parse(path.read_text("utf-8")))]


def breaches(file: Path, tree: ast.Module) -> Iterator[str]:
    """Every breach in one file."""
    package = file.parts[0]
    for line, name in (*imported(tree), *used(tree)):
        top = name.partition(".")[0]
        if top in MAY_IMPORT and top not in {package, *MAY_IMPORT[package]}:
            yield f"{file}:{line}: {package} may not import {top}"
        place = next((where for what, where in ONE_FILE.items() if f"{name}.".startswith(f"{what}.")), None)
        if place and place != file.as_posix():
            yield f"{file}:{line}: {name} belongs into {place} alone"


def circle(root: Path) -> list[str]:
    """Folders, and files beside them, as `package/name`, each imported by the next; empty if none leads back to itself."""
    files = {path.relative_to(root) for package in IN_FOLDERS for path in (root / package).rglob("*.py")}
    known: dict[str, set[str]] = {}
    for path in files:
        names = {name.replace(".", "/") for _, name in imported(ast.parse((root / path).read_text("utf-8")))}
        known.setdefault(part(path), set()).update(part(Path(name)) for name in names if name.startswith(IN_FOLDERS))
    try:
        TopologicalSorter({one: others - {one} for one, others in known.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def part(path: Path) -> str:
    """The first folder or file below a package that `path` leads through."""
    return "/".join(path.with_suffix("").parts[:2])


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of all that is imported, wherever in the file, also for type checkers only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of every attribute of something imported, under whatever name it was imported."""
    known = dict(bindings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := dotted(node)):
            first, _, rest = name.partition(".")
            if first in known:
                yield node.lineno, f"{known[first]}.{rest}"


def bindings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names that imports bind, with what they stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def dotted(node: ast.expr) -> str:
    """`a.b.c` as text; empty if it does not begin with a name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def test_imports_run_one_way_and_the_outside_is_reached_in_one_file_each() -> None:
    assert violations(ROOT) == []


def test_no_folder_leads_back_to_itself() -> None:
    assert circle(ROOT) == []


def test_a_circle_of_folders_is_found(tmp_path: Path) -> None:
    for file, source in (("merit/a/one.py", "from merit.b import two"), ("merit/b/two.py", "import merit.a.other")):
        path = tmp_path / file
        path.parent.mkdir(parents=True)
        path.write_text(source)

    assert set(circle(tmp_path)) == {"merit/a", "merit/b"}


def test_every_package_of_the_wheel_is_checked() -> None:
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == {*MAY_IMPORT, "tests"}


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("processors/a.py", "import exporters.store", "processors may not import exporters"),
        ("receiver/a.py", "from exporters.store import Store", "receiver may not import exporters"),
        ("receiver/a.py", "from query_api import app", "receiver may not import query_api"),
        ("exporters/deep/a.py", "import merit.settings", "exporters may not import merit"),
        ("query_api/a.py", "def late():\n    from receiver import decode", "query_api may not import receiver"),
        (
            "query_api/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from exporters.store import Store",
            "query_api may not import exporters",
        ),
        ("merit/a.py", "import clickhouse_connect", "clickhouse_connect belongs into exporters/store.py"),
        ("exporters/a.py", "from clickhouse_connect.driver import Client", "clickhouse_connect.driver.Client belongs into"),
        ("merit/cli.py", "import os\nos.environ['X']", "os.environ belongs into merit/settings/__init__.py"),
        ("receiver/a.py", "from os import environ as e", "os.environ belongs into merit/settings/__init__.py"),
        ("merit/a.py", "import os as system\nsystem.getenv('X')", "os.getenv belongs into merit/settings/__init__.py"),
        ("merit/a.py", "from datetime import datetime\ndatetime.now()", "datetime.datetime.now belongs into merit/clock.py"),
        ("merit/a.py", "import datetime as dt\ndt.datetime.utcnow()", "datetime.datetime.utcnow belongs into merit/clock.py"),
        ("merit/a.py", "from datetime import date as day\nday.today()", "datetime.date.today belongs into merit/clock.py"),
        ("processors/a.py", "import time\ntime.time()", "time.time belongs into merit/clock.py"),
        ("processors/a.py", "from time import time_ns", "time.time_ns belongs into merit/clock.py"),
    ],
)
def test_each_breach_is_reported(tmp_path: Path, file: str, source: str, complaint: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)

    assert any(complaint in found for found in violations(tmp_path))


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("merit/a.py", "import receiver, exporters.store, query_api, processors"),
        ("receiver/a.py", "from processors.errors import Rejected\nfrom receiver.decode import decode"),
        ("exporters/store.py", "import clickhouse_connect"),
        ("merit/settings/__init__.py", "import os\nos.environ"),
        ("merit/clock.py", "from datetime import datetime\ndatetime.now()"),
        ("receiver/a.py", "import time\ntime.monotonic()\nimport os\nos.path.join('a')"),
        ("processors/a.py", "def step(now):\n    return now()"),
    ],
)
def test_what_is_allowed_is_not_reported(tmp_path: Path, file: str, source: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)

    assert violations(tmp_path) == []
