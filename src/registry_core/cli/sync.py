"""`registry-core sync`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from .._base.printable import counted
from .common import as_path, examples, json_option, load, project_option, reports_errors, seconds
from .grid import say_table
from .output import age, complain, say, say_json, say_styled

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from .._catalog.bundle import Bundle
    from .._catalog.snapshot import Snapshot
    from .._sync.fetch import Outcome
    from .._sync.options import Options
    from .._sync.sync import Result
    from ..report import GatewayReport, SyncReport
    from ..settings import Settings

_MOST_LISTED = 10
_MANY = 2_000  # with about so many ids, a completion takes 40 ms (docs/types-cost.md)
_DEAR = 150  # with about so many ids, a == b takes pyright twice as long as with str


@click.command(
    epilog=examples(
        "sync", "sync --max-age 7d", "sync --check", "sync --plugin hello.py --output out"
    )
)
@click.option("--force", is_flag=True, help="Fetch every payload again, even if unchanged.")
@click.option("--offline", is_flag=True, help="Do the whole job without the network.")
@click.option(
    "--accept", multiple=True, metavar="GATEWAY", help="Accept its result although it shrank."
)
@click.option("--forget", multiple=True, metavar="GATEWAY", help="Drop its stored data first.")
@click.option(
    "--max-age",
    callback=seconds,
    metavar="AGE",
    help="Tolerate a failed gateway if its data is younger: 90s, 30m, 12h, 7d, 2w.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if files would change.")
@click.option(
    "--output",
    type=click.Path(file_okay=False),
    callback=as_path,
    help="Write every artifact to this folder, not to the installed types and the project.",
)
@click.option(
    "--plugin",
    type=click.Path(exists=True, dir_okay=False),
    callback=as_path,
    metavar="FILE",
    help="Try this file as a plugin beside the installed ones, in a store of its own that is "
    "removed afterwards; needs --output. REGISTRY_CORE_PLUGINS= leaves the others out.",
)
@project_option
@json_option
@reports_errors
def sync(
    force: bool,
    offline: bool,
    accept: tuple[str, ...],
    forget: tuple[str, ...],
    max_age: float | None,
    check: bool,
    output: Path | None,
    plugin: Path | None,
    project: Path | None,
    as_json: bool,
) -> None:
    """Fetch all gateways, merge, store, and write JSON and types.

    Exit status 1 if a gateway, plugin or requested target failed; what failed keeps its
    last good data.
    """
    from .._sync.options import Options

    settings = load(project, offline=offline or None, output=output)
    options = Options(
        force=force,
        accept=accept,
        forget=forget,
        max_age=max_age,
        trial=plugin is not None,
        project=True,
        progress=_progress,
    )
    if plugin is None:
        _run(settings, options, check, as_json)
        return
    from ..testing.trial import trial

    with trial(plugin, settings) as settings:
        _run(settings, options, check, as_json, only=settings.output)


def _run(
    settings: Settings, options: Options, check: bool, as_json: bool, only: Path | None = None
) -> None:
    """`only`: the only folder that still exists when the report is read."""
    from .._sync.sync import check as check_only, sync as sync_all
    from .._world import World
    from .news import withheld, withholding

    world = World(settings)
    if check:
        report, differing = check_only(world, options)
        _complain(report)
        if as_json:
            say_json({**report.to_dict(), "differing": list(differing)})
        else:
            if world.settings.unasked:
                complain(f"note: {world.settings.unasked}")
            say(*differing or ("nothing would change",))
        if differing:
            verb, them = ("differs", "it") if len(differing) == 1 else ("differ", "them")
            files = counted(len(differing), "file")
            complain(f"{files} {verb}: run registry-core sync, and commit {them}")
        raise SystemExit(1 if differing or not report.ok else 0)
    if sys.stderr.isatty():
        from .._sync.telling import plan

        complain(*plan(world))
    result = sync_all(world, options)
    if sys.stderr.isatty():
        complain("")
    report = result.report if only is None else _in_folder(only, result.report)
    if as_json:
        say_json(report.to_dict())
    else:
        if world.settings.unasked:
            say(world.settings.unasked)
        _show(report, world.bundle)
        say(*withholding(withheld(result.snapshot)))
        _show_news(report, result, world.bundle, is_stored=only is None)
        hint = _types_hint(world.settings, report.models, result.snapshot)
        if hint:
            say(f"hint: {hint}")
    _complain(report)
    raise SystemExit(0 if report.ok else 1)


def _types_hint(settings: Settings, count: int, snapshot: Snapshot) -> str | None:
    """A hint, if the project's types are slow in editors and a scope would help or is too large."""
    emitters = settings.outputs.keys() if settings.output is None else set[str]()
    scope = settings.types_providers
    if scope is None:
        if count <= _MANY or not {"python", "typescript"} & emitters:
            return None
        return (
            f"the project's types name all {count:,} models; if [tool.registry-core.types]"
            " providers names those that you use, editors complete faster, and ModelId in Python"
            " completes all of theirs"
        )
    models = sum(len(ids) for id, ids in snapshot.get_models().items() if id in scope)
    if models <= _DEAR or "python" not in emitters:
        return None
    return (
        f"[tool.registry-core.types] providers has {models:,} models: above {_DEAR}, comparing two"
        " ModelIds (a == b) makes type checkers slow, by the square of the number; name fewer"
        ' providers, or none and write model_id("…")'
    )


