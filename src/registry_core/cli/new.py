"""`registry-core new`: a package to start from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from .common import json_option, own_commands, reports_errors
from .output import say, say_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = ("gateway", "facts", "emitter", "overlay", "command")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@json_option
@reports_errors
def new(kind: str, name: str, as_json: bool) -> None:
    """Make a package for a plugin of yours.

    It is a new folder, registry-KIND-NAME. A gateway is a source of models, facts say more about
    them, an emitter writes files, an overlay is a policy, and a command is one of registry-core.
    What is made passes its own tests, mypy --strict and ruff; it is yours to change. NAME has
    lower-case letters, digits and dashes.
    """
    from pathlib import Path

    from .._plugins.discovery import find_plugins
    from .._writers import BUILTINS
    from ..errors import SettingsError
    from ..settings import Settings

    if len(name) > 32 or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise SettingsError(
            "can't be the name of a plugin",
            culprit=repr(name),
            hint="use up to 32 of a-z, 0-9 and single dashes, a letter first",
        )
    taken = {source.entry: source.title for source in find_plugins(Settings()).found}
    if kind == "command":
        taken |= dict.fromkeys(own_commands(), "a command of registry-core")
    if kind == "emitter":
        taken |= dict.fromkeys(dict(BUILTINS), "a writer of registry-core")
    if name in taken:
        raise SettingsError(f"is the name of {taken[name]}", culprit=repr(name), hint="use another")
    folder = Path(f"registry-{kind}-{name}")
    try:
        folder.mkdir()
    except FileExistsError:
        raise SettingsError(
            "is there already", culprit=str(folder), hint="remove it, or use another name"
        ) from None
    paths = []
    for path, text in _files(kind, name):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", newline="\n")
        paths.append(str(file))
    if as_json:
        say_json({"folder": str(folder), "written": paths})
        return
    say(*paths, "next:", f'  pip install -e "./{folder}[dev]"', f"  cd {folder} && pytest")


def _files(kind: str, name: str) -> Iterator[tuple[Path, str]]:
    """Path and text of each file."""
    from pathlib import Path
    from string import Template

    from importlib_resources import files

    from .._base.variable_names import as_variable
    from .._base.version import __version__

    package = f"registry-{kind}-{name}"
    module = package.replace("-", "_")
    is_command = kind == "command"
    values = {
        "kind": kind,
        "name": name,
        "package": package,
        "module": module,
        "variable": as_variable(name),
        "group": '"registry_core.commands"' if is_command else "registry_core",
        "target": f"{module}:command" if is_command else module,
        "core": __version__,
    }
    templates = files("registry_core.cli") / "templates"

    def filled(*path: str) -> str:
        text = templates.joinpath(*path).read_text("utf-8")
        return Template(text).substitute(values)

    values["about"] = filled(kind, "about.txt")
    yield Path("pyproject.toml"), filled("pyproject.toml.txt")
    yield Path("README.md"), filled("README.md.txt")
    yield Path("src", module, "__init__.py"), filled(kind, "plugin.py.txt")
    yield Path("src", module, "py.typed"), ""
    yield Path("tests", "test_plugin.py"), filled(kind, "test_plugin.py.txt")
