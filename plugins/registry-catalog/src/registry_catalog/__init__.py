"""A page of all models, `catalog.html`: an emitter, and the command `registry-core browse`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from registry_core import Artifact, hookimpl

if TYPE_CHECKING:
    from registry_core import PluginSettings, Snapshot

__all__ = ["registry_emit"]


@hookimpl
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    if not settings.wants("catalog"):
        return
    from .rendering import page  # jinja2: few emit this

    yield Artifact("catalog", "catalog.html", page(snapshot))
