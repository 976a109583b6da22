"""URLs, dialects and key headers of providers that catalogs leave to SDK packages.

This is the only such table. It is public, so that gateway plugins can read it. What a gateway
says outranks it. `docs/resolve.md` names the source of each row, and `docs/mastra.md` that of
the column `mastra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from ._base.frozen import FrozenDict, Value

Dialect = Literal["openai", "openai-responses", "anthropic", "google"]


@frozen(eq=False, repr=False)
class KnownProvider(Value):
    """A row. The defaults are for a provider of which nothing is known."""

    url: str | None = None
    """Its base URL, for catalogs that name none. The paths that a client adds
    ("chat/completions", "responses", "messages", "models/…:generateContent") follow it."""
    dialect: Dialect = "openai"
    """Its dialect, unless its JavaScript package determines it."""
    key_header: str = "Authorization"
    """The header that carries its key at that URL."""
    unroutable: str | None = None
    """Why it can't be called with a URL and a key."""
    mastra: Literal["sdk", "never"] | None = None
    """How Mastra calls it: through an SDK package that knows its URL and key header, or never.
    None: it calls the URL of the catalog, if there is one."""


#: By provider id.
KNOWN_PROVIDERS: Mapping[str, KnownProvider] = FrozenDict(
    {
        "amazon-bedrock": KnownProvider(unroutable="its requests are signed with AWS credentials"),
        "anthropic": KnownProvider(
            "https://api.anthropic.com/v1", "anthropic", "x-api-key", mastra="sdk"
        ),
        "cerebras": KnownProvider("https://api.cerebras.ai/v1", mastra="sdk"),
        "deepinfra": KnownProvider("https://api.deepinfra.com/v1/openai", mastra="sdk"),
        "deepseek": KnownProvider(mastra="sdk"),
        "github-copilot": KnownProvider(
            unroutable="its token comes from signing in to GitHub Copilot, not from a key",
            mastra="never",
        ),
        "gitlab": KnownProvider(unroutable="its token is first exchanged with GitLab for another"),
        "google": KnownProvider(
            "https://generativelanguage.googleapis.com/v1beta",
            "google",
            "x-goog-api-key",
            mastra="sdk",
        ),
        "google-vertex": KnownProvider(unroutable="it takes Google Cloud credentials, not a key"),
        "google-vertex-anthropic": KnownProvider(
            unroutable="it takes Google Cloud credentials, not a key"
        ),
        "groq": KnownProvider("https://api.groq.com/openai/v1", mastra="sdk"),
        "mistral": KnownProvider("https://api.mistral.ai/v1", mastra="sdk"),
        "openai": KnownProvider("https://api.openai.com/v1", "openai-responses", mastra="sdk"),
        "openrouter": KnownProvider(mastra="sdk"),
        "perplexity": KnownProvider("https://api.perplexity.ai", mastra="sdk"),
        "sap-ai-core": KnownProvider(
            unroutable="its service key is first exchanged with SAP for a token"
        ),
        "togetherai": KnownProvider("https://api.together.ai/v1", mastra="sdk"),
        "vercel": KnownProvider("https://ai-gateway.vercel.sh/v1", mastra="sdk"),
        "watsonx": KnownProvider(
            unroutable="its key is first exchanged with IBM Cloud for a token"
        ),
        "xai": KnownProvider("https://api.x.ai/v1", mastra="sdk"),
    }
)
NOTHING_KNOWN = KnownProvider()
