"""The dialect of a model, from its JavaScript package (`docs/resolve.md`)."""

from __future__ import annotations

from collections.abc import Mapping

from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN, Dialect

#: JavaScript package → dialect. Any other package counts as "openai".
#: `@ai-sdk/openai` calls the Responses API unless told otherwise.
DIALECTS: Mapping[str, Dialect] = {
    "@ai-sdk/anthropic": "anthropic",
    "@ai-sdk/google": "google",
    "@ai-sdk/openai": "openai-responses",
}

#: `shape` of a model override → dialect; it outranks the package.
SHAPES: Mapping[str, Dialect] = {"completions": "openai", "responses": "openai-responses"}


def dialect_of(provider_id: str, npm: str | None, shape: str | None) -> Dialect:
    """The dialect of a model, from its override or its provider."""
    if shape and shape in SHAPES:
        return SHAPES[shape]
    if npm:
        return DIALECTS.get(npm, "openai")
    return KNOWN_PROVIDERS.get(provider_id, NOTHING_KNOWN).dialect
