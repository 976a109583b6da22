"""Commands of plugins: listed by their metadata, imported when they are called."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import click

from .._base.printable import printable
from .._plugins.commands import find_commands
from .._plugins.discovery import Discovery, PluginSource
from ..errors import PluginError, RegistryError
from .common import CALLED, load, reports_errors
from .later import Later
from .output import complain, others_print

_FOUND = "registry_core.commands"


def _discovery(context: click.Context, core: Collection[str]) -> Discovery:
    """The commands by the settings of the working directory. They are looked for once."""
    if _FOUND not in context.meta:
        context.meta[_FOUND] = find_commands(load(warn=lambda _: None), core)
    discovery: Discovery = context.meta[_FOUND]
    return discovery


def names(context: click.Context, core: Collection[str]) -> list[str]:
    """The names of commands, for help and completion. Errors are ignored."""
    try:
        return [source.entry for source in _discovery(context, core).selected]
    except RegistryError:
        return []


def complain_of(context: click.Context, core: Collection[str]) -> None:
    """Print what is wrong with the commands of plugins."""
    try:
        complain(*(f"warning: {problem}" for problem in _discovery(context, core).problems))
    except RegistryError as error:
        complain(f"warning: commands of plugins are not listed: {error}")


def get(context: click.Context, name: str, core: Collection[str]) -> click.Command | None:
    """The command of a plugin. If there is none: None, or an error that says why."""
    try:
        discovery = _discovery(context, core)
    except RegistryError:
        if context.resilient_parsing:
            return None
        raise
    for source in discovery.selected:
        if source.entry == name:
            about = printable(f"From {source.name} {source.version}.")
            return Later(source.entry, about, partial(_loaded, source))
    if context.resilient_parsing:
        return None
    complain_of(context, core)
    for source, reason in discovery.excluded:
        if source.entry == name:
            raise click.UsageError(f"no command {name!r}: {source.title}: {reason}", context)
    from .._base.suggesting import did_you_mean
    from .._plugins.known import COMMANDS

    if name in COMMANDS:
        raise click.UsageError(
            f"no command {name!r}: pip install {COMMANDS[name]} adds it", context
        )
    near = did_you_mean(name, [*core, *(source.entry for source in discovery.selected)])
    raise click.UsageError(f"no command {name!r}; {near}", context)


def _loaded(source: PluginSource, parent: click.Context | None) -> click.Command:
    try:
        command = load_command(source)
    except PluginError as error:
        return _failed(source, error)
    if parent is not None:
        parent.meta[CALLED] = source
    return command


def _failed(source: PluginSource, error: PluginError) -> click.Command:
    """A command that takes any arguments, and raises `error` after it has read -v."""
    anything = {"ignore_unknown_options": True, "allow_extra_args": True}

    @click.command(source.entry, add_help_option=False, context_settings=anything)
    @reports_errors
    def fail() -> None:
        assert error.__cause__ is not None
        raise _failure(source, error.__cause__)  # a new one, which logs the traceback

    return fail


def load_command(source: PluginSource) -> click.Command:
    """Import a command. What the import prints goes to standard error. Raises PluginError."""
    from .._plugins.importing import import_entry

    try:
        with others_print():
            command = import_entry(source)
        if not isinstance(command, click.Command):
            raise PluginError(
                f"{source.value!r} is not a click command but of type {type(command).__name__!r}",
                hint="name what @click.command() made",
            )
    except KeyboardInterrupt:
        raise  # the user's
    except BaseException as error:  # SystemExit, too
        raise _failure(source, error) from error
    return command


def _failure(source: PluginSource, error: BaseException) -> PluginError:
    from .._plugins.importing import failure

    return failure(source, "can't be loaded", error)
