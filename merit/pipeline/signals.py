"""Logs and metrics on their way from the journal into the store: who takes which kind of row."""

from functools import partial

import polars as pl

from exporters.evaluations import store_said
from exporters.signals import store_logs, store_points
from exporters.store import Store
from processors.otlp_evaluations import of_logs
from processors.signal_frames import METRICS
from processors.telemetry import Instruments
from receiver.storing import Consume


def signal_consumers(store: Store, instruments: Instruments | None = None) -> dict[str, Consume]:
    """Who stores log records, the evaluations in them, and the data points of each kind of metric.

    The same rows under the same token are stored once; rows that come again in other company replace themselves.
    """
    count = (instruments or Instruments()).evaluations

    def logs(records: pl.DataFrame, token: str) -> None:
        store_logs(store, records, token)
        store_said(store, of_logs(records), "logs", count)

    def points(kind: str, rows: pl.DataFrame, token: str) -> None:
        store_points(store, kind, rows, token)

    return {"logs": logs, **{kind: partial(points, kind) for kind in METRICS}}
