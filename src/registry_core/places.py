"""Where the store lives: per environment first, then the user's cache, then a temporary folder.

`{sys.prefix}/share/registry-core` belongs to a virtual environment as Jupyter's data
does: it is copied and deleted with it.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen


@frozen
class Places:
    """The folders of one interpreter; every default can be passed in, as tests do."""

    prefix: Path
    base_prefix: Path
    cache: Path | None = None
    """The user's cache folder; None means: ask the platform when it is needed."""
    temporary: Path | None = None

    @classmethod
    def of_interpreter(cls) -> Places:
        return cls(Path(sys.prefix), Path(sys.base_prefix))

    def stores(self, store_dir: Path | None = None) -> Iterator[Path]:
        """Candidate folders of target 1, best first. Nothing is created."""
        if store_dir is not None:
            yield store_dir
            return
        if self.prefix != self.base_prefix:
            yield self.prefix / "share" / "registry-core"
        name = "env-" + hashlib.sha256(os.fsencode(self.prefix)).hexdigest()[:16]
        cache = self.user_cache()
        if cache is not None:
            yield cache / name
        if _is_ours(self._temporary()):
            yield self._temporary() / name

    def payloads(self, store_dir: Path | None = None) -> Path:
        """The folder of raw payloads: shared by the user's environments, so that one
        fetch serves the machine; inside the store if that was moved by hand."""
        return (store_dir or self.user_cache() or self._temporary()) / "payloads"

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

    def _temporary(self) -> Path:
        if self.temporary is not None:
            return self.temporary
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        return Path(tempfile.gettempdir()) / f"registry-core-{user}"


def _is_ours(folder: Path) -> bool:
    """Whether nobody else planted `folder`: temporary folders are open to every user."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return True
    return not hasattr(os, "getuid") or (
        stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    )
