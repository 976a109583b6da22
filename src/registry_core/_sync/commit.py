"""Writes the store. The caller holds its lock.

First come the objects, each whole and synced to disk under the name of its hash. Then come the
journal and the pointer, each replaced by a rename, and last `state.json`. A kill at any time leaves
the old generation or the new one. `recover` repairs everything else.

Only what is absent or damaged is repaired. If the system can't read something now, StoreError is
raised before anything is changed, since the data may be right.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from attrs import asdict, evolve, field, frozen

from .._base.frozen import EMPTY
from .._catalog import journal
from .._catalog.snapshot import Snapshot
from .._catalog.state import State
from .._catalog.store import Generation, Overlays, Store, pointer_line
from .._files.reading import is_special, status_of, unreadable
from .._files.writing import clear_leftovers, write_atomically, write_hint
from ..errors import SnapshotDamagedError, StoreError
from ..report import Problem

logger = logging.getLogger("registry_core")

_NO_RIGHT = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EEXIST,
    None,
)
#: Names of the folders of a store.
_VERSION = re.compile("v(0|[1-9][0-9]{0,8})")

#: As in `World.verified`.
Verified = dict[str, tuple[int, ...] | None]


@frozen
class Found:
    """The undamaged content of a store."""

    state: State = field(factory=State)
    generation: Generation | None = None
    objects: Mapping[str, Snapshot] = EMPTY
    """The snapshots of the generation, by hash."""
    policies: Sequence[Overlays] | None = None
    """The overlays that were last in force. None if there were none."""
    whole: bool = True
    """`generation` comes from the pointer. Otherwise it comes from the copy in the state."""
    problems: Sequence[Problem] = ()
    """What was damaged."""


def create(store: Store) -> None:
    """Make the folders of the store. Raises StoreError if they can't be written."""
    with writing(store):
        (store.folder / "objects").mkdir(parents=True, exist_ok=True)
        if not os.access(store.folder, os.W_OK):
            raise PermissionError("the folder is read-only")


def is_read_only(error: StoreError) -> bool:
    """Whether `create` failed because this user has no right to write there."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in _NO_RIGHT


def adopt(store: Store, other: Store | None) -> None:
    """Start from the content of `other`: a store that lookups read but nobody can write, or one of
    another version. Its bindings and policy count even if its data can't be used."""
    if other is None or other == store:
        return
    recovered = recover(other, repair=False)
    own_state = store.read_state()
    # A policy of this store stays, even if the other store has none, or an older one.
    policies = _in_force(store, _readable(store) or _remembered(own_state), repair=True)
    if policies is None and recovered.policies:
        with writing(store):
            _set_policies(store, recovered.policies)
    known = recovered.generation if recovered.whole and not recovered.problems else None
    if known is not None and store.may_serve(known):
        commit(store, known, recovered.objects.values(), journal.adopted(other, known))
        bindings = {**recovered.state.bindings, **own_state.bindings}
        save_state(store, evolve(recovered.state, bindings=bindings), known)
    else:
        _bind(store, recovered.state)


def adopt_versions(store: Store) -> None:
    """Start from the store of the version of registry-core that has written last. The bindings of
    all versions count."""
    others = [version for version in versions(store) if version != store]
    adopt(store, max((store, *others), key=_written_at))
    for other in others:
        _bind(store, other.read_state())


def _bind(store: Store, other: State) -> None:
    own_state = store.read_state()
    bindings = {**other.bindings, **own_state.bindings}
    if bindings != own_state.bindings:
        save_state(
            store, evolve(own_state, bindings=bindings), _readable(store) or _remembered(own_state)
        )


def versions(store: Store) -> list[Store]:
    """`store` and the stores of other versions in the same folder, sorted by version."""
    try:
        names = os.listdir(store.place)  # noqa: PTH208  as names
    except OSError as error:
        raise unreadable(str(store.place), error) from error
    schemas = {int(name[1:]) for name in names if _VERSION.fullmatch(name)}
    return [store.of_schema(schema) for schema in sorted({store.schema, *schemas})]


def _written_at(store: Store) -> int:
    status = status_of(store.name("pointer"))
    return status.st_mtime_ns if status else 0


def commit(
    store: Store,
    generation: Generation,
    objects: Iterable[Snapshot],
    changes: bytes | None = None,
) -> None:
    """Make `generation` current. `objects`: those of its snapshots that may be new. `changes`: the
    new content of the journal, or None if it stays.

    Raises StoreError. Then the previous generation stays current.
    """
    previous = _readable(store)
    policies = store.policies()
    with writing(store):
        for snapshot in objects:
            path = store.object(snapshot.hash)
            if not path.exists():
                write_atomically(path, snapshot.to_bytes(), durable=True)
        if changes is not None:
            write_atomically(store.journal, changes, durable=True)
        passed = [EMPTY] if policies is None else policies
        if generation.overlays not in passed:
            # Written before the pointer: from now on the bundle must not be served. The previous
            # generation is served until the pointer is replaced.
            if policies is None and status_of(store.name("pointer")) is None:
                write_atomically(store.pointer, pointer_line(None), durable=True)
            _set_policies(store, [*passed, generation.overlays])
        write_atomically(store.pointer, pointer_line(generation), durable=True)
    mark(store, generation)
    logger.debug("store: generation %s is current", generation.snapshot[:12])
    # Readers that hold the previous pointer may still be about to open its snapshot.
    clear(store, keep=(generation, previous))


