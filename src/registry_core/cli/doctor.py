"""`registry-core doctor`: how old the data is, where everything lies, what failed last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from .._base.printable import counted
from .common import json_option, load, project_option, reports_errors
from .grid import say_table
from .news import withheld, withholding
from .output import age, say, say_json

if TYPE_CHECKING:
    from pathlib import Path

    from .._catalog.loading import Loaded
    from .._catalog.state import State
    from .._catalog.store import Store
    from .._plugins.discovery import Discovery
    from .._world import World
    from ..settings import Settings


@click.command()
@project_option
@json_option
@reports_errors
def doctor(project: Path | None, as_json: bool) -> None:
    """Say how old the data is, where it lies, and what failed.

    Changes nothing. Exit status 1 if a gateway or plugin failed when it was last asked.
    """
    settings = load(project)
    findings = _examine(settings)
    if as_json:
        say_json(findings)
    else:
        _show(findings, settings.unasked)
    failed = any(gateway["status"] == "failed" for gateway in findings["gateways"].values())
    raise SystemExit(1 if failed or findings["plugin_failures"] or findings["problems"] else 0)


def _examine(settings: Settings) -> dict[str, Any]:
    from .._catalog.state import past, utc
    from .._emit.emission import unknown_in
    from .._emit.targets import installed_types
    from .._plugins.discovery import find_plugins
    from .._plugins.loader import OVERLAY
    from .._world import World

    world, discovery = World(settings), find_plugins(settings)
    now = world.clock()
    loaded, store, state = world.load(), world.store(), world.state()
    types = installed_types()
    hooks = state.hooks()
    project = str(settings.project) if settings.project else None
    providers, models = loaded.snapshot.count()
    pinned = settings.snapshot
    return {
        "serves": loaded.origin,
        "pinned": str(pinned) if pinned else None,
        "offline": settings.offline,
        "snapshot": loaded.snapshot.hash,
        "providers": providers,
        "models": models,
        "roles": dict(loaded.snapshot.roles),
        "withheld": withheld(loaded.snapshot),
        "store": str(store.place) if store else None,
        "shared": _shared(world, store, now) if settings.shared else None,
        "last_refresh": _iso(None if pinned else utc(past(state.last_refresh, now))),
        "project": project,
        "targets": {
            "installed types": str(types.root) if types else None,
            **{f"project {emitter}": str(folder) for emitter, folder in settings.outputs.items()},
        },
        "gateways": _pinned(loaded) if pinned else _gateways(world, loaded, state, discovery),
        "gateway_plugins": [
            source.key
            for source in discovery.found
            # A plugin that is unknown, or could not be loaded, may add gateways.
            if "registry_gateways" in (hooks.get(source.key) or ("registry_gateways",))
        ],
        "switched_off": {source.key: reason for source, reason in discovery.excluded},
        "warnings": [
            *([] if pinned else [f"{culprit}: {message}" for culprit, message in state.warnings]),
            *(map(str, unknown_in(settings.types_providers, loaded.snapshot, loaded.snapshot))),
        ],
        "plugin_failures": {
            key: about["failure"] for key, about in state.plugins.items() if about.get("failure")
        },
        "problems": []
        if pinned or state.project != project
        else [f"{culprit}: {message}" for culprit, message in state.problems],
        "unseen_by": sorted(
            source.key
            for source in discovery.selected
            if OVERLAY in hooks.get(source.key, ()) and source.key not in loaded.snapshot.overlays
        ),
    }


def _shared(world: World, store: Store | None, now: float) -> dict[str, Any]:
    """What this machine remembers of the shared catalog. Sends no request."""
    from .._catalog.state import past, utc
    from .._shared.engine import Fault
    from .._shared.memory import Memory, load as remembered
    from .._shared.pointer import from_bytes

    settings = world.settings
    url, key = settings.shared or "", settings.shared_key or None
    trusts = world.places.trusts(settings.store_dir)
    memory = remembered(store.folder, url, trusts) if store else Memory(url)
    entries: list[dict[str, Any]] = []
    error = memory.error
    try:
        pointer = from_bytes(memory.text.encode(), key, url) if memory.text else None
    except Fault as fault:
        pointer, error = None, error or str(fault)
    for entry in pointer.entries.values() if pointer else ():
        checked = memory.seen.get(entry.key)
        about = {
            "gateway": entry.gateway,
            "version": entry.version,
            "publisher": entry.publisher,
            "checked_at": _iso(utc(past(checked, now))),
            "error": entry.error or None,
        }
        entries.append(about)
    return {
        "url": url,
        "mode": settings.shared_mode,
        "sealed": key is not None,
        "serial": pointer.serial if pointer else None,
        "looked_at": _iso(utc(past(memory.looked_at, now))),
        "results": entries,
        "unpublished": dict(memory.unpublished),
        "error": error,
    }


def _gateways(
    world: World, loaded: Loaded, state: State, discovery: Discovery
) -> dict[str, dict[str, Any]]:
    """Per gateway: the stored or bundled data, and the result of the last request for newer."""
    from .._catalog.state import past, utc

    now = world.clock()
    gateways: dict[str, Any] = {}
    generation = loaded.generation if loaded.origin == "stored" else None
    known = generation.gateways if generation else {}  # the bundle may be served instead
    for id in sorted({*known, *state.gateways, *world.bundle.captured}):
        about = state.gateways.get(id)
        captured = world.bundle.captured.get(id, 0.0)
        retrieved = known[id].retrieved_at if id in known else captured
        data = "bundled" if id in loaded.snapshot.gateways else "none"
        if id in known and known[id].result:
            data, retrieved = "stored", state.confirmed(id, retrieved)
        # The time of bundled data is not from this clock.
        of = retrieved if data == "bundled" else past(retrieved, now)
        plugin = known[id].plugin if id in known else world.bundle.plugins.get(id)
        installed = plugin is None or any(source.key == plugin for source in discovery.found)
        off = plugin is not None and any(source.key == plugin for source, _ in discovery.excluded)
        is_gone = off or not installed  # so its last failure is nobody's any more
        gateways[id] = {
            "status": "disabled" if about and is_gone else about.status if about else "never asked",
            "data": data,
            "bundled_is_newer": id in known and captured > retrieved,
            "retrieved_at": None if data == "none" else _iso(utc(of or None)),
            "checked_at": _iso(utc(past(about.checked_at, now)) if about else None),
            "error": about.error if about and not is_gone else None,
            "not_installed": None if installed else plugin,
            "switched_off": plugin if off else None,
        }
    return gateways


def _pinned(loaded: Loaded) -> dict[str, dict[str, Any]]:
    """The content of the pinned file, which has no times."""
    return {
        id: {
            "status": "not asked",
            "data": "pinned",
            "bundled_is_newer": False,
            "retrieved_at": None,
            "checked_at": None,
            "error": None,
            "not_installed": None,
            "switched_off": None,
        }
        for id in sorted(loaded.snapshot.gateways)
    }


def _show(findings: dict[str, Any], unasked: str | None) -> None:
    size = f"{counted(findings['providers'], 'provider')}, {counted(findings['models'], 'model')}"
    say(f"serves: {findings['pinned'] or findings['serves']} {findings['snapshot'][:12]}: {size}")
    if unasked:
        say(unasked)
    for role, id in findings["roles"].items():
        say(f"role {role}: {id}")
    say(*withholding(findings["withheld"]))
    if not findings["pinned"]:
        say(f"store: {findings['store'] or 'none yet: run registry-core sync'}")
        last, old = findings["last_refresh"], _old(findings["last_refresh"])
        ago = f" ({old} ago)" if old else ""
        say(f"last sync that reached every gateway: {last or 'never'}{ago}")
    for line in _shared_lines(findings["shared"]) if findings["shared"] else ():
        say(line)
    say(f"project: {findings['project'] or 'no file with [tool.registry-core]'}")
    for name, folder in findings["targets"].items():
        say(f"target, {name}: {folder or 'not written (editable, zipped or read-only)'}")
    say("")
    say_table(_rows(findings["gateways"]))
    remarks = [*_remarks(findings)]
    say(*([""] if remarks else []), *remarks)


def _remarks(findings: dict[str, Any]) -> Iterator[str]:
    """Lines about what is wrong, or worth knowing."""
    from .._sync.prepare import INSTALL

    in_use = [gateway for gateway in findings["gateways"].values() if gateway["data"] != "none"]
    stays = any(not gateway["switched_off"] for gateway in in_use)
    for id, gateway in findings["gateways"].items():
        if gateway["error"]:
            level = "error" if gateway["status"] == "failed" else "note"
            yield f"{level}: {id}: {gateway['error']}"
        if gateway["not_installed"]:
            drop = f"; to drop its data: registry-core sync --forget {id}"
            hint = drop if gateway["data"] == "stored" else ""
            yield f"{id}: nothing refreshes it: {gateway['not_installed']} is not installed{hint}"
        if gateway["switched_off"] and gateway["data"] != "none":
            drops = "; the next sync drops its data" if stays else ""  # otherwise it is held
            yield f"{id}: nothing refreshes it: {gateway['switched_off']} is switched off{drops}"
        if gateway["bundled_is_newer"]:
            yield f"{id}: the bundled data is newer; the next sync will use it"
    if not findings["gateway_plugins"]:
        yield f"no gateway is installed: {INSTALL}"
    for key, reason in findings["switched_off"].items():
        yield f"plugin {key}: switched off: {reason}"
    for key, error in findings["plugin_failures"].items():
        yield f"error: plugin {key}: {error}"
    for key in findings["unseen_by"]:
        yield f"plugin {key}: its policy has not passed what is served, so resolve refuses it"
    failures = tuple(findings["plugin_failures"].values())
    for problem in findings["problems"]:
        if not problem.endswith(failures):  # those are shown above
            yield f"error: the last sync failed: {problem}"
    for warning in findings["warnings"]:
        yield f"warning: {warning}"


def _shared_lines(shared: dict[str, Any]) -> Iterator[str]:
    sealed = "sealed with a key" if shared["sealed"] else "not sealed: no REGISTRY_CORE_SHARED_KEY"
    mode = "read only, " if shared["mode"] == "read" else ""
    looked = _old(shared["looked_at"])
    last = f"last answer {looked} ago" if looked else "it has never answered"
    yield f"shared catalog: {shared['url']} ({mode}{sealed}): {last}"
    for result in shared["results"]:
        old = _old(result["checked_at"]) or "unknown"
        who = f"{result['publisher'] or 'somebody'}, version {result['version']}"
        if result["error"]:
            yield f"shared {result['gateway']}: failed for {who}, {old} ago: {result['error']}"
        else:
            yield f"shared {result['gateway']}: published by {who}; age: {old}"
    for id, why in shared["unpublished"].items():
        yield f"shared {id}: not published from here: {why}"
    if shared["error"]:
        yield f"shared catalog: {shared['error']}; the copy of this machine stays in use"


def _old(time: str | None) -> str | None:
    return age(datetime.fromisoformat(time), datetime.now(UTC)) if time else None


def _rows(gateways: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    yield "GATEWAY", "LAST ASKED", "DATA", "AGE"
    for id, gateway in gateways.items():
        old = _old(gateway["retrieved_at"]) or "unknown"
        yield id, gateway["status"], gateway["data"], "" if gateway["data"] == "none" else old


def _iso(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None
