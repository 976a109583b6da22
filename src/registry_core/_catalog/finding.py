"""`find_models`: from columns and a query to the sorted places of models."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from fnmatch import translate
from functools import reduce
from operator import or_
from typing import Any

from .._base.frozen import EMPTY
from ..models import ProviderConfig
from .columns import CURRENT, NO_INPUT, NO_OUTPUT, SIDES, Columns
from .filters import WORDS, Query, one_of

Providers = Callable[[str], ProviderConfig | None]

#: Statuses that sources write.
STATUSES = ("alpha", "beta", "deprecated", "retired")


def find(columns: Columns, query: Query, provider: Providers) -> list[int]:
    """The places of the models that fit `query`. `provider(id)` gives a provider."""
    today = query.today or datetime.fromtimestamp(time.time(), UTC).date().isoformat()
    places = _having(columns, query)
    places = _of_status(columns, query, places, today)
    places = _worded(columns, query.text, places)
    places = _owned(columns, query, places)
    places = _bounded(columns, query, places)
    if query.kind:
        allowed = (*query.kind, None) if query.include_unknown else query.kind
        places = [place for place in places if columns.kind(place) in allowed]
    if query.usable:
        places = _usable(columns, query, places, provider)
    for key in reversed(query.sort):
        places = _sorted(columns, key, places)
    return places[: query.limit]


def _having(columns: Columns, query: Query) -> list[int]:
    """Places of models with all wanted abilities, inputs and outputs, and a fitting status."""
    words = [WORDS[word] for word in query.supports]
    for side in SIDES:
        known = [name.partition(":")[2] for name in columns.bits if name.startswith(f"{side}:")]
        words += [f"{side}:{one_of(side, word, known)}" for word in getattr(query, side)]
    inputs, outputs = (_bits(columns, words, f"{side}:") for side in SIDES)
    rest = _bits(columns, [word for word in words if ":" not in word])
    if not (query.include_deprecated or query.status or query.retires_before):
        rest |= CURRENT
    if not (query.include_unknown and words):
        bits = inputs | outputs | rest
        if not bits:
            return [*range(len(columns))]
        return [place for place, have in enumerate(columns.have) if have & bits == bits]
    return [
        place
        for place, (have, unknown) in enumerate(zip(columns.have, columns.unknown, strict=True))
        if (have | unknown) & rest == rest
        and (have & inputs == inputs or unknown & NO_INPUT)
        and (have & outputs == outputs or unknown & NO_OUTPUT)
    ]


def _bits(columns: Columns, words: Iterable[str], start: str = "") -> int:
    """The bits of the words with this start, as one number."""
    return reduce(or_, (columns.bits[word] for word in words if word.startswith(start)), 0)


def _of_status(columns: Columns, query: Query, places: list[int], today: str) -> list[int]:
    """The places with a wanted status, or else those that are not deprecated or retired."""
    statuses = columns.statuses
    gone = {  # as `ModelInfo.status_on`
        place: "retired" if has_retired or statuses[place] == "retired" else "deprecated"
        for place, (deprecated, retires) in columns.lifecycles.items()
        if (has_retired := bool(retires) and retires <= today) or "" < deprecated <= today
    }
    if query.status:
        known = {*STATUSES, *statuses} - {""}
        wanted = {one_of("status", status, known) for status in query.status}
        return [place for place in places if (gone.get(place) or statuses[place]) in wanted]
    if query.include_deprecated:
        return places
    if query.retires_before:  # what is deprecated goes first
        own = columns.statuses
        return [place for place in places if "retired" not in (gone.get(place), own[place])]
    return [place for place in places if place not in gone]


def _worded(columns: Columns, text: str, places: list[int]) -> list[int]:
    for word in {*text.casefold().split()}:
        texts = columns.texts
        places = [place for place in places if word in texts[place]]
    return places


def owned_rows(providers: Iterable[Sequence[Any]], query: Query) -> list[Sequence[Any]]:
    """The rows (id, gateway and more) whose id and gateway match the query."""
    wanted = [
        (place, re.compile("|".join(translate(glob.casefold()) for glob in globs)).match)
        for place, globs in enumerate((query.provider, query.gateway))
        if globs
    ]
    return [
        row for row in providers if all(fits((row[at] or "").casefold()) for at, fits in wanted)
    ]


def _owned(columns: Columns, query: Query, places: list[int]) -> list[int]:
    """The places whose provider and gateway match."""
    if not (query.provider or query.gateway):
        return places
    owners = {id for id, _ in owned_rows([*columns.gateways.items()], query)}
    providers = columns.providers
    return [place for place in places if providers[place] in owners]


def _bounded(columns: Columns, query: Query, places: list[int]) -> list[int]:
    """The places within all bounds. An unknown value is within none, unless unknown values are
    wanted: NaN is neither above nor below any number."""
    unknown = query.include_unknown
    least, context = query.min_context, columns.context
    if least is not None:
        if unknown:
            places = [place for place in places if not context[place] < least]
        else:
            places = [place for place in places if context[place] >= least]
    prices = (
        (query.max_input_cost, columns.input_cost),
        (query.max_output_cost, columns.output_cost),
    )
    for most, price in prices:
        if most is not None and unknown:
            places = [place for place in places if not price[place] > most]
        elif most is not None:
            places = [place for place in places if price[place] <= most]
    since, before = query.released_since, query.retires_before
    if since:
        released = columns.released_by if unknown else columns.released
        places = [place for place in places if released[place] >= since]
    if before:
        retires = _retires(columns, "" if unknown else "~")
        places = [place for place in places if retires[place] < before]
    return places


def _retires(columns: Columns, unknown: str) -> list[str]:
    days = [unknown] * len(columns)
    for place, (_, day) in columns.lifecycles.items():
        days[place] = day or unknown
    return days


def _usable(columns: Columns, query: Query, places: list[int], provider: Providers) -> list[int]:
    from .usable import can_call  # few ask

    environ = os.environ if query.environ is None else query.environ
    owners = {id: provider(id) for id in {columns.providers[place] for place in places}}
    allowed = (True, None) if query.include_unknown else (True,)
    answers: dict[tuple[str, str | None], bool | None] = {}

    def fits(place: int) -> bool:
        owner = owners[columns.providers[place]]
        if owner is None:
            return False
        own_url = owner.model_overrides.get(columns.ids[place], EMPTY).get("api")
        if (owner.id, own_url) not in answers:
            answers[owner.id, own_url] = can_call(owner, own_url, environ)
        return answers[owner.id, own_url] in allowed

    return [*filter(fits, places)]


def _sorted(columns: Columns, key: str, places: list[int]) -> list[int]:
    """Sort by `key`, stably. Unknown values come last in both directions."""
    down, name = key.startswith("-"), key.removeprefix("-")
    by: dict[str, Callable[[], Sequence[Any]]] = {
        "id": lambda: range(len(columns)),
        "name": lambda: [name.casefold() for name in columns.names],
        "input_cost": lambda: columns.input_cost,
        "output_cost": lambda: columns.output_cost,
        "context": lambda: columns.context,
        "released": lambda: columns.released,
        "retires": lambda: _retires(columns, ""),
    }
    column = by[name]()
    known = [place for place in places if (value := column[place]) == value and value != ""]
    rest = [place for place in places if (value := column[place]) != value or value == ""]
    return sorted(known, key=column.__getitem__, reverse=down) + rest
