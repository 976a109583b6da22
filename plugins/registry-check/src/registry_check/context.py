"""Which providers a file, or what stands beside a name, speaks of."""

from __future__ import annotations

import re

from . import spellings
from .keys import key_of
from .names import Names
from .place import Place

#: Where what a base URL says counts for the whole file.
_BASE = re.compile(
    r"""(?ix)(?:base_?url|api_?base|endpoint|url|host)["']?\s*[:=]\s*["'`]?$ | \bcurl\b[^\n]*$"""
)
_URL = re.compile(r"https?://[^\s\"'`]+")
#: So many characters before a URL say what it is for.
_BEFORE = 200
_NARROW = re.compile(
    r"Azure(?:Open|Chat)|AsyncAzureOpenAI|AnthropicBedrock|AnthropicVertex|azure_endpoint"
)


def of_file(data: bytes, names: Names) -> frozenset[str]:
    """The providers that imports and base URLs name; "local" stands for one that nobody knows."""
    text = data.decode("utf-8", "replace")
    found: set[str] = set()
    for match in spellings.IMPORTS.finditer(text):
        for module in (match["python"] or match["script"]).split(","):
            found.update(_of_module(module.strip(), names))
    if narrow := _NARROW.search(text):
        word = narrow[0].lower()
        if not re.search(r"\b(?:Async|Chat)?(?:OpenAI|Anthropic)\(", text):
            found -= {"openai", "anthropic"}
        found.add(
            "amazon-bedrock"
            if "bedrock" in word
            else "google-vertex-anthropic"
            if "vertex" in word
            else "azure"
        )
    for url in _URL.finditer(text):
        if _BASE.search(text[max(0, url.start() - _BEFORE) : url.start()]):
            found.update(names.owner_of(url[0]))
    return frozenset(found)


def _of_module(module: str, names: Names) -> tuple[str, ...]:
    for pattern, provider in spellings.PACKAGES:
        if pattern.match(module):
            return (provider,)
    named = spellings.NAMED_PACKAGE.match(module)
    return names.providers(named[1]) if named else ()


def sellers_of(place: Place, names: Names) -> tuple[str, ...]:
    """The providers that keys around the place are called exactly like, the nearest first: a
    list of what each offers."""
    return tuple(one for one in place.names if one in names.models)


def of_place(place: Place, names: Names) -> tuple[str, ...]:
    """The providers that neighbours, else the names of keys and calls, speak of."""
    for siblings in place.siblings:
        for key, value in siblings.items():
            key = key.lower()
            if key in spellings.PROVIDER_KEYS and (found := names.providers(value)):
                return found
            if key in spellings.URL_KEYS and (found := names.owner_of(value)):
                return found
    for name in place.names:
        words = key_of(name).words
        if "azure" in words:
            return ("azure",)
        joined = " ".join(words)
        for provider in ("bedrock", "vertex", "anthropic", "openai", "open ai", "gemini", "google",
                         "mistral", "groq", "cohere", "xai", "deepseek", "perplexity", "together",
                         "fireworks", "cerebras", "openrouter", "ollama"):  # fmt: skip
            if re.search(rf"\b{provider}", joined):
                return names.providers(provider.replace(" ", ""))
    return ()
