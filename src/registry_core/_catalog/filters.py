"""The arguments of `find_models`, checked in one place for all callers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypedDict

from attrs import frozen

from .._base.fields import KINDS, iso_date
from ..errors import ArgumentError
from ..models import CAPABILITIES

#: People's words for abilities of models → a capability, or an input or output.
WORDS: Mapping[str, str] = {
    **{name: name for name in CAPABILITIES},
    "audio": "input:audio",
    "files": "attachment",
    "function_calling": "tool_call",
    "functions": "tool_call",
    "image_generation": "output:image",
    "images": "input:image",
    "json_schema": "structured_output",
    "pdf": "input:pdf",
    "speech": "output:audio",
    "structured_outputs": "structured_output",
    "thinking": "reasoning",
    "tool_calling": "tool_call",
    "tool_use": "tool_call",
    "tools": "tool_call",
    "video": "input:video",
    "vision": "input:image",
}
#: People's words for sort keys → the key.
SORTS: Mapping[str, str] = {
    "context": "context",
    "cost": "input_cost",
    "id": "id",
    "input_cost": "input_cost",
    "name": "name",
    "output_cost": "output_cost",
    "price": "input_cost",
    "release_date": "released",
    "released": "released",
    "retires": "retires",
}

Words = str | Iterable[str]


class Filters(TypedDict, total=False):
    """The arguments of `find_models` beside `text`; see `Query`."""

    provider: Words | None
    gateway: Words | None
    kind: Words | None
    supports: Words | None
    input: Words | None
    output: Words | None
    min_context: int | None
    max_input_cost: float | None
    max_output_cost: float | None
    released_since: date | str | None
    retires_before: date | str | None
    status: Words | None
    include_deprecated: bool
    include_unknown: bool
    usable: bool
    environ: Mapping[str, str] | None
    sort: Words | None
    limit: int | None
    today: date | str | None


def one_of(name: str, word: str, known: Iterable[str]) -> str:
    """The word of `known` that equals `word`, ignoring case and dashes. Raises ArgumentError."""
    folded = re.sub(r"[-\s]", "_", word.strip().casefold())
    by_form = {name.casefold().replace("-", "_"): name for name in known}
    if folded not in by_form:
        from .._base.suggesting import did_you_mean  # what only mistakes need is imported late

        hint = did_you_mean(folded, by_form)
        raise ArgumentError(f"can't be {word!r}", culprit=name, hint=hint)
    return by_form[folded]


def _wrong(name: str, expected: str, value: object) -> ArgumentError:
    return ArgumentError(f"expected {expected}, got {value!r:.60}", culprit=name)


def _words(name: str, known: Iterable[str] = ()) -> Callable[[Any], tuple[str, ...]]:
    """A converter for one text or several, which must be among `known`, if that is given."""

    def convert(value: Any) -> tuple[str, ...]:
        several: Any = () if value is None else (value,) if isinstance(value, str) else value
        if isinstance(several, Mapping) or not isinstance(several, Iterable):
            raise _wrong(name, "text, or a list of texts", value)
        texts = tuple(several)
        for text in texts:
            if not isinstance(text, str):
                raise _wrong(name, "text, or a list of texts", text)
        return tuple(one_of(name, text, known) for text in texts) if known else texts

    return convert


def _number(name: str, *, whole: bool = False) -> Callable[[Any], float | None]:
    def convert(value: Any) -> float | None:
        kinds = (int,) if whole else (int, float)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value < math.inf
        ):
            raise _wrong(name, "a whole number from 0" if whole else "a number from 0", value)
        return value

    return convert


def _flag(name: str) -> Callable[[Any], bool]:
    def convert(value: Any) -> bool:
        if value is not None and not isinstance(value, bool):
            raise _wrong(name, "True or False", value)
        return bool(value)

    return convert


def _environ(value: Any) -> Mapping[str, str] | None:
    if value is not None and not isinstance(value, Mapping):
        raise _wrong("environ", "a mapping", value)
    return value


def _day(name: str) -> Callable[[Any], str | None]:
    def convert(value: Any) -> str | None:
        if isinstance(value, date):
            return value.isoformat()[:10]
        try:
            return iso_date(value)
        except (TypeError, ValueError) as error:
            hint = _nearest_day(value) if isinstance(value, str) else ""
            raise ArgumentError(str(error), culprit=name, hint=hint) from None

    return convert


def _nearest_day(text: str) -> str:
    """A "did you mean" with the day that `text` probably means."""
    match = re.fullmatch(r"\s*([12]\d{3})(?:\D?(\d{1,2})(?:\D?(\d{1,2}))?)?(?:[T\s].*)?", text)
    if match is None:
        return ""
    from calendar import monthrange

    year, month = int(match[1]), min(max(int(match[2] or 1), 1), 12)
    day = min(max(int(match[3] or 1), 1), monthrange(year, month)[1])
    return f"did you mean '{date(year, month, day)}'?"


def _sort(value: Any) -> tuple[str, ...]:
    return tuple(
        "-" * word.startswith("-") + SORTS[one_of("sort", word.removeprefix("-"), SORTS)]
        for word in _words("sort")(value)
    )


@frozen
class Query:
    """The checked arguments. Empty or None means no condition."""

    text: str = ""
    """Words that must all occur in the id, the name or the family."""
    provider: tuple[str, ...] = ()
    """Globs, of which one must match. The same holds for gateway, kind and status."""
    gateway: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    supports: tuple[str, ...] = ()
    """A model must have all of them. The same holds for input and output."""
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    min_context: float | None = None
    """In tokens."""
    max_input_cost: float | None = None
    """In USD per million tokens."""
    max_output_cost: float | None = None
    released_since: str | None = None
    """That day or later."""
    retires_before: str | None = None
    status: tuple[str, ...] = ()
    include_deprecated: bool = False
    include_unknown: bool = False
    usable: bool = False
    environ: Mapping[str, str] | None = None
    sort: tuple[str, ...] = ()
    """Keys of `SORTS`, the most important first. A "-" before a key sorts the largest first."""
    limit: int | None = None
    today: str | None = None
    """The day for which deprecated and retired are judged."""

    @classmethod
    def of(cls, text: Words | None, filters: Filters) -> Query:
        """Check the arguments. Raises ArgumentError for a wrong value, and TypeError for an
        argument that does not exist. Both suggest the nearest."""
        for name in filters:
            if name not in _CHECKS:
                from .._base.refusals import nearest_question

                message = f"find_models() has no argument {name!r}"
                raise TypeError("; ".join([message, *nearest_question(name, [*_CHECKS])]))
        given = {name: _CHECKS[name](value) for name, value in filters.items()}
        return cls(" ".join(_words("text")(text)), **given)


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    **{name: _words(name) for name in ("provider", "gateway", "input", "output", "status")},
    **{name: _number(name, whole=True) for name in ("min_context", "limit")},
    **{name: _number(name) for name in ("max_input_cost", "max_output_cost")},
    **{name: _day(name) for name in ("released_since", "retires_before", "today")},
    **{name: _flag(name) for name in ("include_deprecated", "include_unknown", "usable")},
    "kind": _words("kind", KINDS),
    "supports": _words("supports", WORDS),
    "sort": _sort,
    "environ": _environ,
}
