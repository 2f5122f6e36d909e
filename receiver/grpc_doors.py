"""Who may come in over gRPC, and TLS: before a message is read."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.rpc.status_pb2 import Status

from processors.access import Door
from processors.errors import MeritError
from processors.listening import Pem, Tls
from receiver.answers import answer_to, status_of
from receiver.intake import Intake


class Doorkeeper(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc ships no types
    """Refuses requests without a token of the role `ingest`.

    Args:
        door: knows the tokens.
        intakes: by method, who counts what is refused.
    """

    def __init__(self, door: Door, intakes: Mapping[str, Intake]) -> None:
        self._door, self._intakes = door, intakes

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[grpc.RpcMethodHandler]], details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler:
        """The handler of the request, or one that refuses it without reading it."""
        try:
            with self._intakes[details.method].at_the_door() if details.method in self._intakes else nullcontext():
                self._door.admit(authorization(details.invocation_metadata), "ingest")
        except MeritError as error:
            return refusal(error)
        return await continuation(details)


def authorization(metadata: Iterable[tuple[str, Any]]) -> str | None:
    """The `authorization` in the metadata of a request."""
    return next((value for key, value in metadata if key == "authorization"), None)


def refusal(error: MeritError) -> grpc.RpcMethodHandler:
    """A handler that answers with `error`. It is one of a stream: those do not begin by reading a message."""

    async def refuse(_messages: Any, context: Any) -> bytes:
        return await told(context, answer_to(error).code, status_of(error))

    return grpc.stream_unary_rpc_method_handler(refuse)


async def told(context: Any, code: grpc.StatusCode, status: Status) -> NoReturn:
    """End a request with `status`, also in its details, where retry delays are looked for."""
    details = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, status.message, trailing_metadata=details)
    raise AssertionError("abort raises")


def credentials(tls: Tls) -> grpc.ServerCredentials:
    """TLS for a port; each handshake has the certificate that the files hold then."""
    first = tls.pem()
    last = [first]

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        pem = tls.pem()
        if pem is last[0]:
            return None
        last[0] = pem
        return configuration(pem)

    return grpc.dynamic_ssl_server_credentials(configuration(first), renewed, first.client_ca is not None)


def configuration(pem: Pem) -> grpc.ServerCertificateConfiguration:
    """`pem` as gRPC takes it."""
    return grpc.ssl_server_certificate_configuration([(pem.key, pem.certificate)], pem.client_ca)
