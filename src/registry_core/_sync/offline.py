"""What is known without the network: the served snapshot, and facts about models nobody offers.

A command may run before the first sync (in a hook, in CI), or after a plugin was added or removed.
Then it sees what a sync without the network would serve. Nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .._base.frozen import EMPTY
from ..models import ModelInfo, ModelMap, decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._catalog.loading import Loaded
    from .._catalog.snapshot import Snapshot
    from .._world import World

Known = tuple["Snapshot", Mapping[str, ModelInfo]]


def offline(world: World, loaded: Loaded) -> Known:
    """See `ModelRegistry.offline`. `loaded`: what is served."""
    if loaded.origin == "explicit":
        return loaded.snapshot, EMPTY
    if loaded.origin == "stored" and _synced_by(world):
        return loaded.snapshot, _Unlisted(_stored_facts(loaded), loaded.snapshot, world)
    return _as_synced(world)


def _as_synced(world: World) -> Known:
    """What a sync without the network would serve now. Raises OverlayError."""
    # Imported here, since it is slow, and not needed after a sync.
    from attrs import evolve

    from .._world import World
    from ..errors import OverlayError
    from .before import look_back
    from .options import Options
    from .prepare import prepare
    from .sync import payloads_of

    settings = evolve(world.settings, offline=True, shared=None)
    alone = World(
        settings,
        host=world.host.with_settings(settings),
        environ=world.environ,
        places=world.places,
        bundle=world.bundle,
        clock=world.clock,
    )
    alone.host.load()
    store = world.store()
    before = look_back(store, world.bundle, repair=False, verified=world.verified)
    prepared = prepare(alone, Options(), before, (), payloads_of(alone, store, writes=False))
    for problem in prepared.problems:
        if prepared.held and isinstance(problem.error, OverlayError):
            raise problem.error
    facts = {
        turn.id: turn.used.providers()[turn.id].models
        for turn in prepared.turns
        if turn.is_of_facts and turn.used and turn.used.providers()
    }
    return prepared.snapshot, _Unlisted(facts, prepared.snapshot, world)


def _synced_by(world: World) -> bool:
    """Whether the installed and selected plugins are those of the last sync."""
    known = world.state().plugins
    return world.installed() == {key: about.get("version") for key, about in known.items()}


def _stored_facts(loaded: Loaded) -> dict[str, ModelMap]:
    """The facts of the last sync, by source."""
    assert loaded.generation is not None
    assert loaded.store is not None
    facts: dict[str, ModelMap] = {}
    for id, about in loaded.generation.gateways.items():
        if about.facts is not None and about.result is not None:
            provider = loaded.store.open_snapshot(about.result).get_provider_config(id)
            if provider is not None:
                facts[id] = provider.models
    return facts


class _Unlisted(Mapping[str, ModelInfo]):
    """Facts about models that the snapshot does not offer. A model is decoded on demand."""

    def __init__(self, facts: Mapping[str, ModelMap], snapshot: Snapshot, world: World) -> None:
        self._facts = facts
        self._priority: Sequence[str] = world.settings.facts_priority
        self._split = snapshot.split
        offered = {f"{id}/{bare}" for id, ids in snapshot.get_models().items() for bare in ids}
        self._ids = {id for models in facts.values() for id in models} - offered

    def __getitem__(self, id: str) -> ModelInfo:
        if id not in self._ids:
            raise KeyError(id)
        from .facts import completed

        provider, bare = self._split(id)
        claims = {
            source: json.loads(models.record(id))
            for source, models in sorted(self._facts.items())
            if id in models
        }
        return decoded(provider or "", bare, completed({}, claims, self._priority))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._ids))

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: object) -> bool:
        return id in self._ids
