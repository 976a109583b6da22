"""The first `[tool.registry-core]` of `registry-core init`, all in comments."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

from .._files.ownership import owner_of
from .._files.reading import anybody
from .._files.writing import write_atomically
from ..errors import SettingsError, TargetError
from .project import OWN, SHARED, ProjectFile, read_project_file, table_of

#: The tests uncomment and try each line that begins with "# key =" or "# [".
TEMPLATE = """\
[tool.registry-core]
# Settings of registry-core. All are optional: remove the "# " from those that you need.

# If two gateways publish the same provider, the one named first here keeps it.
# priority = ["models.dev", "netlify"]

# Installed plugins that must not load.
# disable_plugins = ["registry-gateway-netlify"]

# Further hosts that keys of the environment may go to.
# trusted_hosts = ["llm.example.com"]

# Generated files that the project wants, each with a folder inside the repository.
# [tool.registry-core.output]
# python = "typings"
# typescript = "src/llm"

# The providers in these files; by default all.
# [tool.registry-core.types]
# providers = ["openai", "anthropic"]

# Options of a plugin, under the name of its entry point (see: registry-core plugins).
# [tool.registry-core.plugin.models-dev]
# url = "https://models.example.com/api.json"
"""


def add_table(folder: Path) -> tuple[Path, bool]:
    """Add the template to the settings of `folder`. Returns the file, and whether it was written.

    The template is appended to pyproject.toml, which otherwise stays unchanged byte for byte.
    Without a pyproject.toml, it goes into a registry-core.toml. A file that has the table
    already is not changed. Raises SettingsError for a file that can't be read or parsed, that
    belongs to somebody else, or to which a table can't be appended, and TargetError for one
    that can't be written.
    """
    for path in (folder / OWN, folder / SHARED):
        file = read_project_file(path)
        if file is None:
            continue
        _refuse_others(file)
        if table_of(file, anybody, strict=True) is not None:
            return path, False
        return _write(path, _appended(file))
    if not folder.is_dir():
        raise SettingsError("is not a folder", culprit=str(folder), hint="make it first")
    path = folder / OWN
    if os.path.lexists(path):
        raise SettingsError("is not a regular file", culprit=str(path), hint="move it away")
    return _write(path, TEMPLATE.encode())


def _refuse_others(file: ProjectFile) -> None:
    """Raise SettingsError for a file of somebody else, since replacing it would change its
    owner."""
    for status in file.statuses if sys.platform != "win32" else ():
        if status.st_uid != os.geteuid():
            raise SettingsError(
                f"belongs to {owner_of(status)}, not to you",
                culprit=str(file.path),
                hint="its owner may run this",
            )


def _appended(file: ProjectFile) -> bytes:
    first, newline, _ = file.data.partition(b"\n")
    end = "\r\n" if newline and first.endswith(b"\r") else "\n"
    gap = "" if not file.data else end if file.data.endswith(b"\n") else end * 2
    data = file.data + (gap + TEMPLATE.replace("\n", end)).encode()
    try:
        if isinstance(tomllib.loads(data.decode())["tool"], dict):
            return data
        why = "tool is an array"
    except tomllib.TOMLDecodeError as error:  # `tool = {…}` is closed
        why = str(error)
    raise SettingsError(
        f"[tool.registry-core] can't be added at its end: {why}",
        culprit=str(file.path),
        hint="write the table by hand",
    )


def _write(path: Path, data: bytes) -> tuple[Path, bool]:
    try:
        write_atomically(Path(os.path.realpath(path)), data, durable=True)
    except OSError as error:
        raise TargetError(error.strerror or str(error), culprit=str(path)) from error
    return path, True
