"""`merit route whatif`, as one calls it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, json
from datetime import datetime, timedelta, UTC
from fastapi.testclient import TestClient
from exporters.settings import ClickHouseSettings
from exporters.store import Store
from query_api.web.app import create_app
from query_api.web.health import Condition
from query_api.settings import QueryApiSettings

now = datetime.now(UTC)
with Store(ClickHouseSettings.model_validate({"dsn": sys.argv[1]})) as store:
    app = create_app(store, store.insert, QueryApiSettings(), lambda: now, Condition(dict))
    with TestClient(app) as client:
        for number in range(30 if sys.argv[2] == "known" else 2):
            made = client.post("/v1/route", json={"category": "x", "candidates": ["a", "b"]}).json()
            if sys.argv[2] == "known":
                said = {"success": made["agent_id"] == "a", "cost_usd": 0.01}
                client.post(f"/v1/route/decisions/{made['decision_id']}/outcome", json=said).raise_for_status()
"""


def whatif(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "merit.yaml").write_text(f"exporters: {{clickhouse: {{dsn: 'chdb://{folder}/data'}}}}")
    command = [sys.executable, "-m", "merit", "route", "whatif", "--config", str(folder / "merit.yaml"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def decided(folder: Path, outcomes: str) -> None:
    subprocess.run([sys.executable, "-c", SCRIPT, f"chdb://{folder}/data", outcomes], check=True, timeout=100)


def test_another_strategy_is_judged_on_stored_decisions(tmp_path):
    decided(tmp_path, "known")

    found = json.loads(whatif(tmp_path, "--strategy", "epsilon", "--json").stdout)

    assert (found["strategy"], found["decisions"]) == ("epsilon", 30)
    assert 0 <= found["self_normalised"]["value"] <= 1
    assert found["cost_usd"] == pytest.approx(0.01)
    assert "doubly robust" in whatif(tmp_path).stdout


def test_without_outcomes_it_says_what_to_do(tmp_path):
    decided(tmp_path, "unknown")

    result = whatif(tmp_path)

    assert result.returncode == 2
    assert "put merit.decision.id on the spans" in result.stderr.replace("\n", " ")
    assert "--days goes further back" in result.stderr.replace("\n", " ")
