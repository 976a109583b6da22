# Made by `registry-core sync`; changes are overwritten.

import typing as t

ProviderId: t.TypeAlias = t.Literal[
    "anthropic",
    "openai",
]
"""Ids of the known providers."""

KnownModelId: t.TypeAlias = t.Literal[
    "anthropic/claude-opus-4-5",
    "anthropic/claude-sonnet-4-5",
    "openai/gpt-4o",
    "openai/gpt-5",
]
"""A full id, as in `openai/gpt-4o`; no other text is accepted."""

ModelId: t.TypeAlias = KnownModelId | str
"""A full id: the known ones are completed, any text is accepted."""

# The bare ids of each provider.

Model_anthropic: t.TypeAlias = t.Literal[
    "claude-opus-4-5",
    "claude-sonnet-4-5",
]

Model_openai: t.TypeAlias = t.Literal[
    "gpt-4o",
    "gpt-5",
]
