"""Read the metadata of installed distributions, like `importlib.metadata`.

Importing that library takes longer than everything else in `registry-core --help`. So it is used
only for metadata that is not in a plain folder.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from typing import Any, Protocol

from .._files.reading import is_absent, is_out_of_reach, status_of, unreadable

#: The groups of entry points: plugins, and their commands.
GROUP, COMMANDS = "registry_core", "registry_core.commands"
ENTRIES = "entry_points.txt"


class Distribution(Protocol):
    """The part of the library's interface that is used here."""

    def read_text(self, filename: str, /) -> str | None:
        """A file of its metadata; None if there is none."""


def distributions(path: Sequence[str] | None) -> Iterator[Distribution]:
    """The distributions in the folders of `path` (None: `sys.path`), in its order.

    Raises StoreError if a folder can't be listed now. (The library would treat it as empty, and
    remember that.)
    """
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    if finders != [PathFinder] or _library_is_patched():
        # A foreign finder may look elsewhere, and tests of applications replace the library.
        for distribution in _by_library(path):
            if not os.path.basename(location(distribution)).startswith("~"):  # noqa: PTH119
                yield distribution
        return
    for folder in sys.path if path is None else path:
        folder = folder or "."
        try:
            names = os.listdir(folder)  # noqa: PTH208  as names
        except OSError as error:
            if not (is_absent(error) or is_out_of_reach(error, folder)):
                raise unreadable(folder, error) from error
            if status_of(folder):  # a zip file
                yield from _by_library([folder])
            continue
        for name in filter(_IS_METADATA.fullmatch, names):
            yield _Folder(os.path.join(folder, name))  # noqa: PTH118


#: As in pip, without names that pip has moved aside during an installation.
_IS_METADATA = re.compile(r"([^~].*\.(dist|egg)|egg)-info", re.IGNORECASE)


def _library_is_patched() -> bool:
    library = sys.modules.get("importlib.metadata")
    code = getattr(getattr(library, "distributions", None), "__code__", None)
    return library is not None and getattr(code, "co_filename", "") != getattr(
        library, "__file__", None
    )


def _by_library(path: Sequence[str] | None) -> Iterator[Distribution]:
    from importlib import metadata

    given: dict[str, Any] = {} if path is None else {"path": list(path)}
    yield from metadata.distributions(**given)


class _Folder:
    """A `.dist-info` or `.egg-info` folder. Each file is read once. An `.egg-info` may itself be a
    file, which has the name ""."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._texts: dict[str, str | None] = {}

    def read_text(self, filename: str) -> str | None:
        """The text of a file; None if there is none. Raises OSError if it can't be read now."""
        if filename not in self._texts:
            self._texts[filename] = self._read(filename)
        return self._texts[filename]

    def _read(self, filename: str) -> str | None:
        path = os.path.join(self._path, filename) if filename else self._path  # noqa: PTH118
        try:
            with open(path, encoding="utf-8") as file:
                return file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except PermissionError:
            if os.path.isfile(path) and os.access(path, os.R_OK):  # noqa: PTH113
                raise
            return None


def has_entry_points(group: str) -> bool:
    """Whether any distribution has entry points of `group`; True if that can't be checked."""
    try:
        texts = (distribution.read_text(ENTRIES) or "" for distribution in distributions(None))
        return any(f"[{group}]" in text for text in texts)
    except Exception:  # foreign metadata; `find_plugins` reports the problem
        return True


def location(distribution: Distribution) -> str:
    """The path of its metadata; "" if it is unknown."""
    return str(getattr(distribution, "_path", ""))


def file_name(distribution: Distribution) -> str:
    """The distribution's name, from the name of its metadata folder."""
    folder = os.path.basename(location(distribution))  # noqa: PTH119
    return os.path.splitext(folder)[0].partition("-")[0]  # noqa: PTH122


def header(distribution: Distribution, name: str) -> str | None:
    """A field of its METADATA; None if it is missing."""
    texts = map(distribution.read_text, ("METADATA", "PKG-INFO", ""))
    headers, _, _ = next(filter(None, texts), "").partition("\n\n")
    match = re.search(rf"^{name}:[ \t]*(.*\S)", headers, re.MULTILINE | re.IGNORECASE)
    return match[1] if match else None


def entry_points(text: str) -> Iterator[tuple[str, str, str]]:
    """Group, name and value of each in an entry_points.txt. Raises ValueError."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1]
        elif line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"{line!r} is not an entry point")
            yield group, name.strip(), value.strip()
