"""Tokens and roles over real connections: gRPC, OTLP/HTTP and the API."""

import re
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
import yaml
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from exporters.store import Store
from merit.listeners.doors import Tokens
from merit.settings import TelemetrySettings
from merit.settings.auth import AuthSettings
from merit.telemetry import Telemetry
from processors.errors import Rejected, TooFast, Unauthenticated
from tests.builders import Clock
from tests.doors import Listeners, listening, settings, token
from tests.receiver.builders import body, span

INGEST, INGEST_LINE = token("ingest", name="agents")
READ, READ_LINE = token("read", name="grafana")
WRITE, WRITE_LINE = token("write", name="judge")
ALL, ALL_LINE = token("ingest", "read", "write", name="admin")
STRANGER, _ = token("ingest", "read", "write")
FEEDBACK = "/v1/tasks/x/feedback"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.yaml"
    path.write_text("\n".join([INGEST_LINE, READ_LINE, WRITE_LINE, ALL_LINE]))
    return path


@pytest.fixture
def doors(file: Path, tables: Store) -> Iterator[Listeners]:
    with listening(settings(auth={"tokens_file": str(file)}), tables) as running:
        yield running


def refusal(doors: Listeners, shown: str) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        doors.send_grpc(body(span()), shown)
    return caught.value


@pytest.mark.parametrize("shown", [INGEST, ALL], ids=["ingest", "all"])
def test_who_may_send_is_let_in(doors: Listeners, shown: str) -> None:
    assert doors.send_grpc(body(span(name="a")), shown) == b""
    assert doors.send_http(body(span(2, name="b")), shown).status_code == 200
    assert doors.shelf.names == ["a", "b"]


@pytest.mark.parametrize("shown", ["", "short", "Bearer", STRANGER, INGEST[:-1], f"{INGEST}x", INGEST.upper()], ids=range(7))
def test_who_is_unknown_is_told_to_say_who_they_are(doors: Listeners, shown: str) -> None:
    refused = refusal(doors, shown)
    assert refused.code() is grpc.StatusCode.UNAUTHENTICATED
    for answer in (doors.send_http(body(span()), shown), doors.ask(token=shown), doors.ask(FEEDBACK, shown, "POST")):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "token" in answer.text
    assert doors.shelf.frames == []


def test_a_token_without_the_role_is_told_which_is_needed(doors: Listeners) -> None:
    refused = refusal(doors, READ)

    assert refused.code() is grpc.StatusCode.PERMISSION_DENIED
    assert refused.details() == "this needs a token with the role ingest; yours has read"
    assert doors.send_http(body(span()), WRITE).status_code == 403
    assert "the role read; yours has ingest" in doors.ask(token=INGEST).json()["detail"]
    assert "the role write; yours has read" in doors.ask(FEEDBACK, READ, "POST", json={"rating": 5}).json()["detail"]


def test_reading_and_writing_are_roles_apart(doors: Listeners) -> None:
    assert doors.ask(token=READ).status_code == 200
    assert doors.ask(token=WRITE).status_code == 403
    assert doors.ask(FEEDBACK, WRITE, "POST", json={"rating": 5}).status_code == 202
    assert doors.ask("/v1/objectives/x", WRITE, "DELETE").status_code != 403


def test_how_the_process_is_and_what_may_be_asked_is_open_and_the_metrics_are_not(doors: Listeners) -> None:
    assert [doors.ask(path).status_code for path in ("/healthz", "/readyz", "/docs", "/openapi.json")] == [200] * 4
    assert [doors.ask("/metrics", shown).status_code for shown in ("", INGEST, READ)] == [401, 403, 200]
    assert doors.ask("/nothing/here").status_code == 401


def test_tokens_are_given_and_taken_back_without_a_restart(file: Path) -> None:
    door = Tokens(AuthSettings(tokens_file=file), look_seconds=0)
    new, new_line = token("ingest", name="new")

    file.write_text(new_line)
    door.admit(f"Bearer {new}", "ingest")
    with pytest.raises(Unauthenticated, match="not known here"):
        door.admit(f"Bearer {INGEST}", "ingest")


BROKEN = ["- {name: x", "- just a word", "- {name: x, roles: [king], sha256: abc}", "- {name: 2026-02-30}", "[" * 9_999, None]


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_breaks_leaves_the_last_good_tokens(file: Path, broken: str | None, caplog: pytest.LogCaptureFixture) -> None:
    door = Tokens(AuthSettings(tokens_file=file), look_seconds=0)

    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    door.admit(f"Bearer {INGEST}", "ingest")
    door.admit(f"bearer  {INGEST} ", "ingest")

    assert [record.getMessage() for record in caplog.records if "what was there before stays in use" in record.getMessage()]
    assert len(caplog.records) == 1
    with pytest.raises(Rejected, match=r"auth.tokens_file .*(cannot be read|no YAML|merit token new)"):
        Tokens(AuthSettings(tokens_file=file))


def test_only_hashes_are_in_the_file(file: Path) -> None:
    assert all(shown not in file.read_text() for shown in (INGEST, READ, WRITE, ALL))


def test_a_self_chosen_word_is_no_token_even_if_its_hash_is_in_the_file() -> None:
    hash_of_word = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"  # of "password"
    door = Tokens(AuthSettings.model_validate({"tokens": [{"name": "x", "roles": ["read"], "sha256": hash_of_word}]}))

    with pytest.raises(Unauthenticated, match="no token of Merit's"):
        door.admit("Bearer password", "read")


