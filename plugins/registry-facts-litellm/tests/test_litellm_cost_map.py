"""LiteLLM's cost map: whose date and price it is, and what can't be told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import registry_facts_litellm as plugin
from registry_facts_litellm.mapping import full_id, providers

from registry_core import FactSource, GatewayError, ModelRegistry, Settings
from registry_core.records import provider_from_record
from registry_core.testing import (
    CannedClient,
    FactsContract,
    check_plugin,
    plugin_settings,
    write_distribution,
)

#: The snapshot in the wheel.
OURS = ModelRegistry(Settings(store_dir=Path(__file__).with_name("no-store"))).snapshot()
FACTS, CAPTURED = plugin.LiteLLMCostMap().bundled()


def row(provider: str, **more: Any) -> dict[str, Any]:
    return {"litellm_provider": provider, **more}


@pytest.mark.parametrize(
    ("key", "provider", "id"),
    [
        ("gpt-4o", "openai", "openai/gpt-4o"),
        ("openai/gpt-4o", "openai", "openai/gpt-4o"),
        ("azure/gpt-4o", "azure", "azure/gpt-4o"),
        ("claude-opus-4-5", "anthropic", "anthropic/claude-opus-4-5"),
        ("gemini/gemini-2.5-pro", "gemini", "google/gemini-2.5-pro"),
        ("gemini-2.5-pro", "vertex_ai-language-models", "google-vertex/gemini-2.5-pro"),
        (
            "vertex_ai/claude-opus-4-5@20251101",
            "vertex_ai-anthropic_models",
            "google-vertex/claude-opus-4-5@20251101",
        ),
        ("us.meta.llama3-1-8b", "bedrock", "amazon-bedrock/us.meta.llama3-1-8b"),
        (
            "fireworks_ai/accounts/fireworks/models/x",
            "fireworks_ai",
            "fireworks-ai/accounts/fireworks/models/x",
        ),
        ("together_ai/org/model", "together_ai", "togetherai/org/model"),
        ("dashscope/qwen-max", "dashscope", "alibaba/qwen-max"),
    ],
)
def test_what_maps(key: str, provider: str, id: str) -> None:
    assert full_id(key, row(provider)) == id


@pytest.mark.parametrize(
    ("key", "provider"),
    [
        ("openai/gpt-4o", "azure"),  # a row that was copied
        ("azure/gpt-4o", "openai"),
        ("gemini/gemini-2.5-pro", "vertex_ai-language-models"),
        ("bedrock_mantle/openai.gpt-oss-120b", "bedrock_mantle"),
        ("chatgpt/gpt-5", "chatgpt"),
        ("sample_spec", "one of https://docs.litellm.ai/docs/providers"),
        ("tavily/search", "tavily"),
        ("openai/", "openai"),
    ],
)
def test_what_is_left_out(key: str, provider: str) -> None:
    assert full_id(key, row(provider)) is None


@pytest.mark.parametrize("nonsense", [None, 7, [], {}, {"litellm_provider": 7}])
def test_a_row_that_is_none_stands_for_nothing(nonsense: Any) -> None:
    assert full_id("gpt-4o", nonsense) is None
    assert plugin.facts_from_map({"gpt-4o": nonsense}) == {}


@pytest.mark.parametrize(
    "key", ["azure/eu/gpt-4o-2024-08-06", "bedrock/us-east-1/anthropic.claude-v1", "ft:gpt-4o"]
)
def test_a_region_or_a_tuned_model_is_no_model_of_ours(key: str) -> None:
    provider = {"azure": "azure", "bedrock": "bedrock"}.get(key.partition("/")[0], "openai")
    id = full_id(key, row(provider))
    assert id and OURS.get_model(id) is None


def test_a_price_from_an_impossible_size_on_costs_itself_alone() -> None:
    prices = {
        "input_cost_per_token": 1e-6,
        f"input_cost_per_token_above_{'9' * 5000}k_tokens": 2e-6,
    }
    facts = plugin.facts_from_map({"gpt-4o": row("openai", **prices)})
    assert facts == {"openai/gpt-4o": {"cost": {"input": 1}}}


def test_every_provider_of_the_table_is_one_of_ours() -> None:
    assert set(providers().values()) <= set(OURS.get_providers())


def test_a_date_belongs_to_the_provider_that_its_page_is_of() -> None:
    """By the host of the page that the map cites: never another's date."""
    hosts = {
        "openai": "openai.com",
        "azure": "microsoft.com|azure.com",
        "google": "google.dev",
        "amazon-bedrock": "aws.amazon.com",
        "anthropic": "claude.com|anthropic.com",
    }
    dated = 0
    for id, fact in FACTS.items():
        host = hosts.get(id.partition("/")[0])
        page = fact.get("source_url")
        if host and page:
            dated += 1
            assert re.match(f"https://([a-z.-]*[.])?({host})/", page), (id, page)
    assert dated > 100


