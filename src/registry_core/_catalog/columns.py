"""The columns that `find_models` filters by, made in one pass over the records of a snapshot.

Each model has a place, an index into the columns, in the order of providers and ids. Testing a
column takes tens of nanoseconds per model, decoding a model 20 µs. So only the models that fit
are decoded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from .._base.fields import KINDS, Kind, Modalities
from .._base.frozen import EMPTY
from ..models import CAPABILITIES, CONVERSES, FLAGS, ModelInfo, decoded

#: Modalities that always have a bit, even if no model has them today.
MODALITIES = ("text", "image", "audio", "video", "pdf")
SIDES = ("input", "output")
_NAMES = frozenset(CAPABILITIES)
_CAPABLE = sum(FLAGS[name] for name in CAPABILITIES)
#: The bit of a model whose status is neither deprecated nor retired.
CURRENT = FLAGS["deprecated"]
#: Bits of `unknown`: the input, or the output, is unknown.
NO_INPUT, NO_OUTPUT = 2 * max(FLAGS.values()), 4 * max(FLAGS.values())
#: The bit of the first modality, after these and the flags.
_FIRST = 2 * NO_OUTPUT
_GONE = ("deprecated", "retired")
_UNKNOWN = math.nan
"""Compares as false with every number."""

#: Length of a date → the rest that makes it a day.
_REST = {4: "-01-01", 7: "-01", 10: ""}

Record = dict[str, Any]


class Columns:
    """`have` has a bit for each ability or modality of a model, by `bits`; `unknown` has a bit
    for each that is unknown. Unknown numbers are NaN, unknown texts ""."""

    def __init__(self) -> None:
        self.bits = {name: FLAGS[name] for name in CAPABILITIES}
        self._next = _FIRST
        self._modalities: dict[Any, int] = {}
        self._by_mask: dict[int, Modalities] = {}
        for kind in SIDES:
            self._mask(kind, MODALITIES)
        self.providers: list[str] = []
        self.ids: list[str] = []
        self.names: list[str] = []
        self.families: list[str] = []
        self.statuses: list[str] = []
        self.have: list[int] = []
        self.unknown: list[int] = []
        self.context: list[float] = []
        self.input_cost: list[float] = []
        self.output_cost: list[float] = []
        self.released: list[str] = []
        """The first day that the date can mean: 2026-01-01 for "2026-01"."""
        self.released_by: list[str] = []
        """A text that sorts after the last day that the date can mean."""
        self.lifecycles: dict[int, tuple[str, str]] = {}
        """Place → first day of being deprecated and retired, for models with such a day."""
        self.gateways: dict[str, str] = {}
        """Provider id → gateway."""
        self._said_kinds: dict[int, Any] = {}
        self._kinds: dict[int, Kind | None] = {}
        self._models: list[ModelInfo | None] = []

    @classmethod
    def of(
        cls, lines: Iterable[bytes], providers: Iterable[Sequence[Any]]
    ) -> tuple[Columns, list[Record]]:
        """The columns, and the record of each model, for decoding some of them at once.

        `lines`: the lines of a snapshot. `providers`: its rows of id, gateway and more, in
        order. Raises KeyError for a missing record.
        """
        known = {
            (provider, model): record
            for provider, model, record in json.loads(b"[%b]" % b",".join(lines))
        }
        columns, records = cls(), []
        for id, gateway, *_ in providers:
            columns.gateways[id] = gateway or ""
            owner = known[id, None]
            for model, flags in zip(owner["models"], owner["flags"], strict=True):
                records.append(known[id, model])
                columns._add(id, model, flags, records[-1])
        columns._models = [None] * len(records)
        return columns, records

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def texts(self) -> list[str]:
        """The text of each model in which words are searched."""
        rows = zip(self.providers, self.ids, self.names, self.families, strict=True)
        return [
            f"{provider}/{id}\n{name}\n{family}".casefold() for provider, id, name, family in rows
        ]

    def kind(self, place: int) -> Kind | None:
        """`ModelInfo.kind` of the model at this place. The rules are applied once."""
        if place not in self._kinds:
            from .._base.kinds import kind_of  # few ask

            have = self.have[place]
            kind = self._said_kinds.get(place) or kind_of(
                self.ids[place],
                self._modalities_of(have & -_FIRST),
                converses=any(have & self.bits[capability] for capability in CONVERSES),
            )
            self._kinds[place] = kind
        return self._kinds[place]

    def models(
        self,
        places: Sequence[int],
        record: Callable[[str, str], bytes],
        records: Sequence[Record] | None = None,
    ) -> tuple[ModelInfo, ...]:
        """The models at these places. `record(provider, id)` gives a record, unless `records`
        has it."""
        cached = self._models
        models = tuple(map(cached.__getitem__, places))
        if all(models):
            return models  # type: ignore[return-value]
        for place, model in zip(places, models, strict=True):
            if model is None:
                owner, id = self.providers[place], self.ids[place]
                decoded_record = records[place] if records else json.loads(record(owner, id))
                cached[place] = decoded(owner, id, decoded_record)
        return self.models(places, record)

    def _add(self, provider: str, id: str, flags: int, record: Record) -> None:
        get, place = record.get, len(self.ids)
        status = get("status") or ""
        have, unknown = flags & _CAPABLE | (0 if status in _GONE else CURRENT), 0
        if not record.keys() >= _NAMES:
            unknown = sum([FLAGS[name] for name in CAPABILITIES if get(name) is None])
        modalities = get("modalities", EMPTY)
        for kind, none in (("input", NO_INPUT), ("output", NO_OUTPUT)):
            words = modalities.get(kind)
            if words:
                have |= self._mask(kind, tuple(words))
            else:
                unknown |= none
        limit, cost, dates = get("limit", EMPTY), get("cost", EMPTY), get("lifecycle")
        day = get("release_date") or ""
        rest = _REST.get(len(day)) if day.replace("-", "").isdigit() else None
        self.providers.append(provider)
        self.ids.append(id)
        self.names.append(get("name") or "")
        self.families.append(get("family") or "")
        self.statuses.append(status)
        self.have.append(have)
        self.unknown.append(unknown)
        self.context.append(limit.get("context", _UNKNOWN))
        self.input_cost.append(cost.get("input", _UNKNOWN))
        self.output_cost.append(cost.get("output", _UNKNOWN))
        self.released.append("" if rest is None else day + rest)
        self.released_by.append("~" if rest is None else day + "~")
        if (said_kind := get("kind")) in KINDS:
            self._said_kinds[place] = said_kind
        if dates:
            days = dates.get("deprecated_on"), dates.get("retires_on")
            self.lifecycles[place] = (days[0] or "", days[1] or "")

    def _modalities_of(self, mask: int) -> Modalities:
        modalities = self._by_mask.get(mask)
        if modalities is None:
            names = [name.split(":", 1) for name, bit in self.bits.items() if bit & mask]
            words = {kind: [word for side, word in names if side == kind] for kind in SIDES}
            modalities = self._by_mask[mask] = Modalities(**words)
        return modalities

    def _mask(self, kind: str, words: tuple[str, ...]) -> int:
        """The bits of these modalities, cached, since thousands of models have the same few."""
        mask = self._modalities.get((kind, words))
        if mask is None:
            mask = 0
            for word in words:
                name = f"{kind}:{word}"
                if name not in self.bits:
                    self.bits[name], self._next = self._next, self._next * 2
                mask |= self.bits[name]
            self._modalities[kind, words] = mask
        return mask
