"""`registry-core dev`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from .common import examples, load, project_option, reports_errors
from .output import complain, output_descriptor

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    context_settings={"allow_interspersed_args": False},
    epilog=examples("dev -- uvicorn --reload app:app", "dev -- npm run dev"),
)
@click.argument("command", nargs=-1, required=True)
@project_option
@reports_errors
def dev(command: tuple[str, ...], project: Path | None) -> None:
    """Run a dev server, and keep models and files fresh beside it.

    In any language. It gets REGISTRY_CORE_DEV=true, and
    REGISTRY_CORE_AUTO_REFRESH_PROVIDERS=false because this process refreshes, the project's
    files too. Exit status: the command's, 128 + n
    if signal n ended it, 127 if it is not found.
    """
    from . import child
    from .log_lines import follow  # here, since the other commands don't need it

    follow(click.get_current_context(), "INFO", whole=False)
    settings = load(project, dev=True)
    program = child.find_program(command[0], os.environ)
    if program is None:
        complain(f"error: {command[0]}: command not found")
        raise SystemExit(child.NOT_FOUND)

    if settings.unasked:
        complain(f"registry-core: {settings.unasked}")

    def refresh() -> None:
        from .._config.load import Source
        from .._world import World
        from ..registry import ModelRegistry

        try:
            source = Source(os.environ, project, {"dev": True})
            ModelRegistry(world=World(settings, source=source)).start_auto_refresh()
        except Exception as error:  # the server must go on
            complain(f"registry-core: the models are not refreshed: {error}")

    environ = {
        **os.environ,
        "REGISTRY_CORE_DEV": "true",
        "REGISTRY_CORE_AUTO_REFRESH_PROVIDERS": "false",
    }
    try:
        status = child.run([program, *command[1:]], environ, refresh, output_descriptor())
    except OSError as error:
        complain(f"error: {command[0]}: {error.strerror or error}")
        missing = isinstance(error, FileNotFoundError)
        raise SystemExit(child.NOT_FOUND if missing else child.NOT_EXECUTABLE) from None
    raise SystemExit(status)
