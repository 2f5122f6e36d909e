"""What the senders of OTLP are told when a request is not taken: one table for gRPC and HTTP.

The OTLP specification tells senders to retry what is `Unavailable`, after the delay in `RetryInfo` or `Retry-After`.
"""

import math
from typing import NamedTuple

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from processors.errors import Forbidden, MeritError, NoRoom, Rejected, TooBig, Unauthenticated, Unavailable


class Answer(NamedTuple):
    """How an error is told by gRPC and by HTTP."""

    code: grpc.StatusCode
    http_status: int


ANSWERS: dict[type[MeritError], Answer] = {
    Rejected: Answer(grpc.StatusCode.INVALID_ARGUMENT, 400),
    TooBig: Answer(grpc.StatusCode.INVALID_ARGUMENT, 413),
    Unauthenticated: Answer(grpc.StatusCode.UNAUTHENTICATED, 401),
    Forbidden: Answer(grpc.StatusCode.PERMISSION_DENIED, 403),
    NoRoom: Answer(grpc.StatusCode.RESOURCE_EXHAUSTED, 429),
    Unavailable: Answer(grpc.StatusCode.UNAVAILABLE, 503),
}


def too_big(max_bytes: int) -> TooBig:
    """The error for a body, inflated or not, of over `max_bytes`."""
    return TooBig(f"the body is over {max_bytes >> 20} MiB: send less at once, or raise receivers.otlp.max_request_mib")


def answer_to(error: MeritError) -> Answer:
    """The answer for the nearest class of `error` that the table knows."""
    return next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)


def status_of(error: MeritError) -> Status:
    """`error` as a google.rpc.Status, with a `RetryInfo` where trying again may help."""
    status = Status(code=answer_to(error).code.value[0], message=str(error))
    if isinstance(error, Unavailable):
        delay = Duration()
        delay.FromTimedelta(error.retry_after)
        detail = Any()
        detail.Pack(RetryInfo(retry_delay=delay))
        status.details.append(detail)
    return status


def retry_after_seconds(error: Unavailable) -> str:
    """The value of a `Retry-After` header: whole seconds, at least one."""
    return str(max(1, math.ceil(error.retry_after.total_seconds())))


def headers_of(error: MeritError) -> dict[str, str]:
    """The headers that go with an error: when to come back, or how to say who one is."""
    if isinstance(error, Unavailable):
        return {"Retry-After": retry_after_seconds(error)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else {}
