"""One name for a model, whatever path, region or date was said."""

import polars as pl
import pytest

from processors.models import name_models, plain_name


@pytest.mark.parametrize(
    ("provider", "said", "plain"),
    [
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),  # dearer than gpt-4o
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("gcp.vertex_ai", "projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("openrouter", "anthropic/claude-sonnet-4-5:nitro", "claude-sonnet-4-5"),
        ("mistral_ai", "mistral/mistral-large-latest", "mistral-large"),
        ("acme", "Tiny-2024-01-01", "tiny"),
        ("", "", ""),
    ],
)
def test_a_model_has_one_name(provider: str, said: str, plain: str) -> None:
    assert plain_name(provider, said) == plain


def test_the_model_that_answered_goes_before_the_one_that_was_asked() -> None:
    asked, answered = ["gpt-4o", "gpt-4o", ""], ["gpt-4o-mini-2024-07-18", "", ""]
    rows = {"Provider": ["openai"] * 3, "RequestModel": asked, "ResponseModel": answered}
    assert name_models(pl.DataFrame(rows))["Model"].to_list() == ["gpt-4o-mini", "gpt-4o", ""]


def test_a_name_that_is_no_name_is_cut_and_not_looked_up() -> None:
    assert len(plain_name("openai", "x" * 100_000)) == 256
