"""Call the writers, and write what they return to each target."""

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

_FEW = 3  # up to this many files are named

#: The key of an emission with files that were left out. It makes each sync report them again.
_AGAIN = "again"


class Emission:
    """The artifacts of one snapshot. Each scope of types is made once, when it is first needed."""

    def __init__(
        self,
        host: PluginHost,
        snapshot: Snapshot,
        scope: Scope,
        lasting: Snapshot | None = None,
    ) -> None:
        """`lasting`: the snapshot for targets that the user named, if it differs."""
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
            new = (*problems, *refused)  # mostly the same for another scope
            self.problems += [problem for problem in new if problem not in self.problems]
            self._refused |= bool(refused)
        return self._made[scope, snapshot]

    def key(self, target: Target) -> str:
        """A digest of the snapshot, the emitters, the scope and the folders."""
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
        """Write the files that differ, target by target. A failure doesn't stop the others.

        Returns the paths that were written or removed. `force` calls the writers even if
        nothing has changed, and compares each file.
        """
        changed: list[str] = []
        stale: list[tuple[Target, dict[Path, str], str]] = []
        for target in filter(self._has_any, targets):
            key = self.key(target)
            self._name_unknown(target)
            if manifest.current(target.name, key) and not force:
                logger.debug("%s target %s: up to date", target.kind, target.root)
                continue
            contents = target.contents(self.artifacts(target))
            self._name_unmade(target)
            if self._host.lacks_some or any(problem.fatal for problem in self.problems):
                key = ""  # a failed writer is called again, and its last good files stay
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
        """Paths in `target` that differ from what the writers make. Writes nothing."""
        if not self._has_any(target):
            return ()
        artifacts = self.artifacts(target)
        self._name_unknown(target)
        self._name_unmade(target)
        return differing(target, artifacts)

    def _has_any(self, target: Target) -> bool:
        """Whether there is data for this target. An empty registry doesn't overwrite targets
        that the user named."""
        return not target.requested or self._lasting.count() != (0, 0)

    def _scope_of(self, target: Target) -> Scope:
        return self._scope if target.requested else None

    def _snapshot_of(self, target: Target) -> Snapshot:
        return self._lasting if target.requested else self._snapshot

    def _name_unmade(self, target: Target) -> None:
        """Report emitters that the target's settings name but no plugin provides."""
        # The core's writers may have nothing to write.
        emitters = {*dict(BUILTINS), *(artifact.emitter for artifact in self.artifacts(target))}
        for emitter in sorted((target.folders or {}).keys() - emitters):
            text = f"no installed plugin writes it; {did_you_mean(emitter, emitters)}"
            culprit = f"[tool.registry-core.output] {emitter}"
            self.problems.append(Problem("target", culprit, text))

    def _name_unknown(self, target: Target) -> None:
        """Report providers in the scope of the target's types that are not in the lasting data."""
        self.problems += unknown_in(self._scope_of(target), self._lasting, self._snapshot)


def unknown_in(scope: Scope, lasting: Snapshot, every: Snapshot) -> Iterator[Problem]:
    """A problem for each provider of `scope` that is not in `lasting`. It may be in `every`."""
    known = lasting.get_models() if scope else {}
    for provider in scope or ():
        if provider not in known:
            text = f"{provider!r} is not a provider; {did_you_mean(provider, known)}"
            if provider in every.get_models():
                text = f"{provider!r} comes and goes, so no file of the project names it"
            yield Problem("target", "[tool.registry-core.types] providers", text, fatal=False)


def names_of_few(paths: Sequence[str], root: Path) -> str:
    """The names of up to a few files, as ": web/provider-registry.json, …"; else ""."""
    few = paths if len(paths) <= _FEW else ()
    return ": " * bool(few) + ", ".join(relative_name(root, Path(path)) for path in few)


def relative_name(root: Path, path: Path) -> str:
    """`path` relative to `root`, if it is inside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _save(manifest: Manifest) -> None:
    try:
        manifest.save()
    except OSError as error:
        logger.warning("the manifest of emitted files can't be written: %s", error)
