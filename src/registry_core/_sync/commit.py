"""Writing the store. The caller holds its lock.

Objects first, each whole and synced to disk under the name of its hash; then the journal, and the
pointer, each replaced by rename; then `state.json`. A kill at any instant leaves the
old generation or the new one; `recover` mends what else it left.

Only what is absent or damaged is mended. What the system refuses for now raises StoreError
before anything is changed: it says nothing about the data.
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
    """What a store holds that is whole."""

    state: State = field(factory=State)
    generation: Generation | None = None
    objects: Mapping[str, Snapshot] = EMPTY
    """Of the generation, by hash."""
    policies: Sequence[Overlays] | None = None
    """The overlays that were last in force; None: none were."""
    whole: bool = True
    """The pointer says what `generation` is; else only the state remembers."""
    problems: Sequence[Problem] = ()
    """What was damaged."""


def create(store: Store) -> None:
    """Make the store's folders. Raises StoreError if it can't be written."""
    with writing(store):
        (store.folder / "objects").mkdir(parents=True, exist_ok=True)
        if not os.access(store.folder, os.W_OK):
            raise PermissionError("the folder is read-only")


def is_read_only(error: StoreError) -> bool:
    """Whether `create` failed since this user has no right to write there, now or later."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in _NO_RIGHT


def adopt(store: Store, other: Store | None) -> None:
    """Start from what `other` holds: the store that lookups read and that can't be written, or
    that of another version. Bindings and the policy count even if its data can't be used."""
    if other is None or other == store:
        return
    found = recover(other, repair=False)
    mine = store.read_state()
    # A policy of this store is not given up because another one has none, or an older one.
    policies = _in_force(store, _readable(store) or _remembered(mine), repair=True)
    if policies is None and found.policies:
        with writing(store):
            _set_policies(store, found.policies)
    known = found.generation if found.whole and not found.problems else None
    if known is not None and store.may_serve(known):
        commit(store, known, found.objects.values(), journal.adopted(other, known))
        bindings = {**found.state.bindings, **mine.bindings}
        save_state(store, evolve(found.state, bindings=bindings), known)
    else:
        _bind(store, found.state)


def adopt_versions(store: Store) -> None:
    """Start from what the version of registry-core holds that has written to this store last.
    The bindings of all versions count."""
    others = [one for one in versions(store) if one != store]
    adopt(store, max((store, *others), key=_written_at))
    for other in others:
        _bind(store, other.read_state())


def _bind(store: Store, other: State) -> None:
    mine = store.read_state()
    bindings = {**other.bindings, **mine.bindings}
    if bindings != mine.bindings:
        save_state(store, evolve(mine, bindings=bindings), _readable(store) or _remembered(mine))


def versions(store: Store) -> list[Store]:
    """`store`, and those of other versions of registry-core in the same folder, by version."""
    try:
        names = os.listdir(store.place)  # noqa: PTH208  as names
    except OSError as error:
        raise unreadable(str(store.place), error) from error
    found = {int(name[1:]) for name in names if _VERSION.fullmatch(name)}
    return [evolve(store, schema=schema) for schema in sorted({store.schema, *found})]


def _written_at(store: Store) -> int:
    status = status_of(store.name("pointer"))
    return status.st_mtime_ns if status else 0


def commit(
    store: Store,
    generation: Generation,
    objects: Iterable[Snapshot],
    changes: bytes | None = None,
) -> None:
    """Make `generation` current; `objects` are those of its snapshots that may be new, `changes`
    what the journal is to hold, if that is new.

    Raises StoreError; then the previous one is.
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
            # Before the pointer: from now on the bundle is no way out. What was served before
            # may serve until the pointer is replaced.
            if policies is None and status_of(store.name("pointer")) is None:
                write_atomically(store.pointer, pointer_line(None), durable=True)
            _set_policies(store, [*passed, generation.overlays])
        write_atomically(store.pointer, pointer_line(generation), durable=True)
    mark(store, generation)
    logger.debug("store: generation %s is current", generation.snapshot[:12])
    # Readers that hold the previous pointer may still be about to open its snapshot.
    clear(store, keep=(generation, previous))


def mark(store: Store, generation: Generation) -> None:
    """Let the mark name the policy of the current generation and no other: a sync may have been
    killed before it did this. Raises StoreError."""
    wanted = [generation.overlays] if generation.overlays else None
    policies = store.policies()
    if (policies and list(policies)) != wanted:
        with writing(store):
            _set_policies(store, wanted)


def _set_policies(store: Store, policies: Sequence[Overlays] | None) -> None:
    """The caller turns what it raises into StoreError."""
    if policies is None:
        store.policy.unlink(missing_ok=True)
    else:
        text = json.dumps(policies, sort_keys=True)
        write_atomically(store.policy, text.encode(), durable=True)


def save_state(store: Store, state: State, generation: Generation | None) -> None:
    """Raises StoreError. `generation`: the current one."""
    state = evolve(state, generation=asdict(generation) if generation else EMPTY)
    with writing(store):
        write_atomically(store.state, state.to_json().encode(), durable=True)


def clear(store: Store, keep: Iterable[Generation | None]) -> None:
    """Remove objects that none of `keep` refers to, and what killed processes left."""
    clear_leftovers(store.folder)
    clear_leftovers(store.place)
    kept = {hash for generation in keep if generation for hash in generation.objects()}
    kept |= {one.previous for one in keep if one and one.previous}
    with suppress(OSError):
        for path in (store.folder / "objects").iterdir():
            if path.name not in kept:
                with suppress(OSError):  # mapped by a reader, on Windows: the next commit's
                    path.unlink()


def recover(store: Store, *, repair: bool, verified: Verified | None = None) -> Found:
    """Read everything and check it; if the pointer is damaged or gone, the state's copy of it
    counts. With `repair`, what is damaged is put aside. Raises StoreError for what can't be
    read now; then nothing was changed.

    `verified`: the objects that need not be read whole again; brought up to date.
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
    whole = generation is not None
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
        known.pop(hash, None)  # a lookup that meets damage drops it, too
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
    return Found(state, generation, objects, policies, whole, problems)


def _in_force(
    store: Store, generation: Generation | None, *, repair: bool
) -> Sequence[Overlays] | None:
    """What the mark names; if somebody has removed it, the policy of the generation. With
    `repair` the mark is made again."""
    policies = store.policies()
    if policies is None and generation and generation.overlays:
        policies = (generation.overlays,)
        if repair:
            with writing(store):
                _set_policies(store, policies)
    return policies


def _signature(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _quarantine(store: Store, path: Path) -> None:
    """Move a damaged file aside, where it can be looked at."""
    folder = store.folder / "quarantine"
    for name in (path.name, f"{path.name}-{token_hex(4)}"):  # a folder is not replaced
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
            os.replace(path, folder / name)
            logger.warning("store: %s was damaged and is now in %s", path.name, folder)
            return


def _remembered(state: State) -> Generation | None:
    """What the pointer said when this was written."""
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
    """What the system refuses to write there raises StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"can't be written: {error.strerror or error}",
            culprit=str(store.folder),
            hint=f"{write_hint(error)}, or set REGISTRY_CORE_STORE_DIR to another folder",
        ) from error
