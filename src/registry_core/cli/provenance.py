"""`show ID --sources` and `list --disagreements`: who says what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import completing
from .common import check_fields, painted
from .output import complain, say_json, say_rows
from .values import plain, readable

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

    check_fields(fields, completing.field_names())
    shown = [field for field in mine.sources(id) if _wanted(field.field, fields)]
    names = {field.field for field in shown}
    if only_differing:
        shown = [field for field in shown if field.otherwise]
    else:  # a requested field gets a line even if no source has it
        lacking = [
            wanted for wanted in fields if not any(_wanted(name, [wanted]) for name in names)
        ]
        shown += [FieldSources(wanted, None, None) for wanted in lacking]
    if as_json:
        say_json({"schema": 1, "id": id, "fields": [field.to_dict() for field in shown]})
        return
    if screen:
        ends = [f"sources agree on every field of {id}"] if only_differing and not shown else []
        if any(field.field.startswith("lifecycle") and field.source is None for field in shown):
            ends += [_NO_FACTS] if not _has_facts(mine) else []
        _draw_sources(shown, ends, color)
        return
    say_rows(row for field in shown for row in _rows(field))
    if only_differing and not shown:
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
    check_fields(fields, completing.field_names())
    differing = {
        id: wanted
        for id, sources in mine.disagreements(ids).items()
        if (wanted := [field for field in sources if _wanted(field.field, fields)])
    }
    counts = Counter(field.field for sources in differing.values() for field in sources)
    if as_json:
        models = {id: [field.to_dict() for field in sources] for id, sources in differing.items()}
        say_json({"schema": 1, "asked": len(ids), "models": models, "counts": dict(counts)})
        return
    shown = [*differing][:limit]
    counted = ", ".join(f"{number:,} in {field}" for field, number in counts.most_common())
    ends = f"sources differ about {len(differing):,} of {len(ids):,} models: {counted}"
    if not differing:
        ends = f"sources differ about none of {len(ids):,} models"
    if screen:
        _draw_differing(
            [(id, field) for id in shown for field in differing[id]], ends, limit, color
        )
        return
    say_rows((id, *row) for id in shown for field in differing[id] for row in _rows(field))
    complain(ends)


def _wanted(name: str, fields: Sequence[str]) -> bool:
    return not fields or any(
        name == pattern or name.startswith(f"{pattern}.") for pattern in fields
    )


def _has_facts(mine: ModelRegistry) -> bool:
    """Whether the served data was made with a source of facts."""
    store = mine.world.store()
    generation = store.read_generation() if store else None
    return generation is not None and any(
        gateway.facts is not None for gateway in generation.gateways.values()
    )


def _rows(field: FieldSources) -> Iterator[tuple[str, ...]]:
    """Field, value, sources, day, page and role: first the served value, then all others."""
    agreeing = (field.source, *field.agree) if field.source else ()
    page = next((claim.source_url for claim in agreeing if claim.source_url), "")
    when = _when(agreeing[0]) if agreeing else ""
    shown = "unknown" if field.value is None else plain(field.value)
    yield (
        field.field,
        shown,
        ",".join(claim.source for claim in agreeing),
        when,
        page or "",
        "served",
    )
    for claim in field.otherwise:
        value, page = plain(claim.value), claim.source_url or ""
        yield field.field, value, claim.source, _when(claim), page, "otherwise"


def _when(claim: Said) -> str:
    return claim.retrieved_at.strftime("%Y-%m-%d") if claim.retrieved_at else ""


def _draw_sources(fields: Sequence[FieldSources], ends: Sequence[str], color: str) -> None:
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
    for field in fields:
        agreeing = (field.source, *field.agree) if field.source else ()
        names = ", ".join(claim.source for claim in agreeing) or "nobody says"
        value = "unknown" if field.value is None else readable(field.field, field.value)
        cells.append((field.field, value, names, _when(agreeing[0]) if agreeing else ""))
        for claim in field.otherwise:
            dim.append(len(cells))
            value = readable(field.field, claim.value)
            cells.append(("  otherwise", value, claim.source, _when(claim)))
        for claim in (*agreeing, *field.otherwise):
            if claim.source_url:
                pages[claim.source_url] = claim.source
    last = [f"page of {source}: {page}" for page, source in pages.items()]
    parts: list[Any] = [table(columns, cells, dim=dim)] if cells else []
    if parts and (last or ends):
        parts.append(text(""))
    show(*parts, *(text(line) for line in (*last, *ends)), color=painted(color))


def _draw_differing(
    differing: Sequence[tuple[str, FieldSources]], ends: str, limit: int | None, color: str
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
                field.field,
                readable(field.field, field.value),
                field.source.source if field.source else "nobody",
                "; ".join(
                    f"{readable(field.field, claim.value)} {claim.source}"
                    for claim in field.otherwise
                ),
            )
            for id, field in differing[:count]
        ]
        return table(columns, rows)

    drawn, count = (draw(len(differing)), len(differing))
    if not limit:
        drawn, count = fitted(draw, len(differing), fitting() - 2)
    last = [text(ends)]
    if count < len(differing):
        last.append(text(f"{count:,} of {len(differing):,} rows; more: --limit, or in a pipe"))
    parts = [drawn, text("")] if differing else []
    show(*parts, *last, color=painted(color))
