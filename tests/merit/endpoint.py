"""An endpoint that speaks the chat completions of OpenAI's API, on a free port: it does as it is told, else it judges."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODELS = ("gpt-4o-mini", "local-model")
KEY = "sk-secret"

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""
Behaviour = Callable[[dict[str, Any]], Answer]


@dataclass
class Endpoint:
    """Where it is, what it was asked, and what it will do, in this order; then it judges."""

    base_url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    will: deque[Behaviour] = field(default_factory=deque)
    always: Behaviour | None = None
    most_at_once: int = 0
    at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, key: str, request: dict[str, Any]) -> Answer:
        """What the real one answers, as far as a client of chat completions sees."""
        if path != "/v1/chat/completions":
            return failure(404, "unknown_url")
        if key != f"Bearer {KEY}":
            return failure(401, "invalid_api_key")
        with self.lock:
            self.asked.append(request)
            behave = self.will.popleft() if self.will else self.always or judge
        if request["model"] not in MODELS:
            return failure(404, "model_not_found")
        if problem := problem_of(request):
            return failure(400, "invalid_request_error", problem)
        return behave(request)


def problem_of(request: dict[str, Any]) -> str:
    """What the real endpoint refuses of a request."""
    form = request.get("response_format", {})
    schema = form.get("json_schema", {})
    if form.get("type") != "json_schema" or not schema.get("strict") or not schema.get("name"):
        return "no strict schema"
    open_ones = [one for one in objects(schema["schema"]) if one.get("additionalProperties") is not False]
    partial = [one for one in objects(schema["schema"]) if set(one["required"]) != set(one["properties"])]
    return "strict schemas have closed objects with all properties required" if open_ones or partial else ""


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object in a schema."""
    if schema.get("type") == "object":
        yield schema
        for each in schema["properties"].values():
            yield from objects(each)


def failure(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    return status, headers, json.dumps({"error": {"message": message, "type": "error", "param": None, "code": code}}).encode()


def fails(status: int, code: str = "error", **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: failure(status, code, **named)


def says(content: str | None, model: str = "gpt-4o-mini-2024-07-18", finish: str = "stop", **message: Any) -> Behaviour:
    """A completion of 1,000 tokens in and 100 out."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "logprobs": None,
                "message": {"role": "assistant", "content": content, "refusal": None, **message},
            }
        ],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }
    return lambda _: (200, {}, json.dumps(body).encode())


def raw(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    return lambda _: (status, headers, body)


def scores(request: dict[str, Any], score: int = 4) -> str:
    """An answer by the schema that was asked for."""
    wanted = request["response_format"]["json_schema"]["schema"]["properties"]["criteria"]["properties"]
    return json.dumps({"criteria": {name: {"reasoning": f"{name}!", "score": score} for name in wanted}, "summary": "Good."})


def judge(request: dict[str, Any]) -> Answer:
    return says(scores(request))(request)


def slowly(seconds: float) -> Behaviour:
    def behave(request: dict[str, Any]) -> Answer:
        time.sleep(seconds)
        return judge(request)

    return behave


def together(number: int) -> Behaviour:
    """Answer when so many ask at once, or after ten seconds."""
    gate = threading.Barrier(number)

    def behave(request: dict[str, Any]) -> Answer:
        with suppress(threading.BrokenBarrierError):
            gate.wait(timeout=10)
        return judge(request)

    return behave


@contextmanager
def serving() -> Iterator[Endpoint]:
    """An endpoint while it is used."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with endpoint.lock:
                endpoint.at_once += 1
                endpoint.most_at_once = max(endpoint.most_at_once, endpoint.at_once)
            status, headers, body = endpoint.answer(self.path, self.headers.get("Authorization", ""), request)
            with endpoint.lock:
                endpoint.at_once -= 1
            try:
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # who asked did not wait

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    endpoint.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
