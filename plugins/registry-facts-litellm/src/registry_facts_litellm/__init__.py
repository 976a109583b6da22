"""LiteLLM's cost map as a source of facts: dates of retirement, successors, prices."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from importlib_resources import files

from registry_core import FactSource, GatewayError, hookimpl
from registry_core.records import cost_per_million

from .mapping import full_id
from .retired import shut_off, with_shut_off

if TYPE_CHECKING:
    from registry_core import Facts, GatewayClient, PluginSettings

URL = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
#: LiteLLM's price per token → our price per million. Prices that depend on more than the number
#: of tokens (batches, priority, an hour of cache) are left out.
PRICES: Mapping[str, str] = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "output_cost_per_reasoning_token": "reasoning",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
}
LIMITS: Mapping[str, str] = {"max_input_tokens": "input", "max_output_tokens": "output"}
#: A price that applies above a context size.
_TIER = re.compile(f"({'|'.join(PRICES)})_above_([0-9]{{1,6}})k_tokens")


class LiteLLMCostMap(FactSource):
    """The map at `url`; until it was fetched, the one in this package."""

    id = "litellm-cost-map"
    name = "LiteLLM's cost map"

    def __init__(self, url: str = URL) -> None:
        self.url = url
        self.own = frozenset(shut_off())

    def fetch_facts(self, client: GatewayClient) -> Facts:
        facts = facts_from_map(client.get_json(self.url))
        return with_shut_off(facts) if facts else facts  # no answer that says nothing is good

    def bundled(self) -> tuple[Facts, datetime]:
        bundle = json.loads(files(__name__).joinpath("cost_map.json").read_text("utf-8"))
        captured = datetime.fromisoformat(bundle["captured"]).replace(tzinfo=UTC)
        return with_shut_off(facts_from_map(bundle["map"])), captured


def facts_from_map(cost_map: Any) -> Facts:
    """Full id → facts of the map. Keys without a matching id are left out.

    If two keys stand for one id ("azure/gpt-x" and "azure_ai/gpt-x"), fields on which they
    disagree are unknown. Raises GatewayError if `cost_map` is not a mapping.
    """
    if not isinstance(cost_map, Mapping):
        raise GatewayError(f"sent {type(cost_map).__name__}, no cost map", hint="check the url")
    facts: dict[str, dict[str, Any]] = {}
    doubtful: dict[str, set[str]] = {}
    for key, row in cost_map.items():
        id = full_id(key, row)
        if id is not None:
            known = facts.setdefault(id, {})
            for field, value in _said(row, cost_map):
                if known.setdefault(field, value) != value:
                    doubtful.setdefault(id, set()).add(field)
    for id, fields in doubtful.items():
        facts[id] = {name: value for name, value in facts[id].items() if name not in fields}
    return {id: fields for id, fields in facts.items() if fields}


def _said(row: Mapping[str, Any], cost_map: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a record."""
    date, successor = row.get("deprecation_date"), row.get("successor_model")
    following = None
    if isinstance(successor, str):
        # A key of the map, or a model of the same provider that it does not have yet.
        provider = row["litellm_provider"]
        following = full_id(successor, cost_map.get(successor, {"litellm_provider": provider}))
    lifecycle = {"retires_on": date, "successor": following}
    known = {name: value for name, value in lifecycle.items() if value is not None}
    if known:
        yield "lifecycle", known
        page = row.get("deprecation_source")
        if isinstance(page, str):
            yield "source_url", page
    cost = _cost(row)
    if cost:
        yield "cost", cost
    limit = {ours: row[name] for name, ours in LIMITS.items() if isinstance(row.get(name), int)}
    if limit:
        yield "limit", limit


def _cost(row: Mapping[str, Any]) -> dict[str, Any]:
    cost: dict[str, Any] = cost_per_million(
        {ours: row[name] for name, ours in PRICES.items() if name in row}
    )
    tiers: dict[int, dict[str, Any]] = {}
    for name, value in row.items():
        if matched := _TIER.fullmatch(name):
            tiers.setdefault(int(matched[2]) * 1000, {})[PRICES[matched[1]]] = value
    priced = [(size, cost_per_million(prices)) for size, prices in sorted(tiers.items())]
    if cost and priced:
        cost["tiers"] = [
            {"tier": {"type": "context", "size": size}, **prices} for size, prices in priced
        ]
    return cost


@hookimpl
def registry_facts(settings: PluginSettings) -> list[FactSource]:
    return [LiteLLMCostMap(settings.options.get("url") or URL)]
