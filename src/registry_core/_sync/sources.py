"""Which source says what about a model. Read from the stored data of each source, or the bundle."""

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
    """Provider → its models by bare id. A source of facts gives its models of all providers, by
    full id."""

    def record(self, provider: str, bare: str) -> Record | None:
        """What it says about a model, as JSON values. None if it says nothing."""
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
    differing_fields: dict[str, tuple[FieldSources, ...]] = {}
    for id in ids:
        model = snapshot.get_model(id)
        if model is not None:
            fields = _of_model(model.provider_id, model.id, snapshot, known)
            differing = tuple(field for field in fields if field.otherwise)
            if differing:
                differing_fields[id] = differing
    return FrozenDict(differing_fields)


def _known(world: World, loaded: Loaded | None, snapshot: Snapshot) -> list[_Source]:
    """All sources that the snapshot can have been made from, gateways first."""
    generation, store = (loaded.generation, loaded.store) if loaded else (None, None)
    origin = loaded.origin if loaded else "bundled"
    known: list[_Source] = []
    if origin == "explicit":  # its age is unknown
        return [_gateway(id, None, snapshot) for id in sorted(snapshot.gateways)]
    if origin == "bundled" or generation is None or store is None:
        bundle = world.bundle
        return [_gateway(id, utc(at), bundle.load()) for id, at in sorted(bundle.captured.items())]
    state = store.read_state()
    for id, about in sorted(generation.gateways.items()):
        when = about.retrieved_at
        if about.result is not None:
            when = state.confirmed(id, when)
            snapshot_of_data = store.open_snapshot(about.result)
        else:
            snapshot_of_data = world.bundle.load()
        if about.facts is None:
            known.append(_gateway(id, utc(when), snapshot_of_data))
        elif (models := _facts(id, about, snapshot_of_data, world)) is not None:
            known.append(_Source(id, "facts", utc(when), partial(_all_models, models)))
    return sorted(known, key=lambda source: source.kind != "gateway")


def _gateway(id: str, retrieved_at: datetime | None, snapshot: Snapshot) -> _Source:
    def models(provider: str) -> ModelMap | None:
        config = snapshot.get_provider_config(provider)
        return config.models if config is not None and config.gateway == id else None

    return _Source(id, "gateway", retrieved_at, models)


def _all_models(models: ModelMap, _provider: str) -> ModelMap:
    return models


def _facts(id: str, about: GatewayData, snapshot: Snapshot, world: World) -> ModelMap | None:
    if about.result is not None:
        provider = snapshot.get_provider_config(id)
    else:  # in the plugin's own package
        loaded = next(
            (gateway for gateway in world.host.gateways() if gateway.gateway.id == id), None
        )
        data = bundled_facts(loaded) if loaded else None
        provider = data.providers().get(id) if data else None
    return provider.models if provider else None


def _of_model(
    provider: str, bare: str, snapshot: Snapshot, known: Iterable[_Source]
) -> Iterator[FieldSources]:
    config = snapshot.get_provider_config(provider)
    if config is None:
        return
    values = _fields(json.loads(config.models.record(bare)))
    records = [
        (source, record)
        for source in known
        if (record := source.record(provider, bare)) is not None
    ]
    # The gateway that publishes it comes first.
    records.sort(key=lambda pair: pair[0].id != config.gateway)
    if not any(source.id == config.gateway for source, _ in records):
        # It was registered at run time, or is older than the stored data.
        unknown = _Source(config.gateway or "", "gateway", None, lambda _: None)
        records.insert(0, (unknown, json.loads(config.models.record(bare))))
    claims: dict[str, list[Said]] = {}
    for source, record in records:
        extra = record.get("extra", EMPTY) if source.kind == "facts" else EMPTY
        for field, value in _fields(record).items():
            claims.setdefault(field, []).append(
                Said(
                    source.id,
                    source.kind,
                    freeze(value),
                    source.retrieved_at,
                    _text(extra.get("source_url")),
                    _text(extra.get("as_of")),
                )
            )
    # The input can't be larger than the context. A source that says so disagrees about the context.
    most = values.get("limit.context")
    for input in claims.get("limit.input", ()) if most is not None else ():
        if input.value > most:
            claims.setdefault("limit.context", []).append(input)
    for field in sorted({*values, *claims}):
        yield _judged(field, freeze(values.get(field)), claims.get(field, ()), snapshot)


def _judged(field: str, value: Any, claims: Iterable[Said], snapshot: Snapshot) -> FieldSources:
    agreeing, differing = list[Said](), list[Said]()
    for claim in claims:
        (agreeing if _like(claim.value, value) else differing).append(claim)
    source = next(iter(agreeing), None)
    published = any(claim.kind == "gateway" for claim in differing)
    if source is None and snapshot.overlays and (value is not None or published):
        # One overlay has set it. If there are several, the store does not know which.
        source = Said(", ".join(sorted(snapshot.overlays)), "overlay", value)
    return FieldSources(field, value, source, tuple(agreeing[1:]), tuple(differing))


def _like(value: Any, other: Any) -> bool:
    """Whether both values mean the same. The order of words does not matter."""
    if value == other:
        return True
    if not isinstance(value, tuple) or not isinstance(other, tuple):
        return False
    words = all(isinstance(item, str) for item in (*value, *other))
    return words and sorted(value) == sorted(other)


def _fields(record: Record) -> dict[str, Any]:
    """The fields of a record, those of its parts as "cost.input". Without `extra`, which says
    where the record is from."""
    values: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            if name != "extra":
                values |= {f"{name}.{key}": item for key, item in value.items()}
        elif value is not None:
            values[name] = value
    return values


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
