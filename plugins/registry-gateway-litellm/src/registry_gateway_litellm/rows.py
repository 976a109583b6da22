"""Make models from the rows of a proxy. A row is a deployment, and several may serve a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeGuard, TypeVar

from registry_core import Cost, ModelInfo
from registry_core.records import cost_per_million, model_from_record

T = TypeVar("T")

#: LiteLLM's modes → kinds. Another mode (`search`, `ocr`, `realtime`, …) has none.
KINDS: Mapping[str, str] = {
    "chat": "chat",
    "responses": "chat",
    "completion": "completion",
    "embedding": "embedding",
    "image_generation": "image",
    "image_edit": "image",
    "audio_transcription": "audio",
    "audio_speech": "audio",
    "moderation": "moderation",
    "rerank": "rerank",
    "video_generation": "video",
}
#: LiteLLM's price per token → our price per million.
PRICES: Mapping[str, str] = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "output_cost_per_reasoning_token": "reasoning",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
}
CAPABILITIES: Mapping[str, str] = {
    "supports_function_calling": "tool_call",
    "supports_response_schema": "structured_output",
    "supports_reasoning": "reasoning",
}
#: Inputs beside text.
INPUTS: Mapping[str, str] = {
    "supports_vision": "image",
    "supports_pdf_input": "pdf",
    "supports_audio_input": "audio",
    "supports_video_input": "video",
}

#: Names that can't be called: wildcards, and keys of LiteLLM's price list, which a proxy lists
#: when it expands a wildcard ("openai/hd/1024-x-1024/dall-e-3").
_NO_MODEL = re.compile(r"\*|(?:^|/)(?:[0-9]+-x-[0-9]+|max-x-max)/")
_TIER = re.compile(r"(\w+)_above_([0-9]{1,6})k_tokens")


def _silent(_culprit: str, _message: str) -> None:
    """For callers that ignore losses."""


def models_from_rows(
    provider_id: str, rows: Iterable[Any], warn: Callable[[str, str], object] = _silent
) -> dict[str, ModelInfo]:
    """Bare id → model of these rows of `/model/info`, one per deployment; pure.

    Wildcards (`openai/*`), prices of image sizes and blocked deployments are left out.
    `warn(culprit, message)` is called for data that can't be used: a row is dropped alone, a
    field becomes unknown.
    """
    by_name: dict[str, list[ModelInfo]] = {}
    for name, info, model in _named(rows, partial(warn, provider_id)):
        if _NO_MODEL.search(name) or info.get("blocked") is True:
            continue
        record = _record(info, model, partial(warn, f"{provider_id}/{name}"))
        deployment = model_from_record(provider_id, name, record, warn)
        if deployment is not None:
            by_name.setdefault(name, []).append(deployment)
    return {name: _merged(deployments) for name, deployments in by_name.items()}


def names_in(rows: Iterable[Any]) -> set[str]:
    """All names in these rows, also wildcards and blocked ones."""
    return {name for name, _, _ in _named(rows, partial(_silent, ""))}


def _named(
    rows: Iterable[Any], lost: Callable[[str], object]
) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """For each row: the name, the info about the model, and the model behind it."""
    for row in rows:
        name = row.get("model_name") if is_object(row) else None
        if not is_object(row) or not isinstance(name, str):
            lost("a deployment is dropped: expected an object with a model_name")
            continue
        info, params = row.get("model_info"), row.get("litellm_params")
        if not is_object(info):
            if info is not None:
                lost(f"nothing is known of {name!r:.200}: expected model_info to be an object")
            info = {}
        public = info.get("team_public_model_name")
        # Older proxies show the name by which they route the deployment of a team.
        if isinstance(public, str) and name.startswith(f"model_name_{info.get('team_id')}_"):
            name = public
        yield name, info, params.get("model") if is_object(params) else None


def row_of_name(row: Any) -> dict[str, Any]:
    """A row of `/v1/models` as one of `/model/info`."""
    return {"model_name": row.get("id") if is_object(row) else None, "model_info": row}


def _record(info: Mapping[str, Any], model: Any, lost: Callable[[str], object]) -> dict[str, Any]:
    """The record of a deployment, with the field names of `ModelInfo`."""
    mode, retires = info.get("mode"), info.get("deprecation_date")
    inputs, outputs = info.get("supported_modalities"), info.get("supported_output_modalities")
    if inputs is None:
        flags = {name: info.get(flag) for flag, name in INPUTS.items()}
        taken = [name for name, flag in flags.items() if flag is True]
        if taken or all(flag is False for flag in flags.values()):
            inputs = ["text", *taken]
    if outputs is None and mode == "chat" and info.get("supports_audio_output") is True:
        outputs = ["text", "audio"]
    return {
        "kind": KINDS.get(mode) if isinstance(mode, str) else None,
        "attachment": any(modality != "text" for modality in inputs)
        if is_array(inputs) and inputs
        else None,
        **{ours: info.get(theirs) for theirs, ours in CAPABILITIES.items()},
        "limit": {
            "context": info.get("max_input_tokens"),
            "output": info.get("max_output_tokens"),
        },
        "cost": _cost(info, lost),
        "modalities": {"input": inputs, "output": outputs},
        "lifecycle": {
            # LiteLLM says that calls may fail from that day on.
            "retires_on": retires.partition("T")[0] if isinstance(retires, str) else retires,
            "successor": info.get("successor_model"),
        },
        "extra": {"deployments": [model]} if isinstance(model, str) else None,
    }


def _cost(info: Mapping[str, Any], lost: Callable[[str], object]) -> dict[str, Any] | None:
    declared = info.get("pricing_overrides")
    base: dict[str, Any] = {}
    above: dict[int, dict[str, Any]] = {}
    for name, price in info.items():
        tier = _TIER.fullmatch(name)
        ours = PRICES.get(tier[1] if tier else name)
        # LiteLLM writes the integer 0 if its cost map has no price; a free model has 0.0.
        filled = type(price) is int and price == 0
        if ours and not (filled and not (is_array(declared) and name in declared)):
            prices = above.setdefault(int(tier[2]) * 1000, {}) if tier else base
            prices[ours] = price
    cost: dict[str, Any] = {**cost_per_million(base, lost)}
    others = {name: info[name] for name in info if "cost_per_" in name and "token" not in name}
    if not any(cost.values()) and any(cost_per_million(others).values()):
        return None  # not free: paid by the query, the second, or the image
    tiers = [
        {"tier": {"type": "context", "size": size}, **cost_per_million(above[size], lost)}
        for size in sorted(above)
    ]
    tiers = [tier for tier in tiers if len(tier) > 1]
    return {**cost, "tiers": tiers} if cost else None


def _merged(deployments: Sequence[ModelInfo]) -> ModelInfo:
    """The model that a call gets, whichever deployment it reaches."""
    first = deployments[0]
    if len(deployments) == 1:
        return first
    retires = [deployment.lifecycle.retires_on for deployment in deployments]
    kinds = {deployment.kind for deployment in deployments if deployment.kind is not None}
    behind = {
        name for deployment in deployments for name in deployment.extra.get("deployments", ())
    }
    fields: dict[str, Any] = {
        name: _all([getattr(deployment, name) for deployment in deployments])
        for name in ("attachment", *CAPABILITIES.values())
    }
    if len(kinds) == 1:
        fields["kind"] = kinds.pop()
    return ModelInfo(
        first.id,
        first.provider_id,
        limit={
            "context": _smallest([deployment.limit.context for deployment in deployments]),
            "output": _smallest([deployment.limit.output for deployment in deployments]),
        },
        cost=_agreed([deployment.cost or Cost() for deployment in deployments]),
        modalities={
            "input": _common([deployment.modalities.input for deployment in deployments]),
            "output": _common([deployment.modalities.output for deployment in deployments]),
        },
        lifecycle={
            # The name stays until the last deployment retires.
            "retires_on": None if None in retires else max(filter(None, retires)),
            "successor": _same([deployment.lifecycle.successor for deployment in deployments]),
        },
        extra={"deployments": sorted(behind)} if behind else None,
        **fields,
    )


def _all(flags: Sequence[bool | None]) -> bool | None:
    return False if False in flags else None if None in flags else True


def _same(values: Sequence[T]) -> T | None:
    return values[0] if all(value == values[0] for value in values) else None


def _smallest(values: Sequence[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)


def _common(lists: Sequence[tuple[str, ...] | None]) -> list[str] | None:
    known = [items for items in lists if items is not None]
    if len(known) < len(lists):
        return None
    common = set(known[0]).intersection(*known)
    return [item for item in known[0] if item in common]


def _agreed(costs: Sequence[Cost]) -> Cost | None:
    """The prices on which all agree; None if their tiers differ."""
    if _same([cost.tiers for cost in costs]) is None:
        return None
    prices = {name: _same([getattr(cost, name) for cost in costs]) for name in PRICES.values()}
    known = {name: price for name, price in prices.items() if price is not None}
    return Cost(**known, tiers=costs[0].tiers) if known else None


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, (list, tuple))
