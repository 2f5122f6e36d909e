"""Messages arrive at real servers, signed, and what goes wrong is told without any address."""

import hmac
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from pydantic import ValidationError

from exporters.notifications.carriers import carrier
from exporters.notifications.messages import preview
from exporters.notifications.settings import NotificationSettings, Route
from processors.errors import NotTaken, Unavailable
from tests.builders import NOW
from tests.exporters.notifications.receivers import Hook, dripping, hook, letters

SECRET = "a secret of sixteen"


def route(**more: Any) -> Route:
    return Route.model_validate({"name": "ops"} | more)


def to(said: Hook) -> Route:
    return route(webhook={"url": said.url, "secret": SECRET})


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    return preview(NOW + timedelta(seconds=number)) | {"event_id": f"e{number}", "alert_id": f"a{number}"} | more


def test_a_webhook_is_signed_over_its_time_and_body_and_has_a_key() -> None:
    with hook() as said:
        carrier(to(said), 5)([event(title="langsamer — 🐢")], "e1", NOW)

    (headers,), (body,) = said.headers, said.bodies
    seconds, _, signed = headers["Merit-Signature"].removeprefix("t=").partition(",v1=")
    assert int(seconds) == NOW.timestamp()
    assert signed == hmac.new(SECRET.encode(), f"{seconds}.".encode() + body, sha256).hexdigest()
    assert headers["Idempotency-Key"] == "e1"
    (told,) = json.loads(body)["events"]
    assert (told["event_id"], told["title"], told["at"]) == ("e1", "langsamer — 🐢", "2026-01-31T12:00:01.000000Z")


@pytest.mark.parametrize("status", [302, 400, 429, 500])
def test_any_other_answer_than_a_good_one_is_none(status: int) -> None:
    with hook(Hook(answers=[status])) as said, pytest.raises(NotTaken, match=str(status)) as refused:
        carrier(to(said), 5)([event()], "e1", NOW)

    assert refused.value.retry_after == timedelta(seconds=120)
    assert len(said.bodies) == 1


def test_nobody_there_is_certainly_not_taken_and_a_broken_connection_perhaps() -> None:
    with hook(Hook(answers=[0])) as said, pytest.raises(Unavailable, match="broke") as broken:
        carrier(to(said), 5)([event()], "e1", NOW)
    with pytest.raises(NotTaken, match="refused") as gone:
        carrier(to(said), 5)([event()], "e1", NOW)

    assert not isinstance(broken.value, NotTaken)
    assert "127.0.0.1" not in str(broken.value) + str(gone.value)


@pytest.mark.parametrize("by", ["webhook", "apprise"])
def test_who_never_ends_an_answer_is_not_waited_for(by: str) -> None:
    """At most a hundred headers are read: five seconds of them."""
    with dripping() as said, pytest.raises(Unavailable, match=r"not ended its answer within 0\.3 s"):
        carrier(to(said) if by == "webhook" else route(url=f"json://127.0.0.1:{said.port}"), 0.1)([event()], "e1", NOW)


def test_a_letter_says_what_happened_and_ends_with_its_key() -> None:
    with letters() as post:
        told = event(severity="critical", title="Coder fails\r\nBcc: x@evil.example", evidence={"traces": ["0af7", "1bf8"]})
        carrier(route(url=post.url), 5)([told], "e1", NOW)

    (letter,) = post.received
    assert letter["Bcc"] is None
    text = letter.as_string()
    assert "e1" in text
    assert "traces to look at: 0af7, 1bf8" in text
    assert "Coder fails" in str(letter["Subject"])


def test_many_events_are_one_digest() -> None:
    with letters() as post:
        carrier(route(url=post.url), 5)([event(n) for n in range(70)], "key", NOW)

    (letter,) = post.received
    assert "70 things happened to 70 alerts" in str(letter["Subject"])
    part = next(each for each in letter.walk() if each.get_content_type() == "text/plain")
    text = part.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert b"and 20 more" in text


def test_a_receiver_that_apprise_cannot_reach_is_told_without_its_secrets() -> None:
    with pytest.raises(NotTaken, match="json://") as failed:
        carrier(route(url="json://user:hunter22@127.0.0.1:1/path-secret"), 2)([event()], "e1", NOW)

    assert "hunter22" not in str(failed.value)
    assert "path-secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"url": "slck://hunter22"}, "scheme is unknown"),
        ({"url": "slack://"}, "something is missing behind slack://"),
        ({"url": "no url hunter22"}, "scheme is unknown"),
        ({}, "needs one receiver"),
        ({"url": "json://h", "webhook": {"url": "https://h", "secret": "0123456789abcdef"}}, "needs one receiver"),
        ({"webhook": {"url": "ftp://hunter22/x", "secret": "0123456789abcdef"}}, "write https://host/path"),
        ({"webhook": {"url": "https://h/x", "secret": "hunter22"}}, "at least 16"),
        ({"url": "json://h", "title": "{titel}"}, "did you mean {title}?"),
        ({"url": "json://h", "body": "{title"}, "is no template"),
        ({"url": "json://h", "body": "{title.__class__}"}, "knows no {title.__class__}"),
        ({"url": "json://h", "body": "{title:>9999999}"}, "takes neither a format nor a conversion"),
        ({"url": "json://h", "body": "{0}"}, "knows no {0}"),
        ({"url": "json://h", "severities": ["fatal"]}, "'critical'"),
        ({"url": "json://h", "scope": {"colour": ["red"]}}, "'category'"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_change(said: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NotificationSettings.model_validate({"routes": [{"name": "ops"} | said]})

    assert word in str(refused.value)
    assert "hunter22" not in str(refused.value)


def test_two_routes_have_two_names() -> None:
    with pytest.raises(ValidationError, match="two routes are called 'ops'"):
        NotificationSettings(routes=(route(url="json://h"), route(url="json://h")))
