"""Rules, as data, for what a model is for, if its source doesn't say.

Rules give only certain results. "chat" in particular is never guessed, because users send
messages to a chat model. If no rule applies, the kind is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fields import Kind, Modalities


def _word(*forms: str, more: str = "") -> re.Pattern[str]:
    """A pattern for one of `forms` as a whole word, or for `more`."""
    word = rf"(?<![a-z])(?:{'|'.join(forms)})(?![a-z])"
    return re.compile(f"{word}|{more}" if more else word)


#: Pattern in the last part of an id, in lower case → kind. The first match counts. None means
#: that the kind is unknown, whatever the rules below say.
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

#: Kind by output, if there is no text output; or by input, if that is only audio.
MEDIA: Mapping[str, Kind] = {"image": "image", "audio": "audio", "video": "video"}

#: Last parts of ids that only chat models have.
CHAT = _word("chat", "instruct", "claude", more="^gemma.*-it(?![a-z])")


def kind_of(id: str, modalities: Modalities, *, converses: bool) -> Kind | None:
    """The kind of the model with this bare id, by the rules; None if none applies.
    `converses`: the model calls tools, reasons, or gives structured output."""
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
