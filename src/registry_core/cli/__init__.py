"""The command line. Exit status: 0 done as asked; 1 something failed, or nothing was found;
2 wrong usage or settings."""

from __future__ import annotations

import click

from .changes import changes, diff
from .clean import clean
from .common import examples
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


_SECTIONS = {
    "Find models": (list_models, providers, show),
    "Keep them right": (sync, dev, changes, diff),
    "Set up, and look after it": (init, doctor, plugins, export, clean),
    "Write your own": (new,),
}


@click.group(
    cls=Commands,
    sections={title: [one.name or "" for one in some] for title, some in _SECTIONS.items()},
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "list --supports tools,vision --max-input 1 --sort price",
        "show openai/gpt-5",
        "COMMAND --help",
    ),
)
@click.version_option(package_name="registry-core", prog_name="registry-core")
def main() -> None:
    """Keep the list of LLM providers and models right.

    Gateways are found among the installed packages, fetched, merged, and written as JSON
    and generated types. Every command but dev takes --json.
    """


for command in (one for some in _SECTIONS.values() for one in some):
    main.add_command(command)
