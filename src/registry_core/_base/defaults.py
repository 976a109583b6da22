"""The settings of a lookup, if no variable is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Variables of other names are no settings: ours, and those of Mastra that are read, too.
PREFIX = "REGISTRY_CORE_"
PREFIXES = (PREFIX, "MASTRA_")


class Defaults:
    """What a lookup asks of `Settings`, which takes these values as its defaults.

    `Settings` has thirty fields. Making that class takes 5 % of a cold lookup, and in most
    processes no variable is set.
    """

    __slots__ = ()
    dev = False
    auto_refresh = False
    cache_ttl_ms = 60_000
    snapshot: Path | None = None
    store_dir: Path | None = None
    unasked: str | None = None
