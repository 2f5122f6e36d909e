"""An acknowledging gRPC server that does nothing: what a request costs before anybody looks at it.

Run by the suite: python -m tests.benchmarks.bare_server; prints its port, ends with its standard input.
"""

import asyncio
import sys

import grpc
import grpc.aio

from receiver.signals import TRACES


async def _acknowledge(_body: bytes, _context: grpc.aio.ServicerContext) -> bytes:
    return b""


async def main() -> None:
    """Serve until standard input is closed."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 1 << 26)])
    handlers = {"Export": grpc.unary_unary_rpc_method_handler(_acknowledge)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(TRACES.service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(1)


if __name__ == "__main__":
    asyncio.run(main())
