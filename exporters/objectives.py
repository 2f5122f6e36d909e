"""The objectives that people have edited, out of the store."""

import polars as pl

from exporters.store import Store
from exporters.traces import question
from processors.objectives.objectives import MOST, OBJECTIVES


def edited_objectives(store: Store) -> pl.DataFrame:
    """A row each, columns OBJECTIVES, at most MOST."""
    return store.query(question("objectives"), {"limit": MOST}).select(OBJECTIVES.keys())
