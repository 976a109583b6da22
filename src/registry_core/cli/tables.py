"""The tables of models and providers on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from .._base.printable import counted
from ..known_providers import KNOWN_PROVIDERS
from .calls import call, provider_cell, provider_fields
from .common import painted
from .screen import Column, fitted, height, show, table, text
from .values import COLUMNS, fields, readable

if TYPE_CHECKING:
    from ..models import ProviderConfig
    from ..registry import ModelRegistry

#: Lines of a screen that are not rows: heading, gap, last lines, prompt before and after.
_FRAME = 6
_LEAST = 5
#: Nobody reads so many screens, so a hint says how to list fewer models.
_MANY = 5

_HEADINGS = {
    "id": Column("MODEL", folds=True),
    "limit.context": Column("CONTEXT", right=True, rank=1),
    "limit.output": Column("MAX OUT", right=True, rank=1),
    "cost.input": Column("IN $/M", right=True),
    "cost.output": Column("OUT $/M", right=True),
    "note": Column("NOTE", rank=1),
    "release_date": Column("RELEASED", rank=4),
    "can": Column("CAN", rank=3),
}


def fitting() -> int:
    """The number of rows that fit on one screen."""
    return max(_LEAST, height() - _FRAME)


def _column(name: str) -> Column:
    field = COLUMNS.get(name, name)
    known = _HEADINGS.get("id" if name == "id" else field)
    if known is not None:
        return known
    if field.startswith("cost."):
        return Column(f"{field.removeprefix('cost.').upper().replace('_', ' ')} $/M", right=True)
    right = field.startswith("limit.")
    return Column(name.upper().replace("_", " "), right=right, folds=not right)


def models_table(mine: ModelRegistry, ids: Sequence[str], names: Sequence[str], today: date) -> Any:
    models = [model for model in map(mine.get_model, ids) if model]
    records = [fields(model, today) for model in models]
    rows = [
        [readable(field, row.get(field)) for field in (COLUMNS.get(n, n) for n in names)]
        for row in records
    ]
    filled = [
        place
        for place, name in enumerate(names)
        if name not in ("note", "can") or any(row[place] for row in rows)
    ]
    retired = [n for n, row in enumerate(records) if row["note"] in ("deprecated", "retired")]
    return table(
        [_column(names[place]) for place in filled],
        [[row[place] for place in filled] for row in rows],
        dim=retired,
    )


def show_models(
    mine: ModelRegistry,
    ids: Sequence[str],
    most: int | None,
    names: Sequence[str],
    today: date,
    *,
    left_out: str,
    limit: bool,
    color: str,
) -> None:
    """The first `most` rows, or as many as fit on a screen (None). `left_out`: the hint about rows
    that only `--all` shows. `limit`: whether the user has set a limit."""

    def draw(count: int) -> Any:
        return models_table(mine, ids[:count], names, today)

    drawn, count = fitted(draw, len(ids), fitting()) if most is None else (draw(most), most)
    total = counted(len(ids), "model")
    cut = f"{count:,} of {total}" if count < len(ids) else total
    more = "all: --all" if left_out or (count < len(ids) and not limit) else ""
    ends = "; ".join(filter(None, (cut, left_out, more)))
    last = [text(""), text(ends)]
    if len(ids) > _MANY * count and not limit:
        last.append(text("Fewer: another word, --provider, --supports, --max-input, …"))
    show(drawn, *last, color=painted(color))


def show_providers(
    mine: ModelRegistry,
    providers: Sequence[ProviderConfig],
    *,
    color: str,
    names: Sequence[str] = (),
    everything: bool = False,
    hints: bool = False,
) -> None:
    """Providers with a key first, then well-known ones. `hints`: also say what to do next."""
    environ = mine.world.environ
    calls = {provider.id: call(provider, "", environ) for provider in providers}

    def key(provider: ProviderConfig) -> str:
        names = calls[provider.id]["keys"]
        if provider.unroutable:
            return "not by a key"
        have = [f"set: {name}" for name, is_set in names.items() if is_set]
        more = f" or {len(names) - 1} more" if len(names) > 1 else ""
        return next(iter([*have, *(f"{name}{more}" for name in names)]), "none needed")

    def last_wanted(provider: ProviderConfig) -> tuple[bool, bool]:
        known = KNOWN_PROVIDERS.get(provider.id)
        return not key(provider).startswith("set"), known is None or known.unroutable is not None

    ordered = sorted(providers, key=last_wanted)
    columns = {
        "id": (Column("PROVIDER", folds=True), lambda provider: provider.id),
        "name": (Column("NAME", rank=3), lambda provider: provider.name or "?"),
        "models": (Column("MODELS", right=True), lambda provider: f"{len(provider.models)}"),
        "key": (Column("KEY", rank=2, folds=False), key),
        "url": (Column("URL", rank=4), lambda provider: calls[provider.id]["url"] or "?"),
    }

    def cell(provider: ProviderConfig, name: str) -> str:
        return provider_cell(provider_fields(provider, environ), name) or "?"

    chosen = []
    for name in names or columns:
        other = (
            Column(name.upper().replace("_", " "), folds=True),
            lambda provider, name=name: cell(provider, name),
        )
        chosen.append(columns.get(name, other))

    def draw(count: int) -> Any:
        rows = [[of(provider) for _, of in chosen] for provider in ordered[:count]]
        return table([column for column, _ in chosen], rows)

    room = len(ordered) if everything else fitting() - 3 * hints
    drawn, count = (
        (draw(room), room) if everything else fitted(draw, room=max(5, room), most=len(ordered))
    )
    models = sum(len(provider.models) for provider in providers)
    total = f"{counted(len(providers), 'provider')} with {counted(models, 'model')}"
    ends = f"{count:,} of {total}; all: registry-core providers --all"
    if count == len(providers):
        ends = total
    last = [text(""), text(ends)]
    if hints:
        last += [
            text("Models of one: registry-core show openai"),
            text("Choose: registry-core list --supports tools --max-input 1 --sort price"),
        ]
    show(drawn, *last, color=painted(color))
