"""What the commands share: options, settings, exit status."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec

import click

from .output import claim_output, complain, width

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from ..errors import RegistryError
    from ..registry import ModelRegistry
    from ..settings import Settings

P = ParamSpec("P")

#: Keys of a context: the owner of the command, and the function that hides its secrets.
CALLED, MASK = "registry_core.called", "registry_core.mask"


def own_commands() -> Mapping[str, click.Command]:
    """The commands of registry-core itself, by name. For a running command."""
    group = click.get_current_context().find_root().command
    return group.commands if isinstance(group, click.Group) else {}


def as_path(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Path | None:
    """A callback. click's `path_type` would make every command import pathlib."""
    from pathlib import Path

    return None if value is None else Path(value)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
project_option = click.option(
    "--project",
    type=click.Path(file_okay=False),
    callback=as_path,
    help="The project's folder, even another user's; else the nearest with [tool.registry-core].",
)


def examples(*calls: str) -> str:
    """The end of a help text: examples of calls."""
    return "\n".join(["\b", "Examples:", *(f"  registry-core {call}" for call in calls)])


color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="always: the table of a terminal, also in a pipe; never: no colour.",
)


def drawn(color: str) -> bool:
    """Whether the result is drawn as a table, for a person."""
    return color == "always" or width() is not None


def painted(color: str) -> bool | None:
    """Whether to use colours. None if the environment decides."""
    return {"always": True, "never": False}.get(color)


def today_of(mine: ModelRegistry) -> date:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(mine.world.clock(), UTC).date()


def missing(message: str, text: str = "", mine: ModelRegistry | None = None) -> NoReturn:
    """End with exit status 1, since nothing was found. Suggests what `text` probably meant."""
    meant = ""
    if mine is not None:
        from .._base.suggesting import hint

        meant = hint(text, mine.get_models(), mine.snapshot().roles)
    complain(f"{message}; {meant}" if meant else message)
    raise SystemExit(1)


def refuse_unknown(globs: Iterable[str], known: Iterable[str], what: str) -> None:
    """End with exit status 1 if one of the globs fits none of the `known` ids."""
    from fnmatch import fnmatchcase

    from .._base.suggesting import did_you_mean

    ids = [*known]
    for glob in globs:
        if not any(fnmatchcase(id.casefold(), glob.casefold()) for id in ids):
            missing(f"{glob!r} is not a {what}; {did_you_mean(glob, ids)}".removesuffix("; "))


def check_fields(names: Iterable[str], known: Collection[str]) -> None:
    """Raises ArgumentError if a value of --field is not known."""
    for name in names:
        if name not in known:
            from .._base.suggesting import did_you_mean
            from ..errors import ArgumentError

            near = did_you_mean(name, known)
            raise ArgumentError(f"there is no field {name!r}", culprit="--field", hint=near)


def seconds(_context: click.Context, _option: click.Parameter, age: str | None) -> float | None:
    """A callback: the seconds of an age such as "30m"."""
    match = re.fullmatch(r"(\d{1,6})([smhdw])", age or "")
    if match:
        return float(match[1]) * _UNITS[match[2]]
    if age is None:
        return None
    raise click.BadParameter(f"{age!r} is not an age: write 90s, 30m, 12h, 7d or 2w")


_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def _follow(context: click.Context, _parameter: click.Parameter, count: int) -> None:
    if count:
        from .log_lines import follow

        follow(context, "DEBUG", whole=count > 1)


verbose_option = click.option(
    "-v",
    "--verbose",
    count=True,
    expose_value=False,
    callback=_follow,
    help="Say each decision; -vv: with the tracebacks of plugins.",
)


def reports_errors(command: Callable[P, None]) -> Callable[P, None]:
    """For every command: it takes -v, only it writes to standard output, and errors that
    registry-core raises on purpose become a line and an exit status."""

    @verbose_option
    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from ..errors import RegistryError

        claim_output()
        try:
            command(*args, **kwargs)
        except RegistryError as error:
            exit_for(error)

    return run


def exit_for(error: RegistryError) -> NoReturn:
    """Print the error, and exit."""
    from ..errors import ArgumentError, SettingsError

    complain(f"error: {error}")
    raise SystemExit(2 if isinstance(error, (ArgumentError, SettingsError)) else 1) from None


def load(project: Path | None = None, **explicit: Any) -> Settings:
    """The settings of a command. Raises SettingsError."""
    from .._config.load import load_settings, working_folder

    return load_settings(os.environ, working_folder(), project=project, **explicit)


def registry(settings: Settings | None = None) -> ModelRegistry:
    """The registry. By default it depends on the environment only, as in an application."""
    from ..registry import ModelRegistry

    return ModelRegistry(settings)
