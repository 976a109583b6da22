"""Call the writers, and bring each target to what they returned."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .._base.printable import counted
from .._base.suggesting import did_you_mean
from .._writers import BUILTINS
from ..errors import RegistryError
from ..plugin import Artifact
from ..report import Problem
from .manifest import Manifest
from .targets import Target, differing, split_legal, write

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from .._plugins.host import PluginHost

logger = logging.getLogger("registry_core")

Scope = tuple[str, ...] | None

_FEW = 3  # files that are named

#: The key of an emission of which something was left out: that is said at each sync.
_AGAIN = "again"


class Emission:
    """The artifacts of one snapshot; each scope of types is made once, when first wanted."""

    def __init__(
        self,
        host: PluginHost,
        snapshot: Snapshot,
        scope: Scope,
        lasting: Snapshot | None = None,
    ) -> None:
        """`lasting`: what targets get that the user named, if that is not `snapshot`, too."""
        self._host = host
        self._snapshot = snapshot
        self._lasting = lasting or snapshot
        self._scope = scope
        self._made: dict[tuple[Scope, Snapshot], list[Artifact]] = {}
        self.problems: list[Problem] = []
        self._refused = False

    def artifacts(self, target: Target) -> list[Artifact]:
        scope, snapshot = self._scope_of(target), self._snapshot_of(target)
        if (scope, snapshot) not in self._made:
            emitted, problems = self._host.emit(snapshot, scope)
            legal, refused = split_legal(emitted)
            self._made[scope, snapshot] = legal
            new = (*problems, *refused)  # of another scope mostly the same
            self.problems += [problem for problem in new if problem not in self.problems]
            self._refused |= bool(refused)
        return self._made[scope, snapshot]

    def key(self, target: Target) -> str:
        """Changes with the snapshot, the emitters, the scope and the folders."""
        folders = sorted((target.folders or {}).items())
        parts = (
            self._snapshot_of(target).hash,
            self._host.emitters_fingerprint(),
            repr((self._scope_of(target), folders, dict(target.rename))),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def write(
        self, targets: Sequence[Target], manifest: Manifest, *, force: bool = False
    ) -> tuple[str, ...]:
        """Write what differs, target by target; one that fails doesn't stop the others.

        `force` asks the writers even if nothing says that they would return anything new, and
        compares each file.
        """
        changed: list[str] = []
        stale: list[tuple[Target, dict[Path, bytes], str]] = []
        for target in filter(self._has_any, targets):
            key = self.key(target)
            self._name_unknown(target)
            if manifest.current(target.name, key) and not force:
                logger.debug("%s target %s: up to date", target.kind, target.root)
                continue
            contents = target.contents(self.artifacts(target))
            self._name_unmade(target)
            if self._host.lacks_some or any(problem.fatal for problem in self.problems):
                key = ""  # a writer that failed is asked again, and its last good files stay
            elif self._refused:
                key = _AGAIN
            manifest.begin(target.name, contents)
            stale.append((target, contents, key))
        if stale:
            _save(manifest)
        for target, contents, key in stale:
            try:
                written = write(target, contents, manifest, key, force=force)
                changed += written
                message = "%s target %s: %s written or removed%s"
                level = logging.INFO if written and target.requested else logging.DEBUG
                names = names_of_few(written, target.root)
                logger.log(
                    level, message, target.kind, target.root, counted(len(written), "file"), names
                )
            except RegistryError as error:
                self.problems.append(Problem.of("target", error, fatal=target.requested))
        if stale:
            _save(manifest)
        return tuple(changed)

    def differing(self, target: Target) -> tuple[str, ...]:
        """Paths in `target` that are not what the writers make; writes nothing."""
        if not self._has_any(target):
            return ()
        artifacts = self.artifacts(target)
        self._name_unknown(target)
        self._name_unmade(target)
        return differing(target, artifacts)

    def _has_any(self, target: Target) -> bool:
        """An empty registry is no data: what the user named stays as it is."""
        return not target.requested or self._lasting.count() != (0, 0)

    def _scope_of(self, target: Target) -> Scope:
        return self._scope if target.requested else None

    def _snapshot_of(self, target: Target) -> Snapshot:
        return self._lasting if target.requested else self._snapshot

    def _name_unmade(self, target: Target) -> None:
        """Report what the target's settings ask for and nobody can make."""
        # The core's writers may have nothing to write.
        emitters = {*dict(BUILTINS), *(artifact.emitter for artifact in self.artifacts(target))}
        for emitter in sorted((target.folders or {}).keys() - emitters):
            text = f"no installed plugin writes it; {did_you_mean(emitter, emitters)}"
            culprit = f"[tool.registry-core.output] {emitter}"
            self.problems.append(Problem("target", culprit, text))

    def _name_unknown(self, target: Target) -> None:
        """Report what the scope of the target's types names and nobody publishes for long."""
        self.problems += unknown_in(self._scope_of(target), self._lasting, self._snapshot)


def unknown_in(scope: Scope, lasting: Snapshot, every: Snapshot) -> Iterator[Problem]:
    """Each provider of `scope` that is not in `lasting`; it may be in `every`."""
    known = lasting.get_models() if scope else {}
    for provider in scope or ():
        if provider not in known:
            text = f"{provider!r} is no provider; {did_you_mean(provider, known)}"
            if provider in every.get_models():
                text = f"{provider!r} comes and goes, so no file of the project names it"
            yield Problem("target", "[tool.registry-core.types] providers", text, fatal=False)


def names_of_few(paths: Sequence[str], root: Path) -> str:
    """As ": web/provider-registry.json, …", of a few; else nothing."""
    few = paths if len(paths) <= _FEW else ()
    return ": " * bool(few) + ", ".join(relative_name(root, Path(path)) for path in few)


def relative_name(root: Path, path: Path) -> str:
    """Relative to `root`, if it lies in there."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _save(manifest: Manifest) -> None:
    try:
        manifest.save()
    except OSError as error:
        logger.warning("the manifest of emitted files can't be written: %s", error)
