"""Who says what of a model: computed from what the store keeps of each source, or the bundle."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from .._base.frozen import EMPTY, FrozenDict, freeze
from .._base.suggesting import hint
from .._catalog.state import utc
from ..errors import UnknownModelError
from ..report import FieldSources, Said
from .turn import bundled_facts

if TYPE_CHECKING:
    from datetime import datetime

    from .._catalog.loading import Loaded
    from .._catalog.snapshot import Snapshot
    from .._catalog.store import GatewayData
    from .._world import World
    from ..models import ModelMap

Record = Mapping[str, Any]


@frozen
class _Source:
    id: str
    kind: Literal["gateway", "facts"]
    retrieved_at: datetime | None
    models: Callable[[str], ModelMap | None]
    """Of a provider, by bare id; of a source of facts, of all, by full id."""

    def record(self, provider: str, bare: str) -> Record | None:
        """What it says of a model, as JSON values; None: nothing."""
        models = self.models(provider)
        key = bare if self.kind == "gateway" else f"{provider}/{bare}"
        return json.loads(models.record(key)) if models and key in models else None


def sources(
    id: str, snapshot: Snapshot, world: World, loaded: Loaded | None
) -> tuple[FieldSources, ...]:
    """See `ModelRegistry.sources`. `loaded`: where `snapshot` came from."""
    model = snapshot.get_model(id)
    if model is None:
        meant = hint(id, snapshot.get_models(), snapshot.roles)
        raise UnknownModelError("no gateway offers it", culprit=id, hint=meant)
    known = _known(world, loaded, snapshot)
    return tuple(_of_model(model.provider_id, model.id, snapshot, known))


def disagreements(
    ids: Iterable[str], snapshot: Snapshot, world: World, loaded: Loaded | None
) -> Mapping[str, tuple[FieldSources, ...]]:
    """See `ModelRegistry.disagreements`."""
    known = _known(world, loaded, snapshot)
    found: dict[str, tuple[FieldSources, ...]] = {}
    for id in ids:
        model = snapshot.get_model(id)
        if model is not None:
            said = _of_model(model.provider_id, model.id, snapshot, known)
            differing = tuple(one for one in said if one.otherwise)
            if differing:
                found[id] = differing
    return FrozenDict(found)


def _known(world: World, loaded: Loaded | None, snapshot: Snapshot) -> list[_Source]:
    """All that the snapshot can have been made from, gateways first."""
    generation, store = (loaded.generation, loaded.store) if loaded else (None, None)
    origin = loaded.origin if loaded else "bundled"
    found: list[_Source] = []
    if origin == "explicit":  # of whatever age
        return [_gateway(id, None, snapshot) for id in sorted(snapshot.gateways)]
    if origin == "bundled" or generation is None or store is None:
        bundle = world.bundle
        return [_gateway(id, utc(at), bundle.load()) for id, at in sorted(bundle.captured.items())]
    state = store.read_state()
    for id, about in sorted(generation.gateways.items()):
        when = about.retrieved_at
        if about.result is not None:
            when = state.confirmed(id, when)
            held = store.open_snapshot(about.result)
        else:
            held = world.bundle.load()
        if about.facts is None:
            found.append(_gateway(id, utc(when), held))
        elif (models := _facts(id, about, held, world)) is not None:
            found.append(_Source(id, "facts", utc(when), partial(_same, models)))
    return sorted(found, key=lambda one: one.kind != "gateway")


def _gateway(id: str, retrieved_at: datetime | None, held: Snapshot) -> _Source:
    def models(provider: str) -> ModelMap | None:
        found = held.get_provider_config(provider)
        return found.models if found is not None and found.gateway == id else None

    return _Source(id, "gateway", retrieved_at, models)


def _same(models: ModelMap, _provider: str) -> ModelMap:
    return models


def _facts(id: str, about: GatewayData, held: Snapshot, world: World) -> ModelMap | None:
    if about.result is not None:
        provider = held.get_provider_config(id)
    else:  # in the plugin's own package
        loaded = next((one for one in world.host.gateways() if one.gateway.id == id), None)
        data = bundled_facts(loaded) if loaded else None
        provider = data.providers().get(id) if data else None
    return provider.models if provider else None


def _of_model(
    provider: str, bare: str, snapshot: Snapshot, known: Iterable[_Source]
) -> Iterator[FieldSources]:
    config = snapshot.get_provider_config(provider)
    if config is None:
        return
    served = _fields(json.loads(config.models.record(bare)))
    told = [(one, record) for one in known if (record := one.record(provider, bare)) is not None]
    told.sort(
        key=lambda pair: pair[0].id != config.gateway
    )  # the one that publishes it comes first
    if not any(one.id == config.gateway for one, _ in told):
        # Registered at run time, or older than what the store keeps.
        unknown = _Source(config.gateway or "", "gateway", None, lambda _: None)
        told.insert(0, (unknown, json.loads(config.models.record(bare))))
    claims: dict[str, list[Said]] = {}
    for one, record in told:
        extra = record.get("extra", EMPTY) if one.kind == "facts" else EMPTY
        for field, value in _fields(record).items():
            claims.setdefault(field, []).append(
                Said(
                    one.id,
                    one.kind,
                    freeze(value),
                    one.retrieved_at,
                    _text(extra.get("source_url")),
                    _text(extra.get("as_of")),
                )
            )
    # More can't be sent than the context holds, so who says so says otherwise of the context.
    most = served.get("limit.context")
    for input in claims.get("limit.input", ()) if most is not None else ():
        if input.value > most:
            claims.setdefault("limit.context", []).append(input)
    for field in sorted({*served, *claims}):
        yield _judged(field, freeze(served.get(field)), claims.get(field, ()), snapshot)


def _judged(field: str, value: Any, said: Iterable[Said], snapshot: Snapshot) -> FieldSources:
    same, other = list[Said](), list[Said]()
    for one in said:
        (same if _like(one.value, value) else other).append(one)
    source = next(iter(same), None)
    published = any(one.kind == "gateway" for one in other)
    if source is None and snapshot.overlays and (value is not None or published):
        # One of them; which, if there are several, is not kept.
        source = Said(", ".join(sorted(snapshot.overlays)), "overlay", value)
    return FieldSources(field, value, source, tuple(same[1:]), tuple(other))


def _like(one: Any, other: Any) -> bool:
    """Whether they say the same: words in any order."""
    if one == other:
        return True
    if not isinstance(one, tuple) or not isinstance(other, tuple):
        return False
    words = all(isinstance(item, str) for item in (*one, *other))
    return words and sorted(one) == sorted(other)


def _fields(record: Record) -> dict[str, Any]:
    """What a record says, that of its parts as "cost.input"; not where it is from."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            if name != "extra":
                found |= {f"{name}.{key}": item for key, item in value.items()}
        elif value is not None:
            found[name] = value
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
