"""Who gets which assignment and when, and the OpenTelemetry SDK that carries the spans to Merit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Tracer

from merit.demo.agents.coders import code_smith, code_sprinter
from merit.demo.agents.office import copywriter, data_analyst, trainee_analyst
from merit.demo.agents.researchers import deep_researcher, research_scout
from merit.demo.agents.supervisor import managing_editor
from merit.demo.instrument import AgentError, Workday

Agent = Callable[[Workday, str], None]

DEPARTMENT_OF = {"research": "research", "engineering": "engineering", "back-office": "operations", "newsroom": "publishing"}
"""The services that the agents run in, and the department that each belongs to."""

HISTORY = timedelta(days=14)
SPANS_BETWEEN_FLUSHES = 1_000
"""The SDK keeps 2,048 spans and drops what comes beyond that, which a demo that works for two weeks in a second would see."""


@dataclass(frozen=True)
class Post:
    """An agent with its share of the assignments and what it is asked."""

    agent: Agent
    share: int
    subject: str
    days: float = HISTORY / timedelta(days=1)
    """For how many days it has been at work."""


POSTS: Sequence[Post] = (
    Post(research_scout, 18, "Which heat pumps work below −20 °C?"),
    Post(deep_researcher, 13, "How do perovskite cells age outdoors?"),
    Post(code_smith, 15, "Make the import resume where it stopped"),
    Post(code_sprinter, 17, "Add a dark theme to the settings page"),
    Post(data_analyst, 15, "Which region lost customers last quarter?"),
    Post(copywriter, 9, "Three sentences for the autumn catalogue"),
    Post(managing_editor, 10, "the history of the bicycle"),
    Post(trainee_analyst, 2, "How many orders came in on Monday?", days=2),
)


class Providers:
    """One TracerProvider for each service, as if each ran as a process of its own.

    Args:
        exporter: makes an exporter for each of them.
    """

    def __init__(self, exporter: Callable[[], SpanExporter]) -> None:
        self._providers = {service: provider(service, department, exporter()) for service, department in DEPARTMENT_OF.items()}

    def tracer(self, service: str) -> Tracer:
        """The tracer of a service."""
        return self._providers[service].get_tracer("merit.demo")

    def flush(self) -> None:
        """Return when every span that has ended is exported."""
        for each in self._providers.values():
            each.force_flush()

    def shutdown(self) -> None:
        """Flush and close."""
        for each in self._providers.values():
            each.shutdown()


def provider(service: str, department: str, exporter: SpanExporter) -> TracerProvider:
    """What every instrumented program sets up once."""
    made = TracerProvider(resource=Resource.create({"service.name": service, "merit.agent.department": department}))
    made.add_span_processor(BatchSpanProcessor(exporter))
    return made


def over_grpc(endpoint: str, token: str = "") -> SpanExporter:
    """The exporter of the OpenTelemetry SDK, sending to `host:port` in the clear, with a `token` if one is asked for."""
    headers = (("authorization", f"Bearer {token}"),) if token else None
    return OTLPSpanExporter(endpoint=f"http://{endpoint}", insecure=True, headers=headers)


def send(providers: Providers, assignments: int, now: datetime, random: Random) -> Iterator[list[str]]:
    """Hand out the assignments; yields, after each, the ids of the tasks that it became.

    Args:
        providers: where the agents' spans go.
        assignments: how many; what a supervisor hands on comes on top.
        now: the last assignment ends before this.
        random: the whole demo is a function of it, ids of spans apart.
    """
    unflushed = 0
    for start, post in schedule(assignments, now, random):
        day = Workday(providers.tracer, start, random)
        try:
            post.agent(day, post.subject)
        except AgentError:
            pass  # the agent's span says so; whoever gave the assignment lives with it
        finally:
            unflushed += 10 * len(day.tasks)
        if unflushed >= SPANS_BETWEEN_FLUSHES:
            providers.flush()
            unflushed = 0
        yield day.tasks
    providers.flush()


def schedule(assignments: int, now: datetime, random: Random) -> list[tuple[datetime, Post]]:
    """When which agent begins, oldest first: every agent at least once, the rest by the agents' shares."""
    drawn = random.choices(POSTS, weights=[post.share for post in POSTS], k=max(0, assignments - len(POSTS)))
    chosen = [*POSTS, *drawn][:assignments]
    latest = now - timedelta(minutes=15)
    planned = [(latest - timedelta(days=random.uniform(0, post.days - 0.1)), post) for post in chosen]
    return sorted(planned, key=lambda each: each[0])
