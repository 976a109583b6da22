"""`registry-core list` and `providers`: choose by the data of lookups only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .common import (
    color_option,
    drawn,
    examples,
    json_option,
    missing,
    registry,
    reports_errors,
    today_of,
)
from .finding import all_of, find, left_out, say_why
from .output import say, say_json, say_rows
from .values import COLUMNS, Day, Tokens, Usd, fields, plain, record, split

if TYPE_CHECKING:
    from ..models import ProviderConfig
    from ..registry import ModelRegistry

_PIPE = ("id",)
_TERMINAL = ("id", "context", "input_cost", "output_cost", "released", "can", "note")
#: For those who ask which models retire.
_ENDING = ("id", "retires", "successor", "note")


def _several(*names: str, complete: Any, help: str, metavar: str) -> Callable[..., Any]:
    return click.option(
        *names,
        multiple=True,
        callback=split,
        metavar=metavar,
        help=help,
        shell_complete=complete,
    )


@click.command(
    "list",
    epilog=examples(
        "list claude --since 6m",
        "list --supports tools,vision --min-context 200k --sort price",
        "list -p openai --columns id,context,price,cost.cache_read",
    ),
)
@click.argument("text", nargs=-1, shell_complete=completing.ids)
@_several(
    "--provider",
    "-p",
    complete=completing.providers,
    metavar="GLOB",
    help="Only these providers: openai, amazon-*.",
)
@_several("--gateway", complete=completing.gateways, metavar="GLOB", help="Only these gateways.")
@_several("--kind", complete=completing.kinds, metavar="KIND", help="chat, embedding, image, …")
@_several(
    "--supports",
    complete=completing.abilities,
    metavar="WORD",
    help="Only models with all of these: tools, vision, reasoning, json_schema, …",
)
@_several(
    "--input",
    complete=completing.modalities,
    metavar="WORD",
    help="Only models that take all of these: text, image, …",
)
@_several(
    "--output",
    complete=completing.modalities,
    metavar="WORD",
    help="Only models that produce all of these: text, audio, …",
)
@click.option("--min-context", type=Tokens(), metavar="TOKENS", help="Minimum context: 200k, 1M.")
@click.option(
    "--max-input", type=Usd(), metavar="USD", help="Maximum price of a million input tokens."
)
@click.option(
    "--max-output", type=Usd(), metavar="USD", help="Maximum price of a million output tokens."
)
@click.option(
    "--since", type=Day(-1), metavar="DAY", help="Released since then: 2026-09-30, or 30d ago."
)
@click.option(
    "--retires-before", type=Day(1), metavar="DAY", help="Retires before that day, or within 90d."
)
@_several(
    "--status",
    complete=completing.statuses,
    metavar="STATUS",
    help="Status today: beta, deprecated, …",
)
@click.option("--usable", is_flag=True, help="Only models with a URL and a key.")
@click.option(
    "--include-unknown", is_flag=True, help="Also models for which these values are unknown."
)
@_several(
    "--sort",
    complete=completing.sorts,
    metavar="COLUMN",
    help="price, output_cost, context, released, retires, name, id; -context: largest first.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Maximum number of models.")
@_several(
    "--columns",
    complete=completing.columns,
    metavar="COLUMN",
    help="What to show: id, context, price, released, cost.cache_read, …",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Also deprecated and retired ones; don't cut the list.",
)
@click.option("--disagreements", is_flag=True, help="Show where sources differ about these models.")
@_several(
    "--field",
    complete=completing.fields,
    metavar="FIELD",
    help="With --disagreements: only these fields.",
)
@color_option
@json_option
@reports_errors
def list_models(
    text: tuple[str, ...],
    min_context: int | None,
    max_input: float | None,
    max_output: float | None,
    since: str | timedelta | None,
    retires_before: str | timedelta | None,
    limit: int | None,
    columns: tuple[str, ...],
    everything: bool,
    disagreements: bool,
    field: tuple[str, ...],
    color: str,
    as_json: bool,
    **same: Any,
) -> None:
    """Find models by words, abilities, limits and prices.

    All words of TEXT (in id, name or family) and all options must fit.

    On a terminal a table of one screen; in a pipe the ids, one per line, or the --columns
    between tabs.
    """
    mine = registry()
    today = today_of(mine)
    filters: dict[str, Any] = {
        **{name: value for name, value in same.items() if value},
        "min_context": min_context,
        "max_input_cost": max_input,
        "max_output_cost": max_output,
        "released_since": _day(since, today),
        "retires_before": _day(retires_before, today),
    }
    filters = {name: value for name, value in filters.items() if value is not None}
    if field and not disagreements:
        raise click.UsageError("--field goes with --disagreements")
    screen = drawn(color) and not as_json
    asked = bool(text or filters or limit or columns or disagreements)
    if screen and not asked and not everything:
        _providers_on_screen(mine, mine.get_providers().values(), color, hints=True)
        return
    of_end = retires_before is not None or "retired" in same["status"]
    table = _ENDING if of_end else _TERMINAL
    names = _known(columns or (table if screen else _PIPE))
    if retires_before and not same["sort"]:
        filters["sort"] = ("retires",)
    if everything or not asked:
        filters["include_deprecated"] = True
    ids: Sequence[str]
    if asked:
        ids = find(mine, text, filters)
    else:  # all models, without reading any record
        ids = [f"{id}/{bare}" for id, models in mine.get_models().items() for bare in models]
    if not ids:
        say_why(mine, text, filters)
    if disagreements:
        from .provenance import say_disagreements

        say_disagreements(mine, ids, field, limit, color=color, screen=screen, as_json=as_json)
        return
    if screen:
        from .tables import show_models

        if "sort" not in filters:
            ids = _preferred(mine, ids)
        most = limit or (len(ids) if everything else None)
        more = 0 if everything or "status" in filters else left_out(mine, text, filters, ids)
        which = "retired" if retires_before else "deprecated or retired"
        out = f"{more:,} {which} left out" if more else ""
        show_models(
            mine, ids, most, names, today, left_out=out, limit=limit is not None, color=color
        )
        return
    shown = ids[:limit]
    if as_json:
        records = [record(model) for model in map(mine.get_model, shown) if model]
        say_json({"schema": 1, "count": len(ids), "models": records})
    elif names == _PIPE:
        say(*shown)
    else:
        rows = (fields(model, today) for model in map(mine.get_model, shown) if model)
        say_rows((plain(row.get(COLUMNS.get(name, name))) for name in names) for row in rows)


def _preferred(mine: ModelRegistry, ids: Sequence[str]) -> tuple[str, ...]:
    """The ids of providers with a key first, then of well-known providers that need one, since a
    person reads the first screen."""
    from ..known_providers import KNOWN_PROVIDERS

    environ = mine.world.environ
    keyed = tuple(
        f"{provider.id}/"
        for provider in mine.get_providers().values()
        if any(environ.get(name, "").strip() for name in provider.api_key_env_vars)
    )
    known = tuple(f"{id}/" for id, provider in KNOWN_PROVIDERS.items() if not provider.unroutable)
    return tuple(sorted(ids, key=lambda id: (not id.startswith(keyed), not id.startswith(known))))


def _day(when: str | timedelta | None, today: date) -> str | None:
    return (today + when).isoformat() if isinstance(when, timedelta) else when


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns. Raises ArgumentError for an unknown one."""
    known = completing.column_names()
    for name in names:
        if name not in known:
            from .._base.suggesting import did_you_mean
            from ..errors import ArgumentError

            near = did_you_mean(name, known)
            raise ArgumentError(f"there is no column {name!r}", culprit="--columns", hint=near)
    return names


