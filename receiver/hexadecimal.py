"""Identifiers as lower-case hex, a whole column at once: every byte is looked up in a table of two-letter texts."""

import numpy as np
import pyarrow as pa

DIGITS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)

NOT_HEX = b"not hex, as OTLP/JSON has it: "
"""Begins what stands in for an id that was to be hex and is not: longer than any id, so that it is rejected as one."""


def hex_texts(column: pa.BinaryArray) -> pa.StringArray:
    """Each value of a binary column without nulls as lower-case hex."""
    if not len(column):
        return pa.array([], pa.string())
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32, len(column) + 1, column.offset * 4)
    letters = DIGITS[np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]]]
    return pa.StringArray.from_buffers(len(column), pa.py_buffer((ends - ends[0]) * np.int32(2)), pa.py_buffer(letters))


def not_hex(text: str) -> bytes:
    """What stands in for an id whose `text` is no hex."""
    return NOT_HEX + text[:64].encode(errors="replace")


def not_hex_text(identifier: bytes) -> str | None:
    """The text that `identifier` stands in for; None if it is just bytes."""
    return identifier.removeprefix(NOT_HEX).decode(errors="replace") if identifier.startswith(NOT_HEX) else None
