"""The table `[tool.registry-core]` of a pyproject.toml, or of a registry-core.toml.

It decides what is fetched from where, and which hosts get keys. The search for it goes upward
into folders where others may be able to put files (`/tmp`, a shared disk). So a table of
somebody else needs the user's consent. A file that exists but can't be read is an error, since
without it a policy could be lost without notice.
"""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from attrs import frozen

from .._base.frozen import Value
from .._files.ownership import is_ours, owner_of, owns_environment
from .._files.reading import Trust, anybody, is_absent, open_file
from ..errors import SettingsError, StoreError
from ..settings import SETTINGS, TEXTS

_TABLE = "tool.registry-core"
_SUBTABLES = ("output", "plugin", "types")
SHARED, OWN = "pyproject.toml", "registry-core.toml"
_LARGEST = 16 * 2**20


@frozen(eq=False, repr=False)
class Project(Value):
    """A checked table."""

    file: Path
    """The absolute path of its file."""
    values: Mapping[str, Any]
    """Settings by name, not parsed yet."""
    outputs: Mapping[str, Path]
    """Emitter → absolute folder inside the repository."""
    types_providers: tuple[str, ...] | None
    plugin_options: Mapping[str, Mapping[str, Any]]


@frozen(eq=False, repr=False)
class ProjectFile(Value):
    """A file that was read."""

    path: Path
    data: bytes
    """Truncated if it is larger than the limit."""
    statuses: tuple[os.stat_result, ...]
    """The status of the name, which may be a link, and of the file itself."""


def find_project(
    cwd: Path,
    folder: Path | None = None,
    *,
    environ: Mapping[str, str],
    safe: Iterable[str] = (),
) -> Project | None:
    """The project in `folder`, else the nearest one upward of `cwd`.

    A project is a pyproject.toml with the table, or a registry-core.toml, even an empty one.
    It must belong to the user, to root, or to the owner of the environment; for root also to the
    user who called sudo (as `environ` says). In `folder`, and in the folders that `safe` names
    (see `Settings.safe_project`), it may belong to anybody.

    Raises SettingsError if `folder` has neither file, if both files have the table, if the
    table belongs to somebody else, if a file can't be read or parsed, or if the table has a
    wrong key or value. In the search upward, a pyproject.toml that can't be parsed is an error
    only if it seems to have the table.
    """
    start = _real(cwd)
    if folder is not None:
        return _in_folder(_real(start / folder), anybody, named=True)
    safe = tuple(safe)

    def trusted(status: os.stat_result) -> bool:
        return is_ours(status, environ) or owns_environment(status)

    for parent in (start, *start.parents):
        consents = any(_covers(text, parent) for text in safe)
        project = _in_folder(parent, anybody if consents else trusted)
        if project is not None:
            return project
    return None


def candidates(cwd: Path, folder: Path | None = None) -> tuple[Path, ...]:
    """The files that `find_project` looks for, whether they exist or not."""
    home = (cwd / folder).resolve() if folder is not None else cwd.resolve()
    folders = (home,) if folder is not None else (home, *home.parents)
    return tuple(parent / name for parent in folders for name in (SHARED, OWN))


def _covers(safe: str, folder: Path) -> bool:
    path = Path(safe)
    if path.name == "*":
        return safe == "*" or folder.is_relative_to(_real(path.parent))
    return folder == _real(path)


def _real(path: Path) -> Path:
    """`path` without links. A link to itself is returned unchanged; `Path.resolve` raises
    RuntimeError for it before Python 3.13."""
    return Path(os.path.realpath(path))


def _in_folder(folder: Path, trusts: Trust, *, named: bool = False) -> Project | None:
    files = [
        file for name in (SHARED, OWN) if (file := read_project_file(folder / name)) is not None
    ]
    tables = {file.path: table_of(file, trusts, strict=named) for file in files}
    with_table = [(path, table) for path, table in tables.items() if table is not None]
    if len(with_table) > 1:
        raise SettingsError(
            f"has [{_TABLE}], but there is also a {OWN}",
            culprit=str(folder / SHARED),
            hint="keep the settings in one of them",
        )
    if named and not files:
        raise SettingsError(
            "is not a file",
            culprit=str(folder / SHARED),
            hint=f"name the folder of a {SHARED} or {OWN}",
        )
    if named and not with_table:
        with_table = [(files[0].path, {})]
    return _read(*with_table[0], trusts) if with_table else None


def read_project_file(path: Path) -> ProjectFile | None:
    """Read the file; None if there is none, or if it is a folder, a FIFO or a device."""
    try:
        name = path.lstat()
        if not stat.S_ISREG(path.stat().st_mode):  # opening a device may have an effect
            return None
        descriptor = open_file(str(path))
        if descriptor is None:
            return None
        with os.fdopen(descriptor, "rb") as file:
            return ProjectFile(path, file.read(_LARGEST + 1), (name, os.fstat(descriptor)))
    except OSError as error:
        if is_absent(error):
            return None
        raise _unreadable(path, error.strerror or str(error)) from error
    except StoreError as error:
        raise _unreadable(path, error.message) from error


