"""Whether receivers can be reached is seen without sending them anything."""

import socket

import pytest

from exporters.notifications.reach import place_of, why_unreachable
from exporters.notifications.settings import Route
from tests.exporters.notifications.receivers import hook

SECRET = "a secret of sixteen"


def route(url: str = "", hooked: str = "") -> Route:
    return Route.model_validate({"name": "ops"} | ({"url": url} if url else {"webhook": {"url": hooked, "secret": SECRET}}))


def test_who_is_there_is_reached_and_sent_nothing() -> None:
    with hook() as said, socket.create_server(("127.0.0.1", 0)) as post:
        mail = f"mailto://127.0.0.1:{post.getsockname()[1]}?from=merit@example.org&to=ops@example.org"
        assert why_unreachable(route(hooked=said.url), 5) == ""
        assert why_unreachable(route(f"json://127.0.0.1:{said.port}/x"), 5) == ""
        assert why_unreachable(route(mail), 5) == ""

    assert said.bodies == []


def test_who_is_not_there_is_told_of_without_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert why_unreachable(route(hooked=f"http://127.0.0.1:{port}/hunter22"), 5) == "Connection refused"
    assert why_unreachable(route(hooked="http://nobody.invalid/hunter22"), 5) == "the name of its host is unknown"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("json://example.org/x", ("example.org", 80)),
        ("jsons://example.org/x", ("example.org", 443)),
        ("mailtos://me:secret@example.org?smtp=mail.example.org&to=you@example.org", ("mail.example.org", 587)),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", None),
        ("syslog://", None),
    ],
)
def test_where_a_receiver_is_goes_by_what_apprise_tells(url: str, place: tuple[str, int] | None) -> None:
    assert place_of(route(url)) == place
