"""Settings of `exporters.notifications`."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from exporters.notifications import messages
from processors.alerts.frames import SEVERITIES, Severity
from processors.reports.periods import Kind
from processors.webhook import Webhook

CONFIG = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)
Template = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(messages.refuse_bad_template)]
Told = Literal["fired", "acknowledged", "resolved", "reminder"]
About = Literal["agent_id", "category", "model", "provider", "tool", "department", "service"]
Seconds = Annotated[float, Field(ge=0, le=604_800)]


class Route(BaseModel):
    """Who is told of what, and how. One route, one receiver, for each is tried again by itself."""

    model_config = CONFIG

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """What it is called; under this name it is remembered what it has been told."""
    url: SecretStr | None = None
    """A URL of apprise: Slack, e-mail, Teams, PagerDuty and a hundred more."""
    webhook: Webhook | None = None
    """Instead: a program of your own."""
    severities: Annotated[tuple[Severity, ...], Field(min_length=1)] = SEVERITIES
    """Only alerts of these severities."""
    events: tuple[Told, ...] = ("fired", "resolved", "reminder")
    """Of what it is told: `fired` (also when an alert gets worse), `acknowledged`, `resolved`,
    `reminder`. Empty: of no alerts."""
    reports: tuple[Kind, ...] = ()
    """Which reports it is sent: `daily`, `weekly`, `monthly`."""
    scope: dict[About, tuple[str, ...]] = {}
    """Only alerts about these: `{category: [coding, research]}`."""
    title: Template = messages.TITLE
    """The title of a message about one event."""
    body: Template = messages.BODY
    """Its text. Lines that come out empty are left out."""

    @field_validator("url")
    @classmethod
    def _known(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            from exporters.notifications.carriers import refuse_bad_url

            refuse_bad_url(url)
        return url

    @model_validator(mode="after")
    def _one_receiver(self) -> Self:
        if (self.url is None) == (self.webhook is None):
            raise ValueError("needs one receiver: a url of apprise, or a webhook")
        if not self.events and not self.reports:
            raise ValueError("is told of nothing: name events, or reports")
        return self


class NotificationSettings(BaseModel):
    """Who is told of alerts, and sent reports."""

    model_config = CONFIG

    routes: Annotated[tuple[Route, ...], Field(max_length=100)] = ()
    """Who is told of what. Nobody is while this is empty."""
    group_seconds: Seconds = 10
    """What happens within this time is told together."""
    repeat_seconds: Seconds = 14_400
    """An alert that still fires and that nobody has acknowledged is told again after this long; 0: never."""
    give_up_seconds: Annotated[float, Field(ge=60, le=604_800)] = 86_400
    """What could not be delivered for this long is given up."""
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    """A receiver that answers later has not answered; one that has not ended after three times as long is left."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [route.name for route in self.routes]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two routes are called {sorted(twice)[0]!r}: give each a name of its own")
        return self
