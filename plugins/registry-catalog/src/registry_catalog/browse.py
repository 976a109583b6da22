"""`registry-core browse`: write the catalog page, and open it."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path

import click

from registry_core import RegistryError
from registry_core.command import Invocation, registry_command


@click.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write this file; else a temporary one.",
)
@click.option("--no-open", is_flag=True, help="Only write it.")
@registry_command
def browse(invocation: Invocation, output: Path | None, no_open: bool) -> None:
    """Show all models in the browser: search, compare, plot."""
    from .rendering import page

    registry = invocation.registry
    text = page(registry.snapshot(), registry.get_last_refresh_time())
    try:
        file = _write(output, text)
    except OSError as error:
        message = f"{output or tempfile.gettempdir()} can't be written: {error.strerror}"
        hint = "name another file with --output"
        raise RegistryError(message, culprit="browse", hint=hint) from error
    if invocation.as_json:
        invocation.say_json({"schema": 1, "file": str(file)})
    else:
        invocation.say(str(file))
    if not no_open and not webbrowser.open(file.as_uri()):
        invocation.complain("warning: found no browser to open it with")
        raise SystemExit(1)


def _write(output: Path | None, text: str) -> Path:
    """Write the page atomically. A temporary file is readable only for the user, and is kept for
    the browser."""
    folder = output.absolute().parent if output else None
    handle, path = tempfile.mkstemp(prefix="registry-catalog-", suffix=".html", dir=folder)
    file = Path(path)
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        if output is None:
            return file
        file.chmod(0o644)
        return file.replace(output.absolute())
    except BaseException:
        file.unlink(missing_ok=True)
        raise
