"""Asks Merit's API, with nothing but the standard library, as a script of a user's might."""

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from processors.errors import Rejected, Unavailable

Row = dict[str, Any]

MOST_BYTES = 64 << 10
"""Of an answer that says what is wrong."""


class Api:
    """The API at `url`, e.g. `http://127.0.0.1:8080`, shown a `token` if it asks for one.

    Raises, from every method:
        Rejected: the question is not understood, or `url` is no address.
        Unavailable: nobody answers.
    """

    def __init__(self, url: str, token: str = "") -> None:
        if not url.startswith(("http://", "https://")):
            raise Rejected(f"{url!r} is no address of an API: write http://host:port")
        self.url = url.rstrip("/")
        self._shown = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **parameters: Any) -> Row:
        """One answer."""
        answer: Row = self._answer(path, f"?{urlencode(parameters)}", None, {})
        return answer

    def text(self, path: str, **parameters: Any) -> str:
        """One answer that is a text, for people."""
        return self._bytes(path, f"?{urlencode(parameters)}", None, {}).decode()

    def post(self, path: str, body: bytes, kind: str) -> Row:
        """The answer to a body of the content type `kind`."""
        answer: Row = self._answer(path, "", body, {"Content-Type": kind})
        return answer

    def _answer(self, path: str, query: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        return json.loads(self._bytes(path, query, body, headers))

    def _bytes(self, path: str, query: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        told = {"Accept": "application/json", **self._shown, **headers}
        request = Request(f"{self.url}{path}{query}", body, told)  # noqa: S310 - checked above
        try:
            with urlopen(request, timeout=60) as reply:  # noqa: S310 - checked above
                answer: bytes = reply.read()
        except HTTPError as error:
            with error:
                kind = Unavailable if error.code == 429 or error.code >= 500 else Rejected
                raise kind(f"{path}: {error.code} {detail(error.read(MOST_BYTES))}") from error
        except (URLError, OSError, HTTPException) as error:
            raise Unavailable(f"no API answers at {self.url}: {getattr(error, 'reason', error)}") from error
        return answer

    def listed(self, plural: str, **parameters: Any) -> Iterator[Row]:
        """Every row of a list, page after page."""
        while True:
            page = self.get(f"/v1/{plural}", limit=1000, **parameters)
            yield from page[plural]
            if not page.get("next_cursor"):
                return
            parameters["cursor"] = page["next_cursor"]


def detail(answer: bytes) -> str:
    """What a problem document says in words; what is none as it is, shortened."""
    try:
        return str(json.loads(answer)["detail"])
    except (ValueError, KeyError, TypeError):
        return answer[:1000].decode(errors="replace")
