"""What a sync starts from: the generation that is there, and the last good data per gateway."""

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
    """What the pointer says, or said."""
    last: Snapshot | None
    """Its snapshot, if that can be read; it may be one that the policy has not passed."""
    generation: Generation | None
    """What the pointer says, if lookups may serve it."""
    snapshot: Snapshot
    """That of the generation, else the bundle; after a policy rather none."""
    lasting: Snapshot
    """The same without volatile data."""
    stored: Mapping[str, Data]
    """Gateway id → its last good data in the store."""
    overlays: Overlays | None
    """Those that were last in force; None: some were, and nobody knows any more which."""
    whole: bool
    """The pointer is what it was."""
    problems: Sequence[Problem]


def look_back(
    store: Store | None, bundle: Bundle, *, repair: bool, verified: commit.Verified
) -> Before:
    """Read what `store` holds; with `repair`, put aside what is damaged. `verified`: see
    `commit.recover`. Raises StoreError."""
    found = commit.recover(store, repair=repair, verified=verified) if store else commit.Found()
    state, generation = found.state, found.generation
    stored: dict[str, Data] = {}
    for id, about in generation.gateways.items() if generation else ():
        if about.result and about.result in found.objects:
            load = partial(found.objects.__getitem__, about.result)
            about = evolve(about, retrieved_at=state.confirmed(id, about.retrieved_at))
            stored[id] = in_snapshot("stored", about, load, id)
    overlays = dict(generation.overlays) if generation else {}
    if "" in overlays:  # the version before said that there were some, and no names
        hooks = state.hooks().items()
        overlays |= {key: EMPTY for key, names in hooks if OVERLAY in names}
    for policy in found.policies or ():
        overlays |= policy
    served = last = found.objects.get(generation.snapshot) if generation else None
    if found.policies is not None and generation and generation.overlays not in found.policies:
        served = None
    lasting = found.objects.get(generation.lasting) if generation and generation.lasting else served
    if lasting is None:  # nothing may leave this machine, so this is no generation
        served = None
    nothing = bundle.load() if found.policies is None else Snapshot.build(())
    return Before(
        state,
        generation,
        last,
        generation if served else None,
        served or nothing,
        lasting if served and lasting else nothing,
        stored,
        None if found.policies is not None and not overlays else overlays,
        found.whole,
        found.problems,
    )
