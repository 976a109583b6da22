"""Where the store is: in the environment, else in the user's cache, else in a temporary folder.

`{sys.prefix}/share/registry-core` belongs to the virtual environment, as Jupyter's data
does, and is copied and deleted with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from .._files.ownership import StrPath, is_ours, is_private, owns_environment
from .._files.reading import Trust, anybody, status_of

if TYPE_CHECKING:
    from pathlib import Path


class Places:
    """The folders of one interpreter; every default can be passed in, as tests do.

    `cache` is the user's cache folder; None means: ask the platform when it is needed.
    """

    # As in `store`: quicker to import.
    __slots__ = ("base_prefix", "cache", "prefix", "temporary")

    def __init__(
        self,
        prefix: StrPath,
        base_prefix: StrPath,
        cache: StrPath | None = None,
        temporary: StrPath | None = None,
    ) -> None:
        self.prefix = prefix
        self.base_prefix = base_prefix
        self.cache = cache
        self.temporary = temporary

    @classmethod
    def of_interpreter(cls) -> Places:
        if getattr(sys, "frozen", False):  # it may unpack itself to a new folder each time
            return cls(sys.executable, sys.executable)
        return cls(sys.prefix, sys.base_prefix)

    def stores(self, store_dir: Path | None = None, *, make: bool = False) -> Iterator[StrPath]:
        """Candidate folders for the environment's store and artifacts, best first.

        Without `make`, nothing is created. With `make`, also folders that may be created, and
        the temporary folder is created when it is reached. Raises StoreError if a folder can't
        be checked now.
        """
        if store_dir is not None:
            yield store_dir
            return
        if self.prefix != self.base_prefix:
            yield os.path.join(self.prefix, "share", "registry-core")  # noqa: PTH118
        cache = self.user_cache()
        # So on a new machine a lookup need not compute the name.
        if cache is not None and (make or status_of(os.fspath(cache))):
            yield self._own(cache)
        if self._has_temporary(make=make):
            yield self._own(self._temporary())

    def _own(self, folder: StrPath) -> StrPath:
        """The folder of this environment inside one that all environments share."""
        from hashlib import sha256

        name = "env-" + sha256(os.fsencode(self.prefix)).hexdigest()[:16]
        return os.path.join(folder, name)  # noqa: PTH118

    def trusts(self, store_dir: Path | None = None) -> Trust:
        """Whose files are trusted in those folders: those of the user, of root, and of the owner
        of the environment, whose code runs here; anybody's in a folder that the user named."""
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
        """Candidate folders of raw payloads, best first.

        First a folder that the user's environments share, so that one fetch is enough for all;
        not with a `store_dir`. Then one in `store`, if that is known. With `make`, the
        temporary folder may be created.
        """
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
        # The specification says to ignore a relative path.
        base = named if os.path.isabs(named) else os.path.join(os.environ.get("HOME", ""), ".cache")  # noqa: PTH117, PTH118
        if sys.platform == "linux" and os.path.isabs(base):  # noqa: PTH117
            # As platformdirs does, whose import would double the time of a first lookup.
            path = os.path.join(base, "registry-core")  # noqa: PTH118
        else:
            from platformdirs import user_cache_dir

            try:
                path = user_cache_dir("registry-core", appauthor=False)
            except (OSError, RuntimeError):  # no home folder to be found
                return None
        return path if os.path.isabs(path) else None  # noqa: PTH117

    def _has_temporary(self, *, make: bool) -> bool:
        """Whether there is a temporary folder that only this user created and can write. Its
        parent is open to every user."""
        if make:
            with suppress(OSError):
                os.mkdir(self._temporary(), mode=0o700)  # noqa: PTH102
        return is_private(self._temporary())

    def _temporary(self) -> StrPath:
        if self.temporary is not None:
            return self.temporary
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        # Not `tempfile.gettempdir()`, which writes a file as a test.
        named = map(os.environ.get, ("TMPDIR", "TEMP", "TMP"))
        base = next(filter(None, named), "/tmp")  # noqa: S108
        return os.path.join(base, f"registry-core-{user}")  # noqa: PTH118
