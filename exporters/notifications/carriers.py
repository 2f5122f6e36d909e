"""Who carries a message: apprise, or our own signed webhook. What went wrong is told without any address: they hold secrets."""

import hmac
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Thread
from typing import Any

import apprise
import requests
from pydantic import SecretStr

from exporters.chat import told_to_wait
from exporters.notifications.messages import document, message
from exporters.notifications.settings import Route
from processors.errors import NotTaken, Unavailable
from processors.webhook import Webhook

Row = dict[str, Any]
Carry = Callable[[Sequence[Row], str, datetime], None]
"""Carries events under a key, at a time. Raises NotTaken if they certainly did not arrive, Unavailable if they perhaps did."""

SIGNATURE, KEY = "Merit-Signature", "Idempotency-Key"
KINDS = {"critical": "failure", "warning": "warning", "info": "info"}
MOST_WAITS = 3
"""Times the longest wait for one answer of a receiver: a letter is a conversation, but none for ever."""


def carrier(route: Route, timeout_seconds: float) -> Carry:
    """Who carries what is told to a route."""
    if route.webhook:
        return webhook(route.name, route.webhook, timeout_seconds)
    assert route.url is not None
    return apprised(route, route.url, timeout_seconds)


def webhook(name: str, to: Webhook, timeout_seconds: float) -> Carry:
    """POST of JSON, signed."""

    def carry(events: Sequence[Row], key: str, now: datetime) -> None:
        post(to, document(events, key, name), key, timeout_seconds, now)

    return carry


def post(to: Webhook, said: Mapping[str, Any], key: str, timeout_seconds: float, now: datetime) -> None:
    """Send JSON to a webhook, signed; raises NotTaken or Unavailable."""
    within(MOST_WAITS * timeout_seconds, lambda: _post(to, said, key, timeout_seconds, now))


def within(seconds: float, work: Callable[[], None]) -> None:
    """Do it and wait no longer than this: who answers a byte at a time never keeps a socket waiting for as long as its timeout.

    Raises:
        Unavailable: it is not done by then. What was begun goes on until its connection ends; the program's end does not wait.
    """
    done: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # raised below, where it is waited for
            done.set_exception(error)
        else:
            done.set_result(None)

    Thread(target=run, name="merit-carrier", daemon=True).start()
    try:
        done.result(seconds)
    except TimeoutError:
        raise Unavailable(f"has not ended its answer within {seconds:g} s") from None


def _post(to: Webhook, said: Mapping[str, Any], key: str, timeout_seconds: float, now: datetime) -> None:
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", KEY: key, SIGNATURE: signature(to.secret, body, now)}
    url = to.url.get_secret_value()
    try:
        answer = requests.post(url, body, headers=headers, timeout=timeout_seconds, allow_redirects=False, stream=True)
    except requests.ConnectTimeout:
        raise NotTaken("cannot be reached in time") from None  # its own words name the address
    except requests.ConnectionError as error:
        if is_refused(error):
            raise NotTaken("cannot be reached: the connection is refused") from None
        raise Unavailable("the connection broke") from None
    except requests.RequestException as error:
        raise Unavailable(f"did not answer: {type(error).__name__}") from None
    with answer:
        if not 200 <= answer.status_code < 300:
            wait = answer.headers.get("Retry-After", "")
            raise NotTaken(f"answers {answer.status_code}", told_to_wait(wait, now) if wait else timedelta(0))


def is_refused(error: requests.ConnectionError) -> bool:
    """Whether no connection was made, so that nothing can have arrived."""
    cause: Any = error.args[0] if error.args else None
    return type(getattr(cause, "reason", None)).__name__ in ("NewConnectionError", "NameResolutionError")


def signature(secret: SecretStr, body: bytes, now: datetime) -> str:
    """`t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body", hexadecimal>`."""
    seconds = int(now.timestamp())
    signed = hmac.new(secret.get_secret_value().encode(), f"{seconds}.".encode() + body, sha256).hexdigest()
    return f"t={seconds},v1={signed}"


def apprised(route: Route, url: SecretStr, timeout_seconds: float) -> Carry:
    """A message for people, by apprise."""

    def carry(events: Sequence[Row], key: str, now: datetime) -> None:  # noqa: ARG001
        title, body = message(events, route.title, route.body, key)
        worst = max((one["severity"] for one in events), key=list(reversed(KINDS)).index)
        over = all(one["event"] == "resolved" for one in events)
        notify(url, title, body, "success" if over else KINDS[worst], timeout_seconds)

    return carry


def notify(
    url: SecretStr, title: str, body: str, kind: str, timeout_seconds: float, form: str = "text", overflow: str = "upstream"
) -> None:
    """Hand a message to apprise; raises NotTaken if it could not deliver it, Unavailable if it may have.

    Args:
        url: the receiver.
        title: of the message.
        body: of the message.
        kind: `info`, `success`, `warning` or `failure`.
        timeout_seconds: how long the receiver may take.
        form: what the body is: `text`, `markdown` or `html`.
        overflow: what becomes of a body that is too long for the receiver: `upstream`, `truncate`.
    """
    target = receiver(url)
    assert target is not None
    target.socket_connect_timeout = target.socket_read_timeout = timeout_seconds
    target.overflow_mode = overflow
    carrying = apprise.Apprise()
    carrying.add(target)

    def hand_over() -> None:
        if not carrying.notify(body=body, title=title, notify_type=kind, body_format=form):
            raise NotTaken(f"{scheme_of(url)}:// did not take it, or cannot be reached")

    within(MOST_WAITS * timeout_seconds, hand_over)


def receiver(url: SecretStr) -> Any:
    """What apprise makes of a URL; None if it is none of its."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it repeats what it is given
    return apprise.Apprise.instantiate(url.get_secret_value())


def refuse_bad_url(url: SecretStr) -> None:
    """Return if apprise can use it; raises ValueError, without the URL, if not."""
    scheme = scheme_of(url)
    if receiver(url) is None:
        every = apprise.Apprise().details()["schemas"]
        known = {name for one in every for kind in ("protocols", "secure_protocols") for name in one[kind] or ()}
        if scheme not in known:
            raise ValueError("is no URL of apprise: its scheme is unknown; see https://github.com/caronc/apprise/wiki")
        raise ValueError(f"is no URL that apprise can use: something is missing behind {scheme}://")


def scheme_of(url: SecretStr) -> str:
    """What stands before `://`, which is no secret."""
    return url.get_secret_value().partition("://")[0].lower()
