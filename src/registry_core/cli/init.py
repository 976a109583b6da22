"""`registry-core init`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .common import json_option, load, project_option, reports_errors
from .output import say, say_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@project_option
@json_option
@reports_errors
def init(project: Path | None, as_json: bool) -> None:
    """Add a table of settings, all comments, to pyproject.toml.

    That of this folder, or of --project; where there is none, it makes a registry-core.toml.
    Settings that are there already are left alone.
    """
    from .._config.load import working_folder
    from .._config.starting import add_table

    folder = working_folder()
    above = load().project if project is None else None
    file, written = add_table(folder / (project or above or "."))
    if as_json:
        say_json({"file": str(file), "written": written})
    elif written:
        say(f"{file}: [tool.registry-core] is there now; take the comment signs from what you need")
    else:
        say(f"{file}: has [tool.registry-core] already; nothing was changed")
        if above not in (None, folder.resolve()):
            say("for other settings in this folder: registry-core init --project .")
