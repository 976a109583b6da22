"""`registry-core plugins`: what would load, without loading it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from .common import json_option, load, own_commands, project_option, reports_errors
from .grid import say_table
from .output import complain, say, say_json

if TYPE_CHECKING:
    from pathlib import Path

    from .._plugins.discovery import Discovery, PluginSource


@click.command()
@click.option("--load", "load_now", is_flag=True, help="Import them now, and measure the time.")
@project_option
@json_option
@reports_errors
def plugins(load_now: bool, project: Path | None, as_json: bool) -> None:
    """List what is installed, and what could be.

    Imports no plugin, unless told to.

    Without --load, hooks, load time and failure are those of the last sync. Packages of this
    project that are not installed follow, each with what it adds.
    """
    from .._plugins.commands import find_commands
    from .._plugins.discovery import find_plugins
    from .._plugins.known import KNOWN
    from .._world import World
    from ..errors import RegistryError

    settings = load(project)
    world, discovery = World(settings), find_plugins(settings)
    commands = find_commands(settings, own_commands())
    last_seen: Mapping[str, Mapping[str, Any]] = world.state().plugins
    if load_now:
        world.host.load()
        last_seen = world.host.known_plugins()
    tried = {source: _try(source) for source in commands.selected} if load_now else {}
    rows = [
        *(_about(source, discovery, last_seen.get(source.key, {})) for source in discovery.found),
        *(
            _about(source, commands, {"command": source.entry, **tried.get(source, {})})
            for source in commands.found
        ),
    ]
    installed = {source.distribution for source in (*discovery.found, *commands.found)}
    missing = [_missing(name) for name in KNOWN if name not in installed]
    if as_json:
        say_json([*rows, *missing])
    else:
        say_table(_rows(rows)) if rows else say("no plugin is installed")
        if missing:
            say("")
            say_table(
                [("NOT INSTALLED", "ADDS"), *((row["plugin"], row["adds"]) for row in missing)]
            )
            say(f"to install one: {_installer()} install NAME")
    loading = {source.key for source in discovery.found}
    try:
        in_use = world.load().snapshot.gateways
    except RegistryError as error:  # a missing pinned file; the plugins are known all the same
        complain(f"warning: {error}")
        in_use = {}
    for id, plugin in in_use.items():
        if plugin and plugin not in loading:
            complain(f"warning: {plugin} is not installed: nothing refreshes its gateway {id}")
    for problem in dict.fromkeys(map(str, (*discovery.problems, *commands.problems))):
        complain(f"warning: {problem}")
    failed = [row for row in rows if row.get("failure")]
    for row in failed:
        level = "error" if load_now else "note: at the last sync"
        complain(f"{level}: {row['plugin']}: {row['failure']}")
    raise SystemExit(1 if failed and load_now else 0)


def _about(source: PluginSource, discovery: Discovery, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "plugin": source.key,
        "version": source.version,
        "module": source.value,
        "installed": True,
        "excluded": dict(discovery.excluded).get(source),
        **more,
    }


def _missing(name: str) -> dict[str, Any]:
    """A row with the same keys for a plugin that is not installed."""
    from .._plugins.known import KNOWN

    return {
        **dict.fromkeys(("version", "module")),
        "plugin": name,
        "installed": False,
        "excluded": "it is not installed",
        "adds": KNOWN[name],
        "install": f"{_installer()} install {name}",
    }


def _installer() -> str:
    from importlib.util import find_spec

    return "pip" if find_spec("pip") else "uv pip"


def _try(source: PluginSource) -> Mapping[str, Any]:
    from ..errors import PluginError
    from .plugin_commands import load_command

    started, failure = time.perf_counter(), None
    try:
        load_command(source)
    except PluginError as error:
        failure = error.text
    return {"load_ms": (time.perf_counter() - started) * 1000, "failure": failure}


def _rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    yield "PLUGIN", "VERSION", "LOADS", "HOOKS", "TOOK"
    for row in rows:
        loads = f"no: {row['excluded']}" if row["excluded"] else "yes"
        if row.get("failure"):
            loads = "failed"
        hooks = (f"command {row['command']}",) if "command" in row else row.get("hooks", ())
        took = f"{row['load_ms']:.0f} ms" if "load_ms" in row else "not measured"
        yield row["plugin"], row["version"], loads, ", ".join(hooks), took