def test_requests_over_the_rate_are_told_when_to_come_back(tables: Store) -> None:
    shown, entry = token("ingest", "read")
    auth = {"tokens": [entry_of(entry) | {"requests_per_second": 0.5}]}
    with listening(settings(auth=auth), tables) as doors:
        assert doors.ask(token=shown).status_code == 200
        late = doors.ask(token=shown)
        sent = doors.send_http(body(span()), shown)
        refused = refusal(doors, shown)

    assert (late.status_code, sent.status_code) == (429, 429)
    assert 1 <= int(late.headers["retry-after"]) <= 2
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    info = RetryInfo()
    status = Status.FromString(dict(refused.trailing_metadata() or ())["grpc-status-details-bin"])
    assert status.details[0].Unpack(info)
    assert 0 < info.retry_delay.ToTimedelta().total_seconds() <= 2


def test_bytes_over_the_rate_are_waited_for_on_every_way_in(tables: Store) -> None:
    shown, entry = token("ingest")
    auth = {"tokens": [entry_of(entry) | {"mib_per_second": 0.0001}]}  # a hundred bytes
    with listening(settings(auth=auth), tables) as doors:
        assert doors.send_http(body(span(), resource={"x": "y" * 1000}), shown).status_code == 200
        late, refused = doors.send_http(body(span(2)), shown), refusal(doors, shown)

    assert late.status_code == 429
    assert 8 <= int(late.headers["retry-after"]) <= 14
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_api_takes_no_more_connections_than_it_may(tables: Store) -> None:
    with listening(settings(query_api={"max_connections": 1}), tables) as doors, httpx.Client(base_url=doors.api) as first:
        assert first.get("/healthz").status_code == 200
        assert doors.ask("/healthz").status_code == 503
        assert first.get("/healthz").status_code == 200


def test_bytes_over_the_rate_are_a_debt_that_the_next_request_waits_for() -> None:
    shown, entry = token("ingest")
    clock, header = Clock(), f"Bearer {shown}"
    auth = AuthSettings.model_validate({"tokens": [entry_of(entry)], "mib_per_second": 1})
    door = Tokens(auth, lambda: clock.moment.timestamp())

    door.admit(header, "ingest")
    door.spend(header, 4 << 20)
    with pytest.raises(TooFast) as caught:
        door.admit(header, "ingest")
    assert caught.value.retry_after.total_seconds() == pytest.approx(3)
    clock.tick(3.1)
    door.admit(header, "ingest")


def test_a_rate_that_is_changed_in_the_file_holds_from_then_on(tmp_path: Path) -> None:
    shown, entry = token("ingest")
    clock, header, file = Clock(), f"Bearer {shown}", tmp_path / "tokens.yaml"
    file.write_text(rated(entry, 1))
    door = Tokens(AuthSettings(tokens_file=file), lambda: clock.moment.timestamp(), look_seconds=0)
    door.admit(header, "ingest")
    with pytest.raises(TooFast):
        door.admit(header, "ingest")

    file.write_text(rated(entry, 100))
    for _ in range(100):
        door.admit(header, "ingest")
    with pytest.raises(TooFast):
        door.admit(header, "ingest")


def rated(entry: str, requests: int) -> str:
    """The line of a token with a rate."""
    return yaml.safe_dump([entry_of(entry) | {"requests_per_second": requests}])


def test_what_is_refused_at_the_doors_is_counted_by_signal_and_reason(tables: Store) -> None:
    (shown, entry), (reader, reading) = token("ingest"), token("read", name="reader")
    tokens = [entry_of(entry) | {"requests_per_second": 0.01}, entry_of(reading)]
    telemetry = Telemetry(TelemetrySettings(), "1")
    with listening(settings(auth={"tokens": tokens}), tables, telemetry.instruments) as doors:
        for each in ("", reader):
            refusal(doors, each)
            doors.send_http(body(span()), each)
        doors.send_grpc(body(span()), shown)
        refusal(doors, shown)
        doors.send_http(body(span()), shown)
    counted = re.findall(r'merit_otlp_requests_total{outcome="([a-z ]+)",signal="traces"} (\d)', telemetry.exposition().decode())
    telemetry.stop()

    assert dict(counted) == {"unauthenticated": "2", "forbidden": "2", "too fast": "2", "accepted": "1"}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", "10.0.0.1"])
def test_a_page_that_calls_loopback_by_a_name_of_its_own_is_refused(tables: Store, host: str) -> None:
    with listening(settings(), tables) as doors:
        asked = doors.ask(headers={"Host": host})
        sent = doors.send_http(body(span()), headers={"Host": host})
        usual = [
            doors.ask(headers={"Host": name}).status_code for name in ("localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST")
        ]

    assert (asked.status_code, sent.status_code, usual) == (421, 421, [200] * 4)


@pytest.mark.parametrize(
    ("origin", "refused"), [("https://evil.example", True), ("null", True), ("http://127.0.0.1:{port}", False), (None, False)]
)
def test_a_page_of_another_origin_changes_nothing(tables: Store, origin: str | None, refused: bool) -> None:
    """Browsers send such a request without asking, for its body is no JSON by its type."""
    with listening(settings(), tables) as running:
        said = {} if origin is None else {"origin": origin.format(port=httpx.URL(running.api).port)}
        answer = httpx.post(f"{running.api}{FEEDBACK}", json={"rating": 5}, headers=said)
        read = httpx.get(f"{running.api}/v1/tasks", headers=said)

    assert (answer.status_code == 403) is refused
    assert read.status_code == 200


def test_any_name_will_do_where_tokens_are_asked_for(doors: Listeners) -> None:
    assert doors.ask(token=READ, headers={"Host": "merit.example"}).status_code == 200


def entry_of(entry: str) -> dict[str, object]:
    """A line of the file as settings."""
    found: dict[str, object] = yaml.safe_load(entry)[0]
    return found
