"""What is known of models, as people read and write it: units, ages, columns."""

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
#: What `--columns` takes beside the fields of a record ("cost.cache_read").
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
#: Words for what a model can do, short enough for a table.
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
"""Days within which an end is near enough for a mark in a table."""


class Tokens(_Type):
    """A count of tokens: 200000, 200_000, 200k, 1M."""

    name = "tokens"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([km]?)", str(value).replace("_", "").casefold())
        if found is None:
            self.fail(f"{value!r} is not a number of tokens: write 200000, 200k or 1M", param, ctx)
        return round(float(found[1]) * _SIZES.get(found[2], 1))


class Day(_Type):
    """A day: 2026-09-30, or so long from today (`ahead`: -1 or 1): 30d, 2w, 6m, 1y."""

    name = "day"

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead

    def convert(self, value: Any, param: Any, ctx: Any) -> str | timedelta:
        found = re.fullmatch(r"(\d{1,5})([dwmy])", value)
        return timedelta(self.ahead * int(found[1]) * _DAYS[found[2]]) if found else str(value)


def split(_context: Any, _parameter: Any, values: tuple[str, ...]) -> tuple[str, ...]:
    """A callback: `--supports tools,vision` is `--supports tools --supports vision`."""
    return tuple(one.strip() for value in values for one in value.split(",") if one.strip())


def count(number: float) -> str:
    """Of tokens: "128k", "1.05M"."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:g}"


def price(usd: float) -> str:
    """Of a million tokens: "2.50", "0.075"."""
    shown = f"{usd:.6f}".rstrip("0")
    whole, _, rest = shown.partition(".")
    return f"{whole}.{rest:0<2}"


def can(model: ModelInfo) -> str:
    """What it is known to do, in words."""
    known = {one: getattr(model, one, None) for one in _CAN} | {"vision": model.accepts("image")}
    return " ".join(word for one, word in _CAN.items() if known[one])


def note(model: ModelInfo, today: date) -> str:
    """What somebody who chooses it must know: that it is deprecated, or goes soon, or a beta."""
    status = model.status_on(today) or ""
    left = days_until(model.lifecycle.retires_on, today)
    if status != "retired" and left is not None and 0 < left <= _SOON:
        return f"retires in {days(left)}"
    return status


def days_until(day: str | None, today: date) -> int | None:
    return None if day is None else (date.fromisoformat(day) - today).days


def days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def record(model: ModelInfo) -> dict[str, Any]:
    """Plain JSON values, all fields; with its full id, and its kind if only rules know that."""
    return {"full_id": model.full_id, **model.to_dict(), "kind": model.kind}


def fields(model: ModelInfo, today: date) -> dict[str, Any]:
    """What columns and `--field` name: `record` with parts as "cost.input"; lists stay."""
    found: dict[str, Any] = {"status": None}
    for name, value in record(model).items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": item for key, item in value.items()}
        else:
            found[name] = value
    for part in ("cost",):  # None as a whole, if nobody knows a price
        if found.get(part, 0) is None:
            del found[part]
    return found | {"status": model.status_on(today), "can": can(model), "note": note(model, today)}


def plain(value: Any) -> str:
    """For a pipe: a number whole, a list with commas, what is unknown empty."""
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
    """Prices from a size of the context on: "above 200k: $4.00 in, $15.00 out"."""
    found = []
    for tier in value:
        size = tier.get("tier", {}).get("size")
        said = [f"${price(tier[one])} {word}" for one, word in PRICES.items() if one in tier]
        if isinstance(size, (int, float)) and said:
            found.append(f"above {count(size)}: {', '.join(said)}")
    return found


def told(field: str, value: Any) -> str:
    """For a person: with units; "?" is unknown."""
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
    """The URL, in words where it is not the gateway that says it."""
    url, by = goes["url"], goes["url_from"]
    if by == "well known":
        return f"{url} (its gateway names none; this is well known)"
    if by not in (None, "gateway"):
        return f"{url} (from {by})" if url else f"{by} is set, but not to a plain URL"
    return str(url) if url else None


def when(left: int) -> str:
    """Of a day that is so many days from now."""
    if left == 0:
        return "today"
    return f"in {days(left)}" if left > 0 else f"{days(-left)} ago"
