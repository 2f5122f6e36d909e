"""Settings of `processors:`."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from processors.alerts.rules import AlertSettings
from processors.conventions.grammar import Dialect
from processors.cost_settings import CostSettings
from processors.judging.settings import JudgeSettings
from processors.objectives.objectives import ObjectiveSettings
from processors.optimizations.settings import OptimizationSettings
from processors.redact.settings import RedactSettings
from processors.reports.settings import ReportSettings
from processors.routing.settings import RoutingSettings
from processors.scoring.settings import ScoringSettings

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class AssembleSettings(BaseModel):
    """When a trace is taken to be whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    quiet_seconds: Seconds = 2
    """A trace whose root has come is derived when nothing more has come for this long."""
    abandon_seconds: Seconds = 60
    """A trace without a root is derived when nothing has come for this long."""
    max_age_seconds: Seconds = 900
    """A trace still open after this long is derived as it is, and again if more comes."""
    max_mib: Annotated[int, Field(ge=1)] = 1024
    """Memory for the spans of open traces, some 850 bytes each and the excerpts of their prompts and answers; beyond it the
    oldest traces are read back from the store when they are due."""
    max_trace_spans: Annotated[int, Field(ge=1_000)] = 100_000
    """A trace of more spans than this is stored, but worked out no further, for that takes some 4 KB of memory a span."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.quiet_seconds <= self.abandon_seconds <= self.max_age_seconds:
            raise ValueError("must be in order: quiet_seconds <= abandon_seconds <= max_age_seconds")
        return self


class ConventionSettings(BaseModel):
    """How attributes are read."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    extra: tuple[Dialect, ...] = ()
    """Your own attribute names, by the grammar of `processors/conventions/dialects.yaml`; preferred to the shipped ones."""


class ProcessorSettings(BaseModel):
    """Settings of `processors:`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    assemble: AssembleSettings = AssembleSettings()
    """When a trace is whole."""
    conventions: ConventionSettings = ConventionSettings()
    """How spans are read."""
    cost: CostSettings = CostSettings()
    """What calls cost."""
    scoring: ScoringSettings = ScoringSettings()
    """How work is scored and agents are ranked."""
    redact: RedactSettings = RedactSettings()
    """What is masked, cut or dropped before anything is written."""
    objectives: ObjectiveSettings = ObjectiveSettings()
    """What kinds of work there are."""
    judge: JudgeSettings = JudgeSettings()
    """Which models judge tasks."""
    routing: RoutingSettings = RoutingSettings()
    """How the next task is given out."""
    alerts: AlertSettings = AlertSettings()
    """When alerts are raised, and when nobody is told."""
    optimizations: OptimizationSettings = OptimizationSettings()
    """What makes agents better."""
    reports: ReportSettings = ReportSettings()
    """When the days of reports begin, and when they are sent."""
