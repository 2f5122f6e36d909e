"""Settings of `auth:`."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from processors.access import Token


class AuthSettings(BaseModel):
    """Who may come in. Without any token nobody is asked, and everything listens on loopback only."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tokens: tuple[Token, ...] = ()
    """Tokens, by their hashes; `merit token new` makes them."""
    tokens_file: Path | None = None
    """A YAML file with more of them, a list as in `tokens`; read again when it changes, so tokens are given and taken back
    without a restart."""
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    """How many requests each token may make, if its own entry says nothing else; any number if nothing is said."""
    mib_per_second: Annotated[float, Field(gt=0)] | None = None
    """How much OTLP each token may send, as it comes over the wire, if its own entry says nothing else."""

    @property
    def asks(self) -> bool:
        """Whether anybody is asked for a token."""
        return bool(self.tokens or self.tokens_file)
