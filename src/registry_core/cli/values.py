"""Values of models as people read and write them: units, ages, columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..models import ModelInfo

    _Type = click.ParamType[Any]
else:  # the class takes no argument in older versions
    _Type = click.ParamType

UNKNOWN_URL = "no URL is known here: its gateway may know one, or set"
#: Values of `--columns` in addition to fields of a record ("cost.cache_read").
COLUMNS: Mapping[str, str] = {
    "id": "full_id",
    "model": "id",
    "provider": "provider_id",
    "context": "limit.context",
    "max_output": "limit.output",
    "price": "cost.input",
    "input_cost": "cost.input",
    "output_cost": "cost.output",
    "input": "modalities.input",
    "output": "modalities.output",
    "released": "release_date",
    "deprecated": "lifecycle.deprecated_on",
    "retires": "lifecycle.retires_on",
    "successor": "lifecycle.successor",
}
#: Short words for the abilities of a model, for a table.
_CAN: Mapping[str, str] = {
    "tool_call": "tools",
    "vision": "vision",
    "reasoning": "reason",
    "structured_output": "json",
}
#: The prices of a model, in words.
PRICES: Mapping[str, str] = {
    "input": "in",
    "output": "out",
    "reasoning": "reasoning",
    "cache_read": "cache read",
    "cache_write": "cache write",
    "input_audio": "audio in",
    "output_audio": "audio out",
}
_SIZES = {"k": 1_000, "m": 1_000_000}
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SOON = 90
"""Days. If a model retires within them, a table marks it."""


class Tokens(_Type):
    """A count of tokens: 200000, 200_000, 200k, 1M."""

    name = "tokens"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([km]?)", str(value).replace("_", "").casefold())
        if match is None:
            self.fail(f"{value!r} is not a number of tokens: write 200000, 200k or 1M", param, ctx)
        return round(float(match[1]) * _SIZES.get(match[2], 1))


class Usd(_Type):
    """The price of a million tokens: 3, 0.25."""

    name = "usd"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number of US dollars: write 3 or 0.25", param, ctx)


class Day(_Type):
    """A day: 2026-09-30, or a time before or after today (`ahead`: -1 or 1): 30d, 2w, 6m, 1y."""

    name = "day"

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead

    def convert(self, value: Any, param: Any, ctx: Any) -> str | timedelta:
        match = re.fullmatch(r"(\d{1,5})([dwmy])", value)
        return timedelta(self.ahead * int(match[1]) * _DAYS[match[2]]) if match else str(value)


def split(_context: Any, _parameter: Any, values: tuple[str, ...]) -> tuple[str, ...]:
    """A callback: `--supports tools,vision` means `--supports tools --supports vision`."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def count(number: float) -> str:
    """A count of tokens, such as "128k" or "1.05M"."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:g}"


def price(usd: float) -> str:
    """The price of a million tokens, such as "2.50" or "0.075"."""
    shown = f"{usd:.6f}".rstrip("0")
    dollars, _, cents = shown.partition(".")
    return f"{dollars}.{cents:0<2}"


def can(model: ModelInfo) -> str:
    """The known abilities of a model, in words."""
    known = {ability: getattr(model, ability, None) for ability in _CAN} | {
        "vision": model.accepts("image")
    }
    return " ".join(word for ability, word in _CAN.items() if known[ability])


def note(model: ModelInfo, today: date) -> str:
    """A warning for users of a model: deprecated, retired soon, or a beta."""
    status = model.status_on(today) or ""
    remaining = days_until(model.lifecycle.retires_on, today)
    if status != "retired" and remaining is not None and 0 < remaining <= _SOON:
        return f"retires in {days(remaining)}"
    return status


def days_until(day: str | None, today: date) -> int | None:
    return None if day is None else (date.fromisoformat(day) - today).days


def days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def record(model: ModelInfo) -> dict[str, Any]:
    """All fields as plain JSON values, with the full id, and the kind even if it is inferred."""
    return {"full_id": model.full_id, **model.to_dict(), "kind": model.kind}


def fields(model: ModelInfo, today: date) -> dict[str, Any]:
    """The values for columns and `--field`: `record` with parts as "cost.input". Lists stay."""
    values: dict[str, Any] = {"status": None}
    for name, value in record(model).items():
        if isinstance(value, Mapping):
            values |= {f"{name}.{key}": item for key, item in value.items()}
        else:
            values[name] = value
    for part in ("cost",):  # None if no price is known
        if values.get(part, 0) is None:
            del values[part]
    return values | {
        "status": model.status_on(today),
        "can": can(model),
        "note": note(model, today),
    }


def plain(value: Any) -> str:
    """A value for a pipe: numbers in full, lists with commas, unknown values empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(plain, value))
    if isinstance(value, Mapping):
        import json

        from .._base.frozen import thaw

        return json.dumps(thaw(value), ensure_ascii=False)
    return str(value)


def tiers(value: Any) -> list[str]:
    """Prices above a size of the context, such as "above 200k: $4.00 in, $15.00 out"."""
    texts = []
    for tier in value:
        size = tier.get("tier", {}).get("size")
        parts = [f"${price(tier[field])} {word}" for field, word in PRICES.items() if field in tier]
        if isinstance(size, (int, float)) and parts:
            texts.append(f"above {count(size)}: {', '.join(parts)}")
    return texts


def readable(field: str, value: Any) -> str:
    """A value for a person: with units, and "?" if it is unknown."""
    if value is None:
        return "?"
    if field == "cost.tiers":
        return "; ".join(tiers(value)) or "none"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if field.startswith("cost."):
            return price(value)
        if field.startswith("limit."):
            return count(value)
    return {"true": "yes", "false": "no"}.get(text := plain(value), text.replace(",", ", "))


def url_of(goes: Mapping[str, Any]) -> str | None:
    """The URL, and where it is from if not from its gateway."""
    url, by = goes["url"], goes["url_from"]
    if by == "well known":
        return f"{url} (its gateway names none; this is well known)"
    if by not in (None, "gateway"):
        return f"{url} (from {by})" if url else f"{by} is set, but not to a plain URL"
    return str(url) if url else None


def when(remaining: int) -> str:
    """The words for a day in this many days."""
    if remaining == 0:
        return "today"
    return f"in {days(remaining)}" if remaining > 0 else f"{days(-remaining)} ago"
