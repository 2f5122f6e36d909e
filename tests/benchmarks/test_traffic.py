"""The benchmark's traffic is what it is counted as, and its count notices what is missing."""

from datetime import UTC, datetime

import polars as pl

from processors.derive import Derived
from tests.benchmarks import captures
from tests.benchmarks.end_to_end import Case, differences, expected
from tests.benchmarks.floor import sample
from tests.benchmarks.sender import Sent
from tests.benchmarks.traffic import Traffic

NOW_NS = int(datetime.now(UTC).timestamp() * 1e9)
SETS = 2


def counted(derived: Derived) -> dict[str, int]:
    calls = derived.nodes.filter(pl.col("operation") == "chat")
    return {
        "workflows": len(derived.workflows),
        "tasks": len(derived.tasks),
        "nodes": len(derived.nodes),
        "calls": len(calls),
        "input_tokens": int(calls["input_tokens"].sum()),
    }


def made(spans: int) -> list[bytes]:
    traffic = Traffic(spans)
    return [body for _ in range(SETS) for body in traffic.requests(NOW_NS)]


def test_what_is_derived_is_what_is_expected_whatever_the_size_of_a_request() -> None:
    for spans in (1, 64, 512):
        want = expected(Case("full", spans, 1), Sent(sets=SETS), probes=0)
        of = sample(made(spans))

        assert differences(want, counted(of.derived) | {"spans": of.spans}) == []


def test_a_request_that_is_missing_is_noticed() -> None:
    want = expected(Case("full", 1, 1), Sent(sets=SETS), probes=0)

    assert differences(want, counted(sample(made(1)[:-1]).derived)) != []


def test_every_set_has_traces_of_its_own() -> None:
    assert sample(made(512)).received["TraceId"].n_unique() == SETS * 512 // 16


def test_copies_of_a_capture_are_traces_of_their_own_and_whole() -> None:
    once, more = (sample(captures.requests(NOW_NS, wanted)) for wanted in (500, 5_000))
    children = once.received.filter(pl.col("ParentSpanId") != "")
    orphans = children.join(once.received, left_on="ParentSpanId", right_on="SpanId", how="anti")

    assert orphans.is_empty()
    assert more.spans >= 5_000
    assert more.received.select("TraceId", "SpanId").is_duplicated().sum() == 0
