"""Which plugins there are: a pure step that imports none of them.

A plugin is an entry point of the group `registry_core` of an installed distribution.
Filters apply here, so that what is switched off is never imported.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from email.parser import HeaderParser
from functools import lru_cache
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

from attrs import frozen

from ..errors import StoreError
from ..reading import is_absent, is_out_of_reach, status_of, unreadable
from ..report import Problem
from ..settings import Settings, did_you_mean

GROUP = "registry_core"
_ENTRIES = "entry_points.txt"

#: Of a file: times (ns), inode, size; None: there is none.
_Stamp = tuple[int, int, int, int] | None


@frozen(order=True)
class PluginSource:
    """Where a plugin comes from, and what would be imported. Sorted by its key."""

    distribution: str
    """Normalized name."""
    entry: str
    """Name of the entry point, and of the plugin's options table."""
    name: str
    """The distribution's name as its author writes it."""
    version: str
    value: str
    """`module` or `module:object`."""

    @property
    def key(self) -> str:
        return f"{self.distribution}:{self.entry}"

    @property
    def title(self) -> str:
        return f"{self.name} {self.version} (entry {self.entry})"


@frozen
class Discovery:
    """What was found, sorted by distribution and entry point."""

    selected: tuple[PluginSource, ...]
    excluded: tuple[tuple[PluginSource, str], ...]
    """What the settings switch off, and by which variable."""
    clashes: tuple[tuple[PluginSource, ...], ...]
    """Selected plugins that share a name of an entry point, and so an options table."""
    problems: tuple[Problem, ...]

    @property
    def found(self) -> tuple[PluginSource, ...]:
        return tuple(sorted((*self.selected, *(source for source, _ in self.excluded))))


def find_plugins(settings: Settings, path: Sequence[str] | None = None) -> Discovery:
    """Search the metadata in the folders of `path` (None: `sys.path`).

    Raises StoreError if a folder can't be listed now: nobody then knows what is installed.
    """
    sources, problems = _search(path)
    reasons = {source: exclusion(settings, source.key) for source in sources}
    selected = tuple(source for source in sources if reasons[source] is None)
    by_entry = groupby(sorted(selected, key=lambda one: (one.entry, one)), lambda one: one.entry)
    clashes = tuple(same for _, group in by_entry if len(same := tuple(group)) > 1)
    for same in clashes:
        titles = " and ".join(source.title for source in same)
        problems.append(_note(same[0].entry, f"{titles} have one name and share their options"))
    return Discovery(
        selected=selected,
        excluded=tuple((source, reason) for source, reason in reasons.items() if reason),
        clashes=clashes,
        problems=(*problems, *_filters_in_vain(settings, sources)),
    )


def exclusion(settings: Settings, key: str) -> str | None:
    """Why the settings keep the plugin `distribution:entry` out, installed or not; None if not."""
    names = {key, key.partition(":")[0]}
    if not names.isdisjoint(map(_normalized, settings.disable_plugins)):
        return "it is in disable_plugins (REGISTRY_CORE_DISABLE_PLUGINS)"
    if settings.plugins is not None and names.isdisjoint(map(_normalized, settings.plugins)):
        return "it is not in plugins (REGISTRY_CORE_PLUGINS)"
    return None


def mentions(module: str, word: str) -> bool:
    """Whether the code of `module`, or of the package that it is in, holds `word`.

    Imports nothing. True also if the code is there and can't be read; False if there is
    no such module.
    """
    try:
        specs = list(_specs(module))
        files = [file for spec in specs[-1:] for file in _files(spec, specs[-2:-1])]
        return any(word.encode() in file.read_bytes() for file in files)
    except Exception:  # finders are anybody's
        return True


def _specs(module: str) -> Iterator[ModuleSpec]:
    """The outermost package first, as far as there is any."""
    top, *rest = module.split(".")
    spec = find_spec(top)
    for part in (*rest, None):
        if spec is None:
            return
        yield spec
        if part is None or spec.submodule_search_locations is None:
            return
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)


def _files(spec: ModuleSpec, parents: Sequence[ModuleSpec]) -> Iterator[Path]:
    if spec.origin is not None and spec.has_location:
        yield Path(spec.origin)
    # A package without __init__.py may be shared by many distributions.
    package = next((one for one in (spec, *parents) if one.submodule_search_locations), None)
    if package is not None and (package is spec or package.origin is not None):
        for folder in package.submodule_search_locations or ():
            yield from Path(folder).rglob("*.py")


def _search(path: Sequence[str] | None) -> tuple[list[PluginSource], list[Problem]]:
    """What the metadata says; read again when a distribution has come, gone or changed."""
    folders = tuple(sys.path if path is None else path)
    known = None if path is None else folders
    if any(hasattr(one, "find_distributions") and one is not PathFinder for one in sys.meta_path):
        sources, problems = _read(known)  # who knows what that one looks at
    else:
        stamps = tuple(_stamps(folders))
        # With the function that asks, which tests replace.
        sources, problems = _read_once(known, stamps, metadata.distributions)
        if problems:  # which may be gone before anything else changes
            _read_once.cache_clear()
    return [*sources], [*problems]


