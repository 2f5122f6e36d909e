"""`merit mcp`: lets agents ask Merit for themselves, over the Model Context Protocol on standard input and output.

It speaks to the API of a running Merit, and is a process of its own: a client starts it (needs `agentmerit[mcp]`).
"""

import json
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from merit.api_client import Api
from merit.version import version
from processors.errors import MeritError
from processors.routing.settings import Kind

ABOUT = """Merit learns which AI agent to trust with which task. Ask route_task before you hand a task to somebody, put the
decision_id on the agent's span as merit.decision.id, and say afterwards how good the work was with record_feedback."""

Json = dict[str, Any]


def server(api: Api) -> MCPServer:
    """The server; its tools ask `api`."""
    mcp = MCPServer("merit", instructions=ABOUT, version=version())

    @mcp.tool(structured_output=True)
    def route_task(
        description: Annotated[str, Field(description="What is to be done, in words.")] = "",
        category: Annotated[str, Field(description="What kind of work it is, if you know; else the description decides.")] = "",
        candidates: Annotated[list[str] | None, Field(description="Who may be chosen; everybody who can if left out.")] = None,
        kind: Annotated[Kind, Field(description="What the candidates are.")] = "agent",
        max_cost_usd: Annotated[float | None, Field(description="Exclude whoever probably costs more.", ge=0)] = None,
        max_duration_seconds: Annotated[float | None, Field(description="Exclude whoever probably takes longer.", ge=0)] = None,
        profile: Annotated[str, Field(description="What counts: quality, balanced, cost, speed, or one of your own.")] = "",
    ) -> Json:
        """Who should do the next task, and why; remember the decision_id."""
        asked: Json = {"kind": kind, "description": description, "category": category or None, "profile": profile or None}
        asked |= {"candidates": candidates, "max_cost_usd": max_cost_usd, "max_duration_seconds": max_duration_seconds}
        return told(lambda: post(api, "/v1/route", asked))

    @mcp.tool(structured_output=True)
    def rankings(
        by: Annotated[str, Field(description="success_rate, speed, cost_per_success, quality, points, …")] = "success_rate",
        category: Annotated[str, Field(description="Only this kind of work.")] = "",
        limit: Annotated[int, Field(description="How many agents.", ge=1, le=100)] = 10,
    ) -> Json:
        """Agents by how well they do, the best first."""
        chosen = {"category": category} if category else {}
        return told(lambda: api.get("/v1/rankings", by=by, limit=limit, **chosen))

    @mcp.tool(structured_output=True)
    def agent_profile(agent_id: Annotated[str, Field(description="The agent.")]) -> Json:
        """What one agent has done: by category and by model, how well, at what cost."""
        return told(lambda: api.get(f"/v1/agents/{quote(agent_id, safe='')}"))

    @mcp.tool(structured_output=True)
    def record_feedback(
        task_id: Annotated[str, Field(description="The task: its id, its merit.task.id, or its trace id.")],
        rating: Annotated[int, Field(description="Stars, 1 to 5.", ge=1, le=5)],
        comment: Annotated[str, Field(description="Why.")] = "",
        user_id: Annotated[str, Field(description="On whose behalf.")] = "",
    ) -> Json:
        """Rate a task that was done."""
        said: Json = {"rating": rating, "comment": comment or None, "user_id": user_id or None}
        return told(lambda: post(api, f"/v1/tasks/{quote(task_id, safe='')}/feedback", said))

    return mcp


def told(ask: Callable[[], Json]) -> Json:
    """What `ask` answers; what goes wrong is said to the agent that asked, which may mend it."""
    try:
        return ask()
    except MeritError as error:
        raise ToolError(str(error)) from error


def post(api: Api, path: str, said: Json) -> Json:
    """The answer to what is said; what is None is left out."""
    body = json.dumps({name: value for name, value in said.items() if value is not None}).encode()
    return api.post(path, body, "application/json")
