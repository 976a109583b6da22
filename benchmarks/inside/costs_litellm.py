"""Run in the environment of LiteLLM; as costs_genai.py. The provider is part of the model."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import litellm
from litellm.types.utils import CompletionTokensDetailsWrapper, PromptTokensDetailsWrapper, Usage

NAMES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "reasoning": "output_cost_per_reasoning_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "input_audio": "input_cost_per_audio_token",
    "output_audio": "output_cost_per_audio_token",
}


def prices(about: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    tiers: dict[int, dict[str, Any]] = {}
    for ours, theirs in NAMES.items():
        if about.get(theirs) is not None:
            found[ours] = about[theirs] * 1e6
        for name, price in about.items():
            size = re.fullmatch(rf"{theirs}_above_(\d+)k_tokens", name)
            if size and price is not None:
                tiers.setdefault(int(size[1]) * 1000, {})[ours] = price * 1e6
    written = [
        {**found, **own, "tier": {"type": "context", "size": size}} for size, own in tiers.items()
    ]
    return {**found, "tiers": written}


answers = []
for _, model, counts in json.load(sys.stdin):
    about = litellm.model_cost.get(model)
    if about is None or "input_cost_per_token" not in about:
        answers.append(None)
        continue
    read, made = (
        sum(counts[n] for n in ("input", "cache_read", "cache_write", "input_audio")),
        sum(counts[n] for n in ("output", "reasoning", "output_audio")),
    )
    usage = Usage(
        prompt_tokens=read,
        completion_tokens=made,
        total_tokens=read + made,
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=counts["cache_read"],
            cache_creation_tokens=counts["cache_write"],
            audio_tokens=counts["input_audio"],
        ),
        completion_tokens_details=CompletionTokensDetailsWrapper(
            reasoning_tokens=counts["reasoning"], audio_tokens=counts["output_audio"]
        ),
        cache_read_input_tokens=counts["cache_read"],
        cache_creation_input_tokens=counts["cache_write"],
    )
    try:
        answers.append(
            [sum(litellm.cost_per_token(model=model, usage_object=usage)), prices(about)]
        )
    except Exception as error:
        print(model, error, file=sys.stderr)
        answers.append(None)
print(json.dumps(answers))
