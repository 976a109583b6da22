"""What tests of syncs look at."""

from __future__ import annotations

from pathlib import Path

from registry_core import SyncReport


def status(report: SyncReport) -> dict[str, str]:
    return {one.id: one.status for one in report.gateways}


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """File → inode and time of its last change: the same if nobody has written it."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
