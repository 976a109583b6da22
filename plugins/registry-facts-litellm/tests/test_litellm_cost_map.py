"""LiteLLM's cost map: whose date and price it is, and what can't be told."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import pytest
import registry_facts_litellm as plugin
from registry_facts_litellm.mapping import full_id, providers
from registry_facts_litellm.retired import ROWS, shut_off

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
#: What FACTS are made of.
MAP = plugin.facts_from_map(
    json.loads(Path(plugin.__file__).with_name("cost_map.json").read_text("utf-8"))["map"]
)
GONE = shut_off()


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
        "google-vertex": "cloud.google.com",
        "groq": "console.groq.com",
        "mistral": "docs.mistral.ai",
        "cohere": "docs.cohere.com",
        "cerebras": "cerebras.ai",
        "alibaba": "alibabacloud.com",
        "xai": "docs.x.ai",
        # … two notices are quoted there.
        "perplexity": "docs.perplexity.ai|github.com",
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


def test_what_the_package_knows_by_itself_is_no_part_of_the_size_of_a_map() -> None:
    mirror = {f"gpt-{n}": row("openai", max_input_tokens=5) for n in range(1000, 1010)}
    source = plugin.LiteLLMCostMap()
    both = mirror | {"text-davinci-003": row("openai", max_input_tokens=5)}
    facts = source.fetch_facts(CannedClient({plugin.URL: both}))
    assert {*facts} - source.own == {f"openai/{id}" for id in mirror}


def day_of(fact: Mapping[str, Any]) -> str | None:
    day: str | None = fact.get("lifecycle", {}).get("retires_on")
    return day


def test_a_model_that_was_shut_off_has_one_provider_of_ours_and_one_day_in_the_past() -> None:
    words = [word for word in ROWS.split() if not re.search("^https:|:$|^[0-9-]{10}$", word)]
    assert len(words) == len(GONE) == 551
    assert {id.partition("/")[0] for id in GONE} <= set(OURS.get_providers())
    assert {date.fromisoformat(day_of(fact) or "") < CAPTURED.date() for fact in GONE.values()} == {
        True
    }


def test_no_day_of_a_model_that_was_shut_off_contradicts_the_map() -> None:
    both = {id for id in GONE if day_of(MAP.get(id, {}))}
    assert {id for id in both if day_of(MAP[id]) != day_of(GONE[id])} == set()
    assert {id for id in GONE if day_of(FACTS[id]) != day_of(GONE[id])} == set()


def test_what_a_gateway_still_offers_was_shut_off_by_its_providers_own_page() -> None:
    offered = {id: one for id in GONE if (one := OURS.get_model(id))}
    assert "mistral/open-mixtral-8x7b" in offered
    unsure = [id for id in offered if "source_url" not in GONE[id]]
    assert {offered[id].status for id in unsure} <= {"deprecated"}


@pytest.mark.parametrize(
    ("id", "day"),
    [
        ("openai/text-davinci-003", "2024-01-04"),
        ("google/gemini-1.0-pro", "2025-02-18"),
        ("anthropic/claude-3-haiku-20240307", "2026-04-20"),  # LiteLLM: 2025-03-01
        ("groq/llama3-70b-8192", "2025-08-30"),
        ("amazon-bedrock/anthropic.claude-v2:1", "2025-07-21"),
        ("amazon-bedrock/anthropic.claude-3-sonnet-20240229-v1:0", "2026-07-30"),  # the last region
        ("google-vertex/gemini-1.0-pro-001", "2025-04-21"),  # LiteLLM: 2025-04-09
        ("perplexity/sonar-small-chat", "2024-05-14"),
    ],
)
def test_a_day_as_the_provider_gives_it(id: str, day: str) -> None:
    assert day_of(FACTS[id]) == day


def fetched(key: str, **said: Any) -> Mapping[str, Any]:
    """What a fetched map with this row says of the model."""
    provider = "perplexity" if "sonar" in key else "openai"
    client = CannedClient({plugin.URL: {key: row(provider, max_input_tokens=5, **said)}})
    facts = plugin.LiteLLMCostMap().fetch_facts(client)
    assert facts["anthropic/claude-2.1"] == GONE["anthropic/claude-2.1"]
    return facts[full_id(key, row(provider)) or ""]


def test_a_model_of_the_map_without_a_day_has_that_of_its_providers_page() -> None:
    found = fetched("text-davinci-003", successor_model="gpt-y")
    assert found == {
        "lifecycle": {"retires_on": "2024-01-04", "successor": "openai/gpt-y"},
        "source_url": "https://platform.openai.com/docs/deprecations",
        "limit": {"input": 5},
    }


def test_a_day_of_the_map_counts_more() -> None:
    found = fetched("text-davinci-003", deprecation_date="2024-02-01")
    assert found == {"lifecycle": {"retires_on": "2024-02-01"}, "limit": {"input": 5}}


def test_a_day_that_the_map_once_gave_is_not_added_to_a_model_that_it_has_again() -> None:
    key = "perplexity/llama-3.1-sonar-small-128k-chat"
    assert day_of(FACTS[key]) == "2025-02-22"
    assert fetched(key) == {"limit": {"input": 5}}


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
