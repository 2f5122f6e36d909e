"""Putting a question to the store: one .sql file a question, its values bound by the server, every answer bounded."""

from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

import polars as pl

from processors.errors import Unavailable
from query_api.asking.kept import Kept
from query_api.asking.sums import Sums

Now = Callable[[], datetime]


def to_the_minute(now: Now) -> Now:
    """The beginning of this minute: what is added up is asked for as of then, so that an answer can be kept for a minute."""
    return lambda: now().replace(second=0, microsecond=0)


def to_the_next_minute(now: Now) -> Now:
    """The end of this minute: of what has begun nothing is left out."""
    return lambda: (now() - TICK).replace(second=0, microsecond=0) + timedelta(minutes=1)


TICK = timedelta(microseconds=1)


class Store(Protocol):
    """What the API needs of the store."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None, *, seconds: float | None = None) -> pl.DataFrame:
        """The answer to one SELECT, its placeholders bound by the server. It may take so many seconds."""

    def ping(self) -> None:
        """Return if the store answers, raise Unavailable if not."""


class Keep(Protocol):
    """Takes what was sent to the API into safety."""

    def __call__(self, table: str, rows: pl.DataFrame, /) -> None:
        """Keep `rows` of `table`: on return they are on disk and, unless the store is away, can be read. Raises Unavailable."""


class Ask(Protocol):
    """Puts a named question to the store."""

    def __call__(self, question: str, parameters: Mapping[str, Any], rows: int) -> pl.DataFrame:
        """The answer to `question`, a file in query_api/sql, of at most `rows` rows."""

    def soon(self, question: str, parameters: Mapping[str, Any], rows: int) -> Callable[[], pl.DataFrame]:
        """Ask beside this thread; what is returned waits for the answer. Not for `agent_statistics`, which does so itself."""

    def once(self, key: Hashable, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """What `make` works out of sums, once as long as they are the same. `key` says what of."""

    def one_state(self) -> AbstractContextManager[object]:
        """While it lasts, what this thread asks is of one state of the sums, which is asked for once."""


def asker(store: Store, seconds: float, kept: Kept | None = None) -> Ask:
    """Questions to `store` that may take `seconds` each. Those who share what is `kept` have an answer worked out once."""

    def ask(question: str, parameters: Mapping[str, Any], rows: int) -> pl.DataFrame:
        found = store.query(sql(question), parameters, seconds=seconds)
        if len(found) > rows:
            raise Unavailable(f"more than {rows:,} rows would have to be looked at: ask for less of it")
        return found

    return Sums(ask, kept or Kept())


@cache
def sql(question: str) -> str:
    """The text of query_api/sql/`question`.sql."""
    return (files("query_api") / "sql" / f"{question}.sql").read_text()
