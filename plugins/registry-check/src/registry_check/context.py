"""Which providers a file, or the code around a name, is about."""

from __future__ import annotations

import re

from . import spellings
from .grammars import BRACES
from .keys import key_of
from .names import Names
from .place import Place

#: The text before a base URL, whose provider counts for the whole file.
_BASE = re.compile(
    r"""(?ix)(?:base_?url|api_?base|endpoint|url|host)["']?\s*[:=]\s*["'`]?$ | \bcurl\b[^\n]*$"""
)
_URL = re.compile(r"https?://[^\s\"'`]+")
#: Characters before a URL in which its purpose is looked for.
_BEFORE = 200
_NARROW = re.compile(
    r"Azure(?:Open|Chat)|AsyncAzureOpenAI|AnthropicBedrock|AnthropicVertex|azure_endpoint"
    r"|api_type: *:azure|\.api_type *= *[\"']azure"
)
#: Imports of Java and Kotlin, C#, Rust and PHP, Ruby, and Go.
_IMPORTED = re.compile(
    r"""(?mx)^[ \t]*(?:
      import[ \t]+(?:static[ \t]+)?(?:com|dev|org|io|ai|net)\.[\w.*]+;?
    | using[ \t]+[\w.= ]+; | use[ \t]+[^\n;"']+; | require[ \t]+["'][\w/-]+["']
    | (?:import[ \t]+)?(?:[\w.]+[ \t]+)?"[\w-]+(?:\.[\w-]+)+/[\w./-]+"
    )[ \t]*\r?$"""
)
_PROVIDER = re.compile(
    r"azure|bedrock|vertex|ollama|open-?ai|anthropic|generativeai|genai|gemini|mistral|groq"
    r"|cohere|deepseek|perplexity"
)
_IMPORTING = BRACES | {"markdown"}
_RESELLERS = frozenset({"azure", "bedrock", "vertex"})


def of_file(data: bytes, names: Names, language: str) -> frozenset[str]:
    """The providers that imports and base URLs name. "local" stands for an unknown one."""
    text = data.decode("utf-8", "replace")
    providers: set[str] = set()
    for match in spellings.IMPORTS.finditer(text):
        for module in (match["python"] or match["script"]).split(","):
            providers.update(_of_module(module.strip(), names))
    if narrow := _NARROW.search(text):
        word = narrow[0].lower()
        if not re.search(r"\b(?:Async|Chat)?(?:OpenAI|Anthropic)\(", text):
            providers -= {"openai", "anthropic"}
        providers.add(
            "amazon-bedrock"
            if "bedrock" in word
            else "google-vertex-anthropic"
            if "vertex" in word
            else "azure"
        )
    for line in _IMPORTED.finditer(text) if language in _IMPORTING else ():
        named = {*_PROVIDER.findall(line[0].lower())}
        if not ("azure" in providers and line[0].startswith("using OpenAI")):  # a part of Azure's
            for word in named & _RESELLERS or named:
                providers.update(names.providers(word))
    for url in _URL.finditer(text):
        if _BASE.search(text[max(0, url.start() - _BEFORE) : url.start()]):
            providers.update(names.owner_of(url[0]))
    return frozenset(providers)


def _of_module(module: str, names: Names) -> tuple[str, ...]:
    for pattern, provider in spellings.PACKAGES:
        if pattern.match(module):
            return (provider,)
    named = spellings.NAMED_PACKAGE.match(module)
    return names.providers(named[1]) if named else ()


def sellers_of(place: Place, names: Names) -> tuple[str, ...]:
    """The providers whose ids are keys around the place, the nearest first. Such keys lead to the
    models that a provider offers."""
    return tuple(name for name in place.names if name in names.models)


def of_place(place: Place, names: Names) -> tuple[str, ...]:
    """The providers that neighbours name, or else the names of keys and calls."""
    for siblings in place.siblings:
        for key, value in siblings.items():
            key = key.lower()
            if key in spellings.PROVIDER_KEYS and (providers := names.providers(value)):
                return providers
            if key in spellings.URL_KEYS and (providers := names.owner_of(value)):
                return providers
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
