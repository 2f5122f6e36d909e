"""What scoring reads and stores of model calls: by task, minute, model and provider."""

from datetime import datetime

from exporters.looks import Stretch, bounds, stamp
from exporters.scores import minutes_of
from exporters.store import Store
from exporters.traces import question

PROFILE = "default"
"""The weights by which the quality of models is shown."""


def take_calls(store: Store, look: Stretch, version: int) -> None:
    """Add up the calls of the traces of which steps were stored then, whole traces at a time.

    Those derived for the first time, nearly all, need no look at what was stored before, however much that is.
    """
    store.command(question("take_new_calls"), {**bounds(look), "version": version})
    if len(store.query(question("derived_again"), bounds(look))):
        store.command(question("take_calls"), {**bounds(look), "version": version})


def judge_calls(store: Store, done: int, after: datetime, version: int) -> None:
    """Write down how good tasks were judged that were scored after version `done`; what was said may be taken back."""
    asked = {"done": done, "after": stamp(after), "version": version, "profile": PROFILE}
    store.command(question("judge_calls"), asked)


def taken_since(store: Store, done: int) -> tuple[datetime, datetime] | None:
    """From when until when calls were made that changed after version `done`; None if none did."""
    return minutes_of(store.query(question("taken_since"), {"done": done}))
