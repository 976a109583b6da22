"""The parts of a plugin's command; `docs/plugins.md` is the guide."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from .cli.common import CALLED, MASK, json_option, load, project_option, reports_errors
from .cli.output import complain, say, say_json
from .errors import SettingsError
from .registry import ModelRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from .plugin import PluginSettings

__all__ = ["Invocation", "registry_command"]

P = ParamSpec("P")


class Invocation:
    """One call of a command, and what it may use. Only `say` and `say_json` write to standard
    output; everything else that is printed goes to standard error."""

    def __init__(self, registry: ModelRegistry, name: str, as_json: bool) -> None:
        self.registry = registry
        """A registry with the settings of the project, else of the environment."""
        self.as_json = as_json
        """Whether `--json` is given. Then call `say_json` once, and never `say`."""
        self._name = name

    def settings(self, entry: str | None = None) -> PluginSettings:
        """The settings as a hook gets them, with the options of the plugin `entry`; by default
        those of this command, from `[tool.registry-core.plugin.<its name>]`. Loads the plugins."""
        return self.registry.world.host.settings_of(entry or self._name)

    def say(self, *lines: str) -> None:
        """Print results, one line each. Control characters are written as escapes."""
        say(*lines)

    def say_json(self, value: Any) -> None:
        """Print the result as JSON."""
        say_json(value)

    def complain(self, *lines: str) -> None:
        """Print warnings to standard error."""
        complain(*lines)


def registry_command(function: Callable[Concatenate[Invocation, P], object]) -> Callable[P, None]:
    """Turn `function(invocation, …)` into a command like those of the core. Put it below
    `@click.command()`.

    The command takes `--project`, `--json` and `-v`. A RegistryError becomes a line on standard
    error and exit status 1, a SettingsError exit status 2. `SystemExit(n)` is passed on.
    """

    @json_option
    @project_option
    @reports_errors
    @wraps(function)
    def run(as_json: bool, project: Path | None, *args: P.args, **kwargs: P.kwargs) -> None:
        context = click.get_current_context()
        settings, source = load(project), context.meta.get(CALLED)
        if source is not None:
            from ._plugins.discovery import exclusion

            reason = exclusion(settings, source.key)  # that of `--project`
            if reason:
                raise SettingsError(reason, culprit=source.title)
        registry = ModelRegistry(settings)
        context.meta[MASK] = registry.world.secrets.mask
        name = source.entry if source else context.info_name or ""
        function(Invocation(registry, name, as_json), *args, **kwargs)

    return run  # type: ignore[return-value]
