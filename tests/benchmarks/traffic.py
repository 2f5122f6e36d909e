"""Agent traces for measuring: made once with opentelemetry-proto, then given new ids and times by writing over the bytes.

A trace has 16 spans: a supervisor with two sub-agents, model calls and tool calls, about 7 attributes a span.
"""

from collections.abc import Iterator

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SPANS_IN_TRACE = 16
TREE = (
    ("invoke_agent", -1, "supervisor"),
    ("chat", 0, ""),
    ("invoke_agent", 0, "researcher"),
    ("chat", 2, ""),
    ("execute_tool", 2, "web_search"),
    ("chat", 2, ""),
    ("execute_tool", 2, "read_page"),
    ("chat", 2, ""),
    ("chat", 0, ""),
    ("invoke_agent", 0, "writer"),
    ("chat", 9, ""),
    ("execute_tool", 9, "save_file"),
    ("chat", 9, ""),
    ("execute_tool", 9, "check_spelling"),
    ("chat", 9, ""),
    ("chat", 0, ""),
)
"""Operation, place of the parent in the trace, name of agent or tool."""
MODELS = ("gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "claude-sonnet-4-5-20250929", "o4-mini-2025-04-16")

HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def _value(value: str | int | float) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(double_value=value)


def _attributes(operation: str, name: str, number: int, wanted: int) -> dict[str, str | int | float]:
    said: dict[str, str | int | float] = {"gen_ai.operation.name": operation}
    if operation == "invoke_agent":
        said |= {
            "gen_ai.agent.name": name,
            "gen_ai.conversation.id": f"conversation-{number % 97}",
            "user.id": f"user-{number % 31}",
        }
        said |= {"merit.task.category": ("research", "writing", "analysis")[number % 3]}
    elif operation == "chat":
        said |= {
            "gen_ai.provider.name": "anthropic" if "claude" in MODELS[number % 4] else "openai",
            "gen_ai.request.model": MODELS[number % 4],
            "gen_ai.response.model": MODELS[number % 4],
            "gen_ai.response.id": f"chatcmpl-{number:016x}",
            "gen_ai.usage.input_tokens": 700 + number % 900,
            "gen_ai.usage.output_tokens": 40 + number % 200,
            "gen_ai.usage.cache_read.input_tokens": number % 512,
            "gen_ai.request.temperature": 0.7,
        }
    else:
        said |= {"gen_ai.tool.name": name, "gen_ai.tool.type": "function", "gen_ai.tool.call.id": f"call_{number:012x}"}
    more = wanted - len(said)
    return said | {f"app.attribute.{n:02}": f"value {(number + n) % 50} of attribute {n}" for n in range(more)}


def template(spans: int, attributes: int, prompt_bytes: int = 0) -> ExportTraceServiceRequest:
    """A request of `spans` spans, of which each sixteen are a trace; ids count upwards, times begin at 1 s."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    for key, value in {"service.name": "shop", "service.version": "1.4.2", "telemetry.sdk.language": "python"}.items():
        resource.resource.attributes.add(key=key, value=_value(value))
    scope = resource.scope_spans.add()
    scope.scope.name = "bench"
    for number in range(spans):
        trace, place = divmod(number, SPANS_IN_TRACE)
        operation, parent, name = TREE[place]
        said = _attributes(operation, name, number, attributes)
        if prompt_bytes and operation == "chat":
            said["gen_ai.input.messages"] = "x" * prompt_bytes
        span = Span(
            trace_id=_trace_id(trace),
            span_id=_span_id(number),
            parent_span_id=_span_id(trace * SPANS_IN_TRACE + parent) if parent >= 0 else b"",
            name=f"{operation} {name or said.get('gen_ai.request.model', '')}".strip(),
            kind=Span.SPAN_KIND_CLIENT if operation == "chat" else Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=10**18 + place * 10**7,
            end_time_unix_nano=10**18 + (place + 1) * 10**7 if parent >= 0 else 10**18 + 17 * 10**7,
            attributes=[KeyValue(key=k, value=_value(v)) for k, v in said.items()],
            status=Status(code=Status.STATUS_CODE_ERROR if number % 61 == 60 else Status.STATUS_CODE_UNSET),
        )
        scope.spans.append(span)
    return request


def _trace_id(number: int) -> bytes:
    return b"TRACEtrace" + number.to_bytes(6, "big")


def _span_id(number: int) -> bytes:
    return b"SPAN" + number.to_bytes(4, "big")


class Traffic:
    """Serialized requests like `template`, with times that end at `now_ns` and random ids of traces, spans and calls.

    Other attributes repeat every `spans` spans, which compresses better than what real agents send.

    Args:
        spans: how many in a request; fewer than 16 leave traces open across requests.
        attributes: on each span.
        prompt_bytes: length of a prompt on each model call.
        seed: of the ids.
    """

    def __init__(self, spans: int, attributes: int = 7, prompt_bytes: int = 0, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self.spans = spans
        self._whole = max(spans, SPANS_IN_TRACE) // SPANS_IN_TRACE * SPANS_IN_TRACE
        self._parts = [_Part(part) for part in _split(template(self._whole, attributes, prompt_bytes), spans)]

    def requests(self, now_ns: int) -> Iterator[bytes]:
        """The requests of a set of whole traces with fresh ids."""
        traces = self._random.integers(0, 256, (self._whole // SPANS_IN_TRACE, 16), dtype=np.uint8)
        spans = self._random.integers(0, 256, (self._whole, 8), dtype=np.uint8)
        for part in self._parts:
            yield part.fresh(traces, spans, now_ns, self._random)


def _split(request: ExportTraceServiceRequest, spans: int) -> list[ExportTraceServiceRequest]:
    scope = request.resource_spans[0].scope_spans[0]
    parts = []
    for start in range(0, len(scope.spans), spans):
        part = ExportTraceServiceRequest()
        resource = part.resource_spans.add(resource=request.resource_spans[0].resource)
        resource.scope_spans.add(scope=scope.scope, spans=scope.spans[start : start + spans])
        parts.append(part)
    return parts


class _Part:
    """One request's bytes, and where in them ids and times stand."""

    def __init__(self, request: ExportTraceServiceRequest) -> None:
        data = request.SerializeToString()
        self._bytes = np.frombuffer(data, dtype=np.uint8)
        self._traces = self._find(data, b"TRACEtrace")
        self._spans = self._find(data, b"SPAN")
        self._trace_numbers = self._numbers(self._traces + 12)
        self._span_numbers = self._numbers(self._spans + 4)
        self._calls = np.concatenate([self._find(data, mark) + len(mark) for mark in (b"chatcmpl-", b"call_")])
        spans = request.resource_spans[0].scope_spans[0].spans
        times = [t for s in spans for t in (s.start_time_unix_nano, s.end_time_unix_nano)]
        self._offsets = np.array(times, dtype=np.uint64) - np.uint64(10**18 + 17 * 10**7)
        self._times = self._time_places(data, times)

    @staticmethod
    def _find(data: bytes, mark: bytes) -> np.ndarray:
        found, at = [], data.find(mark)
        while at >= 0:
            found.append(at)
            at = data.find(mark, at + 1)
        return np.array(found, dtype=np.int64)

    @staticmethod
    def _time_places(data: bytes, times: list[int]) -> np.ndarray:
        places, at = [], 0
        for number, time in enumerate(times):  # fixed64 fields 7 and 8 of each span, in order
            tag = b"\x39" if number % 2 == 0 else b"\x41"
            at = data.index(tag + time.to_bytes(8, "little"), at) + 1
            places.append(at)
        return np.array(places)

    def _numbers(self, places: np.ndarray) -> np.ndarray:
        """The 4-byte numbers at `places`."""
        return self._bytes[places[:, None] + np.arange(4)].view(">u4").ravel().astype(np.int64)

    def fresh(self, traces: np.ndarray, spans: np.ndarray, now_ns: int, chance: np.random.Generator) -> bytes:
        data = self._bytes.copy()
        data[self._calls[:, None] + np.arange(12)] = HEX[chance.integers(0, 16, (len(self._calls), 12))]
        data[self._traces[:, None] + np.arange(16)] = traces[self._trace_numbers]
        data[self._spans[:, None] + np.arange(8)] = spans[self._span_numbers]
        times = (np.uint64(now_ns) + self._offsets).view(np.uint8).reshape(-1, 8)
        data[self._times[:, None] + np.arange(8)] = times
        return data.tobytes()
