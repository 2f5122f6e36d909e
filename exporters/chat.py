"""Asks a model: the chat completions of an OpenAI-compatible API, by the official client.

The client's own retries are off. An endpoint that is busy or ill is so for every request, so it is the job that waits, and
it does not wait in a thread. What the endpoint answers is read by a model of ours, for compatible ones leave things out.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import BaseModel, Field, SecretStr, ValidationError

from processors.errors import NoRoom, Rejected, Unavailable
from processors.judging.exchange import Reply

LONGEST_WAIT = timedelta(hours=1)
"""However long an endpoint asks for."""
USUAL_WAIT = timedelta(seconds=10)
"""Where it does not say."""


class _Details(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(0, ge=0)
    completion_tokens: int = Field(0, ge=0)
    prompt_tokens_details: _Details | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    model: str = ""
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class Chat:
    """One endpoint.

    Args:
        base_url: of an OpenAI-compatible API.
        api_key: empty if none is needed.
        timeout_seconds: a request that takes longer is given up.
        now: what time it is, for a `Retry-After` that is a date.

    Raises:
        Rejected: the client is not installed.
    """

    def __init__(self, base_url: str, api_key: SecretStr, timeout_seconds: float, now: Callable[[], datetime]) -> None:
        try:
            import openai
        except ImportError:
            raise Rejected("judging needs the client of OpenAI's API: pip install 'agentmerit[judge]'") from None
        self._errors = openai
        self._now = now
        self._client = openai.OpenAI(
            base_url=base_url,
            api_key=api_key.get_secret_value() or "none",
            timeout=timeout_seconds,
            max_retries=0,
        )

    def ask(self, model: str, messages: Sequence[dict[str, str]], schema: dict[str, Any], most_tokens: int) -> Reply:
        """The model's answer, in the form of `schema` where the endpoint can see to that.

        Raises:
            Rejected: every request will fail: the key or the model is wrong.
            NoRoom: too many requests; says when to come back.
            Unavailable: no usable answer this time.
        """
        request: dict[str, Any] = {
            "model": model,
            "messages": messages,
            "response_format": {"type": "json_schema", "json_schema": {"name": "judgement", "strict": True, "schema": schema}},
            "max_completion_tokens": most_tokens,
        }
        with self._translated(model):
            try:
                raw = self._client.chat.completions.with_raw_response.create(**request)
            except self._errors.BadRequestError as error:
                if error.code != "content_filter":
                    raise
                return Reply("", "content_filter", is_cut=False, model=model)
            return reply(_Completion.model_validate_json(raw.http_response.content), model)

    @contextmanager
    def _translated(self, model: str) -> Iterator[None]:
        errors = self._errors
        try:
            yield
        except ValidationError:
            raise Unavailable("the endpoint's answer is no chat completion", USUAL_WAIT) from None
        except errors.RateLimitError as error:
            raise NoRoom(f"the endpoint is asked too much (429 {error.code or ''})".strip(), self._wait(error)) from error
        except (errors.AuthenticationError, errors.PermissionDeniedError) as error:
            raise Rejected(f"the endpoint refuses the key ({error.status_code}): see api_key") from error
        except errors.NotFoundError as error:
            raise Rejected(f"the endpoint knows no model {model!r}, or base_url is wrong (404)") from error
        except errors.APIStatusError as error:
            raise Unavailable(
                f"the endpoint answers {error.status_code} {error.code or ''}".strip(), self._wait(error)
            ) from error
        except errors.APITimeoutError as error:
            raise Unavailable("the endpoint did not answer in time", USUAL_WAIT) from error
        except errors.APIError as error:
            raise Unavailable(f"the endpoint cannot be reached: {type(error).__name__}", USUAL_WAIT) from error

    def _wait(self, error: Any) -> timedelta:
        return told_to_wait(error.response.headers.get("retry-after", ""), self._now())


def told_to_wait(header: str, now: datetime) -> timedelta:
    """How long a `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3); the usual where it says neither."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return USUAL_WAIT
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    if math.isnan(seconds):
        return USUAL_WAIT
    return timedelta(seconds=min(max(seconds, 0), LONGEST_WAIT.total_seconds()))


def reply(completion: _Completion, asked: str) -> Reply:
    """What counts of an endpoint's answer."""
    choice, usage = completion.choices[0], completion.usage or _Usage(prompt_tokens=0, completion_tokens=0)
    filtered = "content_filter" if choice.finish_reason == "content_filter" else ""
    return Reply(
        text=choice.message.content or "",
        refusal=choice.message.refusal or filtered,
        is_cut=choice.finish_reason == "length",
        model=completion.model or asked,
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_input_tokens=(usage.prompt_tokens_details or _Details()).cached_tokens or 0,
    )
