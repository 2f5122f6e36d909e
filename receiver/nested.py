"""The few attribute values that need a look of their own: arrays, key-value lists, and numbers Arrow writes its own way.

Texts are those of the Collector's `pcommon.Value.AsString`: JSON with sorted keys, bytes in base64, plain numbers as ES6
writes them. Two differences: JSON is not escaped for HTML (prompts stay readable), and what is no number is called NaN or
Infinity, as in protobuf's JSON, where Go writes an error message.
"""

import base64
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

from processors.errors import Malformed

M = TypeVar("M", ArrayValue, KeyValueList)


def array_texts(values: Sequence[bytes | None]) -> list[str | None]:
    """JSON text of each serialized `ArrayValue`; raises Malformed if one is."""
    return [None if value is None else _json([_plain(v) for v in _parse(ArrayValue, value).values]) for value in values]


def kvlist_texts(values: Sequence[bytes | None]) -> list[str | None]:
    """JSON text of each serialized `KeyValueList`; raises Malformed if one is."""
    return [None if value is None else _json(_mapping(_parse(KeyValueList, value))) for value in values]


def double_text(value: float) -> str:
    """`value` as ES6 writes it: the shortest digits that read back equal, an exponent below 1e-6 and from 1e21."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value.is_integer() and abs(value) < 1e21:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(_shortest_integer(value))
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa
    power = int(exponent)
    if -7 < power < 0:
        return f"{value:.{-power + len(mantissa.lstrip('-').replace('.', '')) - 1}f}"
    return f"{mantissa}e{power:+d}"


def _shortest_integer(value: float) -> int:
    """The integer of the shortest digits that read back as `value`, padded with zeros: 2^60 is 1152921504606847000."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits, zeros = int(whole + fraction), int(exponent or 0) - len(fraction)
    return digits * int(10**zeros)


def _parse(kind: type[M], value: bytes) -> M:
    try:
        return kind.FromString(value)
    except DecodeError as error:
        raise Malformed(f"an array or key-value list in an attribute is malformed: {error}") from error


def _mapping(pairs: KeyValueList) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in pairs.values}


def _number(value: float) -> float | int | str:
    if not math.isfinite(value):
        return double_text(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


PLAIN: dict[str, Callable[[AnyValue], Any]] = {
    "string_value": lambda value: value.string_value,
    "bool_value": lambda value: value.bool_value,
    "int_value": lambda value: value.int_value,
    "double_value": lambda value: _number(value.double_value),
    "bytes_value": lambda value: base64.b64encode(value.bytes_value).decode(),
    "array_value": lambda value: [_plain(v) for v in value.array_value.values],
    "kvlist_value": lambda value: _mapping(value.kvlist_value),
}


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return PLAIN[kind](value) if kind in PLAIN else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
