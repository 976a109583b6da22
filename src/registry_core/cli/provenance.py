"""`show ID --sources` and `list --disagreements`: who says what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import completing
from .common import painted
from .output import complain, say_json, say_rows
from .values import plain, told

if TYPE_CHECKING:
    from ..registry import ModelRegistry
    from ..report import FieldSources, Said

_NO_FACTS = (
    "no source of facts has been asked: pip install registry-facts-litellm, then registry-core sync"
)


def say_sources(
    mine: ModelRegistry,
    id: str,
    fields: Sequence[str],
    *,
    only_differing: bool,
    color: str,
    screen: bool,
    as_json: bool,
) -> None:
    """Print each field of a model, who says so, and who says otherwise."""
    from ..report import FieldSources

    _check(fields)
    found = [one for one in mine.sources(id) if _wanted(one.field, fields)]
    names = {one.field for one in found}
    if only_differing:
        found = [one for one in found if one.otherwise]
    else:  # what was asked for is worth a line even if nobody says anything
        lacking = [one for one in fields if not any(_wanted(name, [one]) for name in names)]
        found += [FieldSources(one, None, None) for one in lacking]
    if as_json:
        say_json({"schema": 1, "id": id, "fields": [one.to_dict() for one in found]})
        return
    if screen:
        ends = [f"sources agree on every field of {id}"] if only_differing and not found else []
        if any(one.field.startswith("lifecycle") and one.source is None for one in found):
            ends += [_NO_FACTS] if not _has_facts(mine) else []
        _draw_sources(found, ends, color)
        return
    say_rows(row for one in found for row in _rows(one))
    if only_differing and not found:
        complain(f"sources agree on every field of {id}")


def say_disagreements(
    mine: ModelRegistry,
    ids: Sequence[str],
    fields: Sequence[str],
    limit: int | None,
    *,
    color: str,
    screen: bool,
    as_json: bool,
) -> None:
    """Print where sources differ about these models, and how often by field."""
    _check(fields)
    found = {
        id: wanted
        for id, said in mine.disagreements(ids).items()
        if (wanted := [one for one in said if _wanted(one.field, fields)])
    }
    counts = Counter(one.field for said in found.values() for one in said)
    if as_json:
        models = {id: [one.to_dict() for one in said] for id, said in found.items()}
        say_json({"schema": 1, "asked": len(ids), "models": models, "counts": dict(counts)})
        return
    shown = [*found][:limit]
    said = ", ".join(f"{number:,} in {field}" for field, number in counts.most_common())
    ends = f"sources differ about {len(found):,} of {len(ids):,} models: {said}"
    if not found:
        ends = f"sources differ about none of {len(ids):,} models"
    if screen:
        _draw_differing([(id, one) for id in shown for one in found[id]], ends, limit, color)
        return
    say_rows((id, *row) for id in shown for one in found[id] for row in _rows(one))
    complain(ends)


def _check(fields: Sequence[str]) -> None:
    known = completing.field_names()
    for one in fields:
        if one not in known:
            from .._base.suggesting import did_you_mean
            from ..errors import ArgumentError

            near = did_you_mean(one, known)
            raise ArgumentError(f"there is no field {one!r}", culprit="--field", hint=near)


def _wanted(name: str, fields: Sequence[str]) -> bool:
    return not fields or any(name == one or name.startswith(f"{one}.") for one in fields)


def _has_facts(mine: ModelRegistry) -> bool:
    """Whether what is served was made with any source of facts."""
    store = mine.world.store()
    generation = store.read_generation() if store else None
    return generation is not None and any(
        one.facts is not None for one in generation.gateways.values()
    )


def _rows(one: FieldSources) -> Iterator[tuple[str, ...]]:
    """Field, value, sources, when, page and role: of what is served, then of all that differs."""
    same = (one.source, *one.agree) if one.source else ()
    page = next((said.source_url for said in same if said.source_url), "")
    when = _when(same[0]) if same else ""
    served = "unknown" if one.value is None else plain(one.value)
    yield one.field, served, ",".join(said.source for said in same), when, page or "", "served"
    for said in one.otherwise:
        value, page = plain(said.value), said.source_url or ""
        yield one.field, value, said.source, _when(said), page, "otherwise"


def _when(said: Said) -> str:
    return said.retrieved_at.strftime("%Y-%m-%d") if said.retrieved_at else ""


def _draw_sources(found: Sequence[FieldSources], ends: Sequence[str], color: str) -> None:
    from .screen import Column, show, table, text

    columns = [
        Column("FIELD"),
        Column("VALUE", folds=True),
        Column("SOURCE", folds=True),
        Column("RETRIEVED"),
    ]
    cells: list[tuple[str, str, str, str]] = []
    pages: dict[str, str] = {}
    dim: list[int] = []
    for one in found:
        same = (one.source, *one.agree) if one.source else ()
        names = ", ".join(said.source for said in same) or "nobody says"
        value = "unknown" if one.value is None else told(one.field, one.value)
        cells.append((one.field, value, names, _when(same[0]) if same else ""))
        for said in one.otherwise:
            dim.append(len(cells))
            value = told(one.field, said.value)
            cells.append(("  otherwise", value, said.source, _when(said)))
        for said in (*same, *one.otherwise):
            if said.source_url:
                pages[said.source_url] = said.source
    last = [f"page of {source}: {page}" for page, source in pages.items()]
    parts: list[Any] = [table(columns, cells, dim=dim)] if cells else []
    if parts and (last or ends):
        parts.append(text(""))
    show(*parts, *(text(one) for one in (*last, *ends)), color=painted(color))


def _draw_differing(
    found: Sequence[tuple[str, FieldSources]], ends: str, limit: int | None, color: str
) -> None:
    from .screen import Column, fitted, show, table, text
    from .tables import fitting

    columns = [
        Column("MODEL", folds=True),
        Column("FIELD"),
        Column("VALUE", folds=True),
        Column("SOURCE", rank=1),
        Column("OTHERWISE", folds=True),
    ]

    def draw(count: int) -> Any:
        rows = [
            (
                id,
                one.field,
                told(one.field, one.value),
                one.source.source if one.source else "nobody",
                "; ".join(f"{told(one.field, it.value)} {it.source}" for it in one.otherwise),
            )
            for id, one in found[:count]
        ]
        return table(columns, rows)

    drawn, count = (draw(len(found)), len(found))
    if not limit:
        drawn, count = fitted(draw, len(found), fitting() - 2)
    last = [text(ends)]
    if count < len(found):
        last.append(text(f"{count:,} of {len(found):,} rows; more: --limit, or in a pipe"))
    parts = [drawn, text("")] if found else []
    show(*parts, *last, color=painted(color))