def test_what_the_package_holds_says_something_of_many_of_our_models() -> None:
    met = [id for id in FACTS if OURS.get_model(id)]
    dated = [id for id in met if FACTS[id].get("lifecycle", {}).get("retires_on")]
    assert len(met) > 1000
    assert len(dated) > 200
    warnings: list[Any] = []
    made = provider_from_record(
        "litellm-cost-map", {"models": FACTS}, lambda *said: warnings.append(said)
    )
    assert made and len(made.models) == len(FACTS)
    assert warnings == []


def test_a_row_becomes_a_fact() -> None:
    facts = plugin.facts_from_map(
        {
            "gpt-x": row(
                "openai",
                deprecation_date="2027-01-31",
                successor_model="gpt-y",
                deprecation_source="https://openai.example/deprecations",
                input_cost_per_token=1.5e-07,
                output_cost_per_token=6e-07,
                cache_read_input_token_cost=0.0,
                input_cost_per_token_above_200k_tokens=3e-07,
                input_cost_per_token_batches=1e-08,
                max_input_tokens=128000,
                max_output_tokens="many",
            )
        }
    )
    assert facts == {
        "openai/gpt-x": {
            "lifecycle": {"retires_on": "2027-01-31", "successor": "openai/gpt-y"},
            "source_url": "https://openai.example/deprecations",
            "cost": {
                "input": 0.15,
                "output": 0.6,
                "tiers": [{"tier": {"type": "context", "size": 200000}, "input": 0.3}],
            },
            "limit": {"input": 128000},
        }
    }


def test_a_successor_is_a_full_id_by_its_own_row() -> None:
    facts = plugin.facts_from_map(
        {
            "azure_ai/old": row("azure_ai", successor_model="azure_ai/new"),
            "azure_ai/new": row("azure_ai"),
            "gpt-old": row("openai", successor_model="azure/gpt-new"),
        }
    )
    assert facts == {"azure/old": {"lifecycle": {"successor": "azure/new"}}}


def test_what_two_keys_of_one_id_say_differently_is_unknown() -> None:
    facts = plugin.facts_from_map(
        {
            "azure/x": row("azure", deprecation_date="2027-01-01", max_input_tokens=5),
            "azure_ai/x": row("azure_ai", deprecation_date="2028-01-01", max_input_tokens=5),
            "azure/y": row("azure", deprecation_date="2027-01-01"),
            "azure_ai/y": row("azure_ai"),
        }
    )
    assert facts["azure/x"] == {"limit": {"input": 5}}
    assert facts["azure/y"] == {"lifecycle": {"retires_on": "2027-01-01"}}


def test_what_is_no_map_is_refused() -> None:
    client = CannedClient({plugin.URL: ["no map"]})
    with pytest.raises(GatewayError, match="cost map"):
        plugin.LiteLLMCostMap().fetch_facts(client)


class TestTheContract(FactsContract):
    routes: ClassVar[Mapping[str, Any]] = {
        plugin.URL: {
            "gpt-x": row("openai", deprecation_date="2027-01-31", input_cost_per_token=1e-06),
            "azure/gpt-x": row("azure", successor_model="azure/gpt-y", max_input_tokens=5),
        }
    }

    @pytest.fixture
    def gateway(self) -> FactSource:
        return plugin.LiteLLMCostMap()


def test_the_package_is_a_plugin() -> None:
    check_plugin(plugin)


