"""The documents say what there is: every setting with its default, every route, every command, every link and target."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr
from typer.main import get_command

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from merit.cli import app
from merit.settings import Settings
from processors.cost_settings import PriceOverride
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.examples import ROOT, blocks
from tests.running import eventually, serving

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for folder in (ROOT, ROOT / "docs", ROOT / "deploy") for path in folder.glob("*.md")
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def text(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def leaves(section: BaseModel, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting with its default."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{at}{name}.")
        else:
            yield f"{at}{name}", value


def written(default: Any) -> str:
    """A default as it stands in the documents, which is as it would stand in YAML."""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, tuple):
        default = list(default)
    return f"{default:g}" if isinstance(default, float) else default if isinstance(default, str) else json.dumps(default)


def commands(command: Any, name: str) -> Iterator[str]:
    """The full name of every command that does something."""
    below = getattr(command, "commands", {})
    if not below:
        yield name
    for word, each in below.items():
        yield from commands(each, f"{name} {word}")


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    store = Store(ClickHouseSettings())  # never opened: describing the API asks nothing
    document: dict[str, Any] = create_app(
        store, store.insert, QueryApiSettings(), lambda: datetime(2026, 1, 5, tzinfo=UTC), Condition()
    ).openapi()
    return document


def test_every_setting_is_documented_with_its_default() -> None:
    rows = {f"| `{name}` | `{written(default)}` |" for name, default in leaves(Settings())}

    assert {row for row in rows if row not in text("docs/configuration.md")} == set()


def test_every_setting_that_is_documented_exists() -> None:
    documented = set(re.findall(r"^\| `([a-z_]+\.[a-z_.]+)` \| `", text("docs/configuration.md"), re.MULTILINE))

    assert documented == {name for name, _ in leaves(Settings())}


def test_every_part_of_a_price_is_documented() -> None:
    assert {name for name in PriceOverride.model_fields if f"| `{name}` |" not in text("docs/configuration.md")} == set()


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    documented = set(re.findall(r"^\| `GET (/[^`]*)` \|", text("docs/querying.md"), re.MULTILINE))

    assert documented == {path for path, methods in described()["paths"].items() if "get" in methods}


def test_every_filter_is_documented() -> None:
    names = {
        one["name"] for methods in described()["paths"].values() for how in methods.values() for one in how.get("parameters", [])
    }

    assert {name for name in names if not re.search(rf"\b{name}\b", text("docs/querying.md"))} == set()


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    there = set(commands(get_command(app), "merit"))
    rows = re.findall(r"^\| `(merit [^`]*)` \|", text("docs/configuration.md"), re.MULTILINE)

    assert {command for command in there if not any(row.startswith(command) for row in rows)} == set()
    assert {row for row in rows if not any(row.startswith(command) for command in there)} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    folder = (ROOT / document).parent
    local = [link for link in LINK.findall(text(document)) if "://" not in link]
    targets = [(folder / link.partition("#")[0] if link[0] != "#" else ROOT / document, link.partition("#")[2]) for link in local]

    assert [str(path) for path, _ in targets if not path.exists()] == []
    assert [anchor for path, anchor in targets if anchor and anchor not in anchors(path)] == []


def anchors(path: Path) -> set[str]:
    """The anchors that headings make, as on GitHub."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_make_target_that_is_mentioned_exists() -> None:
    there = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    mentioned = {target for document in DOCUMENTS for target in re.findall(r"(?:`|^)make ([a-z]+)", text(document), re.MULTILINE)}

    assert {"demo", "test"} <= mentioned <= there


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name.startswith("docs/")])
def test_examples_of_settings_are_accepted(document: str) -> None:
    for example in blocks(document, "yaml"):
        Settings.model_validate(yaml.safe_load(example))


@pytest.mark.parametrize("document", ["README.md", "docs/querying.md"])
def test_examples_of_answers_name_fields_that_there_are(document: str) -> None:
    schemas = json.dumps(described())

    for example in blocks(document, "json"):
        assert {key for key in keys(json.loads(example)) if f'"{key}"' not in schemas} - {"…"} == set()


def keys(value: Any) -> Iterator[str]:
    """Every key in a JSON value."""
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(part)


def test_the_agents_of_the_examples_arrive(tmp_path: Path) -> None:
    with serving(tmp_path) as merit:
        for document in ("README.md", "docs/instrumenting.md"):
            (source,) = blocks(document, "python")
            subprocess.run([sys.executable, "-c", source.replace("127.0.0.1:4317", merit.grpc)], check=True, timeout=60)
        eventually(lambda: len(merit.get("/v1/tasks?status=succeeded")["tasks"]) == 2 or None)
        costs = {one["agent_name"]: one["total_cost_usd"] for one in merit.get("/v1/agents")["agents"]}

    # editor: 1,000 × 0.15 $ and 100 × 0.60 $ per million; analyst: 176 × 2.50 $, 1,024 cached × 1.25 $, 80 × 10 $
    assert costs == {"editor": pytest.approx(0.00021), "analyst": pytest.approx(0.00252)}
