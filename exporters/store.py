"""The one object that talks to ClickHouse or chDB.

clickhouse-connect speaks to both through one client class, so nothing here knows which engine it has, except for how
it is opened. A client serialises its calls: each thread gets one of its own.
"""

import logging
import threading
import time
import weakref
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import timedelta
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import polars as pl
import polars.selectors as cs
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from exporters.folder import FolderLock
from exporters.schema import migrations
from exporters.settings import ClickHouseSettings
from processors.errors import MeritError, Rejected, Unavailable
from processors.telemetry import Counter as Metric
from processors.telemetry import Instruments

log = logging.getLogger(__name__)

DATABASE = "merit"

INSERT: dict[str, Any] = {
    "optimize_on_insert": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_insert_threads": 1,
}
"""Rows are replaced by merges, not while they are inserted: that costs more than half of an insert's CPU. What is inserted
again, because a process died before it knew, is completed in the tables that views fill. All rows of an insert have one
`stored_at`: each thread would have its own."""

ENDLESS = 0.0
"""Questions are ended when they take too long; what is written is not."""

READ = {"optimize_move_to_prewhere_if_final": 1}
"""What is chosen by the sorting key is chosen before the newest of several rows is looked for: they share their key."""

WRONG_FOREVER = frozenset({6, 27, 36, 41, 43, 44, 46, 53, 62, 69, 70, 72, 117, 128, 131, 321, 349, 407, 456, 457})
"""ClickHouse error codes of input that will always fail: it does not parse, does not fit its type. A table or a column that
is not there (16, 47, 60) is none: that is no fault of what is asked or inserted, and it may be there again."""

CONNECT_SECONDS = 5
OVERTIME_SECONDS = 10
"""How much longer than the longest query a server may be silent until it counts as away."""


class Store:
    """Opens the database, brings its tables up to date, inserts frames and answers questions.

    Args:
        settings: where the data live and how long they are kept.
        instruments: count what fails.

    Raises:
        Unavailable: the server does not answer, or another process holds the folder.
    """

    def __init__(self, settings: ClickHouseSettings, instruments: Instruments | None = None) -> None:
        self._settings = settings
        self._errors = (instruments or Instruments()).store_errors
        self._inserts: Counter[str] = Counter()
        self._local = threading.local()
        self._handles: weakref.WeakSet[Handle] = weakref.WeakSet()
        self._guard = threading.Lock()
        self._awaited = False
        self._lock = FolderLock(folder) if (folder := chdb_folder(settings)) else None
        self._database = DATABASE if self._lock else urlsplit(self._dsn).path.strip("/") or "default"
        for name in ("clickhouse_connect", "urllib3.connectionpool"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what they log they raise too

    @property
    def is_server(self) -> bool:
        """Whether it is a server, which may be away, and come."""
        return self._lock is None

    @property
    def _dsn(self) -> str:
        return self._settings.dsn.get_secret_value()

    def open(self) -> Self:
        """Take the folder, create what is missing, bring the schema up to date and set the retention."""
        with ExitStack() as undo:
            if self._lock:
                self._lock.acquire()
            undo.callback(self.close)
            bare = self._connect(database=None)
            engine = " ENGINE = Atomic" if self._lock else ""
            bare.command("CREATE DATABASE IF NOT EXISTS {name:Identifier}" + engine, parameters={"name": self._database})
            bare.close()
            self._local.handle = self._handle()
            migrations.migrate(self)
            migrations.set_durability(self)
            migrations.set_retention(self, self._settings.retention)
            self._bound_system_logs()
            undo.pop_all()
        self._awaited = False
        return self

    def refuse(self) -> None:
        """Answer every call with Unavailable until `open` has succeeded: the tables may not be there, or half of them."""
        self._awaited = True

    def insert(self, table: str, frame: pl.DataFrame, *, token: str = "") -> None:
        """Insert `frame`, whose columns are named as in `table`; on return its rows are stored.

        Args:
            table: a table of the schema.
            frame: any number of rows. Those of one insert must lie within few days (`store_by_day` goes day by day).
            token: a retry with the same token and rows stores nothing twice.

        Raises:
            Rejected: the store will never take these rows.
            Unavailable: the store cannot take them now.
        """
        if frame.is_empty():
            return
        settings = {"insert_deduplication_token": token} if token else None
        try:
            with translated(f"insert into {table}", self._errors):
                self._client(ENDLESS).insert_arrow(table, frame.to_arrow(), settings=settings)
        finally:  # what has failed may have stored something
            with self._guard:
                self._inserts[table] += 1

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None, *, seconds: float | None = None) -> pl.DataFrame:
        """The answer to `sql` as a frame; `{name:Type}` in it are bound by the server from `parameters`.

        Args:
            sql: one SELECT.
            parameters: values for the placeholders; a sequence binds to an Array.
            seconds: how long it may take, unless the settings of the store are to say.
        """
        with translated("query", self._errors):
            client = self._client(self._settings.query_seconds if seconds is None else seconds)
            try:
                table: pa.Table = client.query_arrow(sql, parameters=dict(parameters or {}))
            except Exception:
                self._rinse(client)
                raise
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        # A column declared without a zone comes back in the server's own, which is the same instant.
        return frame.with_columns(cs.datetime(time_zone="*").dt.convert_time_zone("UTC"))

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns nothing, such as DDL."""
        with translated("command", self._errors):
            self._client(ENDLESS).command(sql, parameters=dict(parameters or {}))

    def changes(self, table: str = "") -> int:
        """A number that is another one whenever something may have been inserted, into this table if one is named.

        Into a server others may insert at any time.
        """
        if not self._lock:
            return time.monotonic_ns()
        with self._guard:
            return self._inserts[table] if table else self._inserts.total()

    def ping(self) -> None:
        """Return if the store answers; raise Unavailable if not."""
        self.query("SELECT 1", seconds=5)

    def close(self) -> None:
        """Close every client and let go of the folder. Safe to call twice."""
        with self._guard:
            for handle in list(self._handles):
                handle.close()
            self._local = threading.local()
        if self._lock:
            self._lock.release()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _bound_system_logs(self) -> None:
        try:
            migrations.bound_system_logs(self, self._settings.system_log_days)
        except MeritError as error:
            log.warning("the logs that ClickHouse keeps of itself are not bounded, for this user cannot do it: %s", error)

    def _client(self, seconds: float) -> Client:
        """This thread's client, whose calls may take so long."""
        handle: Handle | None = getattr(self._local, "handle", None)
        if handle is None:
            if self._awaited:
                raise Unavailable("the store has not answered yet", retry_after=timedelta(seconds=5))
            self._local.handle = handle = self._handle()
        return handle.lasting(seconds)

    @property
    def _session(self) -> dict[str, Any]:
        """What holds for every call of a client, but that `max_execution_time` stays what the call before needed.

        What a call sets for itself makes it 4 ms longer on the embedded engine, which is asked what was set before, told what is
        to be, and told to go back; to set it for good takes 0.1 ms.
        """
        return {"session_timezone": "UTC", "max_execution_time": self._settings.query_seconds} | INSERT | READ

    def _rinse(self, client: Client) -> None:
        """Take away what a failed query had begun to answer: on chDB it would stand before the next answer of this client."""
        if self._lock:
            with suppress(ClickHouseError):  # that the query has failed is told anyhow
                client.raw_query("SELECT 1", fmt="TabSeparated")

    def _handle(self) -> "Handle":
        handle = Handle(self._connect(self._database), self._settings.query_seconds)
        with self._guard:
            self._handles.add(handle)
        return handle

    def _connect(self, database: str | None) -> Client:
        session = self._session
        if self._lock:
            with translated("open the store", self._errors):
                return clickhouse_connect.get_client(
                    interface="chdb",
                    path=str(self._lock.folder),
                    database=database,
                    settings=session,
                    chdb_options=engine_options(self._settings.memory_mib << 20),
                )
        url = urlsplit(self._dsn)
        secure = url.scheme == "clickhouses"
        port = url.port or (8443 if secure else 8123)
        with translated(f"open the store at {url.hostname}:{port}", self._errors):
            return clickhouse_connect.get_client(
                host=url.hostname,
                port=port,
                username=unquote(url.username or "default"),
                password=unquote(url.password or ""),
                secure=secure,
                database=database or "default",
                settings=session,
                autogenerate_session_id=False,
                connect_timeout=CONNECT_SECONDS,
                send_receive_timeout=ceil(self._settings.query_seconds) + OVERTIME_SECONDS,
            )


