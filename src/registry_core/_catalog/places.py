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
from .._files.reading import Trust, anybody

if TYPE_CHECKING:
    from pathlib import Path


@frozen(eq=False, repr=False)  # as in `store`: quicker to import
class Places:
    """The folders of one interpreter; every default can be passed in, as tests do."""

    prefix: StrPath
    base_prefix: StrPath
    cache: Path | None = None
    """The user's cache folder; None means: ask the platform when it is needed."""
    temporary: Path | None = None

    @classmethod
    def of_interpreter(cls) -> Places:
        return cls(sys.prefix, sys.base_prefix)

    def stores(self, store_dir: Path | None = None, *, make: bool = False) -> Iterator[StrPath]:
        """Candidate folders of target 1, best first.

        Nothing is created; with `make` the temporary folder is, once its turn comes.
        """
        if store_dir is not None:
            yield store_dir
            return
        if self.prefix != self.base_prefix:
            yield os.path.join(self.prefix, "share", "registry-core")  # noqa: PTH118
        from hashlib import sha256

        name = "env-" + sha256(os.fsencode(self.prefix)).hexdigest()[:16]
        cache = self.user_cache()
        if cache is not None:
            yield cache / name
        if self._has_temporary(make=make):
            yield self._temporary() / name

    def trusts(self, store_dir: Path | None = None) -> Trust:
        """Whose files count in those folders: those of the user and root, and of whoever owns
        the environment, whose code runs here; anybody's in a folder that the user has named."""
        if store_dir is not None:
            return anybody

        def trusted(status: os.stat_result) -> bool:
            return is_ours(status) or owns_environment(status, self.prefix)

        return trusted

    def is_temporary(self, place: Path) -> bool:
        return place.parent == self._temporary()

    def payloads(self, store_dir: Path | None = None, *, make: bool = True) -> Path | None:
        """The folder of raw payloads: shared by the user's environments, so that one
        fetch serves the machine; inside the store if that was moved by hand. None if
        there is only a temporary folder, which with `make` is made now, and somebody else had
        made it."""
        folder = store_dir or self.user_cache()
        if folder is None and self._has_temporary(make=make):
            folder = self._temporary()
        return folder and folder / "payloads"

    def user_cache(self) -> Path | None:
        """`<user cache>/registry-core`, or None without a home folder."""
        if self.cache is not None:
            return self.cache
        from platformdirs import user_cache_path

        try:
            path = user_cache_path("registry-core", appauthor=False)
        except (OSError, RuntimeError):  # no home folder to be found
            return None
        return path if path.is_absolute() else None

    def _has_temporary(self, *, make: bool) -> bool:
        """Whether there is a temporary folder that nobody else planted, or may write in:
        the folder that it lies in is open to every user."""
        if make:
            with suppress(OSError):
                self._temporary().mkdir(mode=0o700)
        return is_private(self._temporary())

    def _temporary(self) -> Path:
        if self.temporary is not None:
            return self.temporary
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        # Not `tempfile.gettempdir()`, which writes a file to see whether it can.
        named = map(os.environ.get, ("TMPDIR", "TEMP", "TMP"))
        from pathlib import Path

        return Path(next(filter(None, named), "/tmp")) / f"registry-core-{user}"  # noqa: S108
