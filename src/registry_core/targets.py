"""Where artifacts go, and getting them there: atomically, and only when they differ.

A target that gets the JSON gets it last: it is the commit mark of that target.
Files of an earlier emission that are no longer made are removed afterwards.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from attrs import field, frozen

from .artifacts import Artifact
from .errors import TargetError
from .files import write_atomically
from .frozen import EMPTY
from .report import Problem

logger = logging.getLogger("registry_core")

#: environment: all artifacts, beside the store · installed: the types in site-packages ·
#: project: what `[tool.registry-core.output]` names · output: all, in a folder of the user's
TargetKind = Literal["environment", "installed", "project", "output"]

_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))]
)
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
    def requested(self) -> bool:
        """The user named it: not to be able to write it is a failure."""
        return self.kind in ("project", "output")

    @property
    def scoped(self) -> bool:
        """`[tool.registry-core.types] providers` applies: the project's own copy."""
        return self.kind in ("project", "output")

    def place(self, artifact: Artifact) -> Path | None:
        folder = self.root if self.folders is None else self.folders.get(artifact.emitter)
        return folder and folder / self.rename.get(artifact.path, artifact.path)


def installed_types(path: Sequence[str] | None = None) -> Target | None:
    """The `.pyi` in site-packages, if this is a plain installation whose RECORD lists it."""
    from importlib.metadata import Distribution

    name = "registry_core_types/__init__.pyi"
    where: dict[str, Any] = {} if path is None else {"path": list(path)}
    found = next(iter(Distribution.discover(name="registry-core", **where)), None)
    if found is None:
        return None
    with suppress(ValueError, AttributeError):
        if (
            json.loads(found.read_text("direct_url.json") or "{}")
            .get("dir_info", {})
            .get("editable")
        ):
            return None
    for file in found.files or ():
        if file.as_posix() == name:
            located = Path(str(found.locate_file(file)))
            if located.is_file() and os.access(located.parent, os.W_OK):
                return Target(
                    "installed",
                    located.parent,
                    {"python": located.parent},
                    {"registry_core_types.pyi": located.name},
                )
    return None


def usable(artifacts: Iterable[Artifact]) -> tuple[list[Artifact], list[Problem]]:
    """Artifacts whose paths are legal on every system, and a report of the others."""
    kept: list[Artifact] = []
    problems: list[Problem] = []
    taken: dict[str, Artifact] = {}
    for artifact in sorted(
        artifacts, key=lambda one: (one.emitter == "json", one.emitter, one.path)
    ):
        fault = _fault(artifact.path) or _unwritable(artifact.text)
        other = taken.setdefault(artifact.path.casefold(), artifact)
        if fault is None and other is not artifact:
            fault = f"differs from {other.path!r} only by case, or not at all"
        if fault is None:
            kept.append(artifact)
        else:
            culprit = f"{artifact.emitter}: {artifact.path!r}"
            problems.append(Problem("emitter", culprit, f"left out: {fault}", fatal=False))
    return kept, problems


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
        if len(part.encode("utf-8", "surrogatepass")) > 255:
            return "the name is longer than 255 bytes"
    return None


def _unwritable(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"its text has a lone surrogate at {error.start}"
    return None


class Manifest:
    """What was last written where: target → key, and per file size and time.

    Lost or damaged it costs a comparison of contents, nothing else.
    """

    def __init__(self, path: Path | None) -> None:
        """`path`: None keeps nothing, and compares contents each time."""
        self._path = path
        self._targets: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            raw = json.loads(path.read_bytes()) if path else {}
            self._targets = raw if isinstance(raw, dict) else {}

    def current(self, target: Target, key: str) -> bool:
        """Nothing to do: the same emission, and every file as it was left."""
        entry = self._entry(target)
        return entry.get("key") == key and all(
            _signature(Path(name)) == signature for name, signature in self.files(target).items()
        )

    def count(self, target: Target) -> int:
        return len(self.files(target))

    def files(self, target: Target) -> dict[str, list[int]]:
        files = self._entry(target).get("files")
        return files if isinstance(files, dict) else {}

    def record(self, target: Target, key: str, paths: Iterable[Path]) -> None:
        files = {str(path): _signature(path) for path in paths}
        self._targets[self._name(target)] = {"key": key, "files": files}

    def save(self) -> None:
        if self._path is not None:
            text = json.dumps(self._targets, indent=0, sort_keys=True)
            write_atomically(self._path, text.encode(), durable=False)

    def _entry(self, target: Target) -> dict[str, Any]:
        entry = self._targets.get(self._name(target))
        return entry if isinstance(entry, dict) else {}

    @staticmethod
    def _name(target: Target) -> str:
        return f"{target.kind} {target.root}"


def _signature(path: Path) -> list[int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def write(
    target: Target, artifacts: Sequence[Artifact], manifest: Manifest, key: str
) -> tuple[str, ...]:
    """Bring `target` to `artifacts`; the paths written or removed.

    Raises TargetError if it can't be written; what was written by then is whole.
    """
    changed: list[str] = []
    placed = _placed(target, artifacts)
    try:
        for path, artifact in placed.items():
            _stay_inside(target, artifact, path)
            path.parent.mkdir(parents=True, exist_ok=True)
            data = artifact.text.encode()
            if not _holds(path, data):
                write_atomically(path, data, durable=False)
                changed.append(str(path))
    except OSError as error:
        raise TargetError(
            f"can't be written: {error}", culprit=f"{target.kind} target {target.root}"
        ) from error
    for name, signature in manifest.files(target).items():
        leftover = Path(name)
        if leftover not in placed and signature and _signature(leftover) == signature:
            with suppress(OSError):
                leftover.unlink()
                changed.append(name)
    manifest.record(target, key, placed)
    return tuple(changed)


def differing(target: Target, artifacts: Sequence[Artifact]) -> tuple[str, ...]:
    """Paths in `target` whose content is not that of its artifact."""
    placed = _placed(target, artifacts)
    return tuple(
        str(path) for path, artifact in placed.items() if not _holds(path, artifact.text.encode())
    )


def _placed(target: Target, artifacts: Sequence[Artifact]) -> dict[Path, Artifact]:
    places = ((target.place(artifact), artifact) for artifact in artifacts)
    return {path: artifact for path, artifact in places if path is not None}


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _stay_inside(target: Target, artifact: Artifact, path: Path) -> None:
    """Refuse a symlink below the target's folder that leads out of it."""
    folder = target.root if target.folders is None else target.folders[artifact.emitter]
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise TargetError(
            "is a symlink that leads out of the target; nothing was written through it",
            culprit=str(path.parent),
            mend="remove the link",
        )
