"""`registry-core clean`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from .._base.printable import counted
from .common import json_option, load, project_option, reports_errors
from .output import say, say_json

if TYPE_CHECKING:
    from pathlib import Path

    from .._sync.cleaning import Plan


@click.command()
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option("--bindings", is_flag=True, help="Also forget which hosts keys may go to.")
@project_option
@json_option
@reports_errors
def clean(yes: bool, bindings: bool, project: Path | None, as_json: bool) -> None:
    """Remove what was written for this environment: store and files.

    Lists it first, and says what stays: files of projects, raw answers that other environments
    share. The installed types become those of the wheel again. With --json it removes only what
    --yes says.
    """
    from .._sync.cleaning import clean as remove_all, plan
    from .._world import World

    world = World(load(project))
    planned = plan(world, bindings=bindings)
    if as_json:
        done = remove_all(world, bindings=bindings) if yes else planned
        say_json(
            {
                "removed": yes,
                "files": [*map(str, done.remove)],
                "restored": [*map(str, done.restore)],
                "stays": {str(path): why for path, why in done.stays.items()},
            }
        )
        return
    _show(planned)
    if not (planned.remove or planned.restore):
        say("there is nothing to remove")
    elif yes or click.confirm("Remove that?"):
        done = remove_all(world, bindings=bindings)
        say(f"{counted(len(done.remove), 'file')} removed")


def _show(plan: Plan) -> None:
    for folder, count in Counter(path.parent for path in plan.remove).items():
        say(f"remove: {folder}: {counted(count, 'file')}")
    for path in plan.restore:
        say(f"put back as it was installed: {path}")
    for path, why in plan.stays.items():
        say(f"stays: {path}: {why}")
