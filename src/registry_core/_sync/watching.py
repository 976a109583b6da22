"""Notices within seconds, beside a dev server: edited settings, missing generated files, and what
another process has fetched."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from .._emit.emission import Emission
from .._emit.manifest import Manifest, signature
from ..errors import SettingsError, StoreError
from .changes import compared
from .options import Options
from .sync import other_targets
from .telling import news

if TYPE_CHECKING:
    from .._catalog.loading import Loaded
    from .._emit.manifest import Signature
    from .._emit.targets import Target
    from .._plugins.host import PluginHost
    from .._world import World

logger = logging.getLogger("registry_core")


class Watch:
    """Looks when it is called. If nothing has changed, this takes only calls of `stat`.

    A generated file that somebody has edited, or restored to an older state, stays until the next
    refresh, since git may be at work.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: list[Signature] | None = None
        """The signatures of the project's files at the last look."""
        self._read: list[Signature] | None = None
        """Their signatures when they were last read."""
        self._fault = ""
        self._has_settings = False
        self._manifest: Signature | None = None
        """The signature of the manifest when it was last read."""
        self._names: frozenset[str] = frozenset()
        """The generated files in the manifest, of targets that the user named."""
        self._existing: frozenset[str] = frozenset()
        """Those of them that existed at the last look."""
        self._loaded: Loaded | None = None
        """What was served at the last look."""
        self.tell_news()

    def look(self) -> PluginHost | None:
        """The plugins and settings to sync with at once. None if no sync is needed."""
        self.tell_news()
        host = self._reread()
        if host is None and self._has_settings and self._is_amiss(self._world.host):
            return self._world.host
        return host

    def tell_news(self) -> None:
        """Log what has changed since the last look, no matter which process has fetched it."""
        before = self._loaded
        try:
            if before is not None and before.current:
                return
            self._loaded = now = self._world.load(last=before)
            if before is not None:
                changes = compared(before.snapshot, now.snapshot)
                for line in news(changes, now.snapshot):
                    logger.info("%s", line)
        except StoreError as error:  # a lookup reports it
            logger.debug("nothing is known of what has changed: %s", error)

    def _reread(self) -> PluginHost | None:
        """The plugins and settings, if they have changed. None otherwise."""
        source = self._world.source
        files = [signature(path) for path in source.files()] if source else []
        before, self._seen = self._seen, files
        # Read only if they have not changed since the last look: an editor may still be writing.
        if self._read is not None and (files == self._read or files != before):
            return None
        self._read = files
        try:
            host = self._world.reread()
        except SettingsError as error:
            if self._has_settings and self._fault != str(error):
                logger.warning("%s; the previous settings stay", error)
            self._fault = str(error)
            return None
        mended, self._fault = bool(self._fault), ""
        if mended and self._has_settings:
            logger.info("the settings can be read again")
        late = mended and not self._has_settings
        self._has_settings = True
        return host if late or host is not self._world.host else None

    def _is_amiss(self, host: PluginHost) -> bool:
        """Whether a generated file has disappeared since the last look. At the first look, whether
        one is missing or out of date."""
        try:
            store = self._world.store()
            if store is None:
                return False
            manifest = signature(store.emitted)
            first = self._manifest is None
            if manifest != self._manifest:
                self._manifest = manifest
                known = Manifest(store.emitted)
                targets = other_targets(self._world, Options(project=True))
                named = [target for target in targets if target.requested]
                self._names = frozenset(
                    str(path) for target in named for path in known.digests(target.name)
                )
                if first:
                    self._existing = self._names
                    if self._is_outdated(host, known, named):
                        return True
        except StoreError as error:  # a sync reports it
            logger.debug("nothing is known of the generated files: %s", error)
            return False
        existing = frozenset(filter(os.path.lexists, self._names))
        missing = (self._existing & self._names) - existing
        self._existing = existing
        return bool(missing)

    def _is_outdated(self, host: PluginHost, manifest: Manifest, targets: list[Target]) -> bool:
        loaded = self._world.load()
        if loaded.origin != "stored":
            return False  # a sync is due anyway, or nothing would be recorded
        scope = host.settings.types_providers
        emission = Emission(host, loaded.snapshot, scope, loaded.without_volatile())
        return any(manifest.key(target.name) != emission.key(target) for target in targets)
