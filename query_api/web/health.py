"""/healthz, /readyz and /metrics: for the machines that watch it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from processors.errors import Unavailable
from processors.telemetry import Instruments
from query_api.asking.answers import Answer
from query_api.asking.problems import ProblemError
from query_api.asking.questions import Store

OK = "ok"
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
"""The media type of Prometheus' text format."""


@dataclass(frozen=True)
class Condition:
    """How the process is, as it says itself."""

    parts: Callable[[], Mapping[str, str]] = dict
    """The parts besides the store and how each is; `ok` is ready."""
    metrics: Callable[[], bytes] = bytes
    """Its metrics in Prometheus' text format."""
    instruments: Instruments = field(default_factory=Instruments)
    """Where answers are measured."""


class Health(Answer):
    """The process answers."""

    status: str = OK
    """Always `ok`."""


class Readiness(Answer):
    """Every part can do its work."""

    status: str = OK
    """Always `ok`; a part that is not gives 503."""
    parts: dict[str, str]
    """Each part and how it is."""


def routes(store: Store, condition: Condition) -> APIRouter:
    """The routes of health."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=Health, summary="Does the process answer?")
    def healthz() -> Any:
        """200 as long as the process answers at all."""
        return {}

    @router.get("/readyz", response_model=Readiness, summary="Can every part do its work?")
    def readyz() -> Any:
        """200 if the store answers and every part is `ok`; 503 with `parts` that say who is not, and why."""
        parts = {"store": state(store), **condition.parts()}
        waiting = {name: how for name, how in parts.items() if how != OK}
        if waiting:
            raise ProblemError(503, "; ".join(f"{name}: {how}" for name, how in waiting.items()), parts=parts)
        return {"parts": parts}

    @router.get("/metrics", response_class=PlainTextResponse, summary="What does it count and measure of itself?")
    def metrics() -> PlainTextResponse:
        """Counters, gauges and histograms in Prometheus' text format; docs/operations.md says what each is for."""
        return PlainTextResponse(condition.metrics(), media_type=EXPOSITION)

    return router


def state(store: Store) -> str:
    """How the store is, without its own words: they tell of hosts and folders."""
    try:
        store.ping()
    except Unavailable:
        return "does not answer"
    return OK
