"""Redaction of whole frames: nothing of a secret is left, and nothing that counts is touched."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.conventions.read import Conventions
from processors.frames import MAP, RECEIVED
from processors.redact.redactor import Redactor
from processors.redact.settings import RedactSettings
from tests.builders import NOW, Row, agent, chat, frame, span

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz012345"
MASKED = "[redacted:api-key]"
DEFAULT = Redactor()


def redacted(row: Row, **settings: object) -> Row:
    """`row` after redaction by `settings`."""
    found: Row = Redactor(RedactSettings.model_validate(settings))(frame([row])).row(0, named=True)
    return found


def test_a_key_is_masked_wherever_it_stands() -> None:
    row = span(
        1,
        1,
        said={"a": KEY, "b": json.dumps([{"k": f"use {KEY}"}])},
        SpanName=f"call {KEY}",
        StatusMessage=f"401: {KEY} is wrong",
        TraceState=f"k={KEY}",
        ResourceAttributes={"service.name": "app", "cmd": f"run --key {KEY}"},
        **{
            "Events.Timestamp": [NOW, NOW],
            "Events.Name": ["e", f"{KEY}"],
            "Events.Attributes": [{}, {"exception.message": KEY, "x": "y"}],
            "Links.TraceId": ["0" * 32],
            "Links.SpanId": ["0" * 16],
            "Links.TraceState": [KEY],
            "Links.Attributes": [{"l": KEY}],
        },
    )
    after = DEFAULT(frame([row, span(1, 2)]))

    assert KEY not in str(after.to_dicts())
    assert str(after.to_dicts()).count(MASKED) == str(frame([row]).to_dicts()).count(KEY)
    assert after.schema == pl.Schema(RECEIVED)
    assert after.row(1) == frame([span(1, 2)]).row(0)


def test_what_holds_nothing_is_handed_on_as_it_is() -> None:
    received = frame([agent(1, 1), chat(1, 2, 1)])

    assert DEFAULT(received) is received


def test_attributes_with_the_name_of_a_credential_are_masked_whole() -> None:
    said = {"http.request.header.authorization": '["Basic YWJjZGVm"]', "db.password": "x", "app.apiKey": "a b c d e f", "n": "1"}

    assert redacted(span(1, 1, said=said))["SpanAttributes"] == {
        "app.apiKey": "[redacted:api-key]",
        "db.password": "[redacted:password]",
        "http.request.header.authorization": "[redacted:authorization]",
        "n": "1",
    }


def test_attributes_are_dropped_masked_cut_or_kept_by_name() -> None:
    said = {"a.one": "1", "a.two": "22222", "user.name": "Ann", "long": "x" * 50, "session.token": "0123456789"}
    rules = [
        {"name": "a.*", "action": "drop"},
        {"name": "user.name", "action": "mask"},
        {"name": "lon?", "action": "truncate", "characters": 3},
        {"name": "session.token", "action": "keep"},
    ]
    row = span(1, 1, said=said, ResourceAttributes={"a.three": "3", "service.name": "app"})

    after = redacted(row, attributes=rules)

    assert after["SpanAttributes"] == {"long": "xxx", "session.token": "0123456789", "user.name": "[redacted:attribute]"}
    assert after["ResourceAttributes"] == {"service.name": "app"}


def test_a_secret_is_masked_before_a_value_is_cut() -> None:
    rules = [{"name": "long", "action": "truncate", "characters": 30}]

    assert redacted(span(1, 1, said={"long": f"0123456789 {KEY}"}), attributes=rules)["SpanAttributes"] == {
        "long": "0123456789 [redacted:api-key]"
    }


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        ("keep", {"gen_ai.input.messages": "hello you", "gen_ai.prompt.0.content": "hello"}),
        ("truncate", {"gen_ai.input.messages": "hel", "gen_ai.prompt.0.content": "hel"}),
        ("mask", {"gen_ai.input.messages": "[redacted:prompt]", "gen_ai.prompt.0.content": "[redacted:prompt]"}),
        ("drop", {}),
    ],
)
def test_prompts_are_treated_as_a_group(prompts: str, expected: dict[str, str]) -> None:
    said = {"gen_ai.input.messages": "hello you", "gen_ai.prompt.0.content": "hello", "gen_ai.prompt.0.role": "user"}

    after = redacted(span(1, 1, said=said), prompts=prompts, prompt_characters=3)

    assert after["SpanAttributes"] == {**expected, "gen_ai.prompt.0.role": "user"}


def test_the_service_is_called_as_its_resource_says_after_redaction() -> None:
    rules = [{"name": "service.name", "action": "mask"}]

    assert redacted(span(1, 1), attributes=rules)["ServiceName"] == "[redacted:attribute]"


def test_own_patterns_spare_what_counts() -> None:
    said = {"staff": "number 123456 called", "gen_ai.usage.input_tokens": 123456}

    after = redacted(chat(1, 1, said=said), patterns=[{"name": "staff-number", "regex": "[0-9]{6}"}])

    assert after["SpanAttributes"]["staff"] == "number [redacted:staff-number] called"
    assert after["SpanAttributes"]["gen_ai.usage.input_tokens"] == "123456"
    assert after["TraceId"] == f"{1:032x}"


def test_bodies_of_log_records_are_prompts_where_their_event_says_so() -> None:
    body = '{"content":"hello"}'
    records = pl.DataFrame(
        {
            "Body": [body, body, f"plain {KEY}"],
            "EventName": ["gen_ai.user.message", "", ""],
            "LogAttributes": pl.Series([{}, {"event.name": "gen_ai.choice"}, {"event.name": "boot"}], dtype=MAP),
        }
    )

    for prompts, expected in (("mask", "[redacted:prompt]"), ("drop", ""), ("keep", body)):
        bodies = Redactor(RedactSettings(prompts=prompts))(records)["Body"].to_list()
        assert bodies == [expected, expected, f"plain {MASKED}"]


def test_comments_are_masked_as_spans_are() -> None:
    comments = pl.Series(["fine", f"worked with {KEY}", None])

    assert DEFAULT.texts(comments).to_list() == ["fine", f"worked with {MASKED}", None]


PIECES = st.sampled_from([
    KEY, "password=", "password: ", '"password":"', "token=", "Authorization: Bearer ", "[redacted:api-key]", "[redacted:token]",
    "postgres://u:p@h/", "ann@example.org", "4111 1111 1111 1111", '"', "'", "\\", '\\"', "=", ":", " ", "]", "[", "}", "é",
    "0123456789abcdef", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln", "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----", "\n", ",", "Cookie: a=b; c",
])  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=8).map("".join)
EVERYTHING = Redactor(RedactSettings.model_validate({"emails": True, "card_numbers": True, "prompts": "mask"}))


@given(st.lists(TEXTS, min_size=1, max_size=5), st.sampled_from([DEFAULT, EVERYTHING]))
def test_redacting_twice_is_redacting_once(texts: list[str], redact: Redactor) -> None:
    once = redact.texts(pl.Series(texts, dtype=pl.String))

    assert redact.texts(once).to_list() == once.to_list()


JSONS = st.recursive(
    TEXTS | st.integers(-(10**9), 10**9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(JSONS)
def test_what_is_json_stays_json(value: object) -> None:
    once = json.dumps({"v": value})
    for text in (once, json.dumps({"password": value, "arguments": once}, ensure_ascii=False)):
        json.loads(EVERYTHING.texts(pl.Series([text])).item())


@given(st.dictionaries(st.text(max_size=5) | st.sampled_from(["password", "input.value", "user.id"]), TEXTS, max_size=4), TEXTS)
def test_ids_times_and_counts_are_never_touched(more: dict[str, str], name: str) -> None:
    received = frame([chat(1, 1, said=more | {"gen_ai.usage.input_tokens": 4111111111111111}) | {"SpanName": name}])
    after = EVERYTHING(received)
    texts = [column for column, dtype in RECEIVED.items() if dtype in (pl.String, pl.List(pl.String)) or "Attributes" in column]
    untouched = [*(column for column in RECEIVED if column not in texts), "TraceId", "SpanId", "ParentSpanId", "SpanKind"]

    assert after.select(untouched).equals(received.select(untouched))
    assert {*after["SpanAttributes"][0]} == {*received["SpanAttributes"][0]}
    read = Conventions()
    counted = ["InputTokens", "OutputTokens", "CachedInputTokens"]
    assert read(after).select(counted).equals(read(received).select(counted))
