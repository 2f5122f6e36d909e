"""A program of the user's own that is told something as JSON, signed: where it is, and with which secret."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class Webhook(BaseModel):
    """A program of your own that is told as JSON, signed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    url: SecretStr
    """Where it takes a POST."""
    secret: Annotated[SecretStr, Field(min_length=16)]
    """With which what is sent is signed (HMAC-SHA256); at least 16 characters."""

    @field_validator("url")
    @classmethod
    def _http(cls, url: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(url.get_secret_value())
            is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            raise ValueError("is no address: write https://host/path")
        return url
