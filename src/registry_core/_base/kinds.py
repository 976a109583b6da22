"""What a model is for, where its source doesn't say: rules that are data.

Only what is certain. "chat" above all is never guessed: who asks for chat models sends
messages to what is found. Whatever no rule knows stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fields import Kind, Modalities


def _word(*forms: str, more: str = "") -> re.Pattern[str]:
    """A pattern for one of `forms` that is no part of a longer word, or for `more`."""
    word = rf"(?<![a-z])(?:{'|'.join(forms)})(?![a-z])"
    return re.compile(f"{word}|{more}" if more else word)


#: What the last part of an id says, in lower case; the first pattern that is found counts.
#: None: it says that no rule below it can tell.
IDS: tuple[tuple[re.Pattern[str], Kind | None], ...] = (
    (re.compile("rerank"), "rerank"),
    (re.compile("embed"), "embedding"),
    (_word("bge", "e5", "gte", "voyage", "mini-?lm", "mini_lm", "mpnet"), "embedding"),
    (_word("moderation", "(?:safe)?guard", "content-safety"), "moderation"),
    (_word("whisper", "tts", "stt", "asr", "transcribe", "lyria"), "audio"),
    (_word("image(?!-to)", "imagen", "dall-?e", "flux", "sdxl", "stable-?diffusion"), "image"),
    (_word("veo", "sora", "t2v", "i2v", "r2v"), "video"),
    (_word("davinci", "babbage", r"gpt-3\.?5-turbo-instruct"), "completion"),
    (_word("realtime", "live", "livetranslate", "ocr"), None),
)

#: What comes out, where that is no text; what goes in, where that is sound alone.
MEDIA: Mapping[str, Kind] = {"image": "image", "audio": "audio", "video": "video"}

#: Last parts of ids that only models have which converse.
CHAT = _word("chat", "instruct", "claude", more="^gemma.*-it(?![a-z])")


def kind_of(id: str, modalities: Modalities, *, converses: bool) -> Kind | None:
    """The kind of the model with this bare id by the rules; None if they don't know it.
    `converses`: it calls tools, reasons, or gives structured output."""
    inputs, outputs = modalities.input, modalities.output
    name = id.lower().rpartition("/")[2]
    if outputs is not None and "text" not in outputs:
        kinds: list[Kind] = [MEDIA[modality] for modality in outputs if modality in MEDIA]
        return kinds[0] if len(kinds) == 1 else None
    for pattern, kind in IDS:
        if pattern.search(name):
            return kind
    if inputs is not None and "text" not in inputs:
        return MEDIA["audio"] if inputs == ("audio",) else None
    if converses or CHAT.search(name):
        return "chat"
    return None
