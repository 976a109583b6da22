"""Owners of files that may decide where a key goes: the user, root, and the owner of the
environment.

Files are checked on the open descriptor, since a name may lead to another file by the time it
is opened.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

StrPath = str | os.PathLike[str]

_NOBODY: Mapping[str, str] = MappingProxyType({})


def is_ours(status: os.stat_result, environ: Mapping[str, str] = _NOBODY) -> bool:
    """Whether the user of this process, or root, owns the file with this status.

    Take it from an open descriptor (`os.fstat`): a name may lead to another file by the
    time it is opened. With `environ`, root is also the user who called it through sudo.
    True on Windows, where the rights of folders decide.
    """
    if sys.platform == "win32":
        return True
    user, owner = os.geteuid(), status.st_uid
    return owner in (user, 0) or (user == 0 and environ.get("SUDO_UID") == str(owner))


def owns_environment(status: os.stat_result, prefix: StrPath = sys.prefix) -> bool:
    """Whether the owner of the file also owns the environment at `prefix`, so that their code
    runs here anyway."""
    if sys.platform == "win32":
        return False
    try:
        return status.st_uid == os.stat(prefix).st_uid
    except OSError:  # no right to look there
        return False


def owner_of(status: os.stat_result) -> str:
    """The owner of the file with this status, for messages: "alice (uid 1001)"."""
    try:
        import pwd

        return f"{pwd.getpwuid(status.st_uid).pw_name} (uid {status.st_uid})"
    except (ImportError, KeyError):  # Windows; an unknown user
        return f"uid {status.st_uid}"


def is_private(folder: StrPath, trusts: Callable[[os.stat_result], bool] = is_ours) -> bool:
    """Whether `folder` exists, is not a link, and only trusted users can put files into it.

    This checks the name, not a descriptor. Exchanging the folder later gains nothing, because
    each file in it is checked when it is opened.
    """
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    writable = sys.platform != "win32" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and not writable and trusts(status)
