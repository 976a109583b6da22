"""Which plugins there are: a pure step that imports none of them.

A plugin is an entry point of the group `registry_core` of an installed distribution.
Filters apply here, so that what is switched off is never imported.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from email.parser import HeaderParser
from importlib import metadata
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import field, frozen

from .._base.suggesting import did_you_mean, nearest
from .._files.reading import is_absent, is_out_of_reach, status_of, unreadable
from ..errors import told
from ..report import Problem
from ..settings import Settings

GROUP = "registry_core"
_ENTRIES = "entry_points.txt"


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
    code: str = field(default="", eq=False)
    """Changes with the code, which an author edits without a new version."""

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
    by_entry: dict[str, list[str]] = {}
    for source in selected:
        by_entry.setdefault(source.entry, []).append(source.title)
    for entry, titles in sorted(by_entry.items()):
        if len(titles) > 1:
            message = f"{' and '.join(titles)} have one name and share their options"
            problems.append(_note(entry, message))
    return Discovery(
        selected=selected,
        excluded=tuple((source, reason) for source, reason in reasons.items() if reason),
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
        return any(word.encode() in file.read_bytes() for file in _files(module, "*.py"))
    except Exception:  # finders are anybody's
        return True


def _code(distribution: metadata.Distribution, module: str) -> str:
    """For `PluginSource.code`: what was installed, by its RECORD. Of an editable installation
    that names no module: there the files around `module` count."""
    about = distribution.read_text("direct_url.json") or ""
    record = distribution.read_text("RECORD") or ""
    try:
        if not json.loads(about or "{}").get("dir_info", {}).get("editable"):
            return _digest(record)
        files = {one for one in _files(module, "*") if one.suffix != ".pyc" and one.is_file()}
        found = ((str(file), file.stat()) for file in sorted(files))
        return _digest(repr([(path, one.st_size, one.st_mtime_ns) for path, one in found]))
    except Exception:  # finders are anybody's, and so is metadata
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def _files(module: str, pattern: str) -> Iterator[Path]:
    """The file of `module`, and what matches `pattern` in the package that it is in. Imports
    nothing."""
    name, *rest = module.split(".")
    spec = find_spec(name)
    # A package without __init__.py may be shared by many distributions.
    while rest and spec and spec.origin is None:
        name = f"{name}.{rest.pop(0)}"
        inner = PathFinder.find_spec(name, spec.submodule_search_locations)
        if inner is None:
            break
        spec = inner
    if spec is None:
        return
    if spec.origin and spec.has_location:
        yield Path(spec.origin)
    for folder in spec.submodule_search_locations or ():
        yield from Path(folder).rglob(pattern)


def _distributions(path: Sequence[str] | None) -> Iterator[metadata.Distribution]:
    """As the library finds them, which would take a folder that can't be listed now for an
    empty one, for good."""
    finders = [one for one in sys.meta_path if hasattr(one, "find_distributions")]
    if finders != [PathFinder] or metadata.distributions is not _DISTRIBUTIONS:
        # Who knows what that one looks at; tests of applications replace it.
        given: dict[str, Any] = {} if path is None else {"path": list(path)}
        for one in metadata.distributions(**given):
            if not Path(_where(one)).name.startswith("~"):
                yield one
        return
    for folder in sys.path if path is None else path:
        folder = folder or "."
        try:
            names = os.listdir(folder)  # noqa: PTH208  as names
        except OSError as error:
            if not (is_absent(error) or is_out_of_reach(error, folder)):
                raise unreadable(folder, error) from error
            if status_of(folder):  # a zip file
                yield from metadata.distributions(path=[folder])
            continue
        for name in filter(_IS_METADATA.fullmatch, names):
            yield _Distribution(os.path.join(folder, name))  # noqa: PTH118


_DISTRIBUTIONS = metadata.distributions

#: As pip, without what it has moved aside while it installs something else.
_IS_METADATA = re.compile(r"([^~].*\.(dist|egg)|egg)-info", re.IGNORECASE)


class _Distribution(metadata.Distribution):
    """As the library's, by names: of a hundred that are installed few are asked for more than
    their entry points, and a path for each takes longer than to read these."""

    def __init__(self, where: str) -> None:
        self.where = where

    def locate_file(self, path: str | os.PathLike[str]) -> Path:
        return Path(self.where).parent / path

    def read_text(self, filename: str | os.PathLike[str]) -> str | None:
        """As the library, which takes what the system refuses for now for what is not there."""
        path = os.path.join(self.where, filename)  # noqa: PTH118
        try:
            with open(path, encoding="utf-8") as file:
                return file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except PermissionError:
            if os.path.isfile(path) and os.access(path, os.R_OK):  # noqa: PTH113
                raise
            return None


def _search(path: Sequence[str] | None) -> tuple[list[PluginSource], list[Problem]]:
    """What the metadata says."""
    sources: dict[str, PluginSource] = {}
    problems: list[Problem] = []
    seen: set[str] = set()
    found = tuple(_distributions(path))
    for distribution in found:
        where, ours = _where(distribution) or "a distribution", False
        try:
            entries = distribution.read_text(_ENTRIES) or ""
            ours = f"[{GROUP}]" in entries
            problems += _misspelt(where, entries)
            if not ours:
                continue
            name = _header(distribution, "Name")
            if not name:
                raise ValueError("its metadata has no name")
            if _normalized(name) in seen:
                continue
            seen.add(_normalized(name))
            # Of two of one name the first on the path is the one that gets imported.
            same = (one for one in found if _file_name(one) == _normalized(name))
            for source in _sources(next(same, distribution), name):
                if sources.setdefault(source.key, source) != source:
                    problems += [_note(source.title, "is there twice; the first is used")]
        except Exception as error:  # metadata is anybody's
            text = f"can't be read: {told(error)}; reinstall it"
            fatal = ours or isinstance(error, OSError)  # then it may be one of ours
            problems.append(Problem("plugin", where, text, fatal=fatal))
    return sorted(sources.values()), problems


def _misspelt(where: str, entries: str) -> Iterator[Problem]:
    """The groups of entry points that are nearly ours."""
    if "registry" not in entries.lower():
        return
    for group in re.findall(r"^[^\S\n]*\[(.+)\][^\S\n]*$", entries, re.MULTILINE):
        if group != GROUP and nearest(group.lower(), [GROUP], 0.85):
            text = f"its entry points of the group {group!r} are ignored; did you mean {GROUP!r}?"
            yield _note(where, text)


def _file_name(distribution: metadata.Distribution) -> str:
    """The distribution's name, by the name of its folder."""
    folder = os.path.basename(_where(distribution))  # noqa: PTH119
    return _normalized(os.path.splitext(folder)[0].partition("-")[0])  # noqa: PTH122


def _where(distribution: metadata.Distribution) -> str:
    """The path of its metadata, "" if it does not say."""
    if isinstance(distribution, _Distribution):
        return distribution.where
    return str(getattr(distribution, "_path", ""))


def _header(distribution: metadata.Distribution, name: str) -> str | None:
    # As `distribution.metadata`, which parses the whole README that follows, too.
    texts = map(distribution.read_text, ("METADATA", "PKG-INFO", ""))
    value = HeaderParser().parsestr(next(filter(None, texts), ""))[name]
    return str(value) if value else None


def _sources(distribution: metadata.Distribution, name: str) -> Iterator[PluginSource]:
    version = _header(distribution, "Version") or "unknown"
    for entry in distribution.entry_points:
        if entry.group == GROUP:
            code = _code(distribution, entry.value.partition(":")[0].strip())
            yield PluginSource(_normalized(name), entry.name, name, version, entry.value, code)


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
