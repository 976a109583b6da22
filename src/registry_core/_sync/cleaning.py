"""Removes what registry-core has written for one environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from .._base.frozen import FrozenDict
from .._base.printable import counted
from .._base.secrets import Secrets
from .._catalog.state import State
from .._catalog.store import Store
from .._emit.manifest import Manifest
from .._emit.targets import Target, differing, installed_types, is_inside, is_made_of, write
from .._files.writing import clear_leftovers
from .._writers import python_types
from ..errors import SnapshotDamagedError, StoreError
from ..plugin import Artifact, PluginSettings
from . import commit
from .locking import locked, patience

if TYPE_CHECKING:
    from .._world import World

_OBJECTS = "objects"
_HASH = "[0-9a-f]{64}"
#: Paths in `v1`. Only what is surely ours: the user may have named a folder with other files.
_OF_STORE = re.compile(
    "(quarantine/)?(pointer|journal\\.jsonl|(state|emitted|shared)\\.json)|"
    f"(objects|quarantine)/{_HASH}"
)
_OF_PAYLOADS = re.compile(f"key|(key|{_HASH})\\.(payload|lock)")


@frozen
class Plan:
    """What `clean` would do, or has done."""

    remove: tuple[Path, ...] = ()
    """Files."""
    restore: tuple[Path, ...] = ()
    """The installed types, if they differ from those of the wheel."""
    stays: Mapping[Path, str] = FrozenDict()
    """File or folder → why it stays."""


def plan(world: World, *, bindings: bool) -> Plan:
    """What `clean` would do now. Raises StoreError if the store can't be read."""
    remove: list[Path] = []
    stays: dict[Path, str] = {}
    for store in _stores(world):
        if not _is_writable(store):
            stays[store.place] = "this user can't write there"
            continue
        state = store.read_state() if bindings else _undamaged(store)
        keeps = [store.state] if state.bindings and not bindings else []
        stays |= dict.fromkeys(keeps, "holds which hosts keys may go to: --bindings drops it")
        if store.may_have_policy() or store.remembers_policy():
            stays[store.policy] = "a policy applies: lookups raise until the next sync"
        artifacts, others = _written_files(store)
        stays |= others
        remove += artifacts
        files = [
            path for version in _versions(store) for path in _matching(version.folder, _OF_STORE)
        ]
        remove += [path for path in files if path not in keeps]
        remove += _matching(store.place / "payloads", _OF_PAYLOADS)
    for shared in world.places.payloads(None, world.lookups.store_dir, make=False):
        if shared.is_dir():
            stays[shared] = "raw answers, which all environments of this user share"
    return Plan(tuple(sorted(remove)), _foreign_types(world), FrozenDict(stays))


def clean(world: World, *, bindings: bool) -> Plan:
    """Remove what registry-core has written for this environment. Returns what was done.

    The types of the wheel are restored. The mark of a policy stays. The bindings of keys to hosts
    stay unless `bindings` is true. Holds the locks of the store and of its other versions. Raises
    StoreError.
    """
    first, removed = plan(world, bindings=bindings), list[Path]()
    stays = dict(first.stays)
    for store in filter(_is_writable, _stores(world)):
        commit.create(store)
        with ExitStack() as locks:
            for version in _versions(store):
                locks.enter_context(locked(version, patience(world.settings)))
            commit.adopt_versions(store)  # their policy, their bindings
            recovered = commit.recover(store, repair=True)
            now = plan(world, bindings=bindings)  # after `recover`, which may have found a policy
            stays |= now.stays
            if store.state in now.stays:
                commit.save_state(store, State(bindings=recovered.state.bindings), None)
            own_files = [path for path in now.remove if store.place in path.parents]
            # The pointer goes first, and the manifest last, so that a second try can finish.
            order = {store.pointer: 0, store.emitted: 2}
            with commit.writing(store):
                for path in sorted(own_files, key=lambda path: order.get(path, 1)):
                    path.unlink(missing_ok=True)
            for folder in (store.place, store.folder):
                clear_leftovers(folder)
            _prune(store.place, own_files)
            removed += own_files
    types = installed_types(world.types_path)
    if types is not None:
        write(types, types.contents(_bundled_types(world)), Manifest(None), "wheel")
    return evolve(first, remove=tuple(sorted(removed)), stays=FrozenDict(stays))


def _stores(world: World) -> Iterator[Store]:
    folder = world.lookups.store_dir
    for place in world.places.stores(folder):
        store = Store(place, world.places.trusts(folder))
        with suppress(StoreError):
            if _versions(store):
                yield store


def _undamaged(store: Store) -> State:
    """Its state, which holds the bindings. Raises SnapshotDamagedError if it, or the state of
    another version, is damaged. The next sync makes a new one from what is served."""
    mend = "run registry-core sync first"
    try:
        state = store.load_state()
        mend = "remove that file"
        for version in _versions(store):
            version.load_state()
        return state
    except SnapshotDamagedError as error:
        error.hint = f"{mend}, or clean with --bindings"
        raise


def _is_writable(store: Store) -> bool:
    folders = [store.place, *(version.folder for version in _versions(store))]
    return all(os.access(folder, os.W_OK) for folder in folders)


def _versions(store: Store) -> list[Store]:
    """This store, and those of other versions of registry-core. Other folders with such a name
    have no objects."""
    return [version for version in commit.versions(store) if (version.folder / _OBJECTS).is_dir()]


def _matching(folder: Path, names: re.Pattern[str]) -> list[Path]:
    paths = (Path(top) / name for top, _, files in os.walk(folder) for name in files)
    return [path for path in paths if names.fullmatch(path.relative_to(folder).as_posix())]


def _written_files(store: Store) -> tuple[list[Path], dict[Path, str]]:
    """The unchanged artifacts beside the store, and why everything else that syncs wrote stays."""
    own: list[Path] = []
    others: dict[Path, str] = {}
    target = Target("environment", store.place)
    manifests = [Manifest(version.emitted) for version in _versions(store)]
    written = ((manifest, name) for manifest in manifests for name in manifest.targets())
    for manifest, name in written:
        kind, _, root = name.partition(" ")
        digests = manifest.digests(name)
        if kind in ("project", "output"):
            others[Path(root)] = f"{counted(manifest.count(name), 'file')} of yours"
        elif name == target.name:
            for path in digests:
                with suppress(OSError):
                    if is_inside(target, path.parent) and is_made_of(path, digests[path]):
                        own.append(path)
                    elif path.exists():
                        others[path] = "changed since it was written"
    return own, others


def _prune(place: Path, removed: list[Path]) -> None:
    """Remove the folders that are empty now, except folders of objects. A waiting sync needs its
    own, and the next `clean` recognizes a store by it."""
    above = {folder for path in removed for folder in path.parents if place in folder.parents}
    for folder in sorted((folder for folder in above if folder.name != _OBJECTS), reverse=True):
        with suppress(OSError):
            folder.rmdir()


def _foreign_types(world: World) -> tuple[Path, ...]:
    types = installed_types(world.types_path)
    paths = differing(types, list(_bundled_types(world))) if types else ()
    return tuple(map(Path, paths))


def _bundled_types(world: World) -> Iterator[Artifact]:
    settings = PluginSettings(environ=world.environ, secrets=Secrets())
    yield from python_types.registry_emit(world.bundle.load(), settings)
