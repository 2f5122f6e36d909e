"""Settings: YAML in the Collector's shape, environment variables over it, defaults below. The only reader of the environment.

pydantic-settings is not used: it takes the environment from the process alone, passes over variables that it does not
know, and cannot say in which line of a file a key stands.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from exporters.settings import ExporterSettings
from merit.settings.auth import AuthSettings
from merit.settings.problems import explain, without_empty_sections
from merit.settings.source import Source, merge, merge_values, read_environment, read_yaml
from processors.errors import Rejected
from processors.listening import host_and_port, is_loopback
from processors.settings import ProcessorSettings
from query_api.settings import QueryApiSettings
from receiver.settings import ReceiverSettings

DEFAULT_FILE = Path("merit.yaml")
"""Read from the working directory if it is there and no other file is named."""


class Schedule(BaseModel):
    """How often a job runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    interval_seconds: Annotated[float, Field(gt=0, le=86_400)]
    """Seconds between two runs."""


class JobSettings(BaseModel):
    """Settings of `jobs:`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    enabled: bool = True
    """One process of a deployment has this on; `merit job run` works in any case."""
    derive: Schedule = Schedule(interval_seconds=1)
    """Works out the traces that have gone quiet."""
    sweep: Schedule = Schedule(interval_seconds=60)
    """Finds stored spans that were never worked out, after a restart or from another writer, and derives their traces."""
    agents: Schedule = Schedule(interval_seconds=5)
    """Enters into the registry of agents what tasks say of theirs."""
    refresh: Schedule = Schedule(interval_seconds=5)
    """Reads the objectives again, which people may have edited."""
    learn: Schedule = Schedule(interval_seconds=1)
    """Brings up to date what routing knows; runs in every process that answers, whether or not jobs are enabled."""
    live: Schedule = Schedule(interval_seconds=2)
    """Tells the live stream what happens to alerts; runs in every process, whether or not jobs are enabled."""
    ranks: Schedule = Schedule(interval_seconds=30)
    """Tells the live stream whose rank has changed; runs in every process, whether or not jobs are enabled."""
    notify: Schedule = Schedule(interval_seconds=5)
    """Tells people and programs of alerts, if `exporters.notifications.routes` names any."""
    reports: Schedule = Schedule(interval_seconds=60)
    """Sends reports that are due, if a route of `exporters.notifications.routes` wants any."""
    insights: Schedule = Schedule(interval_seconds=3600)
    """Looks for insights, for the alert `optimisation-opportunity`."""
    optimize: Schedule = Schedule(interval_seconds=30)
    """Opens, runs and measures optimisation requests, if `processors.optimizations.optimizers` names anything to run."""
    match: Schedule = Schedule(interval_seconds=5)
    """Finds the task of evaluations that came before it."""
    alerts: Schedule = Schedule(interval_seconds=15)
    """Looks whether something has got worse, and lets alerts live."""
    judge: Schedule = Schedule(interval_seconds=30)
    """Has tasks judged, if `processors.judge.evaluators` names anybody who does."""
    roll_up: Schedule = Schedule(interval_seconds=1)
    """Scores tasks that are new, changed or judged, and adds them up; it takes at most a fifth of the time, half of it
    while it is behind."""
    medians: Schedule = Schedule(interval_seconds=3600)
    """Works out what a task of each category usually costs and how long it takes."""


class TelemetrySettings(BaseModel):
    """Settings of `telemetry:`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    otlp_endpoint: str = ""
    """`host:port` of an OTLP/gRPC receiver that gets the metrics of `/metrics` too; empty for none."""
    otlp_insecure: bool = False
    """Speak to that receiver without TLS."""
    interval_seconds: Annotated[float, Field(ge=1, le=3600)] = 60
    """Seconds between two exports to that receiver."""
    logs: Literal["text", "json"] = "text"
    """Log lines on standard error: for people, or one JSON object a line."""