def _stamps(folders: Iterable[str]) -> Iterator[tuple[str, _Stamp]]:
    """Each folder or zip file, and each list of entry points there, with what tells of changes."""
    for folder in folders:
        stamp = _stamp(folder or ".")
        yield folder, stamp
        for path in _metadata_in(folder or ".", stamp):
            yield path, _stamp(path)


def _stamp(path: str) -> _Stamp:
    found = status_of(path)
    if found is None:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size


@lru_cache(maxsize=64)
def _metadata_in(folder: str, _seen: _Stamp) -> tuple[str, ...]:
    """Where the lists of entry points are, or will be: an installer makes their folders first."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  as names
    except OSError as error:
        if is_absent(error) or is_out_of_reach(error, folder):  # a zip file, or nothing
            return ()
        raise unreadable(folder, error) from error
    folders = (one for one in names if one.lower().endswith(("dist-info", "egg-info")))
    return tuple(f"{folder}/{one}/{_ENTRIES}" for one in folders)


def _read(
    path: tuple[str, ...] | None,
    stamps: Iterable[tuple[str, _Stamp]] = (),
    _search: object = None,
) -> tuple[list[PluginSource], list[Problem]]:
    sources: dict[str, PluginSource] = {}
    problems: list[Problem] = []
    seen: set[str] = set()
    there = {name for name, stamp in stamps if stamp}
    if _search is _DISTRIBUTIONS:
        _refuse_partial(path, stamps)
    for distribution in _distributions(path):
        where, ours = str(getattr(distribution, "_path", "a distribution")), False
        try:
            text, entries = distribution.read_text(_ENTRIES), f"{where}/{_ENTRIES}"
            if text is None and entries in there and os.access(entries, os.R_OK):
                raise PermissionError("the system refuses for now")  # which `read_text` hides
            ours = f"[{GROUP}]" in (text or "")
            if not ours:
                continue
            name = _header(distribution, "Name")
            if not name:
                raise ValueError("its metadata has no name")
            if _normalized(name) in seen:
                continue
            seen.add(_normalized(name))
            # Of two of one name the first on the path is the one that gets imported.
            distribution = next(iter(_distributions(path, name=name)), distribution)
            for source in _sources(distribution, name):
                if sources.setdefault(source.key, source) != source:
                    problems += [_note(source.title, "is there twice; the first is used")]
        except Exception as error:  # metadata is anybody's
            text = f"can't be read: {type(error).__name__}: {error}; reinstall it"
            fatal = ours or isinstance(error, OSError)  # then it may be one of ours
            problems.append(Problem("plugin", where, text, fatal=fatal))
    return sorted(sources.values()), problems


_read_once = lru_cache(maxsize=4)(_read)
_DISTRIBUTIONS = metadata.distributions


def _refuse_partial(path: Sequence[str] | None, stamps: Iterable[tuple[str, _Stamp]]) -> None:
    """Raise StoreError if the library finds less than there is: it takes a folder that it can't
    list now for an empty one, and remembers that."""
    listed = {Path(name).parent for name, stamp in stamps if stamp and name.endswith(_ENTRIES)}
    for _ in range(2):
        found = {getattr(one, "_path", None) for one in _distributions(path)}
        if listed <= found:
            return
        importlib.invalidate_caches()
    missing = str(min(listed - found))
    raise StoreError("can't be read now", culprit=missing, hint="nothing was changed; try again")


def _distributions(path: Sequence[str] | None, **criteria: Any) -> Iterable[metadata.Distribution]:
    if path is not None:
        criteria["path"] = list(path)
    return metadata.distributions(**criteria)


def _header(distribution: metadata.Distribution, name: str) -> str | None:
    # As `distribution.metadata`, which parses the whole README that follows, too.
    texts = map(distribution.read_text, ("METADATA", "PKG-INFO", ""))
    value = HeaderParser().parsestr(next(filter(None, texts), ""))[name]
    return str(value) if value else None


def _sources(distribution: metadata.Distribution, name: str) -> Iterator[PluginSource]:
    version = _header(distribution, "Version") or "unknown"
    for entry in distribution.entry_points:
        if entry.group == GROUP:
            yield PluginSource(_normalized(name), entry.name, name, version, entry.value)


def _filters_in_vain(settings: Settings, sources: Collection[PluginSource]) -> Iterator[Problem]:
    known = {name for source in sources for name in (source.distribution, source.key)}
    for key in ("plugins", "disable_plugins"):
        for term in getattr(settings, key) or ():
            if _normalized(term) not in known:
                hint = did_you_mean(term, known) or "no plugin is installed"
                yield _note(key, f"{term!r} names no installed plugin; {hint}")


def _normalized(name: str) -> str:
    """A distribution's name, or `distribution:entry`, as packaging compares names."""
    distribution, colon, entry = name.partition(":")
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower() + colon + entry.strip()


def _note(culprit: str, message: str) -> Problem:
    return Problem("plugin", culprit, message, fatal=False)
