"""What the name of a key, keyword, variable or function tells about its value."""

from __future__ import annotations

import re
from functools import cache

from attrs import frozen

from . import spellings

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAMES = re.compile(r"[A-Za-z_$][\w$-]*")


@frozen
class Key:
    """How surely a value under this key is the name of a model."""

    sure: bool
    strict: bool
    """Only under such a key, an unknown name is reported."""
    words: tuple[str, ...]
    many: bool = False
    """It holds several models, so each key in its mapping leads to a model."""


@cache
def key_of(name: str) -> Key:
    words = tuple(word.lower() for word in _WORDS.findall(name))
    rough = bool(words) and (
        words[-1] in spellings.ROUGH_WORDS or words[0] in spellings.ROUGH_WORDS
    )
    places = [at for at, word in enumerate(words) if word in spellings.MODEL_WORDS]
    if places:
        after = words[places[-1] + 1 :]
        sure = all(word in spellings.MODEL_ENDS or word.isdigit() for word in after)
        strict = (
            sure
            and words[places[-1]].startswith("model")
            and (not after or after[-1] in ("name", "id", "names", "ids", "default", "slug"))
        )
        many = words[-1] in spellings.MANY or "by" in after
        return Key(sure, strict, words, many)
    return Key(
        (rough and words[-1] in spellings.ROUGH_ENDS) or words[-1:] in spellings.JUDGES,
        rough and len(words) == 1,
        words,
    )


def is_decoy(name: str) -> bool:
    """Whether its value looks like the id of a model, but is something else."""
    words = key_of(name).words
    return bool(words) and (words[-1] in spellings.DECOY_WORDS) and not key_of(name).sure


def is_list_decoy(name: str) -> bool:
    """Whether the entries of a list with this name are no models, though they look like models."""
    return not spellings.LIST_DECOYS.isdisjoint(key_of(name).words)


def last_name(code: str) -> str:
    """The last name in an expression: `os.environ["A_MODEL"]` → `A_MODEL`."""
    names = _NAMES.findall(code)
    return names[-1] if names else ""
