"""The data of the page as compact JSON.

Thousands of models share a few hundred prices, limits and dates. So each field is a list of
different values, and for each model the index of its value. Unknown is null.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from registry_core import ModelInfo, Snapshot

#: Abilities of models; `page/models.js` has the same list, in this order.
CAPABILITIES = (
    "tool_call",
    "reasoning",
    "structured_output",
    "attachment",
    "temperature",
    "open_weights",
)
PRICES = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "reasoning",
    "input_audio",
    "output_audio",
)


def columns(snapshot: Snapshot) -> dict[str, Any]:
    """Plain JSON values: `providers` (id, name, gateway, link, number of models), the `ids` of
    all their models in order, `columns` (field → [values, index for each model]), and `roles`
    (role → full id)."""
    providers: list[Any] = []
    models: list[ModelInfo] = []
    for id, provider in snapshot.get_providers().items():
        providers.append(
            [id, provider.name, provider.gateway, provider.doc_url, len(provider.models)]
        )
        models += provider.models.values()
    return {
        "schema": 1,
        "providers": providers,
        "ids": [model.id for model in models],
        "columns": {
            "name": _pooled(model.name for model in models),
            "family": _pooled(model.family for model in models),
            "kind": _pooled(model.kind for model in models),
            "status": _pooled(model.status for model in models),
            "can": _pooled(
                tuple(getattr(model, name) for name in CAPABILITIES) for model in models
            ),
            "input": _pooled(model.modalities.input or None for model in models),
            "output": _pooled(model.modalities.output or None for model in models),
            "limit": _pooled(
                (model.limit.context, model.limit.input, model.limit.output) for model in models
            ),
            "cost": _pooled(_prices(model) for model in models),
            "tiers": _pooled(_tiers(model) for model in models),
            "released": _pooled(model.release_date for model in models),
            "updated": _pooled(model.last_updated for model in models),
            "knowledge": _pooled(model.knowledge for model in models),
            "lifecycle": _pooled(
                (lifecycle.deprecated_on, lifecycle.retires_on, lifecycle.successor)
                for lifecycle in (model.lifecycle for model in models)
            ),
        },
        "roles": dict(snapshot.roles),
    }


def _pooled(values: Iterable[Hashable]) -> tuple[list[Hashable], list[int]]:
    numbers: dict[Hashable, int] = {}
    places = [numbers.setdefault(value, len(numbers)) for value in values]
    return [*numbers], places


def _prices(model: ModelInfo) -> tuple[float | None, ...] | None:
    cost = model.cost
    return None if cost is None else tuple(getattr(cost, name) for name in PRICES)


def _tiers(model: ModelInfo) -> Hashable:
    """(context size, input price, output price) of each tier with a size; None without any."""
    tiers = []
    for record in model.cost.tiers if model.cost else ():
        tier = record.get("tier")
        size = tier.get("size") if isinstance(tier, Mapping) else None
        prices = tuple(_number(record.get(name)) for name in ("input", "output"))
        if _number(size) is not None:
            tiers.append((size, *prices))
    return tuple(tiers) or None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
