"""Map LiteLLM's keys to ids of this registry.

The table is data (`providers.json`): LiteLLM's provider → ours. An id is never guessed: a key
without its prefix is the id, or the key is left out. A price or a date of a region
(`azure/eu/…`, `bedrock/us-east-1/…`), of an image size or of a fine-tuned model does not apply
to the model itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from importlib_resources import files


@cache
def providers() -> Mapping[str, str]:
    """LiteLLM's provider → ours."""
    table: Mapping[str, str] = json.loads(
        files("registry_facts_litellm").joinpath("providers.json").read_text("utf-8")
    )
    return table


def prefix(provider: str) -> str:
    """The prefix of LiteLLM's keys for this provider, if they have one."""
    return "vertex_ai/" if provider.startswith("vertex_ai-") else f"{provider}/"


@cache
def _prefixes() -> frozenset[str]:
    return frozenset(map(prefix, providers()))


def full_id(key: str, row: Any) -> str | None:
    """The full id that `key` stands for; None if there is none, or if it is uncertain.

    >>> full_id("azure/gpt-4o", {"litellm_provider": "azure"})
    'azure/gpt-4o'
    >>> full_id("openai/gpt-4o", {"litellm_provider": "azure"})
    """
    provider = row.get("litellm_provider") if isinstance(row, Mapping) else None
    ours = providers().get(provider) if isinstance(provider, str) else None
    if ours is None:
        return None
    bare = key.removeprefix(prefix(str(provider)))
    # A row with the prefix of another provider was copied and not corrected.
    if bare == key and f"{key.partition('/')[0]}/" in _prefixes():
        return None
    return f"{ours}/{bare}" if bare else None
