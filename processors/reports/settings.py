"""Settings of `processors.reports`."""

from datetime import time
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def known_zone(name: str) -> str:
    """`name`, if it is a time zone; ValueError with the nearest one if not."""
    if name not in available_timezones():
        near = get_close_matches(name, available_timezones(), n=1)
        raise ValueError(f"is no time zone: {f'did you mean {near[0]}?' if near else 'write one like Europe/Berlin, or UTC'}")
    return name


TimeZone = Annotated[str, Field(max_length=100), AfterValidator(known_zone)]


class ReportSettings(BaseModel):
    """When a day begins, and when reports are sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    time_zone: TimeZone = "UTC"
    """Where the days, weeks and months of reports begin at midnight: `Europe/Berlin`."""
    send_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "09:00"
    """At what time of day, in that zone, they are sent to the routes that want them."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def sent_at(self) -> time:
        """The time of day."""
        return time.fromisoformat(self.send_at)
