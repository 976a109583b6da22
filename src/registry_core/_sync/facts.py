"""Facts about models: kept as gateways' results are, and laid over what gateways offer.

A source's facts are the models of one provider that bears its id; the bare id of each is the
full id of the model that it is about. So they are checked, stored, counted and compared by
what does that for gateways.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import fields as fields_of

from .._base.encoding import dumps
from .._base.suggesting import did_you_mean
from ..models import PARTS, ModelInfo, ModelMap, ProviderConfig, flags_of
from ..plugin import Facts
from ..records import Warn, provider_from_record, silent

#: Prices are taken as a whole: those of two sources may be for another time or place.
_IN_PARTS = PARTS.keys() - {"cost"}


def as_providers(source: str, facts: Facts, warn: Warn = silent) -> dict[str, ProviderConfig]:
    """What the source returned, as a gateway would. Raises TypeError if it is no mapping."""
    if not issubclass(type(facts), Mapping):
        raise TypeError(f"expected a mapping of full ids, got {type(facts).__name__}")
    provider = provider_from_record(source, {"models": facts}, warn)
    return {} if provider is None else {source: provider}


def fill(
    providers: Mapping[str, ProviderConfig],
    facts: Mapping[str, ModelMap],
    priority: Sequence[str] = (),
) -> tuple[dict[str, ProviderConfig], Mapping[str, int]]:
    """`providers` with what the sources know beyond them, and how many models of each source
    were met.

    `facts`: source → its facts by full id. `priority`: sources that may replace what is known,
    best first; "source:cost" or "source:lifecycle.retires_on" for that field alone. Where nobody
    has priority, the source whose id comes first fills what is unknown.
    """
    sources = sorted(facts)
    met = dict.fromkeys(sources, 0)
    if not sources:
        return {**providers}, met
    filled: dict[str, ProviderConfig] = {}
    for id, provider in providers.items():
        records: dict[str, bytes] = {}
        for bare in provider.models:
            full_id = f"{id}/{bare}"
            told = [source for source in sources if full_id in facts[source]]
            for source in told:
                met[source] += 1
            if told:
                known = json.loads(provider.models.record(bare))
                said = {one: json.loads(facts[one].record(full_id)) for one in told}
                if (more := completed(known, said, priority)) != known:
                    records[bare] = dumps(more)
        filled[id] = _with_records(provider, records) if records else provider
    return filled, met


def mistake(preferred: str, sources: Collection[str]) -> str | None:
    """What is wrong with this item of `facts_priority`; None: nothing."""
    source, _, field = preferred.partition(":")
    part, _, key = field.partition(".")
    if source not in sources:
        return f"there is no such source of facts; {did_you_mean(source, sources)}"
    if part == "cost" and key:
        return f"prices are taken as a whole; write '{source}:cost'"
    known = [one.alias for one in fields_of(PARTS[part] if key and part in PARTS else ModelInfo)]
    if field and (key or part) not in known:
        return f"no model has this field; {did_you_mean(key or part, known)}"
    return None


def _with_records(provider: ProviderConfig, records: Mapping[str, bytes]) -> ProviderConfig:
    models = provider.models
    flags = {bare: flags_of(json.loads(one).get) for bare, one in records.items()}

    def record(bare: str) -> bytes:
        return records[bare] if bare in records else models.record(bare)

    return provider.replace(models=ModelMap(provider.id, {**models.flags, **flags}, record))


def completed(
    known: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]], priority: Sequence[str]
) -> dict[str, Any]:
    """The record `known` with what others say of the same model: source → its record."""
    old, others = _fields(known), {source: _fields(record) for source, record in said.items()}
    filled = {name: {**value} if name in _IN_PARTS else value for name, value in known.items()}
    for field in {field for fields in others.values() for field in fields}:
        part, _, key = field.partition(".")
        for source in _ranked(others, field, priority, is_known=field in old):
            if field in others[source]:
                place = filled.setdefault(part, {}) if key else filled
                place[key or field] = others[source][field]
                break
    return filled


def _ranked(
    sources: Iterable[str], field: str, priority: Sequence[str], *, is_known: bool
) -> Iterator[str]:
    """Whose word counts for this field, best first."""
    named = (one.partition(":") for one in priority)
    names = ("", field, field.partition(".")[0])
    yield from (source for source, _, only in named if source in sources and only in names)
    if not is_known:
        yield from sources


def _fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record's fields, those of its parts as "limit.context"."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if name in _IN_PARTS:
            found |= {f"{name}.{key}": item for key, item in value.items()}
        elif name != "extra" and value != {}:  # that says where it is from; no price is known
            found[name] = value
    return found
