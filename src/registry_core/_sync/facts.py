"""Facts about models: stored like results of gateways, and filled into what gateways offer.

The facts of a source are stored as one provider, which has the id of the source. Each of its
models has as its bare id the full id of the model that the facts are about. So the same code
checks, stores, counts and compares facts and results of gateways.
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

#: Prices are never mixed, since prices of two sources may be for different times or places.
_IN_PARTS = PARTS.keys() - {"cost"}


def as_providers(source: str, facts: Facts, warn: Warn = silent) -> dict[str, ProviderConfig]:
    """The facts in the form of a gateway's result. Raises TypeError if they are not a mapping."""
    if not issubclass(type(facts), Mapping):
        raise TypeError(f"expected a mapping of full ids, got {type(facts).__name__}")
    provider = provider_from_record(source, {"models": facts}, warn)
    return {} if provider is None else {source: provider}


def fill(
    providers: Mapping[str, ProviderConfig],
    facts: Mapping[str, ModelMap],
    priority: Sequence[str] = (),
) -> tuple[dict[str, ProviderConfig], Mapping[str, int]]:
    """`providers` with the facts filled in, and for each source how many of its models a gateway
    offers.

    `facts`: source → its facts by full id. `priority`: sources that may replace known values, the
    most trusted first, or "source:cost" or "source:lifecycle.retires_on" for one field only. If no
    source has priority, the one whose id comes first fills an unknown value.
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
            informed = [source for source in sources if full_id in facts[source]]
            for source in informed:
                met[source] += 1
            if informed:
                known = json.loads(provider.models.record(bare))
                claims = {source: json.loads(facts[source].record(full_id)) for source in informed}
                if (more := completed(known, claims, priority)) != known:
                    records[bare] = dumps(more)
        filled[id] = _with_records(provider, records) if records else provider
    return filled, met


def mistake(preferred: str, sources: Collection[str]) -> str | None:
    """What is wrong with this item of `facts_priority`; None if it is right."""
    source, _, field = preferred.partition(":")
    part, _, key = field.partition(".")
    if source not in sources:
        return f"there is no such source of facts; {did_you_mean(source, sources)}"
    if part == "cost" and key:
        return f"prices of sources are not mixed; write '{source}:cost'"
    known = [
        attribute.alias
        for attribute in fields_of(PARTS[part] if key and part in PARTS else ModelInfo)
    ]
    if field and (key or part) not in known:
        return f"no model has this field; {did_you_mean(key or part, known)}"
    return None


def _with_records(provider: ProviderConfig, records: Mapping[str, bytes]) -> ProviderConfig:
    models = provider.models
    flags = {bare: flags_of(json.loads(record).get) for bare, record in records.items()}

    def record(bare: str) -> bytes:
        return records[bare] if bare in records else models.record(bare)

    return provider.replace(models=ModelMap(provider.id, {**models.flags, **flags}, record))


def completed(
    known: Mapping[str, Any], claims: Mapping[str, Mapping[str, Any]], priority: Sequence[str]
) -> dict[str, Any]:
    """The record `known`, completed from `claims`: source → its record of the same model."""
    old, others = _fields(known), {source: _fields(record) for source, record in claims.items()}
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
    """The sources that count for this field, the most trusted first."""
    named = (item.partition(":") for item in priority)
    names = ("", field, field.partition(".")[0])
    yield from (source for source, _, only in named if source in sources and only in names)
    if not is_known:
        yield from sources


def _fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record, those of its parts as "limit.context"."""
    values: dict[str, Any] = {}
    for name, value in record.items():
        if name in _IN_PARTS:
            values |= {f"{name}.{key}": item for key, item in value.items()}
        elif name != "extra" and value != {}:  # `extra` says where it is from; {}: no known price
            values[name] = value
    return values
