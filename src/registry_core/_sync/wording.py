"""What differs, in words for people: prices with their unit, and what matters most first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

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

#: What a line is about, from what costs somebody money to what mostly doesn't matter.
PRICE, END, START, ABILITY, OTHER = range(5)

_UNIT = " per 1M tokens"
_MOST_FIELDS = 4
_MOST_SHOWN = 40  # characters of a value
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
    """What is said of one model or provider. Printable."""

    provider: str
    name: str
    """The bare id of the model; empty: the provider itself."""
    sign: str
    about: int
    _say: Callable[[], str] = field(alias="say", repr=False)

    @property
    def id(self) -> str:
        return f"{self.provider}/{self.name}" if self.name else self.provider

    @property
    def text(self) -> str:
        """Made when it is asked for: of thousands of lines, a few are shown."""
        return printable(self._say())


def lines(
    changes: Changes | SyncReport,
    after: Snapshot,
    before: Snapshot | None = None,
    *,
    whole: bool = False,
) -> list[Line]:
    """A line for each model and provider, by provider and name. `after` and `before` tell more of
    what is new or gone. `whole`: all fields of each."""
    names = _names(after) if before is None else _names(before) | _names(after)
    found: list[Line] = []

    def add(id: str, sign: str, about: int, say: Callable[[], str], *, model: bool = True) -> None:
        provider, name = names.get(id) or parse_model_string(id) if model else (id, "")
        found.append(Line(printable(provider or ""), printable(name), sign, about, say))

    for id in changes.added:
        add(id, NEW, START, partial(_offer, after, id))
    for id in changes.removed:
        add(id, GONE, END, partial(_offer, before, id, "was "))
    updated = {
        key: list(some) for key, some in groupby(changes.updated, lambda one: (one.kind, one.id))
    }
    for id in changes.deprecated:
        fields = updated.pop(("model", id), [])
        add(id, ENDING, END, partial(_end, after, id, fields, whole=whole))
    for (kind, id), fields in updated.items():
        about = min(map(_about, fields))
        say = partial(_said, fields, whole=whole)
        add(id, CHANGED, about, say, model=kind == "model")
    return sorted(found, key=lambda one: (one.provider, one.name))


def _names(snapshot: Snapshot) -> dict[str, tuple[str | None, str]]:
    """Full id → provider and bare id; of two ways to split it the longer provider's."""
    models = sorted(snapshot.get_models().items(), key=lambda one: len(one[0]))
    return {f"{id}/{name}": (id, name) for id, names in models for name in names}


def summary(lines: Iterable[Line], left_out: int = 0) -> str:
    """How many there are, as "2 new, 1 removed, 5 changed"."""
    counts = Counter(one.sign for one in lines)
    told = [f"{counts[sign]:,} {word}" for sign, word in _COUNTED.items() if counts[sign]]
    more = [f"{left_out:,} more than was kept"] if left_out else []
    return ", ".join([*told, *more]) or "nothing"


def foremost(lines: Sequence[Line], most: int | None) -> list[Line]:
    """At most so many of them, in their order: some of everything that matters."""
    if most is None or len(lines) <= most:
        return list(lines)
    seen: Counter[int] = Counter()
    ranks: list[tuple[bool, int, int, int]] = []
    for number, one in enumerate(lines):
        seen[one.about] += 1
        ranks.append((one.about == OTHER, seen[one.about], one.about, number))
    return [lines[number] for number in sorted(number for *_, number in sorted(ranks)[:most])]


def usd(value: float | None) -> str:
    """As "$1.25", "$0.075", "$3"; unknown if there is none."""
    if value is None:
        return "unknown"
    text = f"{value:,.10f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"${whole}.{rest:0<2}" if rest else f"${whole}"


def tokens(value: int | None) -> str:
    """As "128k", "1M", "131,072"; unknown if there is none."""
    if value is None:
        return "unknown"
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= size and value % (size // (100 if unit == "M" else 1)) == 0:
            return f"{value / size:.15g}{unit}"
    return f"{value:,}"


def _offer(snapshot: Snapshot | None, id: str, was: str = "") -> str:
    """What a model costs and holds, as far as it is known."""
    model = snapshot.get_model(id) if snapshot is not None else None
    if model is None:
        return ""
    cost, context = model.cost, model.limit.context
    told: list[str] = []
    if cost and (cost.input is not None or cost.output is not None):
        told.append(f"{usd(cost.input)} in, {usd(cost.output)} out{_UNIT}")
    if context:
        told.append(f"context {tokens(context)}")
    return was * bool(told) + ", ".join(told)


def _end(snapshot: Snapshot, id: str, fields: Iterable[Change], *, whole: bool) -> str:
    model = snapshot.get_model(id)
    end = model and model.lifecycle
    told = ["deprecated"]
    if end and end.retires_on:
        told.append(f"retires on {end.retires_on}")
    if model and end and end.successor:
        full_ids = (end.successor, f"{model.provider_id}/{end.successor}")
        if any(map(snapshot.get_model, full_ids)):
            told.append(f"followed by {end.successor}")
    others = [one for one in fields if one.field not in _ENDS]
    return "; ".join([", ".join(told), *([_said(others, whole=whole)] if others else [])])


def _said(changes: Iterable[Change], *, whole: bool) -> str:
    """Of one model or provider: what matters most first."""
    ordered = sorted(changes, key=lambda one: (_about(one), _place(one), one.field))
    shown = ordered
    if not whole:  # dates and descriptions only if there is nothing else
        some = [one for one in ordered if _about(one) != OTHER][:_MOST_FIELDS]
        shown = some or ordered[: _MOST_FIELDS // 2]
    told = [_change(one) for one in shown]
    prices = sum(_is_amount(one) for one in shown)
    if prices:
        told[prices - 1] += _UNIT
    if len(ordered) > len(shown):
        left = len(ordered) - len(shown)
        told.append(f"{left} more field{'s' * (left > 1)}")
    return ", ".join(told)


def _about(change: Change) -> int:
    part = change.field.partition(".")[0]
    return PRICE if change.is_price else ABILITY if part in _ABILITIES else OTHER


def _place(change: Change) -> tuple[bool, bool]:
    """Of prices, those that everybody pays come first."""
    return not _is_amount(change), change.field not in ("cost.input", "cost.output")


def _is_amount(change: Change) -> bool:
    values = (change.before, change.after)
    return change.is_price and all(one is None or isinstance(one, (int, float)) for one in values)


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
    if part == "limit":
        return f"{word} {tokens(before)} → {tokens(after)}"
    if isinstance(before, tuple) and isinstance(after, tuple):
        plus = [f"+{_value(one)}" for one in after if one not in before]
        minus = [f"-{_value(one)}" for one in before if one not in after]
        if plus or minus:
            return f"{word} {_cut(' '.join(plus + minus))}"
    return f"{word} {_value(before)} → {_value(after)}"


def _share(before: float | None, after: float | None) -> str:
    """By how much a price rose or fell, as " (+60%)", " (×10)"."""
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
    if isinstance(value, tuple) and all(isinstance(one, str) for one in value):
        return _cut(", ".join(value)) or "none"
    return _cut(value if isinstance(value, str) else json.dumps(thaw(value), ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def by_provider(lines: Iterable[Line]) -> Iterator[tuple[str, list[Line]]]:
    """The lines of each provider, its own first."""
    groups: dict[str, list[Line]] = {}
    for one in lines:
        groups.setdefault(one.provider, []).append(one)
    yield from groups.items()
