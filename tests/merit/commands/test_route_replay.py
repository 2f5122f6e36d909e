"""`merit route replay`, as one calls it."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from merit.cli import app

SKILL = {"coding": {"ada": 0.9, "bob": 0.2, "cyd": 0.4}, "writing": {"ada": 0.3, "bob": 0.8, "cyd": 0.4}}
COST = {"ada": 0.05, "bob": 0.001, "cyd": 0.002}


def table(tasks: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    rows = [
        (agent, f"{category}-{number}", category, float(random.random() < rate), COST[agent], 2.0)
        for number in range(tasks)
        for category, rates in SKILL.items()
        for agent, rate in rates.items()
    ]
    return pl.DataFrame(rows, schema=["agent", "task_id", "category", "score", "cost_usd", "latency_s"], orient="row")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    table(40, 1).write_parquet(path := tmp_path / "outcomes.parquet")
    return path


def run(*words: object) -> dict:
    result = CliRunner().invoke(app, ["route", "replay", *map(str, words), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_pass_beats_the_best_single_agent_and_names_what_it_is_compared_with(file):
    found = run(file, "--seeds", 2)

    assert found["seeds"] == 2
    assert found["mean_score"] > found["references"]["best_single"]["mean_score"]
    assert list(found["references"]) == ["best_single", "random", "best_per_category", "oracle"]
    assert found["regret"] == pytest.approx((found["references"]["best_per_category"]["mean_score"] - found["mean_score"]) * 80)
    assert sum(found["choice_shares"].values()) == pytest.approx(1)
    assert found["mean_score_sd"] >= 0


def test_history_is_learnt_from_first(file, tmp_path):
    table(100, 2).write_csv(history := tmp_path / "history.csv")

    informed, ignorant = (run(file, "--seeds", 2, *more) for more in (("--history", history), ()))

    assert informed["mean_score"] > ignorant["mean_score"]


def test_a_profile_that_weighs_cost_spends_less(file):
    quality, cost = (run(file, "--seeds", 1, "--profile", profile)["cost_usd"] for profile in ("quality", "cost"))

    assert cost < quality


def test_the_same_seeds_come_to_the_same(file):
    assert run(file, "--seeds", 1) == run(file, "--seeds", 1)


@pytest.fixture
def unpriced(tmp_path) -> Path:
    """Only bob's costs are known."""
    cost = pl.when(pl.col("agent") == "bob").then("cost_usd").alias("cost_usd")
    table(20, 1).with_columns(cost).write_csv(path := tmp_path / "unpriced.csv")
    return path


def test_success_stands_in_for_a_score_and_costs_that_nobody_knows_are_null(tmp_path):
    renamed = table(20, 1).rename({"score": "success"}).drop("cost_usd", "latency_s")
    renamed.write_csv(path := tmp_path / "success.csv")

    found = run(path, "--seeds", 1, "--strategy", "greedy")

    assert found["cost_usd"] is None
    assert [each["cost_usd"] for each in found["references"].values()] == [None] * 4


def test_who_is_not_priced_does_not_look_free(unpriced):
    found = run(unpriced, "--seeds", 1)
    said = CliRunner().invoke(app, ["route", "replay", str(unpriced), "--seeds", "1"]).stdout

    assert found["references"]["best_single"] == {
        "mean_score": pytest.approx(0.6, abs=0.15), "cost_usd": None, "cost_known": 0.0, "agent": "ada"
    }  # fmt: skip
    assert found["references"]["random"]["cost_known"] == pytest.approx(1 / 3)
    assert found["cost_usd"] > 0
    assert 0 < found["cost_known"] < 1
    assert said.count("unknown │") == 1
    assert f"{found['cost_usd']:.2f} of {found['cost_known']:.1%}" in said
    assert "cost_usd is known of 40 of 120 outcomes" in said


def test_what_a_person_reads_names_the_references_and_the_shares(file):
    result = CliRunner().invoke(app, ["route", "replay", str(file), "--seeds", "1", "--keep-order"])

    assert result.exit_code == 0
    for word in ("best single (ada)", "best per category", "oracle", "regret against", "choices: "):
        assert word in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.csv"], "cannot be read"),
        (["FOLDER"], "Is a directory"),
        (["BYTES"], "a value of agent, task_id, category is no text"),
        (["outcomes.xlsx"], "give a .csv or a .parquet file"),
        (["FILE", "--strategy", "luck"], "there is no strategy 'luck': there are thompson, ucb, greedy, epsilon"),
        (["FILE", "--profile", "fast"], "there is no profile 'fast': there are quality, balanced"),
        (["FILE", "--history", "SUCCESS"], "must both have a score"),
    ],
)
def test_what_cannot_be_replayed_is_said_in_a_sentence(file, tmp_path, words, message):
    table(5, 1).rename({"score": "success"}).write_csv(success := tmp_path / "success.csv")
    (folder := tmp_path / "folder [1].csv").mkdir()
    table(5, 1).with_columns(category=pl.lit(b"\xff")).write_parquet(binary := tmp_path / "bytes.parquet")
    files = {"FILE": file, "SUCCESS": success, "FOLDER": folder, "BYTES": binary}
    words = [str(files.get(word, word)) for word in words]

    result = CliRunner().invoke(app, ["route", "replay", *words])

    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", "")
