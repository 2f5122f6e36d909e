"""Which Merit this is."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of


def version() -> str:
    """The version of the distribution; run from a checkout that is not installed, there is none."""
    try:
        return version_of("agentmerit")
    except PackageNotFoundError:
        return "(not installed)"
