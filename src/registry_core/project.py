"""The table `[tool.registry-core]` of a pyproject.toml: found upward, and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from attrs import frozen

from .errors import SettingsError
from .settings import SETTINGS, TEXTS, did_you_mean

_TABLE = "tool.registry-core"
_SUBTABLES = ("output", "plugin", "types")


@frozen
class Project:
    """A checked table."""

    file: Path
    """The pyproject.toml, absolute."""
    values: Mapping[str, Any]
    """Settings by name, not read yet."""
    outputs: Mapping[str, Path]
    """Emitter → absolute folder inside the repository."""
    types_providers: tuple[str, ...] | None
    plugin_options: Mapping[str, Mapping[str, Any]]


def find_project(cwd: Path, folder: Path | None = None) -> Project | None:
    """The project of `folder`, else the nearest upward of `cwd` whose file has the table.

    Raises SettingsError for a `folder` without a pyproject.toml, for a file that can't
    be parsed (upward only if it seems to have the table: others' files are not ours to
    judge), and for whatever the table holds that is not allowed.
    """
    start = cwd.resolve()
    if folder is not None:
        file = (start / folder).resolve() / "pyproject.toml"
        if not file.is_file():
            raise SettingsError(
                "is not a file", culprit=str(file), hint="name the folder of a pyproject.toml"
            )
        return _read(file, _table(file, ours=True) or {})
    for parent in (start, *start.parents):
        file = parent / "pyproject.toml"
        table = _table(file, ours=False)
        if table is not None:
            return _read(file, table)
    return None


def _table(file: Path, *, ours: bool) -> dict[str, Any] | None:
    """The table as it is, None if there is none."""
    try:
        data = file.read_bytes()
    except OSError as error:
        if ours:
            raise SettingsError(f"can't be read: {error}", culprit=str(file)) from error
        return None
    try:
        tool: Any = tomllib.loads(data.decode()).get("tool")
    except (ValueError, RecursionError) as error:
        if ours or _TABLE.encode() in data:
            raise SettingsError(f"can't be parsed: {error}", culprit=str(file)) from error
        return None
    if not isinstance(tool, dict) or "registry-core" not in tool:
        return None
    return _subtable(tool, "registry-core", file, "tool")  # pyright: ignore[reportUnknownArgumentType]


def _read(file: Path, table: dict[str, Any]) -> Project:
    scalars = [setting.name for setting in SETTINGS if setting.pyproject]
    for setting in SETTINGS:
        if not setting.pyproject and setting.name in table and setting.name not in _SUBTABLES:
            raise SettingsError(
                f"{setting.name!r} has no key in [{_TABLE}]",
                culprit=str(file),
                hint=f"set {setting.variable} in the environment",
            )
    _only((*scalars, *_SUBTABLES), table, _TABLE, file)
    output, plugin, types = (_subtable(table, name, file) for name in _SUBTABLES)
    _only(("providers",), types, f"{_TABLE}.types", file)
    for entry in plugin:
        _subtable(plugin, entry, file, f"{_TABLE}.plugin")
    providers = types.get("providers")
    return Project(
        file=file,
        values={name: table[name] for name in scalars if name in table},
        outputs={emitter: _folder(file, emitter, value) for emitter, value in output.items()},
        types_providers=None
        if providers is None
        else TEXTS.read(providers, f"providers in [{_TABLE}.types] of {file}"),
        plugin_options=plugin,
    )


def _folder(file: Path, emitter: str, value: Any) -> Path:
    """The folder that `value` names; it must stay inside the repository.

    A clone's pyproject.toml is a stranger's text: it must not choose files elsewhere on
    this disk, nor in `.git`, whose hooks are programs.
    """
    key = f"{_TABLE}.output {emitter}"
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise _wrong(key, value, file, "a folder, relative to the pyproject.toml")
    home = file.parent
    parents = (home, *home.parents)
    root = next((parent for parent in parents if (parent / ".git").exists()), home)
    folder = (home / value).resolve()
    if not folder.is_relative_to(root):
        raise _wrong(key, value, file, f"a folder inside the repository {root}")
    if ".git" in map(str.lower, folder.relative_to(root).parts):
        raise _wrong(key, value, file, "a folder outside .git")
    return folder


def _subtable(
    table: Mapping[str, Any], name: str, file: Path, inside: str = _TABLE
) -> dict[str, Any]:
    value: Any = table.get(name, {})
    if not isinstance(value, dict):
        raise _wrong(f"{inside}.{name}", value, file, "a table")
    return cast(dict[str, Any], value)


def _only(known: Iterable[str], table: Mapping[str, Any], name: str, file: Path) -> None:
    for key in table.keys() - set(known):
        raise SettingsError(
            f"unknown key {key!r} in [{name}]", culprit=str(file), hint=did_you_mean(key, known)
        )


def _wrong(key: str, value: Any, file: Path, allowed: str) -> SettingsError:
    return SettingsError(
        f"{key} = {value!r:.200} can't be read", culprit=str(file), hint=f"use {allowed}"
    )