def mark(store: Store, generation: Generation) -> None:
    """Make the mark name the policy of the current generation only. A killed sync may not have
    done this. Raises StoreError."""
    wanted = [generation.overlays] if generation.overlays else None
    policies = store.policies()
    if (policies and list(policies)) != wanted:
        with writing(store):
            _set_policies(store, wanted)


def _set_policies(store: Store, policies: Sequence[Overlays] | None) -> None:
    """Raises OSError, which the caller turns into StoreError."""
    if policies is None:
        store.policy.unlink(missing_ok=True)
    else:
        text = json.dumps(policies, sort_keys=True)
        write_atomically(store.policy, text.encode(), durable=True)


def save_state(store: Store, state: State, generation: Generation | None) -> None:
    """Write `state`, with a copy of the current `generation`. Raises StoreError."""
    state = evolve(state, generation=asdict(generation) if generation else EMPTY)
    with writing(store):
        write_atomically(store.state, state.to_json().encode(), durable=True)


def clear(store: Store, keep: Iterable[Generation | None]) -> None:
    """Remove objects that no generation in `keep` needs, and files that killed processes left."""
    clear_leftovers(store.folder)
    clear_leftovers(store.place)
    in_use = {hash for generation in keep if generation for hash in generation.objects()}
    in_use |= {generation.previous for generation in keep if generation and generation.previous}
    with suppress(OSError):
        for path in (store.folder / "objects").iterdir():
            if path.name not in in_use:
                with suppress(OSError):  # on Windows a reader maps it: the next commit removes it
                    path.unlink()


def recover(store: Store, *, repair: bool, verified: Verified | None = None) -> Found:
    """Read and check everything. If the pointer is damaged or gone, its copy in the state counts.
    With `repair`, damaged files are moved aside. Raises StoreError for what can't be read now,
    and then changes nothing.

    `verified`: the objects that need not be read in full again. It is updated.
    """
    known = {} if verified is None else verified
    damage: list[tuple[Path, StoreError]] = []
    state, generation = State(), None
    try:
        state = store.load_state()
    except SnapshotDamagedError as error:
        damage.append((store.state, error))
    try:
        generation = store.read_generation()
    except SnapshotDamagedError as error:
        damage.append((store.pointer, error))
    is_whole = generation is not None
    generation = generation or _remembered(state)
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
            damage.append((store.object(hash), error))
    for hash in known.keys() - objects.keys():
        known.pop(hash, None)  # a lookup that finds damage drops it too
    for path in (store.emitted, store.journal):
        if is_special(str(path)):
            fault = SnapshotDamagedError("is not a regular file", culprit=str(path))
            damage.append((path, fault))
    policies = _in_force(store, generation, repair=repair)
    if repair:
        for path, _ in damage:
            _quarantine(store, path)
        clear(store, keep=(generation,))
    problems = [Problem.of("store", error, fatal=False) for _, error in damage]
    return Found(state, generation, objects, policies, is_whole, problems)


def _in_force(
    store: Store, generation: Generation | None, *, repair: bool
) -> Sequence[Overlays] | None:
    """The policies that the mark names. If somebody has removed the mark, the policy of the
    generation counts, and `repair` writes the mark again."""
    policies = store.policies()
    if policies is None and generation and generation.overlays:
        policies = (generation.overlays,)
        if repair:
            with writing(store):
                _set_policies(store, policies)
    return policies


def _signature(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _quarantine(store: Store, path: Path) -> None:
    """Move a damaged file into the folder `quarantine`, so that somebody can examine it."""
    folder = store.folder / "quarantine"
    for name in (path.name, f"{path.name}-{token_hex(4)}"):  # a folder is not replaced
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
            os.replace(path, folder / name)
            logger.warning("store: %s was damaged and is now in %s", path.name, folder)
            return


def _remembered(state: State) -> Generation | None:
    """The generation that was current when this state was written."""
    try:
        return Generation.from_dict(state.generation)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None


def _readable(store: Store) -> Generation | None:
    try:
        return store.read_generation()
    except SnapshotDamagedError:
        return None


@contextmanager
def writing(store: Store) -> Generator[None]:
    """Turns an OSError while writing to `store` into StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"can't be written: {error.strerror or error}",
            culprit=str(store.folder),
            hint=f"{write_hint(error)}, or set REGISTRY_CORE_STORE_DIR to another folder",
        ) from error
