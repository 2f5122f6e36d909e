"""Time the decoder alone: microseconds a span, and the ratio to `ptars`, which only turns protobuf into Arrow.

Run: python -m tests.benchmarks.bench_decode
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from receiver.decode import WIRE, decode
from receiver.limits import Limits
from tests.receiver.builders import attributes, body

SPANS = 512
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
START_NS = int(NOW.timestamp()) * 10**9
ROUNDS = 40
GENAI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.id": "chatcmpl-5a5ccb1e6a1b4f0f",
    "gen_ai.usage.input_tokens": 812,
    "gen_ai.usage.output_tokens": 144,
    "gen_ai.request.temperature": 0.7,
}
RESOURCE = {
    "service.name": "shop",
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.45.2",
}


def made(number_of_attributes: int, chance: random.Random) -> bytes:
    """One request of 512 spans, 16 to a trace."""
    more = {f"app.attribute.{n:02}": f"value {n} of this attribute" for n in range(number_of_attributes - len(GENAI))}
    traces = [chance.randbytes(16) for _ in range(SPANS // 16)]
    spans = [
        Span(
            trace_id=traces[n // 16],
            span_id=chance.randbytes(8),
            parent_span_id=chance.randbytes(8),
            name="chat gpt-4o-mini",
            kind=Span.SPAN_KIND_CLIENT,
            start_time_unix_nano=START_NS + n,
            end_time_unix_nano=START_NS + n + 10**9,
            attributes=attributes(GENAI | more),
        )
        for n in range(SPANS)
    ]
    return body(*spans, resource=RESOURCE)


def best_seconds(work: Callable[[], object]) -> float:
    """The shortest of several runs: whatever else the machine does only makes them longer."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def with_objects(bodies: list[bytes]) -> list[tuple[str, dict[str, str]]]:
    """What a loop over protobuf objects costs, for comparison: names and attributes only."""
    return [
        (span.name, {pair.key: pair.value.string_value for pair in span.attributes})
        for made in bodies
        for outer in ExportTraceServiceRequest.FromString(made).resource_spans
        for inner in outer.scope_spans
        for span in inner.spans
    ]


def main() -> None:
    """Print one line a case."""
    chance = random.Random(0)
    for number_of_attributes in (7, 25):
        for requests in (1, 8, 32):
            bodies = [made(number_of_attributes, chance) for _ in range(requests)]
            assert decode(bodies, Limits(), NOW).spans.height == SPANS * requests
            per_span = 1e6 / (SPANS * requests)
            alone = best_seconds(lambda: WIRE.columns(bodies)) * per_span  # noqa: B023  # run at once
            whole = best_seconds(lambda: decode(bodies, Limits(), NOW)) * per_span  # noqa: B023
            loop = best_seconds(lambda: with_objects(bodies)) * per_span if requests == 1 else None  # noqa: B023
            print(
                f"{number_of_attributes:2} attributes, {requests:2} requests of {SPANS} spans: decode {whole:5.2f} µs/span, "
                f"ptars alone {alone:5.2f}, ratio {whole / alone:4.2f}"
                + (f"; protobuf objects and a loop {loop:5.2f}" if loop else "")
            )


if __name__ == "__main__":
    main()
