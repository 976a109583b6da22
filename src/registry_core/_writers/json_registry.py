"""Emitter `json`: `provider-registry.json`, in the shape of Mastra's registry file.

Shape: `{"models": {provider: [bare ids]}, "providers": {provider: {…}}, "version"}`.
Keys and ids are sorted; what is unknown is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._base.decoding import require_msgspec
from .._base.frozen import sorted_ids
from ..plugin import Artifact, hookimpl
from .mastra import callable_providers, key_header, key_variables, package

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from ..models import ProviderConfig

#: The version of the file's shape, as Mastra writes and expects it.
VERSION = "1.0.0"


@hookimpl
def registry_emit(snapshot: Snapshot) -> Iterable[Artifact]:
    published = list(callable_providers(snapshot))
    content = {
        "models": {provider.id: ids for provider, ids in published},
        "providers": {provider.id: _record(provider, ids) for provider, ids in published},
        "version": VERSION,
    }
    yield Artifact("json", "provider-registry.json", to_json(content))


def to_json(content: Any) -> str:
    """JSON with an indent of two and a final newline. The order of keys is kept."""
    require_msgspec()
    from msgspec import json

    return json.format(json.encode(content), indent=2).decode() + "\n"


def _record(provider: ProviderConfig, ids: tuple[str, ...]) -> dict[str, Any]:
    variables = key_variables(provider)
    deprecated = set(provider.deprecated_models)
    overrides = provider.model_overrides
    record = {
        "apiKeyEnvVar": variables[0] if len(variables) == 1 else variables,
        "apiKeyHeader": key_header(provider),
        "deprecatedModels": [id for id in ids if id in deprecated],
        "docUrl": provider.doc_url,
        "gateway": provider.gateway,
        "modelOverrides": {id: dict(sorted(overrides[id].items())) for id in sorted_ids(overrides)},
        "models": ids,
        "name": provider.name,
        "npm": package(provider),
        "url": provider.url,
    }
    return {key: value for key, value in record.items() if value or key == "models"}
