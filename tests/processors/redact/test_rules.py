"""The data file: each of its examples is masked, also in the middle of a text and inside JSON, and nothing that is read is."""

import json

import polars as pl
import pytest

from processors.conventions.grammar import shipped
from processors.conventions.read import Conventions
from processors.redact.grammar import globs, rules, written
from processors.redact.names import Names
from processors.redact.settings import RedactSettings
from processors.redact.texts import TextMasks

KNOWN = rules()
ALL = TextMasks(RedactSettings(emails=True, card_numbers=True))
KINDS = (*KNOWN.credentials, *KNOWN.pairs, KNOWN.emails, KNOWN.cards)
EXAMPLES = [pytest.param(kind.mask, text, id=f"{kind.mask}-{text[:20]}") for kind in KINDS for text in kind.examples]


def masked(text: str, masks: TextMasks = ALL) -> str:
    found: str = masks(pl.Series([text])).item()
    return found


@pytest.mark.parametrize(("mask", "text"), EXAMPLES)
@pytest.mark.parametrize("around", ["{}", "say {} now", "above\n{}\nbelow"])
def test_every_example_is_masked(mask: str, text: str, around: str) -> None:
    assert written(mask) in masked(around.format(text))


@pytest.mark.parametrize(("mask", "text"), EXAMPLES)
def test_every_example_is_masked_inside_json_which_stays_json(mask: str, text: str) -> None:
    once = json.dumps([{"role": "user", "content": f"here:\n{text} and more"}])
    twice = json.dumps({"arguments": once})

    assert written(mask) in json.loads(masked(once))[0]["content"]
    assert written(mask) in json.loads(json.loads(masked(twice))["arguments"])[0]["content"]


@pytest.mark.parametrize(
    "text",
    [
        "Use the token bucket, count tokens, keep the password short and the secret yours.",
        "max_tokens: 4096, prompt_tokens=1290, token_count: 12",
        '{"usage":{"prompt_tokens":1290,"completion_tokens_details":{"reasoning_tokens":64}},"eos_token":"</s>"}',
        '{"token":"Hello","logprob":-0.5}',
        '[{"role":"user","content":"Enter your password:"},{"role":"assistant","content":"Which one?"}]',
        "http://127.0.0.1:8080/v1/agents/finance%2Feu?since=2026-01-01&by=points",
        "https://example.org:443/@scope/package",
        "task-management-and-other-words, a bearer of news, sk-learn, eyJ",
        "3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a6b 0af7651916cd43dd8448eb211c80319c",
        "chatcmpl-B3c9fGhJ2kLmNoPqRsTuVwXyZ0123 call_3e29a755cdc94e51b564 resp_5e1d037e0cb047bfb3e1465a17e70036",
        "order 4111 1111 1111 1112 of 1795233120000000000 ns",
        "AUTHOR: Kim; author=Kim; authorized",
    ],
)
def test_what_only_looks_a_little_like_it_is_left_alone(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"password":"a\\"b, c","user":"ann"}', '{"password":"[redacted:password]","user":"ann"}'),
        ("{'password': 'a b', 'user': 'ann'}", "{'password': '[redacted:password]', 'user': 'ann'}"),
        ('{"password": 1234, "n": 5}', '{"password": "[redacted:password]", "n": 5}'),
        ('{"password": null, "secret": true}', '{"password": null, "secret": true}'),
        ("password: hunter2, then go", "password: [redacted:password], then go"),
        ("PASSWORD=hunter2 merit serve", "PASSWORD=[redacted:password] merit serve"),
        ("psql postgres://u:p%40ss@db:5432/x?sslmode=on", "psql postgres://u:[redacted:password]@db:5432/x?sslmode=on"),
        ("curl -H 'Authorization: Basic dXNlcjpwYXNz' x", "curl -H 'Authorization: [redacted:authorization]' x"),
        ("GET /v1?api_key=0123456789abcdef&q=a", "GET /v1?api_key=[redacted:api-key]&q=a"),
        ("write to ann@example.org.", "write to [redacted:email]."),
        ("card 4111-1111-1111-1111!", "card [redacted:card-number]!"),
        ('{"a":4111111111111111,"b":-4111111111111111.0}', '{"a":"[redacted:card-number]","b":"[redacted:card-number]"}'),
        (
            '{"a": "no 4111111111111111", "b": "4111111111111111"}',
            '{"a": "no [redacted:card-number]", "b": "[redacted:card-number]"}',
        ),
    ],
)
def test_only_the_secret_itself_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize("text", ['password":\\', "password=\\", "password\\", 'x password":"', "token':'", "api_key=>\\\\"])
def test_a_text_that_ends_where_a_value_would_begin_takes_nothing_of_its_neighbours(text: str) -> None:
    whole = [json.dumps({"a": text, text: 5, "b": "a value of its own"}), json.dumps(json.dumps([text, "another value"]))]

    for document in whole:
        assert json.loads(masked(document)) == json.loads(document) or "a value of its own" in masked(document)
        json.loads(masked(document))


def test_a_card_that_is_a_number_in_json_leaves_json_however_often_it_is_wrapped() -> None:
    text = '{"card": 4111111111111111, "n": 5}'
    for depth in range(4):
        unwrapped = masked(text)
        for _ in range(depth + 1):
            unwrapped = json.loads(unwrapped)
        assert unwrapped == {"card": "[redacted:card-number]", "n": 5}
        text = json.dumps(text)


def test_the_hints_find_whatever_the_patterns_find() -> None:
    for kind in (*KNOWN.credentials, KNOWN.emails, KNOWN.cards):
        examples = pl.Series(kind.examples)
        assert examples.str.to_lowercase().str.contains(kind.hint).all(), kind.mask
        for pattern in kind.patterns:
            assert examples.str.contains(pattern).any() or kind.mask in ("api-key", "token"), pattern


def test_no_attribute_that_dialects_read_has_the_name_of_a_credential() -> None:
    read = pl.Series(sorted(Conventions().keys))

    assert Names(RedactSettings()).among([read]) == []


def test_the_prompts_hold_all_that_dialects_take_for_input_and_output() -> None:
    fields = [(name, source) for dialect in shipped().dialects for name, group in dialect.fields.items() for source in group]
    read = pl.Series(sorted({source.key or source.event for name, source in fields if name in ("input", "output")}))

    assert read.filter(~read.str.contains(globs(KNOWN.prompts))).to_list() == []
