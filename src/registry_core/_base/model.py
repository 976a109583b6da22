"""A model, and its record: all that the lookup of one model needs.

Providers are in `models`, the public module, which has all of this, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attr import evolve, field, fields, frozen

from .fields import (
    KINDS,
    NO_LIFECYCLE,
    NO_LIMIT,
    NO_MODALITIES,
    Cost,
    Kind,
    Lifecycle,
    Limit,
    Modalities,
    flag,
    frozen_object,
    iso_date,
    names_refused_field,
    opt_cost,
    opt_kind,
    opt_lifecycle,
    opt_limit,
    opt_modalities,
    opt_text,
    text,
    valid_id,
)
from .frozen import EMPTY, Value, thaw

if TYPE_CHECKING:
    from datetime import date


#: The parts of a model. Records and changes may contain only some of their fields.
PARTS: Mapping[str, type] = {
    "limit": Limit,
    "cost": Cost,
    "modalities": Modalities,
    "lifecycle": Lifecycle,
}


@names_refused_field
@frozen(eq=False, repr=False)
class ModelInfo(Value):
    """One model of one provider.

    `id` is the bare id (it may hold slashes); `full_id` is `provider_id/id`.
    Dates are text, as precise as in the source ("2024-05", "2024-05-13").
    `extra` keeps everything else that the source says.
    """

    id: str = field(converter=valid_id)
    provider_id: str = field(converter=valid_id)
    name: str | None = field(default=None, converter=opt_text)
    family: str | None = field(default=None, converter=opt_text)
    status: str | None = field(default=None, converter=opt_text)
    attachment: bool | None = field(default=None, converter=flag)
    reasoning: bool | None = field(default=None, converter=flag)
    tool_call: bool | None = field(default=None, converter=flag)
    structured_output: bool | None = field(default=None, converter=flag)
    temperature: bool | None = field(default=None, converter=flag)
    open_weights: bool | None = field(default=None, converter=flag)
    knowledge: str | None = field(default=None, converter=opt_text)
    release_date: str | None = field(default=None, converter=opt_text)
    last_updated: str | None = field(default=None, converter=opt_text)
    limit: Limit = field(default=NO_LIMIT, converter=opt_limit)
    cost: Cost | None = field(default=None, converter=opt_cost)
    modalities: Modalities = field(default=NO_MODALITIES, converter=opt_modalities)
    extra: Mapping[str, Any] = field(default=EMPTY, converter=frozen_object)
    lifecycle: Lifecycle = field(default=NO_LIFECYCLE, converter=opt_lifecycle)
    _kind: Kind | None = field(default=None, converter=opt_kind, alias="kind")

    @property
    def full_id(self) -> str:
        return f"{self.provider_id}/{self.id}"

    @property
    def kind(self) -> Kind | None:
        """What it is for: what the source says, else what rules conclude; None if unknown."""
        if self._kind is not None:
            return self._kind
        from .kinds import kind_of

        converses = any(getattr(self, capability) for capability in CONVERSES)
        return kind_of(self.id, self.modalities, converses=converses)

    def accepts(self, modality: str) -> bool | None:
        """Whether it takes this modality as input ("text", "image", …); None if unknown."""
        known = self.modalities.input
        return None if known is None else modality in known

    def status_on(self, day: date | str) -> str | None:
        """The status on `day`, a date or text such as "2026-09-30".

        It is "retired" from `lifecycle.retires_on` on, and "deprecated" from
        `lifecycle.deprecated_on` on; otherwise `status`, as of the last fetch. Raises TypeError
        or ValueError for anything that is not a day.
        """
        from datetime import date  # few ask

        on = iso_date(text(day.isoformat()[:10] if isinstance(day, date) else day)) or ""
        if (self.lifecycle.retires_on or "~") <= on:
            return "retired"
        if (self.lifecycle.deprecated_on or "~") <= on and self.status != "retired":
            return "deprecated"
        return self.status

    def replace(self, **changes: Any) -> ModelInfo:
        """A copy with these fields changed. Raises what the constructor raises.

        A mapping changes only the fields that it names: `cost={"input": 7}` keeps the other
        prices. The same holds for `limit`, `modalities`, `lifecycle` and `extra`.
        `Cost(input=7)` replaces the whole part, and None makes it unknown.
        """
        for name in changes.keys() & {*PARTS, "extra"}:
            if issubclass(type(changes[name]), Mapping):
                changes[name] = {**thaw(getattr(self, name) or EMPTY), **changes[name]}
        return evolve(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain JSON values; `model_from_record` makes an equal model from them."""
        plain: dict[str, Any] = thaw(self)
        return plain


#: The flags of `ModelInfo` that `model_supports` answers for.
CAPABILITIES = (
    "attachment",
    "open_weights",
    "reasoning",
    "structured_output",
    "temperature",
    "tool_call",
)
#: The flags that only chat models have.
CONVERSES = ("reasoning", "structured_output", "tool_call")
DEPRECATED = 64

#: One bit for each flag that is known of a model without decoding it. Snapshots store the
#: bits, so never change their meaning; a new flag takes the next bit.
FLAGS = {
    "attachment": 1,
    "open_weights": 2,
    "reasoning": 4,
    "structured_output": 8,
    "temperature": 16,
    "tool_call": 32,
    "deprecated": DEPRECATED,
}


def flags_of(get: Callable[[str], object]) -> int:
    """The flags of a model: what it can do, and whether it is deprecated. `get(name)` gives
    the value of a field."""
    flags = DEPRECATED if get("status") == "deprecated" else 0
    for name in CAPABILITIES:
        if get(name):
            flags |= FLAGS[name]
    return flags


_NAMES: Mapping[str, frozenset[str]] = {
    name: frozenset(attribute.alias for attribute in fields(cls))
    for name, cls in (("", ModelInfo), *PARTS.items())
}


def decode(provider_id: str, id: str, record: bytes) -> ModelInfo:
    """The model with this record. Fields of a newer version are skipped."""
    return decoded(provider_id, id, json.loads(record))


def decoded(provider_id: str, id: str, record: dict[str, Any]) -> ModelInfo:
    """As `decode`, for a parsed record, which it changes."""
    known = _known("", record)
    for name in known.keys() & PARTS.keys():
        known[name] = _known(name, known[name])
    if known.get("kind") not in KINDS:
        known.pop("kind", None)
    return ModelInfo(id=id, provider_id=provider_id, **known)


def _known(part: str, record: dict[str, Any]) -> dict[str, Any]:
    known = _NAMES[part]
    if record.keys() <= known:
        return record
    return {name: value for name, value in record.items() if name in known}
