"""`show ID --sources` and `list --disagreements`: who says what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
    rows = [("", *row) for one in found for row in _rows(one, screen=screen)]
    if screen:
        ends = [f"sources agree on every field of {id}"] if only_differing and not found else []
        if any(one.field.startswith("lifecycle") and one.source is None for one in found):
            ends += [_NO_FACTS] if not _has_facts(mine) else []
        _draw(rows, ends, color, with_id=False)
        return
    say_rows(row[1:] for row in rows)
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
    rows = [(id, *row) for id in shown for one in found[id] for row in _rows(one, screen=screen)]
    said = ", ".join(f"{number:,} in {field}" for field, number in counts.most_common())
    ends = f"sources differ about {len(found):,} of {len(ids):,} models"
    ends = f"{ends}: {said}" if said else ends
    if screen:
        from .tables import fitting

        most = len(rows) if limit else fitting()
        cut = len(rows) > most
        _draw(
            rows[:most],
            [
                ends
                + (
                    f". Shown: {most} of {len(rows):,} rows; more: --limit {len(found)}"
                    if cut
                    else ""
                )
            ],
            color,
            with_id=True,
        )
        return
    say_rows(rows)
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


def _rows(one: FieldSources, *, screen: bool) -> Iterator[tuple[str, ...]]:
    """Field, value, source, when, page, role: of what is served, then of each that differs."""
    show = told if screen else _piped
    if one.source is None:
        served = "unknown" if one.value is None else show(one.field, one.value)
        yield (
            one.field,
            served,
            "nobody says" if one.value is None else "nobody knows",
            "",
            "",
            "served",
        )
    else:
        value = "taken out" if one.value is None else show(one.field, one.value)
        if not screen and one.value is None:
            value = "unknown"
        same = (one.source, *one.agree)
        names = ", ".join(said.source for said in same)
        page = next((said.source_url for said in same if said.source_url), "")
        yield one.field, value, names, _when(one.source), page or "", "served"
    for said in one.otherwise:
        value = show(one.field, said.value)
        yield one.field, value, said.source, _when(said), said.source_url or "", "otherwise"


def _piped(_field: str, value: Any) -> str:
    return plain(value)


def _when(said: Said) -> str:
    return said.retrieved_at.strftime("%Y-%m-%d") if said.retrieved_at else ""


def _draw(
    rows: Sequence[tuple[str, ...]], ends: Sequence[str], color: str, *, with_id: bool
) -> None:
    from .screen import Column, show, table, text

    columns = [
        Column("MODEL", folds=True),
        Column("FIELD"),
        Column("VALUE", folds=True),
        Column("SOURCE", folds=True),
        Column("RETRIEVED", rank=1),
    ]
    pages: dict[str, list[str]] = {}
    cells: list[list[str]] = []
    before: Mapping[int, str] = {}
    for id, field, value, source, day, page, role in rows:
        other = role == "otherwise"
        again = before.get(1) == field and before.get(0) == id
        cells.append(
            [
                "" if before.get(0) == id else id,
                "" if other and again else field,
                value,
                f"{source} says otherwise" if other and not with_id else source,
                day,
            ]
        )
        if page and not with_id:
            pages.setdefault(page, []).append(field)
        before = {0: id, 1: field}
    dim = [n for n, row in enumerate(rows) if row[-1] == "otherwise"]
    first = 0 if with_id else 1
    drawn = table(columns[first:], [row[first:] for row in cells], dim=dim)
    ends = [*(f"{', '.join(fields)}: {page}" for page, fields in pages.items()), *ends]
    parts = [drawn] if cells else []
    last = [text(one, "dim") for one in ends]
    show(*parts, *([text("")] if parts and last else []), *last, color=painted(color))
