"""OpenRouter as a gateway of registry-core: its public list of models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import urljoin, urlsplit

from registry_core import GatewayError, ModelGateway, hookimpl
from registry_core.records import cost_per_million, provider_from_record

if TYPE_CHECKING:
    from registry_core import GatewayClient, PluginSettings, ProviderConfig

BASE_URL = "https://openrouter.ai/api/v1"
URL = f"{BASE_URL}/models"
#: A list with more pages counts as endless.
MOST_PAGES = 100

#: OpenRouter's price per token → our price per million. Its other prices (per request, image or
#: search) go to `extra` unchanged.
PRICES: Mapping[str, str] = {
    "prompt": "input",
    "completion": "output",
    "internal_reasoning": "reasoning",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write",
    "audio": "input_audio",
    "audio_output": "output_audio",
}
#: Prices of optional services, such as a search, which are paid separately.
ADD_ONS = ("web_search",)
#: OpenRouter's words for modalities → the usual ones.
MODALITIES: Mapping[str, str] = {"file": "pdf"}
#: The only output of a model → its kind.
KINDS: Mapping[str, str] = {
    "embeddings": "embedding",
    "rerank": "rerank",
    "speech": "audio",
    "transcription": "audio",
}


class OpenRouterGateway(ModelGateway):
    """The list at `url`, all its pages."""

    id = "openrouter"
    name = "OpenRouter"

    def __init__(self, url: str = URL) -> None:
        self.url = url

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        return providers_from_records(self._read(client), client.warn)

    def _read(self, client: GatewayClient) -> list[Any]:
        """The records of all pages. Raises GatewayError if the total changes between pages, or
        isn't reached, since the pages may then be of different lists."""
        records: list[Any] = []
        totals: list[Any] = []
        url: str | None = self.url
        while url is not None:
            if len(totals) == MOST_PAGES:
                raise _fault(f"has more than {MOST_PAGES} pages", _CHECK_URL)
            page = client.get_json(url)
            data = page.get("data") if _is_object(page) else None
            if not _is_object(page) or not _is_array(data):
                message = f"expected an object with the list data on page {len(totals) + 1}"
                raise _fault(message, _CHECK_URL)
            records += data
            totals.append(page.get("total_count"))
            total, now = totals[0], totals[-1]
            if now != total:
                counts = f"from {total!r:.40} models to {now!r:.40}"
                raise _fault(f"its list changed while it was read, {counts}", _SYNC_AGAIN)
            url = _next_page(page, url)
        total = totals[0]
        if isinstance(total, int) and len(records) < total:
            raise _fault(f"sent {len(records)} of {total} models", _SYNC_AGAIN)
        return records


@hookimpl
def registry_gateways(settings: PluginSettings) -> Iterable[ModelGateway]:
    return (OpenRouterGateway(settings.options.get("url", URL)),)


_CHECK_URL = "check the option url (REGISTRY_CORE_PLUGIN_OPENROUTER_URL)"
_SYNC_AGAIN = "sync again"


def _fault(message: str, hint: str) -> GatewayError:
    return GatewayError(message, culprit="openrouter", hint=hint)


def _next_page(page: Mapping[str, Any], url: str) -> str | None:
    """The URL of the next page; None after the last. It must have the origin of `url`."""
    links = page.get("links")
    link = links.get("next") if _is_object(links) else None
    if not link:
        return None
    try:
        following = urljoin(url, link) if isinstance(link, str) else ""
        origin = urlsplit(following)[:2]
        if all(origin) and origin == urlsplit(url)[:2]:
            return following
    except ValueError:
        pass
    raise _fault(f"names a next page that is not at its own origin: {link!r:.200}", _CHECK_URL)


def _silent(_culprit: str, _message: str) -> None:
    """For callers that ignore losses."""


