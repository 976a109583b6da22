"""Run in the environment of genai-prices: JSON of [provider, model, counts] on standard input.

Prints for each [USD, prices in our form], or null if it knows no such model or no price.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

NAMES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "input_audio": "input_audio_mtok",
    "output_audio": "output_audio_mtok",
}


def prices(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    tiers: dict[int, dict[str, Any]] = {}
    for ours, theirs in NAMES.items():
        price = getattr(model, theirs, None)
        if isinstance(price, TieredPrices):
            for tier in price.tiers:
                tiers.setdefault(tier.start, {})[ours] = float(tier.price)
            price = price.base
        if price is not None:
            found[ours] = float(price)
    written = [
        {**found, **own, "tier": {"type": "context", "size": size}} for size, own in tiers.items()
    ]
    return {**found, "tiers": written}


answers = []
for provider, model, counts in json.load(sys.stdin):
    usage = Usage(
        input_tokens=sum(counts[n] for n in ("input", "cache_read", "cache_write", "input_audio")),
        output_tokens=sum(counts[n] for n in ("output", "reasoning", "output_audio")),
        cache_read_tokens=counts["cache_read"],
        cache_write_tokens=counts["cache_write"],
        input_audio_tokens=counts["input_audio"],
        output_audio_tokens=counts["output_audio"],
    )
    try:
        _, known = get_snapshot().find_provider_model(model, None, provider, None)
        same = known.id == model
        found = calc_price(usage, model_ref=model, provider_id=provider) if same else None
    except (LookupError, ValueError):
        found = None
    answers.append(found and [float(found.total_price), prices(found.model_price)])
print(json.dumps(answers))
