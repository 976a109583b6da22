"""Emitter `litellm`: `model_prices_and_context_window.json`, in the shape of LiteLLM's cost map.

LiteLLM's key for a model is its own name for the provider and the bare id, and for a few
providers only the bare id. Prices are in USD per token. Unknown values are left out. So are
roles, since only this package can resolve them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._base.costs import amount, tier_size
from ..plugin import Artifact, hookimpl
from .json_registry import to_json

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from ..models import Cost, ModelInfo
    from ..plugin import PluginSettings

#: Provider id → LiteLLM's name for it, if that differs.
NAMES: Mapping[str, str] = {
    "abliteration-ai": "abliteration",
    "alibaba": "dashscope",
    "amazon-bedrock": "bedrock",
    "cloudflare-workers-ai": "cloudflare",
    "digitalocean": "gradient_ai",
    "fireworks-ai": "fireworks_ai",
    "friendli": "friendliai",
    "github-copilot": "github_copilot",
    "gmicloud": "gmi",
    "google": "gemini",
    "google-vertex": "vertex_ai",
    "google-vertex-anthropic": "vertex_ai",
    "llama": "meta_llama",
    "lmstudio": "lm_studio",
    "moonshotai": "moonshot",
    "novita-ai": "novita",
    "nvidia": "nvidia_nim",
    "opencode-go": "opencode_go",
    "sap-ai-core": "sap",
    "snowflake-cortex": "snowflake",
    "togetherai": "together_ai",
    "vercel": "vercel_ai_gateway",
    "xiaomi": "xiaomi_mimo",
    "zhipuai": "bigmodel",
}
#: Names of the providers whose models are keyed by the bare id.
BARE = frozenset({"anthropic", "bedrock", "cohere", "openai"})
#: Name → the name for its chat models.
_CHAT = {"bedrock": "bedrock_converse", "cohere": "cohere_chat"}
#: Keys of the map that are not models.
_RESERVED = frozenset({"fallback_generalizations", "sample_spec"})

_MODES = {
    "chat": "chat",
    "completion": "completion",
    "embedding": "embedding",
    "image": "image_generation",
    "moderation": "moderation",
    "rerank": "rerank",
    "video": "video_generation",
}
_PRICES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "input_audio": "input_cost_per_audio_token",
}
#: Prices that don't depend on the context.
_FLAT_PRICES = {
    "reasoning": "output_cost_per_reasoning_token",
    "output_audio": "output_cost_per_audio_token",
}


@hookimpl
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    if not settings.wants("litellm"):
        return
    entries: dict[str, dict[str, Any]] = {}
    for id, provider in snapshot.get_providers().items():
        name = NAMES.get(id, id)
        for model in provider.models.values():
            # A bare id with a slash would look like a model of another provider.
            bare = name in BARE and "/" not in model.id and model.id not in _RESERVED
            key = model.id if bare else f"{name}/{model.id}"
            # If two models have the same key, the first one counts.
            if key not in entries:
                entries[key] = dict(sorted(_entry(name, model)))
    content = {key: entries[key] for key in sorted(entries)}
    yield Artifact("litellm", "model_prices_and_context_window.json", to_json(content))


def _entry(name: str, model: ModelInfo) -> Iterator[tuple[str, Any]]:
    fields = {
        "deprecation_date": model.lifecycle.retires_on,
        "litellm_provider": _CHAT.get(name, name) if model.kind == "chat" else name,
        "max_input_tokens": model.limit.input or model.limit.context,
        "max_output_tokens": model.limit.output,
        "mode": _mode(model),
        "supports_audio_input": model.accepts("audio"),
        "supports_audio_output": _gives(model, "audio"),
        "supports_function_calling": model.tool_call,
        "supports_pdf_input": model.accepts("pdf"),
        "supports_reasoning": model.reasoning,
        "supports_response_schema": model.structured_output,
        "supports_video_input": model.accepts("video"),
        "supports_vision": model.accepts("image"),
    }
    yield from ((key, value) for key, value in fields.items() if value is not None)
    if model.cost is not None:
        yield from _prices(model.cost)


def _mode(model: ModelInfo) -> str | None:
    if model.kind == "audio":
        speaks = _gives(model, "audio")
        return None if speaks is None else "audio_speech" if speaks else "audio_transcription"
    return _MODES.get(model.kind or "")


def _gives(model: ModelInfo, modality: str) -> bool | None:
    known = model.modalities.output
    return None if known is None else modality in known


def _prices(cost: Cost) -> Iterator[tuple[str, Any]]:
    keys = {**_PRICES, **_FLAT_PRICES}
    yield from _priced({field: getattr(cost, field) for field in keys}, keys)
    if cost.cache_read is not None:
        yield "supports_prompt_caching", True
    for tier in cost.tiers:
        size = tier_size(tier)
        if size is not None:  # as LiteLLM writes it: "200k", "262144"
            size_text = str(size) if size % 1000 else f"{size // 1000}k"
            yield from _priced(tier, _PRICES, f"_above_{size_text}_tokens")


def _priced(
    prices: Mapping[str, Any], keys: Mapping[str, str], suffix: str = ""
) -> Iterator[tuple[str, float]]:
    for field, key in keys.items():
        price = amount(prices.get(field))
        if price is not None:
            yield key + suffix, _per_token(price)


def _per_token(price: float) -> float:
    """The price of one token from a price per million. Shifts the decimal point, so that 0.15
    gives 1.5e-07, and rounds to twelve digits, to drop rounding noise."""
    digits, _, exponent = f"{price:.11e}".partition("e")
    return float(f"{digits}e{int(exponent) - 6}")
