"""Removing what registry-core wrote for one environment."""

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
#: In `v1`. Only what is surely ours: the user may have named a folder that holds more.
_OF_STORE = re.compile(
    "(quarantine/)?(pointer|journal\\.jsonl|(state|emitted|shared)\\.json)|"
    f"(objects|quarantine)/{_HASH}"
)
_OF_PAYLOADS = re.compile(f"key|(key|{_HASH})\\.(payload|lock)")


@frozen
class Plan:
    """What is, or was, to be done."""

    remove: tuple[Path, ...] = ()
    """Files."""
    restore: tuple[Path, ...] = ()
    """The installed types, if they are not those of the wheel."""
    stays: Mapping[Path, str] = FrozenDict()
    """File or folder → why it is left."""


def plan(world: World, *, bindings: bool) -> Plan:
    """What `clean` would do now. Raises StoreError if that can't be read."""
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
        artifacts, others = _written(store)
        stays |= others
        remove += artifacts
        files = [path for one in _versions(store) for path in _named(one.folder, _OF_STORE)]
        remove += [path for path in files if path not in keeps]
        remove += _named(store.place / "payloads", _OF_PAYLOADS)
    for shared in world.places.payloads(None, world.lookups.store_dir, make=False):
        if shared.is_dir():
            stays[shared] = "raw answers, which all environments of this user share"
    return Plan(tuple(sorted(remove)), _foreign_types(world), FrozenDict(stays))


def clean(world: World, *, bindings: bool) -> Plan:
    """Remove what registry-core wrote for this environment; what was done.

    The types of the wheel are put back. The mark of a policy stays, and the bindings of keys to
    hosts do unless `bindings`. Holds the locks of a store, those of other versions of registry-core
    too. Raises StoreError.
    """
    first, removed = plan(world, bindings=bindings), list[Path]()
    stays = dict(first.stays)
    for store in filter(_is_writable, _stores(world)):
        commit.create(store)
        with ExitStack() as locks:
            for version in _versions(store):
                locks.enter_context(locked(version, patience(world.settings)))
            commit.adopt_versions(store)  # their policy, their bindings
            found = commit.recover(store, repair=True)
            now = plan(world, bindings=bindings)  # a policy that was forgotten is known again
            stays |= now.stays
            if store.state in now.stays:
                commit.save_state(store, State(bindings=found.state.bindings), None)
            mine = [path for path in now.remove if store.place in path.parents]
            # First the pointer, last what says which files are ours: a second try ends it.
            order = {store.pointer: 0, store.emitted: 2}
            with commit.writing(store):
                for path in sorted(mine, key=lambda one: order.get(one, 1)):
                    path.unlink(missing_ok=True)
            for folder in (store.place, store.folder):
                clear_leftovers(folder)
            _prune(store.place, mine)
            removed += mine
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
    """Its state, which holds the bindings. Raises SnapshotDamagedError, also for that of another
    version. The next sync makes its own again, of what was served until now."""
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
    folders = [store.place, *(one.folder for one in _versions(store))]
    return all(os.access(folder, os.W_OK) for folder in folders)


def _versions(store: Store) -> list[Store]:
    """This store, and those of other versions of registry-core. A folder that is only called
    like one has no objects."""
    return [one for one in commit.versions(store) if (one.folder / _OBJECTS).is_dir()]


def _named(folder: Path, names: re.Pattern[str]) -> list[Path]:
    found = (Path(top) / name for top, _, files in os.walk(folder) for name in files)
    return [one for one in found if names.fullmatch(one.relative_to(folder).as_posix())]


def _written(store: Store) -> tuple[list[Path], dict[Path, str]]:
    """The artifacts beside the store that nobody has touched, and what else syncs wrote."""
    own: list[Path] = []
    others: dict[Path, str] = {}
    target = Target("environment", store.place)
    manifests = [Manifest(one.emitted) for one in _versions(store)]
    for manifest, name in ((one, name) for one in manifests for name in one.targets()):
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
    """Remove the folders that are empty now, but those of objects: a sync that waits has made
    its own, and by them the next `clean` knows what is left for a store."""
    above = {folder for path in removed for folder in path.parents if place in folder.parents}
    for folder in sorted((one for one in above if one.name != _OBJECTS), reverse=True):
        with suppress(OSError):
            folder.rmdir()


def _foreign_types(world: World) -> tuple[Path, ...]:
    types = installed_types(world.types_path)
    found = differing(types, list(_bundled_types(world))) if types else ()
    return tuple(map(Path, found))


def _bundled_types(world: World) -> Iterator[Artifact]:
    settings = PluginSettings(environ=world.environ, secrets=Secrets())
    yield from python_types.registry_emit(world.bundle.load(), settings)