def _in_folder(folder: Path, report: SyncReport) -> SyncReport:
    from pathlib import Path

    from attrs import evolve

    targets = {root: count for root, count in report.targets.items() if root == str(folder)}
    written = tuple(path for path in report.written if folder in Path(path).parents)
    return evolve(report, targets=targets, written=written)


def _progress(id: str, outcome: Outcome) -> None:
    if sys.stderr.isatty() and outcome.status not in ("disabled", "offline"):  # not asked
        complain(f"{id}: {outcome.status}")


def _show(report: SyncReport, bundle: Bundle) -> None:
    from pathlib import Path

    from .._emit.emission import names_of_few

    if report.gateways:
        say_table(_rows(report.gateways, report.started_at))
        for gateway in report.gateways:
            if gateway.source == "bundled":
                # A source of facts has its own bundled data.
                own = f"of {gateway.distribution} {gateway.version}"
                origin = bundle.sources[gateway.id] if gateway.facts is None else own
                say(f"{gateway.id}: bundled data: {origin}")
    say(f"{counted(report.providers, 'provider')}, {counted(report.models, 'model')}")
    roots = sorted(report.targets, key=len)
    homes = [
        [root for root in roots if Path(root) in Path(path).parents] for path in report.written
    ]
    for root, count in report.targets.items():
        pairs = zip(report.written, homes, strict=True)
        files = [path for path, home in pairs if home[-1:] == [root]]  # the innermost folder
        size = counted(count, "file")
        say(f"{root}: {size}, {len(files)} written{names_of_few(files, Path(root))}")


def _show_news(report: SyncReport, result: Result, bundle: Bundle, *, is_stored: bool) -> None:
    """Show what has changed, and how to see the rest. `is_stored`: the store has it."""
    from .._sync.wording import foremost, lines, summary, unshown
    from .news import as_text

    all_lines = lines(report, result.snapshot, result.previous)
    first = result.previous == bundle.load()
    since = " since the bundled data" if first else ""
    if not all_lines:
        if any(gateway.status in ("fresh", "unchanged") for gateway in report.gateways):
            say(f"nothing has changed{since}")
        return
    say("", f"{summary(all_lines)}{since}:")
    shown = foremost(all_lines, _MOST_LISTED)
    say_styled(*as_text(shown))
    more = unshown(all_lines, shown)
    if more:
        later = "registry-core diff bundled stored" if first else "registry-core changes"
        say(f"{more}: {later if is_stored else '--json'}")


def _rows(gateways: tuple[GatewayReport, ...], now: datetime) -> Iterator[tuple[str, ...]]:
    yield "GATEWAY", "STATUS", "PROVIDERS", "MODELS", "DATA"
    for gateway in gateways:
        status = (
            "failed, tolerated"
            if gateway.tolerated and gateway.status == "failed"
            else gateway.status
        )
        counts = (f"{gateway.providers:,}", f"{gateway.models:,}")
        if gateway.facts is not None:  # facts publish no provider, and say much of other models
            counts = ("", f"{gateway.facts:,}")
        yield gateway.id, status, *counts, _data(gateway, now)


def _data(gateway: GatewayReport, now: datetime) -> str:
    if gateway.source == "none":
        return "none"
    if gateway.status in ("fresh", "unchanged"):
        return "current"
    if gateway.retrieved_at is None:
        return f"{gateway.source}, of unknown age"
    date, old = gateway.retrieved_at.date().isoformat(), age(gateway.retrieved_at, now)
    return f"{gateway.source}, of {date} ({old} old)" if old else f"{gateway.source}, of {date}"


def _complain(report: SyncReport) -> None:
    told = {*map(str, report.problems)}  # of a plugin that is broken, for each of its gateways
    for gateway in report.gateways:
        if gateway.error and gateway.status != "absent" and gateway.error not in told:
            level = "note" if gateway.ok else "error"
            complain(f"{level}: {gateway.id}: {gateway.error}")
    for problem in report.problems:
        level = "error" if problem.fatal else "warning"
        complain(f"{level}: {problem}")
