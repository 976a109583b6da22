"""Find the commands of plugins, in the same way as plugins, without importing them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from ..settings import Settings
from .discovery import Discovery, PluginSource, find_plugins, problem
from .installed import COMMANDS

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


def find_commands(
    settings: Settings, core: Collection[str], path: Sequence[str] | None = None
) -> Discovery:
    """One command for each name. `core`: names of the core's commands, which can't be replaced.

    Refused commands are in `excluded`, with the reason, and in `problems`. Raises as
    `find_plugins`.
    """
    discovery = find_plugins(settings, path, COMMANDS)
    commands: dict[str, PluginSource] = {}
    refused: list[tuple[PluginSource, str]] = []
    for source in discovery.selected:
        if not _NAME.fullmatch(source.entry):
            reason = "its name may only have letters, digits, '.', '_' and '-'"
        elif source.entry in core:
            reason = "registry-core has a command of this name"
        elif commands.setdefault(source.entry, source) is not source:
            reason = f"{commands[source.entry].title} comes first"
        else:
            continue
        refused.append((source, reason))
    problems = (problem(source.title, f"is not used: {why}") for source, why in refused)
    return Discovery(
        tuple(commands.values()),
        (*discovery.excluded, *refused),
        (*discovery.problems, *problems),
        discovery.entries,
    )
