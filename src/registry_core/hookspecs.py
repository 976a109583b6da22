"""The hooks that a plugin may implement. Prefix: ``registry_``; project: ``registry_core``.

A hook *registers*: it returns gateways, a changed snapshot or artifacts; the host
fetches, retries, merges and writes. Implementations are called one by one, so that
one that raises is named and the others' results survive. For the same reason there
are no hook wrappers, and ``tryfirst`` / ``trylast`` are refused: the order is the
host's (see `registry_overlay`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from .artifacts import Artifact
    from .gateway import ModelGateway
    from .plugins.settings import PluginSettings
    from .report import SyncReport
    from .snapshot import Snapshot

PROJECT = "registry_core"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def registry_gateways(settings: PluginSettings) -> Iterable[ModelGateway]:
    """Return the gateways that this plugin adds. Since 0.1.

    Called once per load of the plugins, before the first sync. Does no I/O:
    fetching is `ModelGateway.fetch_providers`, which the host calls.
    """
    raise NotImplementedError


@hookspec
def registry_overlay(snapshot: Snapshot, settings: PluginSettings) -> Snapshot | None:
    """Return a changed snapshot, or None to leave it as it is. Since 0.1.

    Called after the merge at every sync, after a 304 too. The host chains the
    implementations, each on the result of the one before, ordered by the integer
    `order` in the plugin's options (default 0), then distribution, then entry point.
    One that raises holds the whole generation: the old snapshot stays, the sync fails.
    """
    raise NotImplementedError


@hookspec
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    """Return the files to write for this snapshot. Since 0.1.

    Pure: snapshot in, artifacts out; the host alone touches disks. Called when the
    snapshot, the emitters, or what lies in a target differs from the last emission.
    Same snapshot and settings, same artifacts: put no timestamps in.
    """
    raise NotImplementedError


@hookspec
def registry_refreshed(report: SyncReport, snapshot: Snapshot) -> None:
    """Called after each sync, failed ones too, with what happened and what is served. Since 0.1."""


@hookspec
def registry_dev_startup(registry: Any, settings: PluginSettings) -> None:
    """Called when a dev server begins to serve, with its `ModelRegistry`. Since 0.1.

    Once per serving process: each worker, and again after each reload; never in the
    process that only watches files. Before the first refresh in the background, so that
    a gateway registered here (`registry.register_gateway`) takes part in it. The server
    waits for it: start a thread for what takes time. Not called in production.
    """


@hookspec
def registry_dev_shutdown(registry: Any, settings: PluginSettings) -> None:
    """Called when a process in which `registry_dev_startup` was called ends. Since 0.1.

    No further refresh starts by then. Not called if the process is killed.
    """
