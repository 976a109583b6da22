"""Where the store lives: per environment first, then the user's cache, then a temporary folder.

`{sys.prefix}/share/registry-core` belongs to a virtual environment as Jupyter's data
does: it is copied and deleted with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import frozen

from .._files.ownership import StrPath, is_ours, is_private, owns_environment
from .._files.reading import Trust, anybody, status_of

if TYPE_CHECKING:
    from pathlib import Path


@frozen(eq=False, repr=False)  # as in `store`: quicker to import
class Places:
    """The folders of one interpreter; every default can be passed in, as tests do."""

    prefix: StrPath
    base_prefix: StrPath
    cache: StrPath | None = None
    """The user's cache folder; None means: ask the platform when it is needed."""
    temporary: StrPath | None = None

    @classmethod
    def of_interpreter(cls) -> Places:
        if getattr(sys, "frozen", False):  # it may unpack itself elsewhere each time
            return cls(sys.executable, sys.executable)
        return cls(sys.prefix, sys.base_prefix)

    def stores(self, store_dir: Path | None = None, *, make: bool = False) -> Iterator[StrPath]:
        """Candidate folders of target 1, best first: with `make` those that may be made, and the
        temporary folder is, once its turn comes; else those that may be there, and nothing is
        created. Raises StoreError if the system can't tell now."""
        if store_dir is not None:
            yield store_dir
            return
        if self.prefix != self.base_prefix:
            yield os.path.join(self.prefix, "share", "registry-core")  # noqa: PTH118
        cache = self.user_cache()
        # On a new machine a lookup then need not even know the name.
        if cache is not None and (make or status_of(os.fspath(cache))):
            yield self._own(cache)
        if self._has_temporary(make=make):
            yield self._own(self._temporary())

    def _own(self, folder: StrPath) -> StrPath:
        """The folder of this environment in one that all of them share."""
        from hashlib import sha256

        name = "env-" + sha256(os.fsencode(self.prefix)).hexdigest()[:16]
        return os.path.join(folder, name)  # noqa: PTH118

    def trusts(self, store_dir: Path | None = None) -> Trust:
        """Whose files count in those folders: those of the user and root, and of the owner of
        the environment, whose code runs here; anybody's in a folder that the user has named."""
        if store_dir is not None:
            return anybody

        def trusted(status: os.stat_result) -> bool:
            return is_ours(status) or owns_environment(status, self.prefix)

        return trusted

    def is_temporary(self, place: Path) -> bool:
        return os.fspath(place.parent) == os.fspath(self._temporary())

    def payloads(
        self, store: Path | None, store_dir: Path | None = None, *, make: bool = True
    ) -> Iterator[Path]:
        """Candidate folders of raw payloads, best first: one that the user's environments share,
        so that one fetch serves the machine, unless the store was moved by hand; and one in
        `store`, where that is known. With `make` the temporary folder may be made now."""
        from pathlib import Path

        if store_dir is None:
            shared = self.user_cache()
            if shared is None and self._has_temporary(make=make):
                shared = self._temporary()
            if shared is not None:
                yield Path(shared, "payloads")
        if store is not None:
            yield store / "payloads"

    def user_cache(self) -> StrPath | None:
        """`<user cache>/registry-core`, or None without a home folder."""
        if self.cache is not None:
            return self.cache
        named = os.environ.get("XDG_CACHE_HOME", "").strip()
        # That of the specification, which has a relative path ignored.
        base = named if os.path.isabs(named) else os.path.join(os.environ.get("HOME", ""), ".cache")  # noqa: PTH117, PTH118
        if sys.platform == "linux" and os.path.isabs(base):  # noqa: PTH117
            # As platformdirs says, whose import would take a first lookup longer than the rest.
            path = os.path.join(base, "registry-core")  # noqa: PTH118
        else:
            from platformdirs import user_cache_dir

            try:
                path = user_cache_dir("registry-core", appauthor=False)
            except (OSError, RuntimeError):  # no home folder to be found
                return None
        return path if os.path.isabs(path) else None  # noqa: PTH117

    def _has_temporary(self, *, make: bool) -> bool:
        """Whether there is a temporary folder that nobody else planted, or may write in:
        the folder that it lies in is open to every user."""
        if make:
            with suppress(OSError):
                os.mkdir(self._temporary(), mode=0o700)  # noqa: PTH102
        return is_private(self._temporary())

    def _temporary(self) -> StrPath:
        if self.temporary is not None:
            return self.temporary
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        # Not `tempfile.gettempdir()`, which writes a file to see whether it can.
        named = map(os.environ.get, ("TMPDIR", "TEMP", "TMP"))
        base = next(filter(None, named), "/tmp")  # noqa: S108
        return os.path.join(base, f"registry-core-{user}")  # noqa: PTH118
