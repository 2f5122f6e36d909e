"""An HTTP server that answers what it is told beforehand: what a question costs before anybody thinks about it.

Run by the suite: python -m tests.benchmarks.bare_http BYTES; prints its port, ends when it is killed.
"""

import asyncio
import sys

import uvicorn
from starlette.types import Receive, Scope, Send

from query_api.settings import QueryApiSettings
from query_api.web.server import listen


async def main() -> None:
    """Serve with the server of the API and nothing of Merit."""
    body = b"x" * int(sys.argv[1])
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    listener = listen(QueryApiSettings(endpoint="127.0.0.1:0"))
    print(listener.getsockname()[1], flush=True)
    await uvicorn.Server(uvicorn.Config(answer, loop="asyncio", log_config=None, access_log=False)).serve([listener])


if __name__ == "__main__":
    asyncio.run(main())
