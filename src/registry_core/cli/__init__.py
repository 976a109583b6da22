"""The command line. Exit status: 0 done as asked; 1 something failed, or nothing was found;
2 wrong usage or settings."""

from __future__ import annotations

import click

from .changes import changes, diff
from .clean import clean
from .dev import dev
from .doctor import doctor
from .export import export
from .group import Commands
from .init import init
from .listing import list_models, providers
from .new import new
from .plugins import plugins
from .showing import show
from .sync import sync

__all__ = ["main"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="registry-core", prog_name="registry-core")
def main() -> None:
    """Keep the list of LLM providers and models right.

    Gateways are found among the installed packages, fetched, merged, and written as JSON
    and generated types. Every command but dev takes --json.
    """


for command in (
    *(init, sync, list_models, providers, show, changes, diff),
    *(plugins, doctor, export, clean, dev, new),
):
    main.add_command(command)
