"""Emitter `models-dev`: `api.json`, in the shape of models.dev's catalog.

What reads models.dev reads it, opencode for one, and the gateway `models.dev`. What that
gateway took from models.dev comes out as it went in, but for what an overlay has changed
since. Roles are left out: only this package knows what they stand for.

The format has a word for an unknown limit, 0; all else that is unknown is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._base.decoding import loads
from .._base.frozen import EMPTY
from ..plugin import Artifact, hookimpl
from .json_registry import to_json

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from ..models import ProviderConfig
    from ..plugin import PluginSettings

#: Whose `extra` is in the format's own words.
_GATEWAY = "models.dev"
#: The states that the format knows.
_STATUSES = ("alpha", "beta", "deprecated")
#: Fields of a model that are not the format's.
_OURS = ("kind", "lifecycle")
#: Fields that are objects: what the format adds to them is below their name in `extra`.
_PARTS = frozenset({"cost", "limit", "modalities"})
#: The keys of a model's place that `ProviderConfig.model_overrides` holds.
_PLACE = ("api", "npm", "shape")


@hookimpl
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    if settings.wants("models-dev"):
        content = {id: _provider(one) for id, one in snapshot.get_providers().items()}
        yield Artifact("models-dev", "api.json", to_json(content))


def _provider(provider: ProviderConfig) -> dict[str, Any]:
    extra = dict(_extra(provider, provider.extra))
    replaced, env = _object(extra.pop("replaced", EMPTY)), extra.pop("env", ())
    record: dict[str, Any] = {
        **extra,
        "api": replaced.get(provider.url or "", provider.url),
        "doc": provider.doc_url,
        # It also names what is no key, unless other keys count by now.
        "env": env if {*provider.api_key_env_vars} <= {*env} else provider.api_key_env_vars,
        "id": provider.id,
        "name": provider.name or provider.id,
        "npm": replaced.get(provider.npm or "", provider.npm),
    }
    record = {key: record[key] for key in sorted(record) if record[key] is not None}
    return {**record, "models": {id: _model(provider, id) for id in provider.models}}


def _model(provider: ProviderConfig, id: str) -> dict[str, Any]:
    # Not decoded, as in `featured`.
    said: dict[str, Any] = loads(provider.models.record(id))
    extra = dict(_extra(provider, said.pop("extra", EMPTY)))
    place = _object(extra.pop("provider", EMPTY))
    place = {key: value for key, value in place.items() if key not in _PLACE}
    place |= provider.model_overrides.get(id, EMPTY)
    record: dict[str, Any] = {
        **extra,
        **{key: value for key, value in said.items() if key not in _OURS},
        "id": id,
        "name": said.get("name", id),
        "provider": place or None,
    }
    for part in _PARTS & record.keys():
        record[part] = {**said.get(part, EMPTY), **_object(extra.get(part))}
    record["limit"] = {"context": 0, "output": 0, **record.get("limit", EMPTY)}
    if provider.gateway != _GATEWAY and record.get("status") not in _STATUSES:
        record["status"] = None
    return {key: record[key] for key in sorted(record) if record[key] is not None}


def _extra(provider: ProviderConfig, extra: Mapping[str, Any]) -> Mapping[str, Any]:
    return extra if provider.gateway == _GATEWAY else EMPTY


def _object(value: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = value if isinstance(value, Mapping) else EMPTY
    return found
