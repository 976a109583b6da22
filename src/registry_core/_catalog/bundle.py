"""The snapshot in the wheel, which is last good data of its gateways."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache

from ..errors import StoreError
from . import data
from .snapshot import Snapshot


class Bundle:
    """A snapshot that ships with the code, and when its payloads were captured."""

    __slots__ = ("captured", "load", "plugins", "sources")  # as in `store`: quicker to import

    def __init__(
        self,
        load: Callable[[], Snapshot],
        captured: Mapping[str, float],
        plugins: Mapping[str, str],
        sources: Mapping[str, str],
    ) -> None:
        self.load = load
        """Raises StoreError if a packer left the file out."""
        self.captured = captured
        """Gateway id → epoch seconds of the capture, never later than the data."""
        self.plugins = plugins
        """Gateway id → key of the plugin that fetches it."""
        self.sources = sources
        """Gateway id → origin of the data and its licence, for people."""

    @classmethod
    def of_wheel(cls) -> Bundle:
        return cls(_load, data.CAPTURED, data.PLUGINS, data.SOURCES)


@cache
def _load() -> Snapshot:
    # Reading a plain file is faster than asking the library for it.
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
                hint=f"when you pack a program, add registry_core/_catalog/data/{_NAME}",
            ) from error


_NAME = "bundled.snapshot"
