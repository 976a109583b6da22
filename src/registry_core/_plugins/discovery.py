"""Find plugins, without importing them.

A plugin is an entry point of the group `registry_core` in an installed distribution, a command
one of the group `registry_core.commands`. Only the rules for their names differ. Filters apply
here, so that a plugin that is switched off is never imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from .._base.frozen import Value
from ..errors import error_text
from ..settings import Settings
from .installed import (
    COMMANDS,
    ENTRIES,
    GROUP,
    Distribution,
    distributions,
    entry_points,
    file_name,
    header,
    location,
)
from .known import KNOWN

if TYPE_CHECKING:
    from ..report import Problem

_GROUPS = (GROUP, COMMANDS)


@frozen(order=True)
class PluginSource:
    """Where a plugin comes from, and what would be imported. Sorts by its key."""

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
    """A digest of the code, which authors edit without a new version; "" for a command."""
    group: str = GROUP

    @property
    def key(self) -> str:
        return f"{self.distribution}:{self.entry}"

    @property
    def title(self) -> str:
        kind = "entry" if self.group == GROUP else "command"
        return f"{self.name} {self.version} ({kind} {self.entry})"


@frozen(eq=False, repr=False)
class Discovery(Value):
    """What was found, sorted by distribution and entry point."""

    selected: tuple[PluginSource, ...]
    excluded: tuple[tuple[PluginSource, str], ...]
    """Plugins that the settings switch off, each with the reason."""
    problems: tuple[Problem, ...]
    entries: frozenset[str] = frozenset()
    """The names of all entry points, of plugins and commands. Each may have options."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Of what is selected, by key."""
        return {one.key: one.version for one in self.selected}

    @property
    def found(self) -> tuple[PluginSource, ...]:
        return tuple(sorted((*self.selected, *(source for source, _ in self.excluded))))


def find_plugins(
    settings: Settings, path: Sequence[str] | None = None, group: str = GROUP
) -> Discovery:
    """Search the metadata in the folders of `path` (None: `sys.path`) for entry points of `group`.

    Raises StoreError if a folder can't be listed now, since a plugin could be missed.
    """
    every, problems = _search(path, group)
    sources = [source for source in every if source.group == group]
    reasons = {source: exclusion(settings, source.key) for source in sources}
    selected = tuple(source for source in sources if reasons[source] is None)
    by_entry: dict[str, list[str]] = {}
    for source in selected if group == GROUP else ():
        by_entry.setdefault(source.entry, []).append(source.title)
    for entry, titles in sorted(by_entry.items()):
        if len(titles) > 1:
            message = f"{' and '.join(titles)} share one entry-point name, and so one options table"
            problems.append(problem(entry, message))
    return Discovery(
        selected=selected,
        excluded=tuple((source, reason) for source, reason in reasons.items() if reason),
        problems=(*problems, *_filters_in_vain(settings, every)),
        entries=frozenset(source.entry for source in every),
    )


def exclusion(settings: Settings, key: str) -> str | None:
    """Why the settings exclude the plugin `distribution:entry`; None if they don't."""
    names = {key, key.partition(":")[0]}
    if not names.isdisjoint(map(_normalized, settings.disable_plugins)):
        return "it is in disable_plugins (REGISTRY_CORE_DISABLE_PLUGINS)"
    if settings.plugins is not None and names.isdisjoint(map(_normalized, settings.plugins)):
        return "it is not in plugins (REGISTRY_CORE_PLUGINS)"
    return None


def source_mentions(module: str, word: str) -> bool:
    """Whether the code of `module`, or of its package, contains `word`. Imports nothing.

    True if the code exists but can't be read; False if there is no such module.
    """
    try:
        return any(word.encode() in file.read_bytes() for file in _files(module, "*.py"))
    except Exception:  # foreign finders may raise anything
        return True


def _code(distribution: Distribution, module: str) -> str:
    """For `PluginSource.code`: a digest of RECORD. The RECORD of an editable installation lists no
    modules, so there the files of the package of `module` count."""
    origin = distribution.read_text("direct_url.json") or ""
    record = distribution.read_text("RECORD") or ""
    try:
        if not json.loads(origin or "{}").get("dir_info", {}).get("editable"):
            return _digest(record)
        files = {file for file in _files(module, "*") if file.suffix != ".pyc" and file.is_file()}
        statuses = ((str(file), file.stat()) for file in sorted(files))
        return _digest(
            repr([(path, status.st_size, status.st_mtime_ns) for path, status in statuses])
        )
    except Exception:  # foreign finders and metadata may raise anything
        return ""