def providers_from_records(
    records: Iterable[Any], warn: Callable[[str, str], object] = _silent
) -> dict[str, ProviderConfig]:
    """The provider `openrouter` with the models of these records of the list; pure.

    `warn(culprit, message)` is called for data that can't be used: a record is dropped alone, a
    field becomes unknown. If two records have the same id, the first counts.
    """
    models: dict[str, dict[str, Any]] = {}
    for record in records:
        id = record.get("id") if _is_object(record) else None
        if not _is_object(record) or not isinstance(id, str):
            warn("openrouter", "a model is dropped: expected an object with an id")
        elif id in models:
            warn(f"openrouter/{id}", "it is listed twice; the first counts")
        else:
            models[id] = _model(record, partial(warn, f"openrouter/{id}"))
    provider = provider_from_record(
        "openrouter",
        {
            "name": "OpenRouter",
            "url": BASE_URL,
            "api_key_env_vars": "OPENROUTER_API_KEY",
            "api_key_header": "Authorization",
            "doc_url": "https://openrouter.ai/models",
            "npm": "@openrouter/ai-sdk-provider",
            "models": models,
        },
        warn,
    )
    return {provider.id: provider} if provider else {}


def _model(record: Mapping[str, Any], lost: Callable[[str], object]) -> dict[str, Any]:
    """A record of the list with the names of `ModelInfo`."""

    def part(name: str, kind: type, expected: str) -> Any:
        value = record.get(name)
        if value is None or isinstance(value, kind):
            return value
        lost(f"{name} is taken as unknown: expected {expected}, got {type(value).__name__}")
        return None

    architecture = part("architecture", dict, "an object") or {}
    pricing = part("pricing", dict, "an object") or {}
    provider = part("top_provider", dict, "an object") or {}
    parameters = part("supported_parameters", list, "a list")

    def supports(*names: str) -> bool | None:
        return None if parameters is None else any(name in parameters for name in names)

    inputs = _modalities(architecture.get("input_modalities"))
    outputs = _modalities(architecture.get("output_modalities"))
    expires = record.get("expiration_date")
    other_prices = {
        name: price for name, price in pricing.items() if name not in PRICES and price is not None
    }
    return {
        "name": record.get("name"),
        "kind": next((kind for modality, kind in KINDS.items() if outputs == [modality]), None),
        "attachment": any(modality != "text" for modality in inputs)
        if _is_array(inputs) and inputs
        else None,
        "reasoning": supports("reasoning", "include_reasoning"),
        "tool_call": supports("tools"),
        "structured_output": supports("structured_outputs"),
        "temperature": supports("temperature"),
        "knowledge": record.get("knowledge_cutoff"),
        "release_date": _day(record.get("created"), lost),
        "limit": {
            "context": record.get("context_length"),
            "output": provider.get("max_completion_tokens"),
        },
        "cost": _cost(pricing, other_prices, lost),
        "modalities": {"input": inputs, "output": outputs},
        "lifecycle": {
            "retires_on": expires.partition("T")[0] if isinstance(expires, str) else expires
        },
        "extra": {"pricing": other_prices} if other_prices else None,
    }


def _modalities(value: Any) -> Any:
    if not _is_array(value):
        return value
    return [
        MODALITIES.get(modality, modality) if isinstance(modality, str) else modality
        for modality in value
    ]


def _cost(
    pricing: Mapping[str, Any], others: Mapping[str, Any], lost: Callable[[str], object]
) -> dict[str, float] | None:
    """The known prices per million tokens; None if there are none.

    A router, which costs as much as the model that it picks, has the price -1.
    """
    cost = cost_per_million({ours: pricing.get(name) for name, ours in PRICES.items()}, lost)
    if not any(cost.values()):
        per_call = {name: price for name, price in others.items() if name not in ADD_ONS}
        if any(cost_per_million(per_call).values()):
            return None  # not free: paid by the request, the image, or the song
    return cost or None


def _day(created: Any, lost: Callable[[str], object]) -> str | None:
    """The day, in UTC, from epoch seconds."""
    if created is None:
        return None
    try:
        if type(created) not in (int, float) or created <= 0:
            raise ValueError
        return datetime.fromtimestamp(created, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        lost(f"created is taken as unknown: expected epoch seconds, got {created!r:.40}")
        return None


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
