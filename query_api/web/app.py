"""The API: routes by subject, each a question to the store, and every error a problem document."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from processors.access import Entrance
from processors.settings import ProcessorSettings
from query_api.agents import agent_nodes, agents, edits, trends
from query_api.alerts import alert_rules, alerts, silences
from query_api.asking.kept import Kept
from query_api.asking.problems import answer_with_problems
from query_api.asking.questions import Ask, Keep, Now, Store, asker, to_the_minute, to_the_next_minute
from query_api.evaluations import evaluations, feedback, judgements
from query_api.evaluations.bodies import Bounded
from query_api.expectations import benchmarks, goals, objectives
from query_api.insights import insights, optimizations
from query_api.insights.finding import finder
from query_api.insights.recommendations import advice
from query_api.rankings import rankings
from query_api.reports import export, overview, reports
from query_api.routing import decisions
from query_api.routing.routing import Routing
from query_api.routing.routing import routes as routing_routes
from query_api.settings import QueryApiSettings
from query_api.tasks import nodes, tasks, traces, workflows
from query_api.usage import costs, departments, metrics, models, providers
from query_api.web import docs_page, health, stream
from query_api.web.guard import Guarded, Told
from query_api.web.health import Condition
from query_api.web.live import Live
from query_api.web.openapi import describe
from query_api.web.timing import Timed

ABOUT = """What did agents do, what did it cost, did it succeed, and whom to trust with what.

Times are RFC 3339 in UTC, durations in seconds, money in US dollars, trace and span ids lower-case hex. Ids in paths are
percent-encoded: the agent `finance/eu` is `finance%2Feu`. Filters may be repeated (any of them). Lists end with `next_cursor`:
give it as `cursor`, with the same filters, for the next page. Errors are problem documents (RFC 9457)."""


AS_SHIPPED = ProcessorSettings()
ANYBODY = Entrance()


def create_app(
    store: Store,
    keep: Keep,
    settings: QueryApiSettings,
    now: Now,
    condition: Condition,
    processors: ProcessorSettings = AS_SHIPPED,
    entrance: Entrance = ANYBODY,
    routing: Routing | None = None,
    live: Live | None = None,
    kept: Kept | None = None,
) -> FastAPI:
    """The application.

    Args:
        store: answers the questions.
        keep: takes what is sent.
        settings: how much a question may cost.
        now: the clock.
        condition: how the process is, as it says itself.
        processors: how tasks are classified.
        entrance: who may come in.
        routing: what is known of who is good at what; nothing if not given.
        live: what happens, for the stream; without it nothing does, and each stream ends at once.
        kept: answers that others have asked for too.
    """
    app = FastAPI(
        title="Merit",
        description=ABOUT,
        version="1",
        lifespan=with_threads(settings.threads),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    ask, routing = asker(store, settings.query_seconds, kept), routing or Routing(processors.routing)
    app.include_router(routing_routes(ask, keep, now, routing))  # the first, for it is asked most often
    for router in (
        *routers(ask, keep, now, processors),
        stream.routes(live or nothing(now), settings, entrance),
        health.routes(store, condition),
        docs_page.routes(),
    ):
        app.include_router(router)
    answer_with_problems(app)
    surround(app, settings, condition, entrance)
    describe(app)
    return app


def with_threads(number: int) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What surrounds the life of an application: so many questions are answered in threads at the same time."""

    @asynccontextmanager
    async def bounded(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = number
        yield

    return bounded


def routers(ask: Ask, keep: Keep, now: Now, processors: ProcessorSettings) -> tuple[APIRouter, ...]:
    """What is asked of the store."""
    find, lately = finder(ask, processors.cost), to_the_minute(now)
    return (
        rankings.routes(ask, lately, processors.scoring),
        agents.routes(ask, lately, processors.scoring),
        agent_nodes.routes(ask, now),
        edits.routes(ask, keep, now, processors.scoring),
        tasks.routes(ask, now, processors.scoring),
        nodes.routes(ask, now),
        trends.routes(ask, lately, processors.scoring),
        costs.routes(ask, lately),
        metrics.routes(ask, now),
        workflows.routes(ask, now),
        traces.routes(ask, processors.scoring),
        benchmarks.routes(ask, keep, now),
        models.routes(ask, lately),
        providers.routes(ask, lately),
        departments.routes(ask, lately, processors.scoring),
        objectives.routes(ask, keep, now, processors.objectives),
        feedback.routes(ask, keep, now),
        evaluations.routes(ask, now),
        judgements.routes(ask, now),
        overview.routes(ask, to_the_next_minute(now), processors.scoring, processors.routing.open_seconds),
        goals.routes(ask, keep, now, processors.scoring),
        alerts.routes(ask, keep, now),
        alert_rules.routes(ask, keep, now, processors.alerts),
        silences.routes(ask, keep, now),
        decisions.routes(ask, now),
        export.routes(ask, now, processors.scoring),
        insights.routes(find, now),
        optimizations.routes(ask, keep, now, processors.optimizations),
        reports.routes(ask, now, processors.reports, processors.scoring, advice(find)),
    )


def surround(app: FastAPI, settings: QueryApiSettings, condition: Condition, entrance: Entrance) -> None:
    """Put around `app` what every request goes through; what is added last is met first."""
    app.add_middleware(Bounded, many_bytes=settings.max_request_mib << 20)
    app.add_middleware(EncodedPath)
    app.add_middleware(Guarded, entrance, settings.cors_origins)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(Told)
    app.add_middleware(Timed, condition.instruments)


def nothing(now: Now) -> Live:
    """A ring in which nothing ever happens."""
    live = Live(now)
    live.close()
    return live


class EncodedPath:
    """Match routes on the path as it was sent, so that `finance%2Feu` stays one segment. Ids are decoded by their parameter."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request with its path as it was sent."""
        raw: Any = scope.get("raw_path")
        if scope["type"] == "http" and raw:
            scope = {**scope, "path": raw.decode("utf-8", "replace")}
        await self._app(scope, receive, send)
