"""How ids of models are written elsewhere, as data, and how alike two of them are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from attrs import frozen

#: What others write before a model's name (LiteLLM, pydantic-ai, LangChain, Hugging Face, the
#: vendors' own consoles), in `plain` form → our ids of providers; of none: it says nothing.
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
#: Names that only one provider writes so, without saying its name.
FORMS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"@(?:20\d{6}|default)$"), ("google-vertex", "google-vertex-anthropic")),
    (re.compile(r"^[a-z-]+\.[a-z]"), ("amazon-bedrock",)),
)
#: What stands before a name: Bedrock's region and vendor.
_START = re.compile(r"^(?:(?:us|eu|ap|apac|au|ca|jp|in|us-gov|global)\.)?[a-z]+\.(?=[a-z])")
#: What follows a name: when it was made, which build it is, or that it is the latest.
#: Each part is read in one way only (`++`), so that a long text takes no longer.
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
    """Without what stands before and after the name proper."""
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
            ending = None  # deepseek-v3: a version of Bedrock's stands behind a vendor
        end = ending[0] if ending else ""
        core = rest[: len(rest) - len(end)] or rest
        words = tuple(word for word in re.split(r"[-._: @]+", core) if word)
        numbers = tuple(re.findall(r"\d+", core))
        return cls(plain(name), plain(core), words, numbers, end)


def likeness(wanted: Spelling, candidate: Spelling) -> float:
    """How much alike two names are, from 0 to 1.

    The same name is 1; with another date or ending it stays close to that, undated before
    latest before dated; then come the same words in another order, what differs in some
    letters, and names of which one holds the words of the other. Another number is another
    model.
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
    """What it costs to end otherwise: undated before latest before dated."""
    if wanted.end == candidate.end:
        return 0
    return 0.01 if not candidate.end else 0.02 if "latest" in candidate.end else 0.03


def _ratio(left: str, right: str) -> float:
    return SequenceMatcher(None, left, right, autojunk=False).ratio()
