import polars as pl
import pytest

from processors.errors import Rejected
from processors.routing.outcomes import outcomes
from processors.routing.replay import references

GOOD = pl.DataFrame(
    {
        "agent": ["a", "b", "a"],
        "task_id": ["t1", "t1", "t2"],
        "category": ["x", "x", "y"],
        "score": [0.5, 1.0, None],
        "cost_usd": [0.1, None, 0.3],
    }
)


def test_a_table_becomes_a_matrix_of_tasks_and_agents():
    found = outcomes(GOOD, "file")

    assert found.agents == ["a", "b"]
    assert found.categories == ["x", "y"]
    assert found.score[0].tolist() == [0.5, 1.0]
    assert str(found.score[1].tolist()) == "[nan, nan]"
    assert found.cost_usd[0, 0] == 0.1
    assert not found.is_success


def test_an_agent_at_random_costs_what_those_cost_whose_outcome_is_known():
    known = GOOD.with_columns(score=pl.Series([None, 1.0, 0.5]), cost_usd=pl.Series([5.0, 0.2, 0.3]))

    assert references(outcomes(known, "file"))["random"].cost_usd == pytest.approx(0.5)


def test_what_is_known_of_a_references_costs_is_summed_up_with_the_part_of_the_tasks_that_it_is_of():
    """a alone did t2; t1 is done best by b, whose cost nobody knows."""
    known = GOOD.with_columns(score=pl.Series([0.5, 1.0, 0.5]))

    found = references(outcomes(known, "file"))

    assert {name: (each.cost_usd, each.cost_known) for name, each in found.items()} == {
        "best_single": (0.3, 0.5),
        "random": (pytest.approx(0.1 / 2 + 0.3), 0.75),
        "best_per_category": (0.3, 0.5),
        "oracle": (0.3, 0.5),
    }
    cheaper = references(outcomes(known.with_columns(score=pl.Series([0.5, 0.1, 0.5])), "file"))
    assert {name: (each.cost_usd, each.cost_known) for name, each in cheaper.items()} == {
        "best_single": (0.4, 1),
        "random": (pytest.approx(0.1 / 2 + 0.3), 0.75),
        "best_per_category": (0.4, 1),
        "oracle": (0.4, 1),
    }


def test_where_no_cost_is_known_none_is_told():
    nothing = references(outcomes(GOOD.with_columns(cost_usd=pl.lit(None, pl.Float64)), "file"))

    assert {(each.cost_usd, each.cost_known) for each in nothing.values()} == {(None, 0)}


def test_beside_a_score_success_is_not_looked_at():
    found = outcomes(GOOD.with_columns(success=pl.lit(0)), "file")

    assert not found.is_success
    assert found.score[0].tolist() == [0.5, 1.0]


def test_success_as_a_boolean_will_do():
    found = outcomes(GOOD.drop("score").with_columns(success=pl.Series([True, False, True])), "file")

    assert found.is_success
    assert found.score[0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (GOOD.drop("agent"), "no column agent; there are task_id"),
        (GOOD.drop("score"), "no column score or success"),
        (GOOD.clear(), "no rows"),
        (GOOD.with_columns(score=pl.lit("good")), "is no number"),
        (GOOD.with_columns(score=pl.lit(7.0)), "must lie between 0 and 1; found 7"),
        (GOOD.with_columns(score=pl.lit(float("nan"))), "must lie between 0 and 1"),
        (
            GOOD.with_columns(latency_s=pl.lit(float("inf"))),
            r"latency_s must lie between 0 and 1e\+12; found inf in row 1 \(a on t1\) and in 2 more rows: leave it empty",
        ),
        (
            GOOD.with_columns(complexity=pl.Series([None, 1e30, 3])),
            r"complexity must be a whole number from 1 to 5; found 1e\+30 in row 2 \(b on t1\): leave it empty",
        ),
        *(
            (
                GOOD.with_columns(complexity=pl.Series([1.0, float("nan"), odd])),
                rf"from 1 to 5; found {odd:g} in row 3 \(a on t2\)",
            )
            for odd in (2.5, 7.0, -1.0, 0.0)
        ),
        (
            GOOD.with_columns(cost_usd=pl.Series([0.1, None, -5.0])),
            r"cost_usd must lie between 0 and 1e\+12; found -5 in row 3 \(a on",
        ),
        (
            GOOD.with_columns(latency_s=pl.Series([0.0, -0.1, 2.0])),
            r"latency_s must lie between .* found -0.1 in row 2 \(b on t1\): ",
        ),
        (
            GOOD.with_columns(category=pl.Series(["x", "z", "y"])),
            r"row 2 \(b on t1\) puts task_id t1 in category z, a row before it in x: a task has one category",
        ),
        (GOOD.with_columns(category=pl.lit(None, pl.String)), "category is empty in 3 rows"),
        (pl.concat([GOOD, GOOD]), "3 rows repeat an agent and a task_id"),
        (GOOD.with_columns(score=pl.lit(None, pl.Float64)), "no outcome"),
        (GOOD.with_columns(agent=pl.struct("agent", "score")), "agent"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(table, message):
    with pytest.raises(Rejected, match=message):
        outcomes(table, "file")
