"""Describes changes for people: prices have their unit, and what matters most comes first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from .._base.costs import COUNTED, amount, tier_size
from .._base.frozen import thaw
from .._base.printable import printable
from .._catalog.ids import parse_model_string
from ..models import CAPABILITIES
from ..report import Change

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from ..report import Changes, SyncReport

NEW, GONE, ENDING, CHANGED = "+", "-", "!", "~"
_COUNTED = {NEW: "new", GONE: "removed", ENDING: "deprecated", CHANGED: "changed"}

#: What a line is about. The most important comes first: prices.
PRICE, END, START, ABILITY, OTHER = range(5)

_UNIT = " per 1M tokens"
_MOST_FIELDS = 4
_MOST_SHOWN = 40  # characters of a value
_MOST_TIERS = 200  # characters of prices by context
_WORDS = {
    "cost.cache_read": "cache read",
    "cost.cache_write": "cache write",
    "cost.input_audio": "audio input",
    "cost.output_audio": "audio output",
    "cost.tiers": "price tiers",
    "limit.context": "context",
    "limit.input": "most input",
    "limit.output": "most output",
    "modalities.input": "takes",
    "modalities.output": "gives",
    "lifecycle.deprecated_on": "deprecated on",
    "lifecycle.retires_on": "retires on",
    "api_key_env_vars": "key variables",
}
_ENDS = ("status", "lifecycle.retires_on", "lifecycle.successor")
_ABILITIES = {"limit", "modalities", "lifecycle", "status", "kind", "url", "api_key_env_vars"}
_ABILITIES |= {"model_overrides", *CAPABILITIES}


@frozen(eq=False)
class Line:
    """What has changed in one model or provider. Printable."""

    provider: str
    name: str
    """The bare id of the model. Empty for the provider itself."""
    sign: str
    about: int
    _say: Callable[[], str] = field(alias="say", repr=False)

    @property
    def id(self) -> str:
        return f"{self.provider}/{self.name}" if self.name else self.provider

    @property
    def text(self) -> str:
        """Made only on demand: of thousands of lines, a few are shown."""
        return printable(self._say())


def lines(
    changes: Changes | SyncReport,
    after: Snapshot,
    before: Snapshot | None = None,
    *,
    whole: bool = False,
) -> list[Line]:
    """A line for each model and provider, by provider and name. Prices and limits of new models
    come from `after`, those of removed ones from `before`. `whole`: show all fields."""
    names = _names(after) if before is None else _names(before) | _names(after)
    made: list[Line] = []

    def add(id: str, sign: str, about: int, say: Callable[[], str], *, model: bool = True) -> None:
        provider, name = names.get(id) or parse_model_string(id) if model else (id, "")
        made.append(Line(printable(provider or ""), printable(name), sign, about, say))

    for id in changes.added:
        add(id, NEW, START, partial(_offer, after, id))
    for id in changes.removed:
        add(id, GONE, END, partial(_offer, before, id, "was "))
    updated = {
        key: list(group)
        for key, group in groupby(changes.updated, lambda change: (change.kind, change.id))
    }
    for id in changes.deprecated:
        fields = updated.pop(("model", id), [])
        add(id, ENDING, END, partial(_end, after, id, fields, whole=whole))
    for (kind, id), fields in updated.items():
        about = min(map(_about, fields))
        say = partial(_described, fields, whole=whole)
        add(id, CHANGED, about, say, model=kind == "model")
    return sorted(made, key=lambda line: (line.provider, line.name))


def _names(snapshot: Snapshot) -> dict[str, tuple[str | None, str]]:
    """Full id → provider and bare id. If an id can be split in two ways, the longer provider id
    wins."""
    models = sorted(snapshot.get_models().items(), key=lambda item: len(item[0]))
    return {f"{id}/{name}": (id, name) for id, names in models for name in names}


def summary(lines: Iterable[Line]) -> str:
    """How many there are, such as "2 new, 1 removed, 5 changed"."""
    counts = Counter(line.sign for line in lines)
    parts = [f"{counts[sign]:,} {word}" for sign, word in _COUNTED.items() if counts[sign]]
    return ", ".join(parts) or "nothing"


def unshown(lines: Iterable[Line], shown: Iterable[Line]) -> str:
    """The number of other lines, such as "… and 7 more (2 new, 5 changed)"; "" if there are none.
    If all are of one kind, the heading says so already."""
    others = {*lines} - {*shown}
    kinds = f" ({summary(others)})" if len({line.sign for line in others}) > 1 else ""
    return f"… and {len(others):,} more{kinds}" if others else ""


def foremost(lines: Sequence[Line], most: int | None) -> list[Line]:
    """At most `most` lines, in their order: some of everything that matters."""
    if most is None or len(lines) <= most:
        return list(lines)
    counts: Counter[int] = Counter()
    ranks: list[tuple[bool, int, int, int]] = []
    for number, line in enumerate(lines):
        counts[line.about] += 1
        ranks.append((line.about == OTHER, counts[line.about], line.about, number))
    return [lines[number] for number in sorted(number for *_, number in sorted(ranks)[:most])]


def usd(value: float | None) -> str:
    """A price such as "$1.25", "$0.075" or "$3"; "unknown" for None."""
    if value is None:
        return "unknown"
    text = f"{value:,.10f}".rstrip("0")
    dollars, _, cents = text.partition(".")
    return f"${dollars}.{cents:0<2}" if cents else f"${dollars}"


def tokens(value: int | None) -> str:
    """A count such as "128k", "1M" or "131,072"; "unknown" for None."""
    if value is None:
        return "unknown"
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= size and value % (size // (100 if unit == "M" else 1)) == 0:
            return f"{value / size:.15g}{unit}"
    return f"{value:,}"


def _offer(snapshot: Snapshot | None, id: str, was: str = "") -> str:
    """Price and context of a model, as far as they are known."""
    model = snapshot.get_model(id) if snapshot is not None else None
    if model is None:
        return ""
    cost, context = model.cost, model.limit.context
    parts: list[str] = []
    if cost and (cost.input is not None or cost.output is not None):
        parts.append(f"{usd(cost.input)} in, {usd(cost.output)} out{_UNIT}")
    if context:
        parts.append(f"context {tokens(context)}")
    return was * bool(parts) + ", ".join(parts)


def _end(snapshot: Snapshot, id: str, fields: Iterable[Change], *, whole: bool) -> str:
    model = snapshot.get_model(id)
    end = model and model.lifecycle
    parts = ["deprecated"]
    if end and end.retires_on:
        parts.append(f"retires on {end.retires_on}")
    if model and end and end.successor:
        full_ids = (end.successor, f"{model.provider_id}/{end.successor}")
        if any(map(snapshot.get_model, full_ids)):
            parts.append(f"followed by {end.successor}")
    others = [change for change in fields if change.field not in _ENDS]
    return "; ".join([", ".join(parts), *([_described(others, whole=whole)] if others else [])])


def _described(changes: Iterable[Change], *, whole: bool) -> str:
    """The changes of one model or provider, the most important first."""
    ordered = sorted(changes, key=lambda change: (_about(change), _place(change), change.field))
    shown = ordered
    if not whole:  # dates and descriptions only if there is nothing else
        important = [change for change in ordered if _about(change) != OTHER][:_MOST_FIELDS]
        shown = important or ordered[: _MOST_FIELDS // 2]
    parts = [_change(change) for change in shown]
    prices = sum(_is_amount(change) for change in shown)
    if prices:
        parts[prices - 1] += _UNIT
    if len(ordered) > len(shown):
        left_out = len(ordered) - len(shown)
        parts.append(f"{left_out} more field{'s' * (left_out > 1)}")
    return ", ".join(parts)


def _about(change: Change) -> int:
    part = change.field.partition(".")[0]
    return PRICE if change.is_price else ABILITY if part in _ABILITIES else OTHER


def _place(change: Change) -> tuple[bool, bool]:
    """Sorts prices that everybody pays before other prices."""
    return not _is_amount(change), change.field not in ("cost.input", "cost.output")


def _is_amount(change: Change) -> bool:
    values = (change.before, change.after)
    return change.is_price and all(
        value is None or isinstance(value, (int, float)) for value in values
    )


def _change(change: Change) -> str:
    part, _, rest = change.field.partition(".")
    before, after = change.before, change.after
    if part == "model_overrides":
        word = f"how {rest} is called:"
    elif part in ("cost", "extra", "lifecycle"):
        word = _WORDS.get(change.field, rest or part)
    else:
        word = _WORDS.get(change.field, change.field)
    if _is_amount(change):
        return f"{word} {usd(before)} → {usd(after)}{_share(before, after)}"
    if change.field == "cost.tiers":
        return f"{word} {_tiers(before)} → {_tiers(after)}"
    if part == "limit":
        return f"{word} {tokens(before)} → {tokens(after)}"
    if isinstance(before, tuple) and isinstance(after, tuple):
        plus = [f"+{_value(item)}" for item in after if item not in before]
        minus = [f"-{_value(item)}" for item in before if item not in after]
        if plus or minus:
            return f"{word} {_cut(' '.join(plus + minus))}"
    return f"{word} {_value(before)} → {_value(after)}"


def _tiers(value: Any) -> str:
    """Prices above a size of the context, such as "above 200k: $4 input, $15 output"."""
    texts = []
    for tier in value or ():
        size = tier_size(tier) if isinstance(tier, Mapping) else None
        prices = ", ".join(
            f"{usd(price)} {_WORDS.get(f'cost.{name}', name)}"
            for name in COUNTED
            if size and (price := amount(tier.get(name))) is not None
        )
        if prices:
            texts.append(f"above {tokens(size)}: {prices}")
    return _cut("; ".join(texts), _MOST_TIERS) or _value(value)


def _share(before: float | None, after: float | None) -> str:
    """How much a price rose or fell, such as " (+60%)" or " (×10)"."""
    if not before or not after or before < 0 or after < 0:
        return ""
    ratio = after / before
    if ratio >= 2:
        return f" (×{ratio:.3g})"
    percent = round((ratio - 1) * 100)
    return f" ({percent:+}%)" if percent else ""


def _value(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return _cut(", ".join(value)) or "none"
    return _cut(value if isinstance(value, str) else json.dumps(thaw(value), ensure_ascii=False))


def _cut(text: str, most: int = _MOST_SHOWN) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def by_provider(lines: Iterable[Line]) -> Iterator[tuple[str, list[Line]]]:
    """Each provider with its lines. The line about the provider itself comes first."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.provider, []).append(line)
    yield from groups.items()