def test_the_url_is_an_option() -> None:
    settings = plugin_settings(options={"url": "https://mirror.example/map.json"})
    (source,) = plugin.registry_facts(settings)
    said = row("openai", max_input_tokens=5)
    client = CannedClient({"https://mirror.example/map.json": {"gpt-x": said}})
    assert source.fetch_facts(client)["openai/gpt-x"] == {"limit": {"input": 5}}


@pytest.mark.parametrize("answer", [{}, {"error": "sign in"}, {"gpt-x": row("openai")}])
def test_a_map_that_says_nothing_does_not_pass_for_one_by_what_was_shut_off(answer: Any) -> None:
    assert plugin.LiteLLMCostMap().fetch_facts(CannedClient({plugin.URL: answer})) == {}


def test_what_is_added_to_a_map_is_no_part_of_its_size() -> None:
    mirror = {f"gpt-{n}": row("openai", max_input_tokens=5) for n in range(1000, 1010)}
    source = plugin.LiteLLMCostMap()
    assert len(source.fetch_facts(CannedClient({plugin.URL: mirror}))) == source.added + 10


def test_what_was_shut_off_and_left_the_map_is_still_known() -> None:
    days = {id: fact["lifecycle"]["retires_on"] for id, fact in plugin.shut_off().items()}
    assert len(days) == 186
    assert days["openai/text-davinci-003"] == "2024-01-04"
    assert days["google/gemini-1.0-pro"] == "2025-02-18"
    assert days["anthropic/claude-3-haiku-20240307"] == "2026-04-20"  # LiteLLM: 2025-03-01
    assert max(days.values()) < f"{CAPTURED:%Y-%m-%d}"
    assert {id for id in days if FACTS[id]["lifecycle"]["retires_on"] != days[id]} == set()
    client = CannedClient({plugin.URL: {"text-davinci-003": row("openai", max_input_tokens=5)}})
    found = plugin.LiteLLMCostMap().fetch_facts(client)
    assert found["openai/text-davinci-003"] == {"limit": {"input": 5}}  # the map decides
    offered = [OURS.get_model(id) for id in days]
    assert {one.status for one in offered if one} <= {"deprecated"}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelRegistry:
    """As one has it who installs this package and models.dev's, and syncs without a network."""
    site = write_distribution(
        tmp_path / "site",
        "registry-facts-litellm",
        {},
        entry_points={"litellm-cost-map": "registry_facts_litellm"},
    )
    monkeypatch.syspath_prepend(str(site))
    return ModelRegistry(
        Settings(
            offline=True,
            store_dir=tmp_path / "store",
            plugins=("registry-facts-litellm", "registry-gateway-models-dev"),
        )
    )


def test_offline_a_sync_lays_it_over_the_bundle(registry: ModelRegistry) -> None:
    before = OURS.get_model("openai/gpt-5")
    assert before and before.lifecycle.retires_on is None
    report = registry.sync_gateways()
    (facts,) = (one for one in report.gateways if one.id == "litellm-cost-map")
    assert (facts.status, facts.source, facts.retrieved_at) == ("offline", "bundled", CAPTURED)
    assert facts.facts and 1000 < facts.facts < facts.models == len(FACTS)
    after = registry.get_model("openai/gpt-5")
    assert after and after.replace(lifecycle=None) == before.replace(lifecycle=None)
    assert after.lifecycle.retires_on == FACTS["openai/gpt-5"]["lifecycle"]["retires_on"]
    assert after.cost == before.cost


def test_a_day_has_its_source_its_page_and_when_that_was_retrieved(registry: ModelRegistry) -> None:
    registry.sync_gateways()
    (day,) = (
        one for one in registry.sources("openai/gpt-5") if one.field == "lifecycle.retires_on"
    )
    said = day.source
    assert said and (said.source, said.kind) == ("litellm-cost-map", "facts")
    assert (said.value, said.retrieved_at) == (day.value, CAPTURED)
    assert said.source_url and said.source_url.startswith("https://")


def test_where_the_map_and_a_gateway_differ_is_told_for_prices_and_context(
    registry: ModelRegistry,
) -> None:
    registry.sync_gateways()
    found = registry.disagreements()
    counts = Counter(one.field for said in found.values() for one in said)
    assert counts["cost.input"] > 50
    assert counts["limit.context"] > 50  # those where more may be sent than the context holds
