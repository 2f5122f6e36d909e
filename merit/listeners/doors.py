"""The doors: which tokens there are now, and how fast each may go.

The buckets are our own and not a library's (`limits`, say): those count whole requests in windows of a wall clock; here a
request may cost any number of bytes, more than fit into a second too, and the answer says when the debt is paid.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from merit.listeners.certificates import tls_of
from merit.listeners.endpoints import API, GRPC, HTTP, endpoints
from merit.listeners.watched import LOOK_SECONDS, Watched
from merit.settings import Settings
from merit.settings.auth import AuthSettings
from merit.settings.source import values_of
from processors.access import Door, Entrance, Open, Role, Token, bearer, known, require
from processors.errors import Rejected, TooFast
from processors.listening import is_loopback

TOKENS = TypeAdapter(tuple[Token, ...])
OTLP_TLS, API_TLS = "receivers.otlp.tls", "query_api.tls"
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Bucket:
    """Fills at `rate` a second up to one second's worth; what is taken beyond is a debt that the next one waits for."""

    def __init__(self, rate: float, moment: float) -> None:
        self.rate, self._moment = rate, moment
        self._level = self._most = max(rate, 1.0)

    def take(self, amount: float, moment: float) -> None:
        """Take `amount`."""
        self._level = self._filled(moment) - amount
        self._moment = moment

    def seconds_until(self, amount: float, moment: float) -> float:
        """How long to wait until `amount` is there; 0 if it is."""
        return max(0.0, (amount - self._filled(moment)) / self.rate)

    def _filled(self, moment: float) -> float:
        return min(self._most, self._level + self.rate * (moment - self._moment))


class Tokens:
    """The door of a Merit that has tokens.

    Args:
        settings: of `auth`.
        clock: seconds that never go back.
        look_seconds: how often the tokens' file is looked at.

    Raises:
        Rejected: the tokens' file cannot be read, or holds something else.
    """

    def __init__(
        self, settings: AuthSettings, clock: Callable[[], float] = time.monotonic, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._settings, self._clock = settings, clock
        files = [settings.tokens_file] if settings.tokens_file else []
        self._tokens = Watched(files, lambda: tokens_of(settings), look_seconds)
        self._requests: dict[str, Bucket] = {}
        self._bytes: dict[str, Bucket] = {}
        self._guard = threading.Lock()

    def admit(self, authorization: str | None, role: Role) -> None:
        """See `Door`."""
        token = self._known(authorization)
        require(token, role)
        moment = self._clock()
        with self._guard:
            requests, sent = self._buckets(token, moment)
            wait = max(requests.seconds_until(1, moment) if requests else 0, sent.seconds_until(0, moment) if sent else 0)
            if wait > 0:
                raise TooFast("this token has used up its rate: come back later", timedelta(seconds=wait))
            if requests:
                requests.take(1, moment)

    def spend(self, authorization: str | None, size: int) -> None:
        """See `Door`."""
        token, moment = self._known(authorization), self._clock()
        with self._guard:
            _, sent = self._buckets(token, moment)
            if sent:
                sent.take(size, moment)

    def _known(self, authorization: str | None) -> Token:
        return known(self._tokens.current(), bearer(authorization))

    def _buckets(self, token: Token, moment: float) -> tuple[Bucket | None, Bucket | None]:
        said = self._settings
        requests = token.requests_per_second or said.requests_per_second
        mib = token.mib_per_second or said.mib_per_second
        return (
            of_rate(self._requests, token, requests, moment) if requests else None,
            of_rate(self._bytes, token, mib * (1 << 20), moment) if mib else None,
        )


def of_rate(buckets: dict[str, Bucket], token: Token, rate: float, moment: float) -> Bucket:
    """The bucket of a token; a full one where it has none yet, or one of another rate."""
    bucket = buckets.get(token.sha256)
    if bucket is None or bucket.rate != rate:
        bucket = buckets[token.sha256] = Bucket(rate, moment)
    return bucket


def tokens_of(settings: AuthSettings) -> tuple[Token, ...]:
    """Every token there is now."""
    return (*settings.tokens, *(read_tokens(settings.tokens_file) if settings.tokens_file else ()))


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens in a file; raises Rejected, with what is wrong and how to mend it, never with what the file holds."""
    try:
        values = values_of(path.read_text("utf-8"))
    except OSError as error:
        raise Rejected(f"auth.tokens_file {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise Rejected(f"auth.tokens_file {path} is no YAML: write lines as `merit token new` prints them") from None
    try:
        return TOKENS.validate_python(values or ())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"]) or "the list"
        raise Rejected(f"auth.tokens_file {path}: {at}: {first['msg']}: write lines as `merit token new` prints them") from None


def entrances(settings: Settings) -> dict[str, Entrance]:
    """How each listener lets requests in, by the name of its endpoint.

    Raises:
        Rejected: the tokens' file or a certificate cannot be used.
    """
    door: Door = Tokens(settings.auth) if settings.auth.asks else Open()
    otlp, api = (tls_of(settings.receivers.otlp.tls, OTLP_TLS), tls_of(settings.query_api.tls, API_TLS))
    said = {GRPC: otlp, HTTP: otlp, API: api}
    return {name: Entrance(door, local_names(settings, name), tls) for name, tls in said.items()}


def local_names(settings: Settings, name: str) -> frozenset[str] | None:
    """What a listener on loopback where nobody is asked must be called; None for any other."""
    host = endpoints(settings)[name][0]
    return None if settings.auth.asks or not is_loopback(host) else LOCAL_NAMES | {host.lower()}
