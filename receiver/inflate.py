"""Content-Encoding undone within a bound: a gzip bomb costs no more memory or time than the largest good request."""

import zlib

from processors.errors import Rejected
from receiver.answers import too_big

GZIP, ZLIB, RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
CODINGS = ("gzip", "deflate", "identity")


def inflate(body: bytes, coding: str, max_bytes: int) -> bytes:
    """`body` without its `coding`, one of `CODINGS`.

    Raises:
        TooBig: it is over `max_bytes` long; no more than that was inflated.
        Rejected: it is not in this coding, ends too early or goes on after its end.
    """
    if coding == "identity":
        return body
    inflater = zlib.decompressobj(GZIP if coding == "gzip" else _window(body))
    try:
        inflated = inflater.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise Rejected(f"the body is no {coding}: {error}") from error
    if len(inflated) > max_bytes:
        raise too_big(max_bytes)
    if not inflater.eof:
        raise Rejected(f"the {coding} body ends too early")
    if inflater.unused_data:
        raise Rejected(f"the {coding} body goes on after its end: send one member only")
    return inflated


def _window(body: bytes) -> int:
    """`deflate` means zlib's format; some senders leave its header away."""
    has_header = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return ZLIB if has_header else RAW
