"""/healthz and /readyz: for the machines that watch it."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter

from processors.errors import Unavailable
from query_api.answers import Answer
from query_api.problems import ProblemError
from query_api.questions import Store

OK = "ok"


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


def routes(store: Store, ready: Callable[[], Mapping[str, str]]) -> APIRouter:
    """The routes of health."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=Health, summary="Does the process answer?")
    def healthz() -> Any:
        """200 as long as the process answers at all."""
        return {}

    @router.get("/readyz", response_model=Readiness, summary="Can every part do its work?")
    def readyz() -> Any:
        """200 if the store answers and every part is `ok`; 503 with `parts` that say who is not, and why."""
        parts = {"store": state(store), **ready()}
        waiting = {name: how for name, how in parts.items() if how != OK}
        if waiting:
            raise ProblemError(503, "; ".join(f"{name}: {how}" for name, how in waiting.items()), parts=parts)
        return {"parts": parts}

    return router


def state(store: Store) -> str:
    """How the store is, without its own words: they tell of hosts and folders."""
    try:
        store.ping()
    except Unavailable:
        return "does not answer"
    return OK
