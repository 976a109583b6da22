"""`registry-core export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .common import as_path, json_option, load, project_option, registry, reports_errors
from .output import say, say_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.option("--format", "kind", type=click.Choice(["snapshot", "mastra"]), required=True)
@click.argument("path", type=click.Path(), callback=as_path)
@project_option
@json_option
@reports_errors
def export(kind: str, path: Path, project: Path | None, as_json: bool) -> None:
    """Write what is served now for another machine or tool.

    snapshot: one file, to be served with REGISTRY_CORE_SNAPSHOT=PATH.
    mastra: a folder that Mastra reads as its cache (~/.cache/mastra).
    """
    from .._base.printable import counted
    from .._emit.exports import export_mastra, export_snapshot
    from .._files.writing import write_hint
    from ..errors import TargetError

    mine = registry(load(project))
    try:
        loaded = mine.world.load()
        snapshot = loaded.without_volatile()
        snapshot.verify()  # all of it, since a lookup checks only the records that it reads
        if kind == "snapshot":
            written = export_snapshot(snapshot, path)
        else:
            refreshed = mine.get_last_refresh_time()
            written = export_mastra(snapshot, mine.world.host, refreshed, path)
    except OSError as error:
        raise TargetError(
            error.strerror or str(error),
            culprit=str(error.filename or path),
            hint=write_hint(error),
        ) from error
    if as_json:
        names = [str(path) for path in written]
        say_json({"format": kind, "serves": loaded.origin, "written": names})
    else:
        # A user who expects today's data must see that it comes from the wheel.
        data = "pinned" if loaded.origin == "explicit" else loaded.origin
        say(f"{path}: {counted(len(written), 'file')} written, {data} data")