def engine_options(memory: int) -> dict[str, int]:
    """How the embedded engine stays within so many bytes: its own defaults are nine tenths of the machine, and 5 GiB a cache."""
    return {
        "max_server_memory_usage": memory,
        "merges_mutations_memory_usage_soft_limit": memory // 2,
        "mark_cache_size": memory // 16,
        "index_mark_cache_size": memory // 16,
        "query_condition_cache_size": memory // 64,
    }


class Handle:
    """One thread's client: closed when the store is, or when the thread has ended.

    Args:
        client: with its settings.
        seconds: how long its calls may take by these.
    """

    def __init__(self, client: Client, seconds: float) -> None:
        self._client, self._seconds = client, seconds
        self.close = weakref.finalize(self, client.close)

    def lasting(self, seconds: float) -> Client:
        """The client, after seeing to it that a call may take so long; endless if 0."""
        if seconds != self._seconds:
            self._client.set_client_setting("max_execution_time", seconds)
            self._seconds = seconds
        return self._client


def chdb_folder(settings: ClickHouseSettings) -> Path | None:
    """The folder of the embedded engine; None if the store is a server. `/./x` and `/../x` are relative to here."""
    url = urlsplit(settings.dsn.get_secret_value())
    if url.scheme != "chdb":
        return None
    path = unquote(url.path)
    return Path(path.lstrip("/") if path.lstrip("/").startswith(("./", "../")) else "/" + path.lstrip("/")).resolve()


class translated:
    """Turn the client's exceptions into `Rejected` or `Unavailable`, saying what was being done, and count them."""

    def __init__(self, doing: str, errors: Metric) -> None:
        self._doing = doing
        self._errors = errors

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, ClickHouseError | OSError):
            self._errors(1, doing=self._doing)
        if isinstance(error, ClickHouseError):
            message = f"{self._doing}: {words_of(error)}"
            if getattr(error, "code", None) in WRONG_FOREVER:
                raise Rejected(message) from error
            raise Unavailable(message, retry_after=timedelta(seconds=5)) from error
        if isinstance(error, OSError):
            raise Unavailable(f"{self._doing}: {words_of(error)}", retry_after=timedelta(seconds=5)) from error


def words_of(error: BaseException) -> str:
    """What ClickHouse said, in a line; where nothing was said, what the network did, without what the client makes of it."""
    innermost = error
    while deeper := innermost.__cause__ or innermost.__context__:
        innermost = deeper
    if isinstance(innermost, OSError) and getattr(error, "code", None) is None:
        return innermost.strerror or str(innermost) or type(innermost).__name__
    return str(error).splitlines()[0] if str(error) else type(error).__name__
