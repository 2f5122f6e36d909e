"""PATCH /v1/agents/{agent_id}: what people say of an agent goes before what its spans say."""

from typing import Annotated, Any, Self

import polars as pl
from fastapi import APIRouter
from pydantic import Field, model_validator

from processors.agents import EDITS
from processors.frames import conform
from processors.scoring.settings import ScoringSettings
from processors.versions import version_at
from query_api.agents.agents import Profile, profile
from query_api.asking.filters import Question
from query_api.asking.problems import ProblemError
from query_api.asking.questions import Ask, Keep, Now
from query_api.tasks.tasks import Id

Word = Annotated[str, Field(min_length=1, max_length=200)]


class AgentEdit(Question):
    """What to set. What is left out stays as it is; null takes back what was set, so that the spans have the word again."""

    nickname: Word | None = None
    """What people call it."""
    agent_type: Word | None = None
    """What kind of agent it is."""
    department: Word | None = None
    """Whose it is, and so whose its work is from now on. What it did before stays with whom it was done for, also in rankings."""
    capabilities: Annotated[tuple[Word, ...] | None, Field(max_length=100)] = None
    """Categories that it can do; an empty list says: none."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"sets nothing: say at least one of {', '.join(type(self).model_fields)}")
        return self


def routes(ask: Ask, keep: Keep, now: Now, scoring: ScoringSettings) -> APIRouter:
    """The routes that change agents."""
    router = APIRouter(tags=["agents"])

    @router.patch("/v1/agents/{agent_id}", response_model=Profile, summary="Name and describe an agent")
    def edit(agent_id: Id, sent: AgentEdit) -> Any:
        """Set nickname, type, department or capabilities. The answer is the agent as it is now."""
        known = ask("agent_registered", {"agent": agent_id, "limit": 1}, 1)
        if known.is_empty():
            detail = f"The registry knows no agent {agent_id[:200]!r}; one that has just done its first task is there in seconds"
            raise ProblemError(404, detail)
        moment = now()
        keep("agent_edits", edits(agent_id, sent, version_at(moment, known["edited"].item())))
        return profile(ask, agent_id, moment, scoring)

    return router


def edits(agent_id: str, sent: AgentEdit, version: int) -> pl.DataFrame:
    """A row for each field that was sent, columns EDITS."""
    said = {name: getattr(sent, name) for name in sorted(sent.model_fields_set)}
    lists = {name: [] if value is None else [value] if isinstance(value, str) else list(value) for name, value in said.items()}
    rows = {
        "agent_id": [agent_id] * len(said),
        "field": list(said),
        "value": list(lists.values()),
        "version": [version] * len(said),
        "is_deleted": [value is None for value in said.values()],
    }
    return conform(pl.DataFrame(rows, schema_overrides={"value": EDITS["value"]}), EDITS)
