"""What a sync starts from: the current generation, and the last good data of each gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from .._base.frozen import EMPTY
from .._catalog.snapshot import Snapshot
from .._catalog.state import State
from .._catalog.store import Generation, Overlays, Store
from .._plugins.loader import OVERLAY
from ..report import Problem
from . import commit
from .turn import Data, in_snapshot

if TYPE_CHECKING:
    from .._catalog.bundle import Bundle


@frozen
class Before:
    state: State
    pointed: Generation | None
    """The generation of the pointer, or of its copy in the state."""
    last: Snapshot | None
    """Its snapshot, if that can be read. The policy may not have passed it."""
    generation: Generation | None
    """The same generation, if lookups may serve it."""
    snapshot: Snapshot
    """The snapshot of `generation`, or else the bundle. Empty if a policy was in force."""
    lasting: Snapshot
    """The snapshot without volatile data."""
    stored: Mapping[str, Data]
    """Gateway id → its last good data in the store."""
    overlays: Overlays | None
    """The overlays that were last in force. None if there were some, but their names are lost."""
    whole: bool
    """The pointer is undamaged."""
    problems: Sequence[Problem]


def look_back(
    store: Store | None, bundle: Bundle, *, repair: bool, verified: commit.Verified
) -> Before:
    """Read the content of `store`. With `repair`, damaged files are moved aside. `verified`: see
    `commit.recover`. Raises StoreError."""
    recovered = commit.recover(store, repair=repair, verified=verified) if store else commit.Found()
    state, generation = recovered.state, recovered.generation
    stored: dict[str, Data] = {}
    for id, about in generation.gateways.items() if generation else ():
        if about.result and about.result in recovered.objects:
            load = partial(recovered.objects.__getitem__, about.result)
            about = evolve(about, retrieved_at=state.confirmed(id, about.retrieved_at))
            stored[id] = in_snapshot("stored", about, load, id)
    overlays = dict(generation.overlays) if generation else {}
    if "" in overlays:  # the previous version stored that there were overlays, without names
        hooks = state.hooks().items()
        overlays |= {key: EMPTY for key, names in hooks if OVERLAY in names}
    for policy in recovered.policies or ():
        overlays |= policy
    snapshot = last = recovered.objects.get(generation.snapshot) if generation else None
    if (
        recovered.policies is not None
        and generation
        and generation.overlays not in recovered.policies
    ):
        snapshot = None
    lasting = (
        recovered.objects.get(generation.lasting) if generation and generation.lasting else snapshot
    )
    if lasting is None:  # nothing may leave this machine, so the generation can't be used
        snapshot = None
    nothing = bundle.load() if recovered.policies is None else Snapshot.build(())
    return Before(
        state,
        generation,
        last,
        generation if snapshot else None,
        snapshot or nothing,
        lasting if snapshot and lasting else nothing,
        stored,
        None if recovered.policies is not None and not overlays else overlays,
        recovered.whole,
        recovered.problems,
    )
