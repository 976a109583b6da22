"""`registry-core doctor`: how old the data is, where everything lies, what failed last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from .common import age, json_option, load, project_option, reports_errors, say, say_json, table

if TYPE_CHECKING:
    from pathlib import Path

    from ..settings import Settings


@click.command()
@project_option
@json_option
@reports_errors
def doctor(project: Path | None, as_json: bool) -> None:
    """Show the state of data, store, targets and plugins.

    Changes nothing. Exit status 1 if a gateway or plugin failed when it was last asked.
    """
    settings = load(project)
    found = _examine(settings)
    if as_json:
        say_json(found)
    else:
        _show(found)
    failed = any(one["status"] == "failed" for one in found["gateways"].values())
    raise SystemExit(1 if failed or found["plugin_failures"] else 0)


def _examine(settings: Settings) -> dict[str, Any]:
    from .._catalog.state import past, utc
    from .._emit.emission import unknown_in
    from .._emit.targets import installed_types
    from .._plugins.discovery import find_plugins
    from .._world import World

    world, discovery = World(settings), find_plugins(settings)
    now = world.clock()
    loaded, store, state = world.load(), world.store(), world.state()
    generation = loaded.generation
    gateways: dict[str, Any] = {}
    known = generation.gateways if generation else {}
    for id in sorted({*known, *state.gateways, *world.bundle.captured}):
        about = state.gateways.get(id)
        captured = world.bundle.captured.get(id, 0.0)
        retrieved = state.confirmed(id, known[id].retrieved_at if id in known else captured)
        data = "bundled" if captured else "none"
        plugin = known[id].plugin if id in known else world.bundle.plugins.get(id)
        installed = plugin is None or any(one.key == plugin for one in discovery.found)
        data = "stored" if id in known and known[id].result else data
        gateways[id] = {
            "status": about.status if about else "never asked",
            "data": data,
            "bundled_is_newer": loaded.origin == "stored" and captured > retrieved,
            # That of bundled data is not of this clock.
            "retrieved_at": _iso(
                utc((retrieved if data == "bundled" else past(retrieved, now)) or None)
            ),
            "checked_at": _iso(utc(past(about.checked_at, now)) if about else None),
            "error": about.error if about else None,
            "not_installed": None if installed else plugin,
        }
    types = installed_types()
    hooks = state.hooks()
    return {
        "serves": loaded.origin,
        "snapshot": loaded.snapshot.hash,
        "roles": dict(loaded.snapshot.roles),
        "store": str(store.place) if store else None,
        "last_refresh": _iso(None if settings.snapshot else utc(past(state.last_refresh, now))),
        "project": str(settings.project) if settings.project else None,
        "targets": {
            "installed types": str(types.root) if types else None,
            **{f"project {emitter}": str(folder) for emitter, folder in settings.outputs.items()},
        },
        "gateways": gateways,
        "gateway_plugins": [
            one.key
            for one in discovery.found
            # One that is not known, or could not be loaded, may be one.
            if "registry_gateways" in (hooks.get(one.key) or ("registry_gateways",))
        ],
        "switched_off": {one.key: reason for one, reason in discovery.excluded},
        "warnings": [
            *(f"{culprit}: {message}" for culprit, message in state.warnings),
            *(map(str, unknown_in(settings.types_providers, loaded.snapshot, loaded.snapshot))),
        ],
        "plugin_failures": {
            key: about["failure"] for key, about in state.plugins.items() if about.get("failure")
        },
    }


def _show(found: dict[str, Any]) -> None:
    from .._sync.prepare import INSTALL

    say(f"serves: {found['serves']} {found['snapshot'][:12]}")
    for role, id in found["roles"].items():
        say(f"role {role}: {id}")
    say(f"store: {found['store'] or 'none yet: run registry-core sync'}")
    say(f"last sync that reached every gateway: {found['last_refresh'] or 'never'}")
    say(f"project: {found['project'] or 'no file with [tool.registry-core]'}")
    for name, folder in found["targets"].items():
        say(f"target, {name}: {folder or 'not written (editable, zipped or read-only)'}")
    table(_rows(found["gateways"]))
    for id, one in found["gateways"].items():
        if one["error"]:
            say(f"{id}: {one['error']}")
        if one["not_installed"]:
            drop = f"; to drop its data: registry-core sync --forget {id}"
            hint = drop if one["data"] == "stored" else ""
            say(f"{id}: nothing refreshes it: {one['not_installed']} is not installed{hint}")
        if one["bundled_is_newer"]:
            say(f"{id}: the bundled data is newer; the next sync will use it")
    if not found["gateway_plugins"]:
        say(f"no gateway is installed: {INSTALL}")
    for key, reason in found["switched_off"].items():
        say(f"plugin {key}: switched off: {reason}")
    for key, error in found["plugin_failures"].items():
        say(f"plugin {key}: {error}")
    for warning in found["warnings"]:
        say(f"warning: {warning}")


def _rows(gateways: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    now = datetime.now(UTC)
    yield "GATEWAY", "LAST ASKED", "DATA", "AGE"
    for id, one in gateways.items():
        retrieved = one["retrieved_at"]
        old = age(datetime.fromisoformat(retrieved), now) if retrieved else None
        yield id, one["status"], one["data"], old or "unknown"


def _iso(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None
