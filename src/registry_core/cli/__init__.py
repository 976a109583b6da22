"""The command line. Exit status: 0 success; 1 something failed, or nothing was found; 2 wrong usage
or settings."""

from __future__ import annotations

from functools import partial

import click

from .common import examples
from .group import Commands
from .later import Later

__all__ = ["main"]

#: Section of the help → name of a command → the first line of its help. A test compares them.
_SECTIONS = {
    "Find models": {
        "list": "Find models by words, abilities, limits and prices.",
        "providers": "List providers, and whether their key is set.",
        "show": "Show all that is known of a model, a role or a provider.",
    },
    "Keep them right": {
        "sync": "Fetch all gateways, merge, store, and write JSON and types.",
        "dev": "Run a dev server, and keep models and files fresh beside it.",
        "changes": "Show what syncs have changed: models, prices, limits.",
        "diff": "Show what differs between two snapshots.",
    },
    "Set up, and look after it": {
        "init": "Add a table of settings, all comments, to pyproject.toml.",
        "doctor": "Say how old the data is, where it lies, and what failed.",
        "plugins": "List what is installed, and what could be.",
        "export": "Write what is served now for another machine or tool.",
        "clean": "Remove what was written for this environment: store and files.",
    },
    "Write your own": {
        "new": "Make a package for a plugin of yours.",
    },
}


def _load(name: str, _parent: click.Context | None) -> click.Command:
    """Import only what this command needs, since imports take longer than most commands."""
    match name:
        case "list":
            from .listing import list_models as command
        case "providers":
            from .listing import providers as command
        case "show":
            from .showing import show as command
        case "sync":
            from .sync import sync as command
        case "dev":
            from .dev import dev as command
        case "changes":
            from .changes import changes as command
        case "diff":
            from .changes import diff as command
        case "init":
            from .init import init as command
        case "doctor":
            from .doctor import doctor as command
        case "plugins":
            from .plugins import plugins as command
        case "export":
            from .export import export as command
        case "clean":
            from .clean import clean as command
        case _:
            from .new import new as command
    return command


@click.group(
    cls=Commands,
    sections=_SECTIONS,
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


for _commands in _SECTIONS.values():
    for _name, _help in _commands.items():
        main.add_command(Later(_name, _help, partial(_load, _name)))
