"""How to call what models.dev names only by its JavaScript package.

Two tables, and nothing else to keep up to date: the base URL of the providers that
models.dev lists without one, and the packages that do not speak the OpenAI dialect.
`docs/resolve.md` names the page that each row was read from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

Dialect = Literal["openai", "openai-responses", "anthropic", "google"]


@frozen
class Default:
    """Where a provider lives, and what it speaks there, when the registry doesn't say."""

    url: str
    dialect: Dialect = "openai"


#: Provider id → default. The paths a client adds ("chat/completions", "responses",
#: "messages", "models/…:generateContent") are relative to these URLs.
DEFAULTS: Mapping[str, Default] = {
    "anthropic": Default("https://api.anthropic.com/v1", "anthropic"),
    "cerebras": Default("https://api.cerebras.ai/v1"),
    "deepinfra": Default("https://api.deepinfra.com/v1/openai"),
    "google": Default("https://generativelanguage.googleapis.com/v1beta", "google"),
    "groq": Default("https://api.groq.com/openai/v1"),
    "mistral": Default("https://api.mistral.ai/v1"),
    "openai": Default("https://api.openai.com/v1", "openai-responses"),
    "perplexity": Default("https://api.perplexity.ai"),
    "togetherai": Default("https://api.together.ai/v1"),
    "vercel": Default("https://ai-gateway.vercel.sh/v1"),
    "xai": Default("https://api.x.ai/v1"),
}

#: JavaScript package → dialect. Any other package is taken to speak "openai".
#: `@ai-sdk/openai` calls the Responses API unless told otherwise.
DIALECTS: Mapping[str, Dialect] = {
    "@ai-sdk/anthropic": "anthropic",
    "@ai-sdk/google": "google",
    "@ai-sdk/openai": "openai-responses",
}

#: `shape` of a model override → dialect; it outranks the package.
SHAPES: Mapping[str, Dialect] = {"completions": "openai", "responses": "openai-responses"}


def dialect_of(provider_id: str, npm: str | None, shape: str | None) -> Dialect:
    """The dialect of a model, from what its override or its provider says."""
    if shape and shape in SHAPES:
        return SHAPES[shape]
    if npm:
        return DIALECTS.get(npm, "openai")
    default = DEFAULTS.get(provider_id)
    return default.dialect if default else "openai"
