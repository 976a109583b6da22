"""Spellings of model ids elsewhere, as data, and how similar two names are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from attrs import frozen

#: Prefixes of model names elsewhere (LiteLLM, pydantic-ai, LangChain, Hugging Face, the
#: vendors' own consoles), in `plain` form → our provider ids. Empty: the prefix says nothing.
PREFIXES: Mapping[str, tuple[str, ...]] = {
    "amazon": ("amazon-bedrock",),
    "aws": ("amazon-bedrock",),
    "azureai": ("azure",),
    "azureopenai": ("azure",),
    "bedrock": ("amazon-bedrock",),
    "bedrockconverse": ("amazon-bedrock",),
    "bedrockmantle": ("amazon-bedrock",),
    "coherechat": ("cohere",),
    "codestral": ("mistral",),
    "dashscope": ("alibaba",),
    "deepseekai": ("deepseek",),
    "fireworks": ("fireworks-ai",),
    "gateway": (),
    "gemini": ("google",),
    "googleaistudio": ("google",),
    "googleanthropicvertex": ("google-vertex-anthropic", "google-vertex"),
    "googlecloud": ("google-vertex", "google-vertex-anthropic"),
    "googlegenai": ("google",),
    "googlegla": ("google",),
    "googlevertexai": ("google-vertex",),
    "grok": ("xai",),
    "kimi": ("moonshotai",),
    "metallama": ("llama", "meta"),
    "mistralai": ("mistral",),
    "models": ("google",),
    "moonshot": ("moonshotai",),
    "nvidianim": ("nvidia",),
    "ollama": ("ollama-cloud",),
    "openaichat": ("openai",),
    "openairesponses": ("openai",),
    "projects": ("google-vertex", "google-vertex-anthropic"),
    "publishers": ("google-vertex", "google-vertex-anthropic"),
    "qwen": ("alibaba",),
    "textcompletionopenai": ("openai",),
    "together": ("togetherai",),
    "vercelaigateway": ("vercel",),
    "vertex": ("google-vertex", "google-vertex-anthropic"),
    "vertexai": ("google-vertex", "google-vertex-anthropic"),
    "vertexaibeta": ("google-vertex", "google-vertex-anthropic"),
    "xiaomimimo": ("xiaomi",),
    "zaiorg": ("zai",),
}
#: Forms of names that only one provider uses.
FORMS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"@(?:20\d{6}|default)$"), ("google-vertex", "google-vertex-anthropic")),
    (re.compile(r"^[a-z-]+\.[a-z]"), ("amazon-bedrock",)),
)
#: The part before a name: Bedrock's region and vendor.
_START = re.compile(r"^(?:(?:us|eu|ap|apac|au|ca|jp|in|us-gov|global)\.)?[a-z]+\.(?=[a-z])")
#: The part after a name: a date, a build, or "latest".
#: Possessive (`++`), so that a long text needs no backtracking.
_END = re.compile(
    r"(?:[-@:](?:20\d\d-?\d\d-?\d\d|\d\d-20\d\d|\d\d-\d\d(?:-20\d\d)?|\d{6}|\d{4}|00\d"
    r"|v\d+(?::\d+)?|\d:0|latest|preview|default|exp))++$"
)
_VERSION = re.compile(r"(?<!\d)v\d+(?::\d+)?$")
_MARKS = str.maketrans("", "", "-._: @")


def plain(text: str) -> str:
    """`text` without regard to case, dots and dashes."""
    return text.casefold().translate(_MARKS)


@frozen(eq=False)
class Spelling:
    """The last part of an id, taken apart."""

    whole: str
    core: str
    """The name without prefix and ending."""
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    end: str

    @classmethod
    def of(cls, name: str) -> Spelling:
        rest = name.casefold().strip()
        start = _START.match(rest)
        rest = rest[start.end() :] if start else rest
        ending = _END.search(rest)
        if ending and not start and _VERSION.fullmatch(ending[0][1:]):
            ending = None  # deepseek-v3: only with a vendor is this a version of Bedrock's
        end = ending[0] if ending else ""
        core = rest[: len(rest) - len(end)] or rest
        words = tuple(word for word in re.split(r"[-._: @]+", core) if word)
        numbers = tuple(re.findall(r"\d+", core))
        return cls(plain(name), plain(core), words, numbers, end)


def likeness(wanted: Spelling, candidate: Spelling) -> float:
    """How similar two names are, from 0 to 1.

    Equal names give 1. Another date or ending gives a little less: undated, then latest, then
    dated. Next are the same words in another order, names that differ in some letters, and
    names that contain all words of the other. A different number means a different model.
    """
    if wanted.whole == candidate.whole:
        return 1
    if wanted.core == candidate.core:
        return 0.98 - _other_end(wanted, candidate) + 0.01 * _ratio(wanted.whole, candidate.whole)
    if sorted(wanted.words) == sorted(candidate.words):
        return 0.95 - _other_end(wanted, candidate)
    share = _ratio(wanted.core, candidate.core)
    fewer, more = sorted((wanted, candidate), key=lambda name: len(name.words))
    if {*fewer.words} <= {*more.words}:
        share = max(share, 0.8 + 0.1 * len(fewer.core) / len(more.core))
    if wanted.numbers and wanted.numbers != candidate.numbers[: len(wanted.numbers)]:
        share -= 0.1
    return share - _other_end(wanted, candidate)


def _other_end(wanted: Spelling, candidate: Spelling) -> float:
    """The penalty for another ending: undated, then latest, then dated."""
    if wanted.end == candidate.end:
        return 0
    return 0.01 if not candidate.end else 0.02 if "latest" in candidate.end else 0.03


def _ratio(left: str, right: str) -> float:
    return SequenceMatcher(None, left, right, autojunk=False).ratio()