def _digest(text: str) -> str:
    import hashlib  # not needed to list commands

    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def _files(module: str, pattern: str) -> Iterator[Path]:
    """The file of `module`, and the files of its package that match `pattern`. Imports nothing."""
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


def _search(path: Sequence[str] | None, group: str) -> tuple[list[PluginSource], list[Problem]]:
    """The entry points of both groups, and problems with those of `group`."""
    sources: dict[tuple[str, str], PluginSource] = {}
    problems: list[Problem] = []
    names: set[str] = set()
    installed = tuple(distributions(path))
    # If two have the same name, the first one on the path gets imported.
    first_of = {
        _normalized(file_name(distribution)): distribution for distribution in reversed(installed)
    }
    for distribution in installed:
        where, entries = location(distribution) or "a distribution", ""
        try:
            entries = distribution.read_text(ENTRIES) or ""
            problems += _misspelt(where, entries, group)
            if not any(f"[{name}]" in entries for name in _GROUPS):
                continue
            name = header(distribution, "Name")
            if not name:
                raise ValueError("its metadata has no name")
            if _normalized(name) in names:
                continue
            names.add(_normalized(name))
            counts = first_of.get(_normalized(name), distribution)
            for source in _sources(counts, name, group):
                first = sources.setdefault((source.group, source.key), source)
                if first != source and source.group == group:
                    problems += [problem(source.title, "is installed twice; the first one is used")]
        except Exception as error:  # foreign metadata may contain anything
            text = f"can't be read: {error_text(error)}; reinstall it"
            # Metadata that can't be read now may contain a plugin of the group.
            fatal = f"[{group}]" in entries or isinstance(error, OSError)
            problems.append(problem(where, text, fatal=fatal))
    return sorted(sources.values()), problems


def _misspelt(where: str, entries: str, group: str) -> Iterator[Problem]:
    """Problems for groups of entry points that look like a misspelt `group`."""
    if "registry" not in entries.lower():
        return
    for name in re.findall(r"^[^\S\n]*\[(.+)\][^\S\n]*$", entries, re.MULTILINE):
        if name in _GROUPS or not name.lower().startswith("reg"):
            continue
        from .._base.suggesting import nearest  # not above: mostly nothing is misspelt

        if nearest(name.lower(), [group], 0.85):
            text = f"its entry points of the group {name!r} are ignored; did you mean {group!r}?"
            yield problem(where, text)


def _sources(distribution: Distribution, name: str, wanted: str) -> Iterator[PluginSource]:
    version = header(distribution, "Version") or "unknown"
    for group, entry, value in entry_points(distribution.read_text(ENTRIES) or ""):
        if group in _GROUPS:
            counts = group == wanted == GROUP
            code = _code(distribution, value.partition(":")[0].strip()) if counts else ""
            yield PluginSource(_normalized(name), entry, name, version, value, code, group)


def _filters_in_vain(settings: Settings, sources: Collection[PluginSource]) -> Iterator[Problem]:
    known = {name for source in sources for name in (source.distribution, source.key)}
    for key in ("plugins", "disable_plugins"):
        for term in getattr(settings, key) or ():
            if _normalized(term) not in known:
                from .._base.suggesting import did_you_mean

                package = _normalized(term).partition(":")[0]
                wanted = key == "plugins" and package in KNOWN
                # Most names begin alike: `registry-gateway-`.
                near = did_you_mean(term, known, share=0.8)
                hint = f"pip install {package} adds it" if wanted else near
                hint = hint or "no plugin is installed"
                yield problem(key, f"{term!r} names no installed plugin; {hint}")


def _normalized(name: str) -> str:
    """A distribution's name, or `distribution:entry`, as packaging compares names."""
    distribution, colon, entry = name.partition(":")
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower() + colon + entry.strip()


def problem(culprit: str, message: str, *, fatal: bool = False) -> Problem:
    """A problem with plugins, or with settings about them."""
    from ..report import Problem  # here, since `--help` must be fast

    return Problem("plugin", culprit, message, fatal)
