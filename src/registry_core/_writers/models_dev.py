"""Emitter `models-dev`: `api.json`, in the shape of models.dev's catalog.

Programs that read models.dev can read it, such as opencode and the gateway `models.dev`. Data
of that gateway is written as models.dev had it, except for changes of overlays. Roles are left
out, since only this package can resolve them.

The format writes an unknown limit as 0. All other unknown values are left out.
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

#: The gateway whose `extra` has the keys of the format.
_GATEWAY = "models.dev"
#: The states that the format knows.
_STATUSES = ("alpha", "beta", "deprecated")
#: Fields of a model that are not the format's.
_OURS = ("kind", "lifecycle")
#: Fields that are objects. Further keys of the format are below their name in `extra`.
_PARTS = frozenset({"cost", "limit", "modalities"})
#: The keys of a model's place that `ProviderConfig.model_overrides` holds.
_PLACE = ("api", "npm", "shape")


@hookimpl
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    if settings.wants("models-dev"):
        content = {id: _provider(provider) for id, provider in snapshot.get_providers().items()}
        yield Artifact("models-dev", "api.json", to_json(content))


def _provider(provider: ProviderConfig) -> dict[str, Any]:
    extra = dict(_extra(provider, provider.extra))
    replaced, env = _object(extra.pop("replaced", EMPTY)), extra.pop("env", ())
    record: dict[str, Any] = {
        **extra,
        "api": replaced.get(provider.url or "", provider.url),
        "doc": provider.doc_url,
        # `env` also names variables that are not keys. It is dropped if an overlay changed keys.
        "env": env if {*provider.api_key_env_vars} <= {*env} else provider.api_key_env_vars,
        "id": provider.id,
        "name": provider.name or provider.id,
        "npm": replaced.get(provider.npm or "", provider.npm),
    }
    record = {key: record[key] for key in sorted(record) if record[key] is not None}
    return {**record, "models": {id: _model(provider, id) for id in provider.models}}


def _model(provider: ProviderConfig, id: str) -> dict[str, Any]:
    # From the record, as in `featured`.
    stored: dict[str, Any] = loads(provider.models.record(id))
    extra = dict(_extra(provider, stored.pop("extra", EMPTY)))
    place = _object(extra.pop("provider", EMPTY))
    place = {key: value for key, value in place.items() if key not in _PLACE}
    place |= provider.model_overrides.get(id, EMPTY)
    record: dict[str, Any] = {
        **extra,
        **{key: value for key, value in stored.items() if key not in _OURS},
        "id": id,
        "name": stored.get("name", id),
        "provider": place or None,
    }
    for part in _PARTS & record.keys():
        record[part] = {**stored.get(part, EMPTY), **_object(extra.get(part))}
    record["limit"] = {"context": 0, "output": 0, **record.get("limit", EMPTY)}
    if provider.gateway != _GATEWAY and record.get("status") not in _STATUSES:
        record["status"] = None
    return {key: record[key] for key in sorted(record) if record[key] is not None}


def _extra(provider: ProviderConfig, extra: Mapping[str, Any]) -> Mapping[str, Any]:
    return extra if provider.gateway == _GATEWAY else EMPTY


def _object(value: Any) -> Mapping[str, Any]:
    mapping: Mapping[str, Any] = value if isinstance(value, Mapping) else EMPTY
    return mapping
