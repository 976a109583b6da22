"""The snapshot in the wheel: last good data of the gateways that it was made from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache

from attrs import frozen

from ..errors import StoreError
from . import data
from .snapshot import Snapshot


@frozen(eq=False, repr=False)  # as in `store`: quicker to import
class Bundle:
    """A snapshot that ships with the code, and when its payloads were captured."""

    load: Callable[[], Snapshot]
    """Raises StoreError if whoever packed the code has left it out."""
    captured: Mapping[str, float]
    """Gateway id → epoch seconds of the capture, never later than the data."""
    plugins: Mapping[str, str]
    """Gateway id → key of the plugin that fetches it."""
    sources: Mapping[str, str]
    """Gateway id → where the data came from, and its licence; for people."""

    @classmethod
    def of_wheel(cls) -> Bundle:
        return cls(_load, data.CAPTURED, data.PLUGINS, data.SOURCES)


@cache
def _load() -> Snapshot:
    # Where there is a file, asking the library for it would take longer than reading it.
    file = os.path.join(os.path.dirname(data.__file__), _NAME)  # noqa: PTH118, PTH120
    try:
        return Snapshot.open(file)
    except (FileNotFoundError, NotADirectoryError):  # in a zip
        from importlib_resources import files

        try:
            return Snapshot.from_bytes((files(data) / _NAME).read_bytes(), name=_NAME)
        except FileNotFoundError as error:
            raise StoreError(
                "is not in this installation of registry-core",
                culprit=_NAME,
                hint=f"whatever packed it must add registry_core/_catalog/data/{_NAME}",
            ) from error


_NAME = "bundled.snapshot"
