"""The cost of tokens: counts times prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fields import Cost

#: The kinds of tokens that are counted; each has its price in `Cost`.
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
    prices = _prices(cost, sum(counts[name] for name in _CONTEXT)) if cost else {}
    total: float = 0
    for name, count in counts.items():
        if count:
            price = prices.get(name)
            if price is None:
                return None
            total += count * price
    return total / 1_000_000


def tier_size(tier: Mapping[str, Any]) -> int | None:
    """The context size in tokens above which a tier applies; None for another kind of tier."""
    condition = tier.get("tier")
    if not isinstance(condition, Mapping) or condition.get("type") != "context":
        return None
    size = amount(condition.get("size"))
    if size is None:
        return None
    size = int(size)
    return size - (size % 1000 == 1)  # from 200,001 on is above 200,000


def amount(value: Any) -> float | None:
    """`value`, if it is a number from 0; else None. A tier may contain anything."""
    return value if type(value) in (int, float) and value >= 0 else None


def _prices(cost: Cost, context: int) -> Mapping[str, float | None]:
    """The prices for a context of this many tokens: only those of the highest tier below it, or
    without such a tier the plain ones."""
    sizes = {size: tier for tier in cost.tiers if (size := tier_size(tier)) is not None}
    reached = [size for size in sizes if size < context]
    if reached:
        tier = sizes[max(reached)]
        prices = {name: amount(tier.get(name)) for name in COUNTED}
    else:
        prices = {name: getattr(cost, name) for name in COUNTED}
    if prices["reasoning"] is None and cost.reasoning in (None, cost.output):
        prices["reasoning"] = prices["output"]  # that is how it is billed
    return prices
