"""Emitter `schema`: `models.schema.json`, a JSON schema for others to refer to.

The schema itself allows anything. Others use its definitions: `KnownModelId` (full ids and
roles, closed), `ModelId` (the same, open to any text), `KnownProviderId`, `ProviderId`, and
`Model_<provider>` (bare ids, closed) for each provider, named like the Python types.

Each list is one `enum`. Validators check thousands of texts at once, but take seconds for
thousands of subschemas (`const` with a `description`). The text that an editor shows beside an
id is in `enumDescriptions`, which VS Code's language services read. It contains only numbers
and our own words, since some editors treat it as Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..plugin import Artifact, hookimpl
from .json_registry import to_json
from .python_types import type_names

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from ..models import ModelInfo
    from ..plugin import PluginSettings


@hookimpl
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    if not settings.wants("schema"):
        return
    scope = settings.types_providers
    names = type_names(snapshot.get_models())
    known = {
        role: f"stands for {id}" for role, id in snapshot.roles.items() if snapshot.get_model(role)
    }
    providers: dict[str, Any] = {}
    for id, provider in snapshot.get_providers().items():
        if scope is None or id in scope:
            descriptions = {
                model.id: ", ".join(_about(model)) for model in provider.models.values()
            }
            known |= {f"{id}/{model}": text for model, text in descriptions.items()}
            providers[id] = _closed(descriptions)
    content = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Made by `registry-core sync`; changes are overwritten.",
        "$defs": {
            "KnownModelId": _closed(known),
            "KnownProviderId": {"type": "string", "enum": [*providers]},
            "ModelId": _open("KnownModelId"),
            "ProviderId": _open("KnownProviderId"),
            **{names[id]: closed for id, closed in providers.items()},
        },
    }
    yield Artifact("schema", "models.schema.json", to_json(content))


def _closed(descriptions: Mapping[str, str]) -> dict[str, Any]:
    return {"type": "string", "enum": [*descriptions], "enumDescriptions": [*descriptions.values()]}


def _open(name: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "string"}]}


def _about(model: ModelInfo) -> Iterator[str]:
    if model.limit.context is not None:
        yield f"{model.limit.context:,} tokens"
    prices = (("in", model.cost.input), ("out", model.cost.output)) if model.cost else ()
    known = [f"${price:g} {way}" for way, price in prices if price is not None]
    if known:
        yield f"{' and '.join(known)} per million"
    if model.status == "deprecated":
        yield "deprecated"
