"""The group of all commands: the core's, and those of plugins."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

import click

from .common import CALLED, MASK, exit_for
from .output import (
    OutputError,
    complain,
    encode_as_utf8,
    open_closed,
    settle_output,
    silence_output,
)

#: Exceptions that end a command of a plugin and need no further words.
_PASS = (
    *(click.ClickException, click.Abort, click.exceptions.Exit),
    *(SystemExit, KeyboardInterrupt, BrokenPipeError, OutputError),
)


class Commands(click.Group):
    """The core's commands, whose help is in `sections`, and those of plugins, which are looked for
    where no command of the core will do.

    Each says in one line that its output could not be written, and exits with 1.
    """

    def __init__(
        self, *args: Any, sections: Mapping[str, Collection[str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._sections = sections or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        if not _plugins_have_some(ctx):
            return sorted(self.commands)
        from .plugin_commands import names

        return sorted([*self.commands, *names(ctx, self.commands)])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section, then those of plugins."""
        names = self.list_commands(ctx)
        others = sorted({*names}.difference(*self._sections.values()))
        wide = max(map(len, names))
        for title, section in {**self._sections, "Of installed packages": others}.items():
            commands = filter(None, (self.get_command(ctx, name) for name in section))
            rows = [
                (f"{command.name:{wide}}", command.get_short_help_str(formatter.width - wide - 4))
                for command in commands
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        if _plugins_have_some(ctx):
            from .plugin_commands import complain_of

            complain_of(ctx, self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is not None or cmd_name.startswith("-"):
            return command
        from .plugin_commands import get

        return get(ctx, cmd_name, self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """An error of a plugin's command is shown with its distribution."""
        try:
            return super().invoke(ctx)
        except _PASS:
            raise
        except BaseException as error:
            from ..errors import RegistryError

            if isinstance(error, RegistryError):
                exit_for(error)
            if CALLED not in ctx.meta:
                raise
            from .._plugins.importing import failure

            exit_for(failure(ctx.meta[CALLED], "failed", error, ctx.meta.get(MASK, str)))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        open_closed()
        encode_as_utf8()
        if any(name.endswith("_COMPLETE") for name in os.environ):  # a shell completes at Tab
            from .shells import register

            register()
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # for a pipe that nobody reads, click ends silently
            complain(f"error: {error.filename or 'standard output'}: {error.strerror or error}")
            silence_output()
            raise SystemExit(1) from None
        finally:
            settle_output()


def _plugins_have_some(context: click.Context) -> bool:
    """Whether plugins have commands. Mostly not, and then the help is faster without settings."""
    known = "registry_core.some"
    if known not in context.meta:
        from .._plugins.installed import COMMANDS, has_entry_points

        context.meta[known] = has_entry_points(COMMANDS)
    return bool(context.meta[known])
