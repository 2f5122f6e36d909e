"""Settings of `processors.optimizations`."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from processors.webhook import Webhook

CONFIG = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

Measure = Literal["success_rate", "quality", "cost_usd", "duration_seconds"]
Values = Annotated[tuple[Annotated[str, Field(max_length=1024)], ...], Field(max_length=100)]
AUTOMATIC, APPROVED = 10, 20
"""After how many finished tasks a request is opened, by whether somebody has to approve it."""


class Optimizer(BaseModel):
    """What makes agents better, for which of them, and when."""

    model_config = CONFIG

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9 _.:-]{0,99}$")]
    """What it is called."""
    agent_id: Values = ()
    """Only for these agents; empty: for all."""
    category: Values = ()
    """Only their tasks of these categories are counted and measured; empty: all."""
    after_tasks: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """A request is opened when an agent has finished so many tasks since the last one; unsaid 10, with approval 20."""
    approval: bool = True
    """Whether somebody must approve each request (`POST /v1/optimizations/{id}/approve`)."""
    cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """What a run costs, to be shown to who approves it."""
    measure: Measure = "quality"
    """What is to become better: `success_rate`, `quality`, `cost_usd` or `duration_seconds`."""
    expected_improvement: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """By how much, in the unit of the measure; shown to who approves it."""
    command: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """The program that does it, and its arguments: `[python, optimize.py]`. The request is its standard input, as JSON; there
    is no shell."""
    webhook: Webhook | None = None
    """Instead: a program that is told of the request, and does it when it has taken it."""
    timeout_seconds: Annotated[float, Field(gt=0, le=86_400)] = 3600
    """A command that takes longer is ended, and has failed."""
    measured_tasks: Annotated[int, Field(ge=5, le=10_000)] = 50
    """So many tasks before a run are compared with as many after it."""
    measured_days: Annotated[float, Field(gt=0, le=90)] = 14
    """With fewer tasks after so many days, what there is is compared."""
    cooldown_hours: Annotated[float, Field(ge=0, le=8760)] = 24
    """How long after a request no other is opened for the same agent."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.command) == bool(self.webhook):
            raise ValueError("needs one way to be run: a command, or a webhook")
        if self.command and not self.command[0].strip():
            raise ValueError("command: begins with the program: write [python, optimize.py]")
        return self

    @property
    def threshold(self) -> int:
        """After how many tasks a request is opened."""
        return self.after_tasks or (APPROVED if self.approval else AUTOMATIC)


class OptimizationSettings(BaseModel):
    """What makes agents better."""

    model_config = CONFIG

    optimizers: Annotated[tuple[Optimizer, ...], Field(max_length=50)] = ()
    """What makes agents better, for which of them, and when. Nothing is done while this is empty."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [one.name for one in self.optimizers]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two optimizers are called {sorted(twice)[0]!r}: give each a name of its own")
        return self
