"""What is to be noticed within seconds beside a dev server: settings that were edited,
generated files that are gone, and what another process has fetched."""

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
    """Looks when it is told to, by `stat` alone as long as nothing has changed.

    A generated file that somebody has edited, or put back to an older state, is left alone
    until the next refresh: git may be in the midst of something.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: list[Signature] | None = None
        """How the project's files were at the last look."""
        self._read: list[Signature] | None = None
        """How they were when they were last read."""
        self._fault = ""
        self._has_settings = False
        self._manifest: Signature | None = None
        """How the manifest was when it was last read."""
        self._names: frozenset[str] = frozenset()
        """The generated files that it knows, of targets that the user named."""
        self._there: frozenset[str] = frozenset()
        """Those of them that were there at the last look."""
        self._loaded: Loaded | None = None
        """What was served at the last look."""
        self.tell_news()

    def look(self) -> PluginHost | None:
        """The plugins and settings to sync with at once; None if nothing is to be done."""
        self.tell_news()
        host = self._reread()
        if host is None and self._has_settings and self._is_amiss(self._world.host):
            return self._world.host
        return host

    def tell_news(self) -> None:
        """Log what has changed since the last look, whichever process has fetched it."""
        before = self._loaded
        try:
            if before is not None and before.current:
                return
            self._loaded = now = self._world.load(last=before)
            if before is not None:
                changes = compared(before.snapshot, now.snapshot)
                for line in news(changes, now.snapshot):
                    logger.info("%s", line)
        except StoreError as error:  # a lookup says so
            logger.debug("nothing is known of what has changed: %s", error)

    def _reread(self) -> PluginHost | None:
        """None if there is nothing new to go by."""
        source = self._world.source
        files = [signature(path) for path in source.files()] if source else []
        before, self._seen = self._seen, files
        # Read when they have come to rest: an editor may be in the midst of writing.
        if self._read is not None and (files == self._read or files != before):
            return None
        self._read = files
        try:
            host = self._world.reread()
        except SettingsError as error:
            if self._has_settings and self._fault != str(error):
                logger.warning("%s; the settings from before stay", error)
            self._fault = str(error)
            return None
        mended, self._fault = bool(self._fault), ""
        if mended and self._has_settings:
            logger.info("the settings can be read again")
        late = mended and not self._has_settings
        self._has_settings = True
        return host if late or host is not self._world.host else None

    def _is_amiss(self, host: PluginHost) -> bool:
        """Whether a generated file has gone since the last look; at the first look, whether
        one is missing, or another emission is due."""
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
                named = [one for one in targets if one.requested]
                self._names = frozenset(
                    str(path) for one in named for path in known.digests(one.name)
                )
                if first:
                    self._there = self._names
                    if self._is_outdated(host, known, named):
                        return True
        except StoreError as error:  # a sync says so
            logger.debug("nothing is known of the generated files: %s", error)
            return False
        there = frozenset(filter(os.path.lexists, self._names))
        gone = (self._there & self._names) - there
        self._there = there
        return bool(gone)

    def _is_outdated(self, host: PluginHost, manifest: Manifest, targets: list[Target]) -> bool:
        loaded = self._world.load()
        if loaded.origin != "stored":
            return False  # then a sync is due, or nothing would be recorded
        scope = host.settings.types_providers
        emission = Emission(host, loaded.snapshot, scope, loaded.without_volatile())
        return any(manifest.key(one.name) != emission.key(one) for one in targets)
