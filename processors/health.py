"""Is it failing now? Told from what was finished lately, and never from a few tries: silence and bad luck are no illness."""

from datetime import timedelta

import polars as pl

DEGRADED = 0.2
"""More failures than this share are too many."""
FAILING = 0.4
"""More than this share: leave it alone for now."""

CALLS_WITHIN = timedelta(minutes=15)
"""Model calls that tell how a provider or a model is now."""
LEAST_CALLS = 20
"""With fewer calls than this nobody knows."""

TASKS_WITHIN = timedelta(hours=1)
"""Tasks that tell how an agent is now."""
LEAST_TASKS = 5
"""With fewer finished tasks than this nobody knows."""


def health(finished: str, failed: str, least: int) -> pl.Expr:
    """How something is now: a struct of `status` (`healthy`, `degraded`, `failing`, null: unknown), `error_rate` and counts.

    Args:
        finished: the column of what ended lately; null is 0.
        failed: the column of what of it failed.
        least: with fewer than these `status` is null.
    """
    tries, failures = pl.col(finished).fill_null(0), pl.col(failed).fill_null(0)
    rate = pl.when(tries > 0).then(failures / tries)
    status = (
        pl.when(tries < least)
        .then(None)
        .when(rate > FAILING)
        .then(pl.lit("failing"))
        .when(rate > DEGRADED)
        .then(pl.lit("degraded"))
        .otherwise(pl.lit("healthy"))
    )
    return pl.struct(status=status, error_rate=rate, finished=tries, failed=failures).alias("health")


def weight(health: str, succeeded: str, calls: str) -> pl.Expr:
    """The share of calls to send where: in proportion to the chance of success, halved where degraded, none where failing.

    The chance is (succeeded + 10 · mean) / (calls + 10), the mean over all: few calls say little. Where all are failing the
    least bad ones are needed still, and only the chance counts. Sums to 1.
    """
    done, tries = pl.col(succeeded), pl.col(calls)
    mean = done.sum() / tries.sum()
    chance = (done + PSEUDO_CALLS * mean) / (tries + PSEUDO_CALLS)
    status = pl.col(health).struct.field("status")
    worth = pl.when(status == "failing").then(0.0).when(status == "degraded").then(chance / 2).otherwise(chance)
    used = pl.when(worth.sum() > 0).then(worth).otherwise(chance)
    return pl.when(used.sum() > 0).then(used / used.sum()).otherwise(1 / pl.len()).alias("recommended_weight")


PSEUDO_CALLS = 10
