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
        (GOOD.with_columns(latency_s=pl.lit(float("inf"))), "latency_s is inf somewhere: leave it empty"),
        (GOOD.with_columns(complexity=pl.lit(1e30)), "complexity is 1e\\+30 somewhere"),
        (GOOD.with_columns(category=pl.lit(None, pl.String)), "category is empty in 3 rows"),
        (pl.concat([GOOD, GOOD]), "3 rows repeat an agent and a task_id"),
        (GOOD.with_columns(score=pl.lit(None, pl.Float64)), "no outcome"),
        (GOOD.with_columns(agent=pl.struct("agent", "score")), "agent"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(table, message):
    with pytest.raises(Rejected, match=message):
        outcomes(table, "file")
