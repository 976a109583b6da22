"""`estimate_cost`: each token once, at the price that holds; unknown is None."""

from __future__ import annotations

from typing import Any

import pytest

from registry_core import ArgumentError, Cost, ModelInfo, UnknownModelError, estimate_cost


def model(**cost: Any) -> ModelInfo:
    return ModelInfo(id="m", provider_id="acme", cost=cost)


FULL = model(
    input=2,
    output=10,
    reasoning=20,
    cache_read=0.5,
    cache_write=4,
    input_audio=8,
    output_audio=16,
)
TIERED = model(
    input=1,
    output=2,
    cache_read=0.1,
    cache_write=3,
    reasoning=5,
    tiers=[
        {"input": 4, "output": 8, "tier": {"type": "context", "size": 256_000}},
        {"input": 2, "output": 4, "cache_read": 0.2, "tier": {"type": "context", "size": 200_000}},
        {"input": 9, "output": 9, "tier": {"type": "batch", "size": 1}},
        {"input": 9, "output": 9, "tier": {"type": "context", "size": "1"}},
        {"input": 9, "output": 9, "tier": {"type": "context", "size": True}},
        {"input": -9, "output": 7, "tier": {"type": "context", "size": 500_000}},
        {"input": 9, "output": 9},
    ],
)


@pytest.mark.parametrize(
    ("counts", "usd"),
    [
        ({}, 0),
        ({"input": 1_000_000}, 2),
        ({"input": 1000, "output": 100}, 0.003),
        ({"cache_read": 1_000_000, "cache_write": 1_000_000}, 4.5),
        ({"output": 100_000, "reasoning": 100_000}, 3),
        ({"input_audio": 1_000_000, "output_audio": 1_000_000}, 24),
    ],
    ids=str,
)
def test_each_count_has_its_own_price(counts: dict[str, int], usd: float) -> None:
    assert estimate_cost(FULL, **counts) == pytest.approx(usd)


def test_what_is_free_in_a_tier_costs_nothing_there() -> None:
    tier = {"input": 0, "output": 1, "tier": {"type": "context", "size": 0}}
    assert estimate_cost(model(input=2, output=4, tiers=[tier]), input=1, output=1_000_000) == 1


@pytest.mark.parametrize(
    ("counts", "usd"),
    [
        ({"input": 200_000, "output": 1_000_000}, 2.2),  # the context is what goes in
        ({"input": 200_001}, 0.400002),
        ({"input": 100_000, "cache_read": 150_000}, 0.23),
        ({"input": 256_000}, 0.512),
        ({"input": 300_000, "output": 1_000}, 1.208),
        ({"input": 300_000, "reasoning": 1_000}, None),  # which has a price of its own
        ({"input": 300_000, "cache_read": 1}, None),  # nobody says its price there
        ({"input": 100_000, "cache_write": 150_000}, None),
        ({"input": 500_001}, None),  # no price is negative
    ],
    ids=str,
)
def test_the_context_chooses_the_prices_and_a_tier_stands_alone(
    counts: dict[str, int], usd: float | None
) -> None:
    assert estimate_cost(TIERED, **counts) == (usd and pytest.approx(usd))


@pytest.mark.parametrize("reasoning", [None, 2])
def test_in_a_tier_too_reasoning_is_output_unless_its_price_differs(reasoning: int | None) -> None:
    tier = {"input": 4, "output": 8, "tier": {"type": "context", "size": 256_000}}
    some = model(input=1, output=2, reasoning=reasoning, tiers=[tier])
    assert estimate_cost(some, input=300_000, reasoning=1_000) == pytest.approx(1.208)


@pytest.mark.parametrize(
    ("size", "last"), [(200_000, 200_000), (200_001, 200_000), (262_144, 262_144)]
)
def test_a_tier_holds_above_its_size_or_from_one_that_ends_in_1(size: int, last: int) -> None:
    """As the cost map for LiteLLM has it: 200,001 is written where 200,000 is meant."""
    tier = {"input": 5, "output": 5, "tier": {"type": "context", "size": size}}
    some = model(input=1, output=2, tiers=[tier])
    assert estimate_cost(some, input=last) == pytest.approx(last / 1e6)
    assert estimate_cost(some, input=last + 1) == pytest.approx((last + 1) * 5 / 1e6)


@pytest.mark.parametrize("name", ["input", "cache_read", "cache_write", "input_audio"])
def test_all_that_goes_in_is_context(name: str) -> None:
    prices = dict.fromkeys(("input", "cache_read", "cache_write", "input_audio"), 5)
    tier = {**prices, "tier": {"type": "context", "size": 200_000}}
    some = model(**dict.fromkeys(prices, 1), output=1, tiers=[tier])
    counts = {"cache_read": 1, "input": 1, name: 200_000}
    assert estimate_cost(some, **counts) == pytest.approx(sum(counts.values()) * 5 / 1e6)


