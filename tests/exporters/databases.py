"""Databases beside the one that the tests share, in the same engine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import clickhouse_connect
import polars as pl

from exporters.settings import ClickHouseSettings
from exporters.store import chdb_folder
from processors.errors import Unavailable


class Database:
    """What a migration needs, on an empty database; it fails when `statements` have run."""

    def __init__(self, folder: str, name: str) -> None:
        self.client = clickhouse_connect.get_client(interface="chdb", path=folder, database=name)
        self.name = name
        self.left: int | None = None
        self.ran: list[str] = []

    def fail_after(self, statements: int | None) -> None:
        self.left = statements

    def _count(self, sql: str) -> None:
        if self.left == 0:
            raise Unavailable("gone")
        self.left = self.left - 1 if self.left else self.left
        self.ran.append(sql)

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        self._count(sql)
        self.client.command(sql, parameters=dict(parameters or {}))

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        found = pl.from_arrow(self.client.query_arrow(sql, parameters=dict(parameters or {})))
        assert isinstance(found, pl.DataFrame)
        return found

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        self._count(f"INSERT INTO {table}")
        self.client.insert_arrow(table, frame.to_arrow())


@contextmanager
def fresh_database(settings: ClickHouseSettings) -> Iterator[Database]:
    """An empty database in the engine on the folder of `settings`, which is open."""
    folder, name = str(chdb_folder(settings)), f"other_{uuid4().hex}"
    with clickhouse_connect.get_client(interface="chdb", path=folder) as bare:
        bare.command(f"CREATE DATABASE {name} ENGINE = Atomic")
        database = Database(folder, name)
        yield database
        database.client.close()
        bare.command(f"DROP DATABASE {name}")
