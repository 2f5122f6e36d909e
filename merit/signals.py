"""Logs and metrics on their way from the journal into the store: who takes which kind of row."""

from functools import partial

import polars as pl

from exporters.signals import store_logs, store_points
from exporters.store import Store
from processors.signal_frames import METRICS
from receiver.storing import Consume


def signal_consumers(store: Store) -> dict[str, Consume]:
    """Who stores log records, and the data points of each kind of metric.

    The same rows under the same token are stored once; rows that come again in other company replace themselves.
    """

    def logs(records: pl.DataFrame, token: str) -> None:
        store_logs(store, records, token)

    def points(kind: str, rows: pl.DataFrame, token: str) -> None:
        store_points(store, kind, rows, token)

    return {"logs": logs, **{kind: partial(points, kind) for kind in METRICS}}
