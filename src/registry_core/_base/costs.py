"""What some tokens cost: counts times prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fields import Cost

#: What is counted; each has its price in `Cost`.
COUNTED = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "reasoning",
    "input_audio",
    "output_audio",
)
#: These make up the context, by which the tier is chosen.
_CONTEXT = ("input", "cache_read", "cache_write", "input_audio")


def cost_of(cost: Cost | None, counts: Mapping[str, int]) -> float | None:
    """USD for these `counts` of tokens, by the names of `COUNTED`; each token is counted once.
    None if a price that is needed is unknown."""
    context = sum(counts[name] for name in _CONTEXT)
    prices = _prices(cost, context)
    total: float = 0
    for name, count in counts.items():
        if count:
            price = prices.get(name)
            if price is None and name == "reasoning":  # it is output, if it has no price of its own
                price = prices.get("output")
            if price is None:
                return None
            total += count * price
    return total / 1_000_000


def _prices(cost: Cost | None, context: int) -> Mapping[str, float | None]:
    """The prices that hold for a context of so many tokens: those of the highest tier below it,
    which stand alone, else the plain ones."""
    if cost is None:
        return {}
    sizes = {size: tier for tier in cost.tiers if (size := _size(tier)) is not None}
    reached = [size for size in sizes if size < context]
    if reached:
        tier = sizes[max(reached)]
        return {name: _number(tier.get(name)) for name in COUNTED}
    return {name: getattr(cost, name) for name in COUNTED}


def _size(tier: Mapping[str, Any]) -> float | None:
    """From which context on a tier holds; None for one of another kind."""
    about = tier.get("tier")
    if not isinstance(about, Mapping) or about.get("type") != "context":
        return None
    return _number(about.get("size"))


def _number(value: Any) -> float | None:
    return value if type(value) in (int, float) and value >= 0 else None
