"""Log records and data points into the store, as they came."""

import polars as pl

from exporters.by_day import store_by_day
from exporters.store import Store
from processors.signal_frames import LOGS, METRICS


def store_logs(store: Store, logs: pl.DataFrame, token: str = "") -> None:
    """Insert log records, columns LOGS."""
    store_by_day(store, "otel_logs", logs, LOGS, "Timestamp", token)


def store_points(store: Store, kind: str, points: pl.DataFrame, token: str = "") -> None:
    """Insert the data points of a kind of metric, columns METRICS[kind]."""
    store_by_day(store, f"otel_metrics_{kind}", points, METRICS[kind], "TimeUnix", token)
