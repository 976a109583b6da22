"""Whose files may decide where a key goes: the user's own and root's, nobody else's."""

from __future__ import annotations

import os
import sys


def is_ours(status: os.stat_result) -> bool:
    """Whether the user of this process, or root, owns the file with this status.

    Take it from an open descriptor (`os.fstat`): a name may lead to another file by the
    time it is opened. True on Windows, where the rights of folders decide.
    """
    return sys.platform == "win32" or status.st_uid in (os.geteuid(), 0)
