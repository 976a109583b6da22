"""`registry-core changes` and `diff`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import click

from . import completing
from .common import (
    check_fields,
    json_option,
    refuse_unknown,
    registry,
    reports_errors,
    seconds,
)
from .output import say, say_json, say_styled

if TYPE_CHECKING:
    from datetime import datetime

    from .._catalog.snapshot import Snapshot
    from ..registry import ModelRegistry
    from ..report import Changes

_MOST = 30  # a screen full


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options of both commands."""
    for option in (
        json_option,
        click.option("--all", "whole", is_flag=True, help="Show everything, without shortening."),
        click.option(
            "--format",
            "kind",
            type=click.Choice(["text", "json", "markdown"]),
            default="text",
            help="json is what --json gives.",
        ),
        click.option(
            "--field",
            "fields",
            multiple=True,
            metavar="FIELD",
            shell_complete=completing.changing_fields,
            help="Only this field, such as cost.input, or cost for all prices.",
        ),
        click.option(
            "--provider",
            "providers",
            multiple=True,
            metavar="GLOB",
            shell_complete=completing.providers,
            help="Only these providers.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.option(
    "--since",
    "age",
    callback=seconds,
    default="7d",
    show_default=True,
    metavar="AGE",
    help="How far to look back: 90s, 30m (minutes), 12h, 7d, 2w.",
)
@_options
@reports_errors
def changes(
    age: float,
    providers: tuple[str, ...],
    fields: tuple[str, ...],
    kind: str,
    whole: bool,
    as_json: bool,
) -> None:
    """Show what syncs have changed: models, prices, limits.

    What came and went again in that time is left out; JSON has a record for each sync.
    """
    from datetime import UTC, datetime

    from .._sync.changes import select, together

    mine = registry()
    remembered = mine.changes()
    _check(providers, fields, mine.get_models(), remembered)
    since = datetime.fromtimestamp(max(mine.world.clock() - age, 0), UTC)
    selected = [
        select(step, providers, fields) for step in remembered if not step.at or step.at >= since
    ]
    if as_json or kind == "json":
        records = [step.to_dict() for step in selected if step]
        say_json({"schema": 1, "since": since.isoformat(timespec="seconds"), "changes": records})
        return
    net = select(together(selected), providers, fields)
    if net:
        begin = selected[0].at if len(selected) == len(remembered) else since
        _show(net, f"since {_day(begin or since)}", mine.snapshot(), None, kind, whole=whole)
        return
    say(_nothing(mine, remembered, since))


@click.command()
@click.argument("before")
@click.argument("after")
@_options
@reports_errors
def diff(
    before: str,
    after: str,
    providers: tuple[str, ...],
    fields: tuple[str, ...],
    kind: str,
    whole: bool,
    as_json: bool,
) -> None:
    """Show what differs between two snapshots.

    BEFORE and AFTER are files of `export --format snapshot`, "bundled" (the wheel's data) or
    "stored" (that of the last sync).
    """
    from .._sync.changes import diff as compare, select

    mine = registry()
    first, second = (_snapshot(name, mine) for name in (before, after))
    differences = compare(first, second)
    known = {*first.get_models(), *second.get_models()}
    _check(providers, fields, known, [differences])
    selected = select(differences, providers, fields)
    if as_json or kind == "json":
        say_json({"schema": 1, **selected.to_dict()})
    elif selected:
        _show(selected, f"from {before} to {after}", second, first, kind, whole=whole)
    else:
        say("nothing differs")


def _show(
    changes: Changes,
    title: str,
    after: Snapshot,
    before: Snapshot | None,
    kind: str,
    *,
    whole: bool,
) -> None:
    from .._base.printable import counted
    from .._sync.wording import foremost, lines, summary, unshown
    from .news import as_markdown, as_text

    all_lines = lines(changes, after, before, whole=whole)
    shown = foremost(all_lines, None if whole else _MOST)
    heading = f"{summary(all_lines) if all_lines else 'nothing known'} {title}"
    if changes.left_out:
        further = counted(changes.left_out, "further change")
        heading += f"; {further} did not fit in the journal"
    if kind == "markdown":
        say(f"## {heading}", "", *as_markdown(shown))
    elif shown:
        say(f"{heading}:", "")
        say_styled(*as_text(shown))
    else:
        say(heading)
    more = unshown(all_lines, shown)
    if more:
        say(f"{more}: --all")


def _nothing(mine: ModelRegistry, remembered: Sequence[Changes], since: datetime) -> str:
    if mine.world.lookups.unasked and mine.world.lookups.snapshot:
        return mine.world.lookups.unasked
    if remembered and remembered[-1].at:
        last = _day(remembered[-1].at)
        return f"nothing has changed since {_day(since)}; the last news is of {last}"
    return "no change is known yet: each registry-core sync is compared with the one before it"


def _check(
    providers: Sequence[str],
    fields: Sequence[str],
    known: Iterable[str],
    steps: Sequence[Changes],
) -> None:
    """End if no `known` provider, and none of which `steps` tell, matches one of the globs. Raises
    ArgumentError for a field that no provider or model has."""
    from attrs import evolve

    from .._sync.changes import select

    told = {change.field for step in steps for change in step.updated} if fields else ()
    check_fields(fields, {*completing.changing_field_names(), *told})
    silent = [
        glob
        for glob in providers
        if not any(evolve(select(step, (glob,), ()), left_out=0) for step in steps)
    ]
    refuse_unknown(silent, known, "provider")


def _snapshot(name: str, mine: ModelRegistry) -> Snapshot:
    """Raises StoreError."""
    from pathlib import Path

    from .._catalog.journal import lasting
    from .._catalog.loading import open_explicit
    from ..errors import StoreError

    if name == "bundled":
        return mine.world.bundle.load()
    if name == "stored":
        store = mine.world.store()
        generation = store.read_generation() if store else None
        if store is None or generation is None:
            raise StoreError("there is none yet", culprit=name, hint="run registry-core sync")
        return store.open_snapshot(lasting(generation))
    return open_explicit(Path(name), hint=_HINT, verify=True)


_HINT = 'name a file of registry-core export --format snapshot, "bundled" or "stored"'


def _day(time: datetime) -> str:
    """The day, in the local time zone."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M")
