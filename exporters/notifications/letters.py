"""Reports on their way to a route: as HTML where that can be shown, else as Markdown; to a webhook as JSON."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import SecretStr

from exporters.notifications.carriers import notify, post, receiver
from exporters.notifications.settings import Route


class Letter(NamedTuple):
    """A report in every form in which it may be sent."""

    title: str
    html: str
    markdown: str
    document: Mapping[str, Any]
    """As JSON values."""


Send = Callable[[Letter, str, datetime], None]
"""Sends a report under a key. Raises NotTaken if it certainly did not arrive, Unavailable if it perhaps did."""


def sender(route: Route, timeout_seconds: float) -> Send:
    """Who sends reports to a route."""

    def send(letter: Letter, key: str, now: datetime) -> None:
        if route.webhook:
            said = {"key": key, "route": route.name, "report": letter.document}
            post(route.webhook, said, key, timeout_seconds, now)
            return
        assert route.url is not None
        if shows_html(route.url):
            notify(route.url, letter.title, letter.html, "info", timeout_seconds, "html")
        else:
            # What matters most comes first; chats cut what is too long for them.
            notify(route.url, letter.title, letter.markdown, "info", timeout_seconds, "markdown", "truncate")

    return send


def shows_html(url: SecretStr) -> bool:
    """Whether the receiver would rather have HTML than anything else, as mail has."""
    form: Any = getattr(receiver(url), "notify_format", "")
    return bool((form[0] if isinstance(form, tuple) else form) == "html")