class Settings(BaseModel):
    """Every setting of Merit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    receivers: ReceiverSettings = ReceiverSettings()
    """What takes spans in."""
    processors: ProcessorSettings = ProcessorSettings()
    """How spans become tasks, nodes and workflows."""
    exporters: ExporterSettings = ExporterSettings()
    """Where rows are stored."""
    query_api: QueryApiSettings = QueryApiSettings()
    """What answers questions over HTTP."""
    auth: AuthSettings = AuthSettings()
    """Who may come in."""
    jobs: JobSettings = JobSettings()
    """What runs again and again."""
    telemetry: TelemetrySettings = TelemetrySettings()
    """What Merit reports of itself, and to whom."""

    @model_validator(mode="after")
    def _closed_by_default(self) -> Self:
        otlp, api = self.receivers.otlp, self.query_api
        listeners = (
            ("receivers.otlp.grpc.endpoint", otlp.grpc.endpoint, "receivers.otlp", otlp.insecure, "send spans"),
            ("receivers.otlp.http.endpoint", otlp.http.endpoint, "receivers.otlp", otlp.insecure, "send spans"),
            ("query_api.endpoint", api.endpoint, "query_api", api.insecure, "read everything"),
        )
        for name, endpoint, section, insecure, what in () if self.auth.asks else listeners:
            if not insecure and not is_loopback(host_and_port(endpoint)[0]):
                raise ValueError(
                    f"{name} {endpoint!r} can be reached from other machines, and whoever reaches it may {what}: bind to "
                    f"127.0.0.1, ask for tokens (auth.tokens_file; `merit token new` makes them), or allow it with "
                    f"{section}.insecure: true"
                )
        return self


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of `path`, with the MERIT_* variables of `environ` over them and defaults below.

    Args:
        path: a YAML file; None: `merit.yaml` in the working directory if it is there.
        environ: e.g. `MERIT_EXPORTERS__CLICKHOUSE__DSN`; a value that begins with `[` or `{` is read as YAML.

    Raises:
        Rejected: a key is unknown or a value wrong; says where, what was found and what is allowed, never a secret.
    """
    file = path or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    source = merge(read_yaml(file) if file else Source(), read_environment(environ))
    try:
        return Settings.model_validate(without_empty_sections(with_secrets(source.values, environ), Settings))
    except ValidationError as error:
        raise Rejected(explain(error, source, Settings)) from None  # its text repeats the input, secrets included


FROM_ENVIRONMENT = "env:"
SECRETS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("processors", "judge", "evaluators"): ("api_key",),
    ("exporters", "notifications", "routes"): ("url", "secret"),
    ("processors", "optimizations", "optimizers"): ("url", "secret"),
}
"""Lists whose items may say that a secret of theirs is in the environment, and by which names."""


def with_secrets(values: Mapping[str, Any], environ: Mapping[str, str]) -> Mapping[str, Any]:
    """`values` with the secrets that are said to be in the environment (`api_key: env:OPENAI_API_KEY`).

    Raises:
        Rejected: such a variable is not set.
    """
    for way, names in SECRETS.items():
        nested: Any = values
        for key in way:
            nested = nested.get(key) if isinstance(nested, Mapping) else None
        if isinstance(nested, list):
            nested = [resolve(one, names, environ, ".".join(way)) for one in nested]
            for key in reversed(way):
                nested = {key: nested}
            values = merge_values(values, nested)
    return values


def resolve(value: Any, names: tuple[str, ...], environ: Mapping[str, str], where: str) -> Any:
    """An item of a list, `where` it may be, with its secrets."""
    if not isinstance(value, Mapping):
        return value
    found = {}
    for key, inside in value.items():
        found[key] = resolve(inside, names, environ, where)
        if key in names and isinstance(inside, str) and inside.startswith(FROM_ENVIRONMENT):
            name = inside.removeprefix(FROM_ENVIRONMENT)
            if not environ.get(name):
                raise Rejected(f"{where}: {key} is to be in the environment variable {name}, which is not set")
            found[key] = environ[name]
    return found


def load_here(path: Path | None) -> Settings:
    """`load` with the variables of this process."""
    return load(path, os.environ)
