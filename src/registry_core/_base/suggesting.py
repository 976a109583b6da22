"""What was probably meant: every "did you mean", in bounded time.

To compare two texts well (difflib) takes about 50 µs, and a catalog may hold 500,000 ids.
So all of them are compared roughly, by loops that run in C, and well only the best few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from heapq import nlargest, nsmallest
from itertools import chain, pairwise

from .printable import printable

#: A longer text is no typo of anything, in characters.
LONGEST = 200
#: So many are compared well…
_COMPARED = 32
#: …after all were asked which of so many pairs of letters they hold.
_PAIRS = 8
#: How many are taken for the maker of models that are alike.
_MAKERS = 3
_LIKE = 0.6
"""How much of two texts must agree, from 0 to 1, as difflib counts it."""


def suggest(text: str, models: Mapping[str, Sequence[str]], most: int = 3) -> tuple[str, ...]:
    """Full ids that `text` was probably meant to be, the most likely first; at most `most`.

    `models`: provider id → bare ids. The last part of an id counts most, without regard to
    case, dots and dashes. Then come the provider that `text` names, and the model's own
    maker before its resellers.
    """
    if len(text) > LONGEST:
        return ()
    owner, _, name = _plain(text).rpartition("/")
    owners = {_plain(id): id for id in models} if owner else {}
    near = [owner] if owner in owners else closest(owner.partition("/")[0], owners)
    near = near or closest(owner, owners)
    found = _ranked(name, {owners[one]: models[owners[one]] for one in near}, most)
    if len(found) < most:
        found += _ranked(name, models, most)
    return tuple(dict.fromkeys(found))[:most]


def hint(text: str, models: Mapping[str, Sequence[str]], roles: Collection[str] = ()) -> str:
    """A question that names models, a provider or a role that `text` was probably meant to be."""
    found = suggest(text, models)
    provider, slash, _ = text.partition("/")
    if not (slash and found):
        near = (*closest(text, roles), *closest(provider, models, share=0.85))
        found = tuple(dict.fromkeys((*near, *found)))[:3]  # a role may be called like a provider
    return f"did you mean {' or '.join(map(repr, found))}?" if found else ""


def closest(
    word: str, known: Collection[str], most: int = 1, share: float = _LIKE
) -> Sequence[str]:
    """Those of `known` that are like `word`, the most alike first; at most `most`."""
    if not word or len(word) > LONGEST:
        return ()
    return get_close_matches(word, _likely(word, known, share), most, share)


def _likely(word: str, known: Collection[str], share: float) -> list[str]:
    """The few of `known` that have about the length of `word` and most of its pairs of letters."""
    if len(known) <= _COMPARED:
        return [*known]
    least, most = len(word) * share / (2 - share), len(word) * (2 - share) / share
    found = [one for one in known if least <= len(one) <= most]
    pairs = [*map("".join, pairwise(word))] or [word]
    pairs = pairs[:: -(-len(pairs) // _PAIRS)]
    shares = [sum([pair in one for pair in pairs]) / (len(one) + len(word)) for one in found]
    return [one for _, one in nlargest(_COMPARED, zip(shares, found, strict=True))]


def _ranked(name: str, models: Mapping[str, Sequence[str]], most: int) -> list[str]:
    """Full ids whose last part is like `name`; of equally good ones that of the maker first."""
    names = {id: _names(bare) for id, bare in models.items()}
    near = closest(name, {*chain.from_iterable(names.values())}, most)
    places = {one: place for place, one in enumerate(near)}
    found = [
        (places[one], provider, id)
        for provider, own in names.items()
        for one, id in zip(own, models[provider], strict=False)
        if one in places
    ]
    # A reseller's id names the maker: "anthropic/claude-sonnet-4.5" at openrouter.
    sold = Counter(_plain(id).split("/")[-2] for _, _, id in found if "/" in id)
    makers = [maker for maker, _ in sold.most_common(_MAKERS)]

    def order(one: tuple[int, str, str]) -> tuple[int, int, int, str, str]:
        place, provider, id = one
        return place, _place(_plain(provider), makers), len(id), provider, id

    return [f"{provider}/{id}" for _, provider, id in nsmallest(most, found, order)]


def _place(provider: str, makers: Sequence[str]) -> int:
    """That of `provider` among the makers; those that only start alike, as "mistral" and
    "mistralai", come after."""
    if provider in makers:
        return makers.index(provider)
    alike = [one for one in makers if one.startswith(provider) or provider.startswith(one)]
    return _MAKERS + makers.index(alike[0]) if alike else 2 * _MAKERS


def _names(ids: Sequence[str]) -> list[str]:
    """The last part of each, plain. All at once, since a call for each would take the time."""
    names = _plain("\0".join(ids)).split("\0")  # no id holds a NUL
    return [one.rpartition("/")[2] for one in names]


def _plain(text: str) -> str:
    text = text.casefold()
    for mark in "-._: ":
        text = text.replace(mark, "")
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of a few `known`, or all of them, or nothing.

    For ids of models and providers see `hint`.
    """
    names = sorted(known)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {near!r}?"
    return printable(f"known are {', '.join(names)}", 200) if names else ""


def nearest(word: str, known: Collection[str], share: float = 0.6) -> str | None:
    """The one of `known` that `word` was probably meant to be: of which it has this share."""
    return next(iter(closest(word, known, share=share)), None)