def table_of(file: ProjectFile, trusts: Trust, *, strict: bool) -> dict[str, Any] | None:
    """The unchecked table; None if there is none. With `strict`, a file that can't be parsed is
    an error even without the table."""
    import tomllib  # not above: there may be no file, and it takes as long as all else here

    own = file.path.name == OWN
    try:
        if len(file.data) > _LARGEST:
            raise ValueError(f"larger than {_LARGEST} bytes")
        content = tomllib.loads(_decoded(file.data))
    except (ValueError, RecursionError) as error:
        if strict or own or _TABLE.encode() in file.data.replace(b"\0", b""):
            _refuse_stranger(file, trusts)
            raise SettingsError(f"can't be parsed: {error}", culprit=str(file.path)) from error
        return None
    tool: Any = content.get("tool", {})
    tables = cast(dict[str, Any], tool) if isinstance(tool, dict) else {}
    if not own and "registry-core" not in tables:
        return None
    _refuse_stranger(file, trusts)
    rest = content.keys() - {"tool"} | tables.keys() - {"registry-core"}
    if own and (rest or tool != tables):
        raise SettingsError(
            f"holds more than [{_TABLE}]",
            culprit=str(file.path),
            hint=f"write [{_TABLE}] and its tables in it, as in a {SHARED}",
        )
    return _subtable(tables, "registry-core", file.path, "tool")


def _decoded(data: bytes) -> str:
    """Decode UTF-8, with or without a byte order mark. Raises ValueError that says where it is
    not UTF-8."""
    if b"\0" in data:
        raise ValueError("it holds NUL, as UTF-16 does; save it as UTF-8")
    try:
        return data.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
        raise ValueError(f"line {line} holds the byte 0x{byte:02x}; save it as UTF-8") from None


def _refuse_stranger(file: ProjectFile, trusts: Trust) -> None:
    strangers = [status for status in file.statuses if not trusts(status)]
    if strangers:
        folder = file.path.parent
        raise SettingsError(
            f"holds settings, and belongs to {owner_of(strangers[0])}, not to you",
            culprit=str(file.path),
            hint=f"if you trust it: --project {folder}, or REGISTRY_CORE_SAFE_PROJECT={folder}",
        )


def _unreadable(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"can't be checked: {why}",
        culprit=str(path),
        hint="it may hold settings: make it readable, or name another folder with --project DIR",
    )


def _read(file: Path, table: dict[str, Any], trusts: Trust) -> Project:
    scalars = [setting.name for setting in SETTINGS if setting.pyproject]
    for setting in SETTINGS:
        if not setting.pyproject and setting.name in table and setting.name not in _SUBTABLES:
            raise SettingsError(
                f"{setting.name!r} has no key in [{_TABLE}]",
                culprit=str(file),
                hint=f"set {setting.variable} in the environment",
            )
    of_plugins = f"an option of a plugin belongs in [{_TABLE}.plugin.<its entry point>]"
    _only((*scalars, *_SUBTABLES), table, _TABLE, file, of_plugins)
    output, plugin, types = (_subtable(table, name, file) for name in _SUBTABLES)
    _only(("providers",), types, f"{_TABLE}.types", file)
    for entry in plugin:
        _subtable(plugin, entry, file, f"{_TABLE}.plugin")
    providers = types.get("providers")
    return Project(
        file=file,
        values={name: table[name] for name in scalars if name in table},
        outputs={
            emitter: _folder(file, emitter, value, trusts) for emitter, value in output.items()
        },
        types_providers=None
        if providers is None
        else TEXTS.read(providers, f"providers in [{_TABLE}.types] of {file}"),
        plugin_options=plugin,
    )


def _folder(file: Path, emitter: str, value: Any, trusts: Trust) -> Path:
    """The folder that `value` names; it must be inside the repository.

    The pyproject.toml of a clone was written by somebody else. It must not choose files
    elsewhere on the disk, nor in `.git`, whose hooks are programs. A `.git` that somebody else
    put into a parent folder doesn't count.
    """
    key = f"{_TABLE}.output {emitter}"
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise _wrong(key, value, file, "a folder, relative to the pyproject.toml")
    home = file.parent
    parents = (home, *home.parents)
    root = next((parent for parent in parents if _has_git(parent, trusts)), home)
    folder = _real(home / value)
    if not folder.is_relative_to(root):
        raise _wrong(key, value, file, f"a folder inside the repository {root}")
    if ".git" in map(str.lower, folder.relative_to(root).parts):
        raise _wrong(key, value, file, "a folder outside .git")
    return folder


def _has_git(folder: Path, trusts: Trust) -> bool:
    path = folder / ".git"
    try:
        return trusts(path.lstat())
    except OSError as error:
        if is_absent(error):
            return False
        raise _unreadable(path, error.strerror or str(error)) from error


def _subtable(
    table: Mapping[str, Any], name: str, file: Path, inside: str = _TABLE
) -> dict[str, Any]:
    value: Any = table.get(name, {})
    if not isinstance(value, dict):
        raise _wrong(f"{inside}.{name}", value, file, "a table")
    return cast(dict[str, Any], value)


def _only(
    known: Iterable[str], table: Mapping[str, Any], name: str, file: Path, else_hint: str = ""
) -> None:
    for key in table.keys() - set(known):
        from .._base.suggesting import did_you_mean

        near = did_you_mean(key, known)
        hint = f"{near}; {else_hint}" if else_hint else near
        raise SettingsError(f"unknown key {key!r} in [{name}]", culprit=str(file), hint=hint)


def _wrong(key: str, value: Any, file: Path, allowed: str) -> SettingsError:
    return SettingsError(
        f"{key} = {value!r:.200} can't be read", culprit=str(file), hint=f"use {allowed}"
    )
