"""A first `[tool.registry-core]`, for `registry-core init`: all of it in comments."""

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

#: A line that begins with "# key =" or "# [" is a setting without its mark: the tests try each.
TEMPLATE = """\
[tool.registry-core]
# Settings of registry-core. All are optional: take the "# " away from what you need.

# Of two gateways that publish one provider, the first that is named here keeps it.
# priority = ["models.dev", "netlify"]

# Installed plugins that must not load.
# disable_plugins = ["registry-gateway-netlify"]

# Hosts that keys of the environment may go to, beside those that are known.
# trusted_hosts = ["llm.example.com"]

# Generated files that the project wants, each with a folder inside the repository.
# [tool.registry-core.output]
# python = "typings"
# typescript = "src/llm"

# The providers that these files name; without it, all.
# [tool.registry-core.types]
# providers = ["openai", "anthropic"]

# Options of a plugin, under the name of its entry point (registry-core plugins shows it).
# [tool.registry-core.plugin.models-dev]
# url = "https://models.example.com/api.json"
"""


def add_table(folder: Path) -> tuple[Path, bool]:
    """The file with the settings of `folder`, and whether it was written now.

    The template goes to the end of its pyproject.toml, which else stays as it is, byte for
    byte; without one, into a registry-core.toml. What has the table already is left alone.
    Raises SettingsError for a file that can't be read or parsed, belongs to somebody else, or
    can take no table at its end, and TargetError for one that can't be written.
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
        raise SettingsError("is no folder", culprit=str(folder), hint="make it first")
    path = folder / OWN
    if os.path.lexists(path):
        raise SettingsError("is no regular file", culprit=str(path), hint="move it away")
    return _write(path, TEMPLATE.encode())


def _refuse_others(file: ProjectFile) -> None:
    """To replace a file would make it ours."""
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
        f"can take no [tool.registry-core] at its end: {why}",
        culprit=str(file.path),
        hint="write the table by hand",
    )


def _write(path: Path, data: bytes) -> tuple[Path, bool]:
    try:
        write_atomically(Path(os.path.realpath(path)), data, durable=True)
    except OSError as error:
        raise TargetError(error.strerror or str(error), culprit=str(path)) from error
    return path, True
