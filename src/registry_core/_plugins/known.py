"""The further packages of this project; the extra `[all]` installs all of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Distribution → what it adds.
KNOWN: Mapping[str, str] = MappingProxyType(
    {
        "registry-catalog": "a page of all models: search, compare, plot",
        "registry-check": "the command check: model ids in code that are of no use any more",
        "registry-facts-litellm": "when models are shut off, and what follows them",
        "registry-gateway-litellm": "the models of a LiteLLM proxy",
        "registry-gateway-models-dev": "the catalog of models.dev: most providers",
        "registry-gateway-netlify": "Netlify AI Gateway",
        "registry-gateway-openai": "servers that speak OpenAI's API: Ollama, vLLM, llama.cpp …",
        "registry-gateway-openrouter": "OpenRouter's own list",
        "registry-policy": "which models may be used, and roles, without code",
    }
)

#: Name of the entry point, and so of the options → distribution.
OWNERS: Mapping[str, str] = MappingProxyType(
    {
        "catalog": "registry-catalog",
        "litellm": "registry-gateway-litellm",
        "litellm-cost-map": "registry-facts-litellm",
        "models-dev": "registry-gateway-models-dev",
        "netlify": "registry-gateway-netlify",
        "openai-compatible": "registry-gateway-openai",
        "openrouter": "registry-gateway-openrouter",
        "policy": "registry-policy",
    }
)

#: Command → distribution.
COMMANDS: Mapping[str, str] = MappingProxyType(
    {"browse": "registry-catalog", "check": "registry-check"}
)


def install_hint(entry: str) -> str:
    """How to install the plugin with these options; "" if it is not from this project."""
    return f"pip install {OWNERS[entry]} adds it" if entry in OWNERS else ""
