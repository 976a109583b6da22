"""Call the writers, and bring each target to what they returned."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .artifacts import Artifact
from .errors import RegistryError
from .report import Problem
from .targets import Manifest, Target, differing, usable, write

if TYPE_CHECKING:
    from .host import PluginHost
    from .snapshot import Snapshot

logger = logging.getLogger("registry_core")

Scope = tuple[str, ...] | None


class Emission:
    """The artifacts of one snapshot; each scope of types is made once, when first wanted."""

    def __init__(self, host: PluginHost, snapshot: Snapshot, scope: Scope) -> None:
        self._host = host
        self._snapshot = snapshot
        self._scope = scope
        self._made: dict[Scope, list[Artifact]] = {}
        self.problems: list[Problem] = []

    def artifacts(self, target: Target) -> list[Artifact]:
        scope = self._scope if target.scoped else None
        if scope not in self._made:
            emitted, problems = self._host.emit(self._snapshot, scope)
            kept, refused = usable(emitted)
            self._made[scope] = kept
            self.problems += [*problems, *refused]
        return self._made[scope]

    def key(self, target: Target) -> str:
        """Changes with the snapshot, the emitters and the scope."""
        scope = self._scope if target.scoped else None
        parts = (self._snapshot.hash, self._host.emitters_fingerprint(), repr(scope))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def write(self, targets: Sequence[Target], manifest: Manifest) -> tuple[str, ...]:
        """Write what differs, target by target; one that fails doesn't stop the others."""
        changed: list[str] = []
        emitted = False
        for target in targets:
            key = self.key(target)
            if manifest.current(target, key):
                logger.debug("%s target %s: up to date", target.kind, target.root)
                continue
            try:
                artifacts = self.artifacts(target)
                if any(
                    one.fatal for one in self.problems
                ):  # an emitter that failed is asked again at the next sync
                    key = ""
                changed += write(target, artifacts, manifest, key)
                emitted = True
            except RegistryError as error:
                self.problems.append(
                    Problem("target", error.culprit, error.message, fatal=target.requested)
                )
        if emitted:
            try:
                manifest.save()
            except OSError as error:
                logger.warning("the manifest of emitted files can't be written: %s", error)
        return tuple(changed)

    def differing(self, target: Target) -> tuple[str, ...]:
        """Paths in `target` that are not what the writers make; writes nothing."""
        return differing(target, self.artifacts(target))