def test_an_unknown_price_is_none_only_if_it_is_needed() -> None:
    some = model(input=2)
    assert estimate_cost(some, input=1_000_000) == 2
    assert estimate_cost(some, input=1, output=1) is None
    assert estimate_cost(some, cache_read=1) is None
    assert estimate_cost(some, input_audio=1) is None
    assert estimate_cost(some, reasoning=1) is None
    assert estimate_cost(model(input=2, output=4), reasoning=1_000_000) == 4
    assert estimate_cost(ModelInfo(id="m", provider_id="acme"), output=1) is None
    assert estimate_cost(ModelInfo(id="m", provider_id="acme")) == 0
    assert estimate_cost(model(input=0, output=0), input=5, output=5) == 0


def test_an_id_is_looked_up() -> None:
    assert estimate_cost("openai/gpt-4o", input=1_000_000) == 2.5
    with pytest.raises(UnknownModelError) as caught:
        estimate_cost("openai/gtp-4o", input=1)
    assert caught.value.hint.startswith("did you mean 'openai/gpt-4o'")


@pytest.mark.parametrize("count", [-1, 1.5, True, "7", None], ids=repr)
def test_what_is_no_count_is_refused_by_name(count: Any) -> None:
    with pytest.raises(ArgumentError, match="cache_read: expected a whole number from 0") as caught:
        estimate_cost(FULL, cache_read=count)
    assert caught.value.culprit == "cache_read"


def test_a_sum_of_any_size_is_told_and_a_count_that_no_float_holds_is_refused() -> None:
    assert estimate_cost(FULL, input=2**53) == pytest.approx(2**54 / 1e6)
    with pytest.raises(ArgumentError, match=r"input: expected a whole number from 0 to 2\*\*53"):
        estimate_cost(FULL, input=10**400)


@pytest.mark.parametrize("wrong", [None, 5, Cost(input=1)], ids=repr)
def test_what_is_no_model_is_refused_by_name(wrong: Any) -> None:
    """None above all: what get_model gives for a model that there is not."""
    with pytest.raises(ArgumentError, match="model: expected a model or a full id") as caught:
        estimate_cost(wrong, input=1)
    assert caught.value.culprit == "model"


# Where the counts come from: as docs/choosing.md has it. FULL's prices tell them apart.


def test_openais_chat_usage_counts_parts_within() -> None:
    from openai.types import CompletionUsage

    usage = CompletionUsage.model_validate(
        {
            "prompt_tokens": 1000,
            "completion_tokens": 300,
            "total_tokens": 1300,
            "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 100},
            "completion_tokens_details": {"reasoning_tokens": 200, "audio_tokens": 50},
        }
    )
    read, made = usage.prompt_tokens_details, usage.completion_tokens_details
    assert read and made
    cached, heard = read.cached_tokens or 0, read.audio_tokens or 0
    thought, said = made.reasoning_tokens or 0, made.audio_tokens or 0
    usd = estimate_cost(
        FULL,
        input=usage.prompt_tokens - cached - heard,
        cache_read=cached,
        input_audio=heard,
        output=usage.completion_tokens - thought - said,
        reasoning=thought,
        output_audio=said,
    )
    assert usd == pytest.approx(
        (500 * 2 + 400 * 0.5 + 100 * 8 + 50 * 10 + 200 * 20 + 50 * 16) / 1e6
    )


def test_openais_responses_usage_counts_parts_within() -> None:
    from openai.types.responses import ResponseUsage

    usage = ResponseUsage.model_validate(
        {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 0},
            "output_tokens": 300,
            "output_tokens_details": {"reasoning_tokens": 200},
            "total_tokens": 1300,
        }
    )
    cached = usage.input_tokens_details.cached_tokens
    thought = usage.output_tokens_details.reasoning_tokens
    usd = estimate_cost(
        FULL,
        input=usage.input_tokens - cached,
        cache_read=cached,
        output=usage.output_tokens - thought,
        reasoning=thought,
    )
    assert usd == pytest.approx((600 * 2 + 400 * 0.5 + 100 * 10 + 200 * 20) / 1e6)


def test_anthropics_usage_counts_caches_beside() -> None:
    from anthropic.types import Usage

    usage = Usage.model_validate(
        {
            "input_tokens": 1000,
            "cache_read_input_tokens": 400,
            "cache_creation_input_tokens": 200,
            "output_tokens": 300,
        }
    )
    usd = estimate_cost(
        FULL,
        input=usage.input_tokens,
        cache_read=usage.cache_read_input_tokens or 0,
        cache_write=usage.cache_creation_input_tokens or 0,
        output=usage.output_tokens,
    )
    assert usd == pytest.approx((1000 * 2 + 400 * 0.5 + 200 * 4 + 300 * 10) / 1e6)


def test_every_price_of_a_cost_is_counted() -> None:
    from attrs import fields

    from registry_core._base.costs import COUNTED

    assert {*COUNTED} == {one.name for one in fields(Cost)} - {"tiers"}
