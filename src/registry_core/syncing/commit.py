"""Writing the store. The caller holds its lock.

Objects first, each whole and synced to disk under the name of its hash; then the
pointer, replaced by rename; then `state.json`. A kill at any instant leaves the
old generation or the new one; `recover` mends what else it left.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import asdict, evolve, field, frozen

from ..errors import SnapshotDamagedError, StoreError
from ..files import clear_leftovers, write_atomically
from ..frozen import EMPTY
from ..report import Problem
from ..snapshot import Snapshot
from ..state import State
from ..store import Generation, Store, pointer_line

logger = logging.getLogger("registry_core")


#: Object hash → inode, size and times of its file when it was last read whole and found right.
Verified = dict[str, tuple[int, ...] | None]


@frozen
class Found:
    """What a store holds that is whole."""

    state: State = field(factory=State)
    generation: Generation | None = None
    objects: Mapping[str, Snapshot] = EMPTY
    """Of the generation, by hash."""
    problems: Sequence[Problem] = ()
    """What was damaged."""


def create(store: Store) -> None:
    """Make the store's folders. Raises StoreError if it can't be written."""
    with _writing(store):
        (store.folder / "objects").mkdir(parents=True, exist_ok=True)
        if not os.access(store.folder, os.W_OK):
            raise PermissionError("the folder is read-only")


def adopt(store: Store, served: Store | None) -> None:
    """Start from what `served` holds: the store that lookups read, which can't be written."""
    if served is None or served == store:
        return
    found = recover(served, repair=False)
    if found.generation is not None and not found.problems:
        bindings = {**found.state.bindings, **store.read_state().bindings}
        commit(store, found.generation, found.objects.values())
        save_state(store, evolve(found.state, bindings=bindings), found.generation)


def commit(store: Store, generation: Generation, objects: Iterable[Snapshot]) -> None:
    """Make `generation` current; `objects` are those of its snapshots that may be new.

    Raises StoreError; then the previous one is.
    """
    previous = _readable(store)
    with _writing(store):
        for snapshot in objects:
            path = store.object(snapshot.hash)
            if not path.exists():
                write_atomically(path, snapshot.to_bytes(), durable=True)
        write_atomically(store.pointer, pointer_line(generation), durable=True)
    logger.debug("store: generation %s is current", generation.snapshot[:12])
    # Readers that hold the previous pointer may still be about to open its snapshot.
    clear(store, keep=(generation, previous))


def save_state(store: Store, state: State, generation: Generation | None) -> None:
    """Raises StoreError. `generation`: the current one."""
    state = evolve(state, generation=asdict(generation) if generation else EMPTY)
    with _writing(store):
        write_atomically(store.state, state.to_json().encode(), durable=True)


def clear(store: Store, keep: Iterable[Generation | None]) -> None:
    """Remove objects that none of `keep` refers to, and what killed processes left."""
    clear_leftovers(store.folder)
    kept = {hash for generation in keep if generation for hash in generation.objects()}
    with suppress(OSError):
        for path in (store.folder / "objects").iterdir():
            if path.name not in kept:
                with suppress(OSError):  # mapped by a reader, on Windows: the next commit's
                    path.unlink()


def recover(store: Store, *, repair: bool, verified: Verified | None = None) -> Found:
    """Read everything and check it. With `repair`, what is damaged is put aside, and a damaged
    pointer is restored from the state's copy.

    `verified`: the objects that need not be read whole again; brought up to date.
    """
    known = {} if verified is None else verified
    problems: list[Problem] = []

    def damaged(path: Path, error: StoreError) -> None:
        problems.append(Problem("store", error.culprit, error.message, fatal=False))
        if repair:
            _quarantine(store, path)

    state, generation = State(), None
    try:
        state = store.load_state()
    except StoreError as error:
        damaged(store.state, error)
    try:
        generation = store.read_generation()
    except StoreError as error:
        damaged(store.pointer, error)
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            generation = Generation.from_dict(state.generation)
            if repair:
                commit(store, generation, ())
    objects: dict[str, Snapshot] = {}
    for hash in sorted(generation.objects()) if generation else ():
        try:
            snapshot = store.open_snapshot(hash)
            about = _signature(store.object(hash))
            if about is None or known.get(hash) != about:
                snapshot.verify()
                known[hash] = about
            objects[hash] = snapshot
        except SnapshotDamagedError as error:
            damaged(store.object(hash), error)
    for hash in known.keys() - objects.keys():
        del known[hash]
    if repair:
        clear(store, keep=(generation,))
    return Found(state, generation, objects, problems)


def _signature(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _quarantine(store: Store, path: Path) -> None:
    """Move a damaged file aside, where it can be looked at."""
    folder = store.folder / "quarantine"
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        os.replace(path, folder / path.name)
        logger.warning("store: %s was damaged and is now in %s", path.name, folder)


def _readable(store: Store) -> Generation | None:
    try:
        return store.read_generation()
    except StoreError:
        return None


@contextmanager
def _writing(store: Store) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"can't be written: {error.strerror or error}",
            culprit=str(store.folder),
            hint="free some space, make it writable, or set REGISTRY_CORE_STORE_DIR to a folder",
        ) from error
