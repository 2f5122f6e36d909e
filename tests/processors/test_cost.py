"""What a call costs, held against genai-prices' own `calc_price`."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers as listed
from genai_prices.types import ModelPrice
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.cost import MOST_TOKENS, Pricer
from processors.cost_settings import CostSettings
from processors.frames import MONEY
from processors.prices import listed_at, provider_of

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
SCHEMA = {
    "Timestamp": pl.Datetime("ns", "UTC"),
    "Operation": pl.String(),
    "Provider": pl.String(),
    "RequestModel": pl.String(),
    "ResponseModel": pl.String(),
    "InputTokens": pl.UInt64(),
    "OutputTokens": pl.UInt64(),
    "CachedInputTokens": pl.UInt64(),
    "CacheWriteTokens": pl.UInt64(),
    "ReasoningTokens": pl.UInt64(),
    "ReportedCostUsd": pl.Float64(),
}
SHIPPED = Pricer()


def call(**said: Any) -> dict[str, Any]:
    """One reading; what is not said is unknown."""
    blank = {"Timestamp": AT, "Operation": "chat", "Provider": "", "RequestModel": "", "ResponseModel": ""}
    return {**dict.fromkeys(SCHEMA), **blank, **said}


def used(model: str, provider: str = "", **said: Any) -> dict[str, Any]:
    """A call of 1,000 tokens in and 100 out."""
    return call(RequestModel=model, Provider=provider, **{"InputTokens": 1000, "OutputTokens": 100, **said})


def priced(*calls: dict[str, Any], pricer: Pricer = SHIPPED) -> list[tuple[Decimal | None, str]]:
    frame = pricer(pl.DataFrame(calls, schema=SCHEMA))
    return frame.select("CostUsd", "PriceSource").rows()


def overriding(*overrides: dict[str, Any]) -> Pricer:
    return Pricer(CostSettings.model_validate({"overrides": overrides}))


PRICED_MODELS = [
    (provider.id, model.id)
    for provider in listed
    for model in provider.models
    for one in ([model.prices] if isinstance(model.prices, ModelPrice) else [c.prices for c in model.prices])[-1:]
    if one.input_mtok is not None and provider.find_model(model.id) is model and ":free" not in model.id
]
SMALL = st.integers(0, 400_000)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, int | None]:
    cached, write, plain, reasoning, visible = (draw(st.none() | SMALL) for _ in range(5))
    return {
        "InputTokens": (cached or 0) + (write or 0) + (plain or 0),
        "OutputTokens": (reasoning or 0) + (visible or 0),
        "CachedInputTokens": cached,
        "CacheWriteTokens": write,
        "ReasoningTokens": reasoning,
    }


moments = (
    st.integers(0, 1_200)
    .map(lambda days: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=days))
    .flatmap(lambda day: st.integers(0, 86_399).map(lambda second: day + timedelta(seconds=second)))
)


def theirs(provider: str | None, model: str, said: dict[str, Any], at: datetime = AT) -> Decimal:
    """What genai-prices says."""
    usage = Usage(
        input_tokens=said["InputTokens"],
        output_tokens=said["OutputTokens"],
        cache_read_tokens=said.get("CachedInputTokens"),
        cache_write_tokens=said.get("CacheWriteTokens"),
        output_reasoning_tokens=said.get("ReasoningTokens"),
    )
    return calc_price(usage, model, provider_id=provider, genai_request_timestamp=at).total_price


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PRICED_MODELS), usages(), moments), min_size=1, max_size=20))
def test_any_call_of_any_listed_model_costs_what_genai_prices_says(
    calls: list[tuple[tuple[str, str], dict[str, Any], datetime]],
) -> None:
    answers = priced(*(call(Provider=p, ResponseModel=m, Timestamp=at, **said) for (p, m), said, at in calls))

    for ((provider, model), said, at), (cost, source) in zip(calls, answers, strict=True):
        assert source == "genai-prices"
        # half a picodollar from rounding, and the sixteenth digit of prices such as 0.0833333333333333 per million
        assert cost == pytest.approx(theirs(provider, model, said, at), abs=Decimal("1e-9"), rel=0)


@pytest.mark.parametrize(
    ("provider", "model", "said", "expected"),
    [
        # 1000 × 2.50 $/M + 100 × 10 $/M
        ("openai", "gpt-4o", {}, "0.0035"),
        # 200 × 2.50 + 800 cached × 1.25 + 100 × 10
        ("openai", "gpt-4o", {"CachedInputTokens": 800}, "0.0025"),
        # reasoning is part of the output and costs the same: 1000 × 1.10 + 100 × 4.40
        ("openai", "o4-mini", {"ReasoningTokens": 64}, "0.00154"),
        # 100 × 3 + 600 cached × 0.30 + 300 written × 3.75 + 100 × 15
        ("anthropic", "claude-sonnet-4-5", {"CachedInputTokens": 600, "CacheWriteTokens": 300}, "0.003105"),
        # 60 reasoned × 3 and 40 × 8 beside 1000 × 2
        ("perplexity", "sonar-deep-research", {"ReasoningTokens": 60}, "0.0025"),
        # 12 $ for 1,000 requests, 1 $/M in and out
        ("perplexity", "sonar", {}, "0.0131"),
    ],
)
def test_a_price_worked_out_by_hand(provider: str, model: str, said: dict[str, int], expected: str) -> None:
    assert priced(used(model, provider, **said)) == [(Decimal(expected), "genai-prices")]


def test_above_a_threshold_all_tokens_cost_more() -> None:
    at, above = priced(*(used("gemini-2.5-pro", "gcp.gemini", InputTokens=n, OutputTokens=0) for n in (200_000, 200_001)))

    assert at[0] == Decimal("0.25")  # 200,000 × 1.25 $/M
    assert above[0] == Decimal("0.5000025")  # 200,001 × 2.50 $/M


def test_a_price_that_depends_on_the_time_of_day_holds_to_the_minute() -> None:
    before, after = (used("deepseek-chat", "deepseek", Timestamp=datetime(2025, 5, 1, 0, m, tzinfo=UTC)) for m in (29, 30))

    assert [cost for cost, _ in priced(before, after)] == [
        theirs("deepseek", "deepseek-chat", c, c["Timestamp"]) for c in (before, after)
    ]
    assert priced(before) != priced(after)


@pytest.mark.parametrize(
    ("provider", "model", "as_priced"),
    [
        ("", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")),
        ("aws.bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", ("aws", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0")),
        ("", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ),
        ("anthropic", "anthropic.claude-sonnet-4-5-20250929-v1:0", ("anthropic", "claude-sonnet-4-5")),
        ("openai", "claude-sonnet-4-5", (None, "claude-sonnet-4-5")),
        ("langchain", "gpt-4o-mini", (None, "gpt-4o-mini")),
        ("", "mistral/mistral-large-latest", ("mistral", "mistral-large-latest")),
        ("openai", "mistral/mistral-large-latest", ("mistral", "mistral-large-latest")),
        ("mistral_ai", "mistral-large-latest", ("mistral", "mistral-large-latest")),
        ("gcp.gen_ai", "models/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("", "projects/p/locations/eu/publishers/google/models/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", ("google", "claude-sonnet-4-5@20250929")),
        ("vertex_ai", "gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("openrouter", "openai/gpt-4o", ("openrouter", "openai/gpt-4o")),
        ("openai", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("", "openrouter/anthropic/claude-sonnet-4.5", ("openrouter", "anthropic/claude-sonnet-4.5")),
        ("openrouter", "openai/gpt-4o:nitro", ("openrouter", "openai/gpt-4o")),
        ("az.ai.openai", "gpt-4o", ("azure", "gpt-4o")),
        ("azure.ai.openai", "gpt-4o-2024-11-20", ("azure", "gpt-4o-2024-11-20")),
        ("x_ai", "grok-4", ("x-ai", "grok-4")),
        ("OpenAI", "GPT-4o", ("openai", "gpt-4o")),
        ("openai", "text-embedding-3-small", ("openai", "text-embedding-3-small")),
        ("", "text-embedding-3-small", ("openai", "text-embedding-3-small")),
        ("", "embed-v4.0", ("cohere", "embed-v4.0")),
        ("litellm", "groq/llama-3.3-70b-versatile", ("groq", "llama-3.3-70b-versatile")),
    ],
)
def test_a_model_is_found_under_the_names_that_gateways_and_clouds_give_it(
    provider: str, model: str, as_priced: tuple[str | None, str]
) -> None:
    one = used(model, provider)

    assert priced(one) == [(theirs(*as_priced, one), "genai-prices")]


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "my-own-deployment"),
        ("ollama", "deepseek-r1:8b"),
        ("openai", "ollama/mistral"),
        ("openai", "meta-llama/Llama-3.3-70B-Instruct"),
        ("openai", "whisper-1"),
        ("", "x" * 100_000),
        ("nobody", "gpt-nothing-ever"),
    ],
)
def test_a_model_that_nobody_prices_by_token_has_an_unknown_cost_and_not_zero(provider: str, model: str) -> None:
    assert priced(used(model, provider)) == [(None, "")]


def test_a_model_is_looked_for_once_however_many_providers_are_said_to_have_it() -> None:
    listed_at.cache_clear()
    provider_of.cache_clear()
    calls = [used("us.anthropic.claude-sonnet-4-5-20250929-v1:0", f"provider {n}") for n in range(200)]
    assert set(priced(*calls)) == set(priced(used("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock")))
    assert listed_at.cache_info().misses + provider_of.cache_info().misses < 10


def test_a_free_offer_costs_nothing() -> None:
    assert priced(used("deepseek/deepseek-chat-v3-0324:free", "openrouter")) == [(Decimal(0), "genai-prices")]


def test_the_response_model_is_priced_before_the_request_model() -> None:
    both = used("gpt-4o", "openai", ResponseModel="gpt-4o-mini-2024-07-18")
    unknown = used("gpt-4o", "openai", ResponseModel="model-router-7")

    assert [cost for cost, _ in priced(both, unknown)] == [Decimal("0.00021"), Decimal("0.0035")]


def test_spans_of_any_operation_that_say_model_and_usage_are_priced() -> None:
    assert priced(used("gpt-4o", Operation="invoke_agent"))[0][0] == Decimal("0.0035")


def test_a_call_without_usage_has_an_unknown_cost() -> None:
    assert priced(call(RequestModel="gpt-4o", Provider="openai")) == [(None, "")]


def test_a_usage_of_zero_costs_nothing() -> None:
    assert priced(used("gpt-4o", InputTokens=0, OutputTokens=None)) == [(Decimal(0), "genai-prices")]


def test_a_reported_cost_is_used_only_where_no_price_is_known() -> None:
    assert priced(
        used("gpt-4o", ReportedCostUsd=9.0),
        used("my-own", ReportedCostUsd=0.0042),
        call(ReportedCostUsd=0.25),
    ) == [(Decimal("0.0035"), "genai-prices"), (Decimal("0.0042"), "reported"), (Decimal("0.25"), "reported")]


@pytest.mark.parametrize("reported", [float("nan"), float("inf"), -0.5, 1e30])
def test_a_reported_cost_that_is_no_amount_of_money_is_left_out(reported: float) -> None:
    assert priced(call(ReportedCostUsd=reported)) == [(None, "")]


def test_a_usage_that_no_call_can_have_harms_no_other_call_of_the_batch() -> None:
    absurd = [{**used("gpt-4o"), column: 2**64 - 1} for column in ("InputTokens", "OutputTokens", "CachedInputTokens")]

    assert priced(*absurd, used("gpt-4o"), used("gpt-4o", InputTokens=MOST_TOKENS)) == [
        (None, ""),
        (None, ""),
        (None, ""),
        (Decimal("0.0035"), "genai-prices"),
        (None, ""),
    ]


def test_parts_larger_than_their_whole_are_charged_as_they_stand() -> None:
    # 1,500 cached × 1.25 $/M and no plain input; 300 reasoned × 10 $/M and no plain output
    assert priced(used("gpt-4o", CachedInputTokens=1500, ReasoningTokens=300))[0][0] == Decimal("0.004875")


def test_everything_else_passes_through_in_order() -> None:
    frame = pl.DataFrame([used("gpt-4o"), call(), used("nobody")], schema=SCHEMA).with_columns(Extra=pl.Series(["a", "b", "c"]))

    out = SHIPPED(frame)

    assert out.drop("CostUsd", "PriceSource").equals(frame)
    assert out.schema["CostUsd"] == MONEY


def test_a_frame_without_rows_or_without_calls_is_priced_as_well() -> None:
    assert SHIPPED(pl.DataFrame(schema=SCHEMA)).columns == [*SCHEMA, "CostUsd", "PriceSource"]
    assert priced(call()) == [(None, "")]


OWN = {"model": "gpt-4o*", "cost_per_1k_input": 0.001, "cost_per_1k_output": 0.002}


def test_the_users_price_goes_before_the_listed_one() -> None:
    # 1 × 0.001 $ + 0.1 × 0.002 $
    assert priced(used("GPT-4o-2024-08-06"), pricer=overriding(OWN)) == [(Decimal("0.0012"), "user")]


def test_the_users_prices_for_cached_and_written_input_count_and_default_to_that_of_input() -> None:
    one = used("gpt-4o", CachedInputTokens=500, CacheWriteTokens=200)

    assert priced(one, pricer=overriding(OWN))[0][0] == Decimal("0.0012")
    # 0.3 × 0.001 + 0.5 × 0.0001 + 0.2 × 0.003 + 0.1 × 0.002
    own = {**OWN, "cost_per_1k_cached_input": 0.0001, "cost_per_1k_cache_write": "0.003"}
    assert priced(one, pricer=overriding(own))[0][0] == Decimal("0.00115")


def test_a_users_price_may_be_for_one_provider_only() -> None:
    pricer = overriding({**OWN, "provider": "azure.ai.openai"})

    assert [source for _, source in priced(used("gpt-4o", "az.ai.openai"), used("gpt-4o", "openai"), pricer=pricer)] == [
        "user",
        "genai-prices",
    ]


def test_a_users_price_holds_from_its_first_day_whatever_the_order_of_the_list() -> None:
    newer = {**OWN, "cost_per_1k_input": 0.01, "from_date": date(2026, 1, 6)}
    midnight = datetime(2026, 1, 6, tzinfo=UTC)
    calls = [used("gpt-4o", OutputTokens=0, Timestamp=midnight - step) for step in (timedelta(microseconds=1), timedelta(0))]

    for order in ([OWN, newer], [newer, OWN]):
        assert [cost for cost, _ in priced(*calls, pricer=overriding(*order))] == [Decimal("0.001"), Decimal("0.01")]


def test_of_equally_new_prices_the_last_of_the_list_holds() -> None:
    last = {**OWN, "cost_per_1k_input": 0.005}

    assert priced(used("gpt-4o", OutputTokens=0), pricer=overriding(OWN, last))[0][0] == Decimal("0.005")


def test_a_model_of_ones_own_can_be_priced_by_the_user() -> None:
    own = {"model": "ollama/mistral", "cost_per_1k_input": 0, "cost_per_1k_output": 0}

    assert priced(used("ollama/mistral"), pricer=overriding(own)) == [(Decimal(0), "user")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"cost_per_1k_input": -0.1},
        {"cost_per_1k_output": float("nan")},
        {"cost_per_1k_output": float("inf")},
        {"cost_per_1k_input": 1001},
        {"model": ""},
        {"cost_per_1m_input": 1},
    ],
)
def test_a_price_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        overriding({**OWN, **wrong})