@click.command()
@click.argument("text", nargs=-1, shell_complete=completing.providers)
@click.option("--usable", is_flag=True, help="Only providers with a URL and a key.")
@_several(
    "--columns",
    complete=completing.provider_columns,
    metavar="COLUMN",
    help="What to show: id, name, models, gateway, url, npm, …",
)
@click.option("--all", "everything", is_flag=True, help="Don't cut the list to one screen.")
@color_option
@json_option
@reports_errors
def providers(
    text: tuple[str, ...],
    usable: bool,
    columns: tuple[str, ...],
    everything: bool,
    color: str,
    as_json: bool,
) -> None:
    """List providers, and whether their key is set.

    All words of TEXT must occur in the id or the name.
    """
    from .calls import is_usable, provider_cell, provider_fields

    mine = registry()
    words = [word.casefold() for part in text for word in part.split()]
    environ = mine.world.environ
    matching = [
        provider
        for provider in mine.get_providers().values()
        if all(word in f"{provider.id}\n{provider.name or ''}".casefold() for word in words)
        and (not usable or is_usable(provider, environ))
    ]
    if not matching:
        if words and not usable:
            from .._base.suggesting import nearest

            asked = " ".join(text)
            near = nearest(asked, [*mine.get_models()])
            meant = f"; did you mean {near!r}?" if near else ""
            missing(f"no provider contains {all_of(text)}{meant}")
        missing("no provider is usable: registry-core providers says which keys are set")
    for name in columns:
        if name not in completing.PROVIDER_COLUMNS:
            from .._base.suggesting import did_you_mean
            from ..errors import ArgumentError

            near = did_you_mean(name, completing.PROVIDER_COLUMNS)
            raise ArgumentError(f"there is no column {name!r}", culprit="--columns", hint=near)
    if as_json:
        say_json(
            {
                "schema": 1,
                "providers": [provider_fields(provider, environ) for provider in matching],
            }
        )
    elif drawn(color):
        _providers_on_screen(mine, matching, color, names=columns, everything=everything)
    elif columns:
        rows = (provider_fields(provider, environ) for provider in matching)
        say_rows((provider_cell(row, name) for name in columns) for row in rows)
    else:
        say(*(provider.id for provider in matching))


def _providers_on_screen(
    mine: ModelRegistry, providers: Iterable[ProviderConfig], color: str, **how: Any
) -> None:
    from .tables import show_providers

    show_providers(mine, [*providers], color=color, **how)
