"""Explain why a constructor refused its arguments: which field, and what was probably meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .suggesting import closest


def explain(
    instance: Any, given: Sequence[Any], named: Mapping[str, Any], error: Exception
) -> Exception:
    """`error` of the constructor of this attrs object, with the name of the field."""
    fields = {attribute.alias: attribute for attribute in instance.__attrs_attrs__}
    for name in named:
        if name not in fields:
            message = f"{type(instance).__name__} has no field {name!r}"
            return TypeError("; ".join([message, *nearest_question(name, [*fields])]))
    values = {**dict(zip(fields, given, strict=False)), **named}
    for name, value in values.items():
        convert: Any = fields[name].converter
        try:
            if convert is None:
                continue
            if getattr(convert, "takes_self", False):
                convert.converter(value, instance)
            else:
                convert(value)
        except (TypeError, ValueError) as fault:
            return with_field(name, fault)
    return error


def nearest_question(name: str, known: Sequence[str]) -> list[str]:
    """A "did you mean" with the nearest of `known`; empty if none is similar."""
    return [f"did you mean {candidate!r}?" for candidate in closest(name, known)]


def with_field(name: str, fault: Exception) -> Exception:
    """`fault` with the path of its field: `name`, or a field inside it."""
    inner, why = getattr(fault, "field", None), reason(fault)
    path = name if inner is None else f"{name}.{inner}"
    kind = TypeError if isinstance(fault, TypeError) else ValueError
    located = kind(f"{path}: {why}")
    vars(located).update(field=path, refusal=why)
    return located


def reason(fault: Exception) -> str:
    """The message of `fault`, without the name of the field."""
    return getattr(fault, "refusal", None) or str(fault)
