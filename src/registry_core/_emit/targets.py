"""Targets, and writing artifacts to them: atomically, and only files that differ.

In a target that gets the JSON, it is written last, as the commit mark of that target.
Afterwards, files that are no longer made are removed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal
from unicodedata import normalize

from attrs import field, frozen

from .._base.frozen import EMPTY
from .._files.writing import clear_leftovers, refuse_special, write_atomically, write_hint
from ..errors import TargetError
from ..plugin import Artifact
from ..report import Problem
from .manifest import Manifest, Signature, digest, plain, signature, signature_of

logger = logging.getLogger("registry_core")

#: environment: all artifacts, beside the store · installed: the types in site-packages ·
#: project: the folders of `[tool.registry-core.output]` · output: all artifacts, in a folder that
#: the user named
TargetKind = Literal["environment", "installed", "project", "output"]

_RESERVED = frozenset(
    [
        *("con", "prn", "aux", "nul", "conin$", "conout$"),
        *(f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789¹²³"),
    ]
)
#: Below the root of the environment's target lies the store.
_STORE = re.compile(r"v[0-9]+|payloads|registry-core\.policy", re.IGNORECASE)
_ILLEGAL = frozenset('<>:"|?*\\') | {chr(code) for code in range(32)}


@frozen
class Target:
    """A place for artifacts: one folder for all, or a folder per emitter."""

    kind: TargetKind
    root: Path
    folders: Mapping[str, Path] | None = None
    """Emitter → folder; None: every emitter, in `root`."""
    rename: Mapping[str, str] = field(default=EMPTY)
    """Artifact path → its path in this target, where that differs."""

    @property
    def name(self) -> str:
        """Its name in the manifest."""
        return f"{self.kind} {self.root}"

    @property
    def requested(self) -> bool:
        """Whether the user named it. Then a failure to write it is fatal, and its types have the
        scope `[tool.registry-core.types] providers`."""
        return self.kind in ("project", "output")

    def contents(self, artifacts: Iterable[Artifact]) -> dict[Path, str]:
        """The files of this target: path → text, in the order of writing. They are encoded one by
        one, since all of them together may be as large as the snapshot."""
        contents: dict[Path, str] = {}
        for artifact in artifacts:
            folder = self.root if self.folders is None else self.folders.get(artifact.emitter)
            if folder is not None:
                path = self.rename.get(artifact.path, artifact.path)
                contents[folder / path] = artifact.text
        return contents


def installed_types(path: Sequence[str] | None = None) -> Target | None:
    """The `.pyi` in site-packages, if this is a plain installation whose RECORD lists it."""
    located = _installed_types(None if path is None else tuple(path))
    if located is None:  # perhaps it is being installed right now
        _installed_types.cache_clear()
        return None
    if not located.is_file() or not os.access(located.parent, os.W_OK):
        return None
    rename = {"registry_core_types.pyi": located.name}
    return Target("installed", located.parent, {"python": located.parent}, rename)


@cache  # a process keeps the code that it has imported, whatever is installed later
def _installed_types(path: tuple[str, ...] | None) -> Path | None:
    from importlib.metadata import Distribution

    name = "registry_core_types/__init__.pyi"
    where: dict[str, Any] = {} if path is None else {"path": list(path)}
    distribution = next(iter(Distribution.discover(name="registry-core", **where)), None)
    if distribution is None:
        return None
    with suppress(ValueError, AttributeError):
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        if origin.get("dir_info", {}).get("editable"):
            return None
    # RFC 4180 has no quotes around this name; `found.files` would parse every line.
    if not re.search(f"^{re.escape(name)},", distribution.read_text("RECORD") or "", re.MULTILINE):
        return None
    return Path(str(distribution.locate_file(name)))


def split_legal(artifacts: Iterable[Artifact]) -> tuple[list[Artifact], list[Problem]]:
    """The artifacts whose paths are legal on every system, in the order of writing, and problems
    for the others. If two clash, the first one is kept."""
    legal: list[Artifact] = []
    problems: list[Problem] = []
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for artifact in artifacts:
        path, name = artifact.path, _as_one(artifact.path)
        above = [name[:end] for end, character in enumerate(name) if character == "/"]
        fault = _fault(path) or _unwritable(artifact.text)
        if name in files:
            fault = fault or f"differs from {files[name]!r} only by case, or not at all"
        for other in (*(files[parent] for parent in above if parent in files), folders.get(name)):
            fault = fault or (
                other and f"clashes with {other!r}: one of them would have to be a folder"
            )
        if fault is None:
            legal.append(artifact)
            files[name] = path
            folders |= dict.fromkeys(above, path)
        else:
            culprit = f"{artifact.emitter}: {path!r}"
            problems.append(Problem("emitter", culprit, f"left out: {fault}", fatal=False))
    legal.sort(key=lambda artifact: (artifact.emitter == "json", artifact.emitter, artifact.path))
    return legal, problems


def _as_one(path: str) -> str:
    """A form that is equal for paths that some system treats as the same: macOS composes accents,
    and macOS and Windows ignore case."""
    return normalize("NFC", normalize("NFC", path).casefold())


def _fault(path: str) -> str | None:
    parts = path.split("/")
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive or not all(parts):
        return "the path must be relative"
    for part in parts:
        if part in (".", ".."):
            return "the path must stay in its folder"
        if part.split(".")[0].casefold().rstrip() in _RESERVED:
            return f"{part!r} is a reserved name on Windows"
        if _ILLEGAL.intersection(part) or part[-1] in ". ":
            return f"{part!r} is not a legal name on Windows"
        if _unwritable(part):
            return f"{part!r} can't be a file name"
        if len(part.encode()) > 255:
            return "the name is longer than 255 bytes"
    if _STORE.fullmatch(parts[0]):
        return f"{parts[0]!r} belongs to the store"
    return None


def _unwritable(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"its text has a lone surrogate at {error.start}"
    return None


def write(
    target: Target,
    contents: Mapping[Path, str],
    manifest: Manifest,
    key: str,
    *,
    force: bool = False,
) -> tuple[str, ...]:
    """Write `contents` to `target`. Returns the paths that were written or removed.

    An empty `key` means that a writer failed: nothing is removed, and the next sync emits again.
    `force` reads each file, even if the manifest says that it has not changed.

    Raises TargetError if a file can't be written. Files written before that are complete.
    """
    changed: list[str] = []
    signatures: dict[Path, Signature] = {}
    known = manifest.digests(target.name)
    leftovers = [
        path for path in known if key and path not in contents and is_inside(target, path.parent)
    ]
    try:
        for folder in {path.parent for path in contents}:
            if not is_inside(target, folder):
                raise TargetError(
                    "is a symlink that leads out of the target; nothing was written through it",
                    culprit=str(folder),
                    hint="remove the link",
                )
            if target.requested:
                refuse_store(folder)
            folder.mkdir(parents=True, exist_ok=True)
        for folder in {path.parent for path in (*contents, *leftovers)}:
            clear_leftovers(folder)
        for path, text in contents.items():
            # Before reading or writing the file, so that later changes by others are noticed.
            signatures[path] = signature(path)
            untouched = not force and manifest.holds(target.name, path, text)
            if not untouched and not _holds(path, data := text.encode()):
                refuse_special(path)
                # Watchers of the other kinds of files understand a rename.
                exchange = path.suffix == ".ts"
                status = write_atomically(path, data, durable=False, exchange=exchange)
                signatures[path] = signature_of(status)
                changed.append(str(path))
    except OSError as error:
        raise TargetError(
            f"can't be written: {error}",
            culprit=f"{target.kind} target {target.root}",
            hint=write_hint(error),
        ) from error
    try:
        for path in sorted(leftovers):
            if is_made_of(path, known[path]):
                path.unlink()
                changed.append(str(path))
    except OSError as error:
        logger.debug("%s: %s: the next sync removes it", target.root, error)
    else:
        if key:
            manifest.record(target.name, key, contents, signatures)
    return tuple(changed)


def refuse_store(path: Path) -> None:
    """Raise TargetError for a path inside a store of any environment: a file there would count
    as part of the store, or replace it."""
    real = Path(os.path.realpath(path))
    for folder in (real, *real.parents):
        if _STORE.fullmatch(folder.name) and (
            folder.suffix == ".policy"
            or (folder / "objects").is_dir()
            or (folder / "key").is_file()
        ):
            raise TargetError(
                "lies in a store of registry-core", culprit=str(path), hint="name another place"
            )


def is_made_of(path: Path, digests: Collection[str]) -> bool:
    """Whether `path` is a file that a sync wrote, unchanged since. Raises OSError."""
    try:
        return stat.S_ISREG(path.lstat().st_mode) and digest(path.read_bytes()) in digests
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: can't be a path
        return False


def differing(target: Target, artifacts: Sequence[Artifact]) -> tuple[str, ...]:
    """Paths in `target` whose text differs from that of the artifact, ignoring line endings."""
    contents = target.contents(artifacts)
    return tuple(str(path) for path, text in contents.items() if not _holds(path, text.encode()))


def _holds(path: Path, data: bytes) -> bool:
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
        return is_file and plain(path.read_bytes()) == plain(data)
    except OSError:
        return False


def is_inside(target: Target, folder: Path) -> bool:
    """Whether `folder` is a folder of `target` or below one, and no symlink leads out."""
    real = os.path.realpath  # unlike `Path.resolve` it accepts a link to itself
    tops = (target.root,) if target.folders is None else target.folders.values()
    return any(
        folder.is_relative_to(top) and Path(real(folder)).is_relative_to(real(top)) for top in tops
    )
