"""Where artifacts go, and getting them there: atomically, and only when they differ.

A target that gets the JSON gets it last: it is the commit mark of that target.
Files of an earlier emission that are no longer made are removed afterwards.
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
#: project: what `[tool.registry-core.output]` names · output: all, in a folder of the user's
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
        """What the manifest knows it by."""
        return f"{self.kind} {self.root}"

    @property
    def requested(self) -> bool:
        """The user named it: not to be able to write it is a failure, and its types are
        those of `[tool.registry-core.types] providers`."""
        return self.kind in ("project", "output")

    def contents(self, artifacts: Iterable[Artifact]) -> dict[Path, bytes]:
        """What is to be in this target, in the order of writing."""
        contents: dict[Path, bytes] = {}
        for artifact in artifacts:
            folder = self.root if self.folders is None else self.folders.get(artifact.emitter)
            if folder is not None:
                contents[folder / self.rename.get(artifact.path, artifact.path)] = (
                    artifact.text.encode()
                )
        return contents


def installed_types(path: Sequence[str] | None = None) -> Target | None:
    """The `.pyi` in site-packages, if this is a plain installation whose RECORD lists it."""
    located = _installed_types(None if path is None else tuple(path))
    if located is None:  # or it is just being installed
        _installed_types.cache_clear()
        return None
    if not located.is_file() or not os.access(located.parent, os.W_OK):
        return None
    rename = {"registry_core_types.pyi": located.name}
    return Target("installed", located.parent, {"python": located.parent}, rename)


@cache  # a process goes on with the code that it has imported, whatever is installed meanwhile
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
    """Artifacts whose paths are legal on every system, in the order of writing, and a
    report of the others. Of two that clash the first keeps its place."""
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
            fault = fault or (other and f"one of it and {other!r} would have to be a folder")
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
    """The same for all paths that some system takes for one: macOS composes accents, and
    like Windows does not tell upper case from lower."""
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
            return f"{part!r} is no legal name on Windows"
        if _unwritable(part):
            return f"{part!r} is no text that a disk can name"
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
    contents: Mapping[Path, bytes],
    manifest: Manifest,
    key: str,
    *,
    force: bool = False,
) -> tuple[str, ...]:
    """Bring `target` to `contents`; the paths written or removed.

    An empty `key` says that a writer failed: nothing is removed, and the next sync emits again.
    `force` reads each file, even one that the manifest says nobody has touched.

    Raises TargetError if it can't be written; what was written by then is whole.
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
        for path, data in contents.items():
            # Before it is looked at or moved: what others then do to it is to be noticed.
            signatures[path] = signature(path)
            untouched = not force and manifest.holds(target.name, path, data)
            if not untouched and not _holds(path, data):
                refuse_special(path)
                # What watches the other kinds is content with a rename.
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
    """Raise TargetError for a file or folder inside a store, of whatever environment: what is
    written there would be taken for the store's, or replace it."""
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
    """Whether `path` is a file that a sync wrote, and nobody has touched since. Raises OSError."""
    try:
        return stat.S_ISREG(path.lstat().st_mode) and digest(path.read_bytes()) in digests
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: can't be a path
        return False


def differing(target: Target, artifacts: Sequence[Artifact]) -> tuple[str, ...]:
    """Paths in `target` whose text is not that of its artifact, however its lines end."""
    contents = target.contents(artifacts)
    return tuple(str(path) for path, data in contents.items() if not _holds(path, data))


def _holds(path: Path, data: bytes) -> bool:
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
        return is_file and plain(path.read_bytes()) == plain(data)
    except OSError:
        return False


def is_inside(target: Target, folder: Path) -> bool:
    """Whether `folder` is one of `target`, or lies below, and no symlink there leads out."""
    real = os.path.realpath  # unlike `Path.resolve` it takes links that lead to themselves
    tops = (target.root,) if target.folders is None else target.folders.values()
    return any(
        folder.is_relative_to(top) and Path(real(folder)).is_relative_to(real(top)) for top in tops
    )
