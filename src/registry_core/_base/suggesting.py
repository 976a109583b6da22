"""Suggestions for every "did you mean", in bounded time.

An exact comparison of two texts takes about 50 µs, and a catalog may have 500,000 ids. So all
ids are compared roughly, in loops that run in C, and only the best few exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from heapq import nlargest, nsmallest
from itertools import chain, pairwise

from .printable import printable
from .spellings import FORMS, PREFIXES, Spelling, likeness, plain

#: A text with more characters gets no suggestion.
LONGEST = 200
#: The number of candidates that are compared exactly…
_COMPARED = 32
#: …after a rough comparison by this many pairs of letters, or words.
_PAIRS = 8
#: The number of providers that may count as the maker of similar models.
_MAKERS = 3
#: Maximum length of a list of known words, with room for all words of `supports`.
_MOST_KNOWN = 300
_LIKE = 0.6
"""The minimum similarity of two texts, from 0 to 1, as difflib computes it."""
#: The bonus for the provider that was named, and for the maker. An exact name elsewhere comes
#: before a vague one at the named provider.
_OWNED, _MADE = 0.2, 0.06

Models = Mapping[str, Sequence[str]]


def suggest(
    text: str, models: Models, most: int = 3, names: Models | None = None
) -> tuple[str, ...]:
    """Full ids that `text` probably means, the most likely first; at most `most`.

    `models`: provider id → bare ids. `names`: their `last_parts`, which take a third of the time.
    The last part of an id counts most; case, dots, dashes
    and dates hardly matter. Next counts the provider that `text` names, in our words or in
    those of other libraries. The maker of a model comes before its resellers.
    """
    if len(text) > LONGEST:
        return ()
    by_name = {plain(id): id for id in models}
    named, name = _taken_apart(text.strip(), by_name)
    wanted = Spelling.of(name)
    if not wanted.core:
        return ()
    names = last_parts(models) if names is None else names
    own = _alike(wanted, models, {provider: names[provider] for provider in named})
    scores = {**_alike(wanted, models, names), **own}
    makers, whole_text = _makers(scores, by_name), plain(text)
    for id in scores:
        scores[id] = round(scores[id] + (_OWNED * (id in own) or makers.get(id[0], 0)), 4)
    least = min(nlargest(most, scores.values()), default=0)

    def order(id: tuple[str, str]) -> tuple[float, int, int, str, str]:
        exact = id[1].casefold().endswith(name) + plain("/".join(id)).endswith(whole_text)
        return -scores[id], -exact, len(id[1]), *id

    best = nsmallest(most, (id for id, share in scores.items() if share >= least), order)
    return tuple(dict.fromkeys(map("/".join, best)))


def hint(text: str, models: Models, roles: Collection[str] = ()) -> str:
    """A "did you mean" for `text` with models, a provider or a role; "" if none is similar."""
    suggestions = suggest(text, models)
    provider, slash, _ = text.partition("/")
    if not (slash and suggestions):
        near = (*closest(text, roles), *closest(provider, models, share=0.83))
        # Without doubles: a role may have the name of a provider.
        suggestions = tuple(dict.fromkeys((*near, *suggestions)))[:3]
    return f"did you mean {' or '.join(map(repr, suggestions))}?" if suggestions else ""


def closest(
    word: str, known: Collection[str], most: int = 1, share: float = _LIKE
) -> Sequence[str]:
    """The words of `known` that are similar to `word`, the most similar first; at most `most`."""
    if not word or len(word) > LONGEST:
        return ()
    return get_close_matches(word, _likely(word, known, share), most, share)


def _likely(word: str, known: Collection[str], share: float) -> list[str]:
    """The few of `known` that have about the length of `word` and share most pairs of letters."""
    if len(known) <= _COMPARED:
        return [*known]
    least, most = len(word) * share / (2 - share), len(word) * (2 - share) / share
    candidates = [candidate for candidate in known if least <= len(candidate) <= most]
    pairs = [*map("".join, pairwise(word))] or [word]
    pairs = pairs[:: -(-len(pairs) // _PAIRS)]
    # Most contain none of four pairs, and checking that is three times faster than counting all.
    a, b, c, d = pairs[::2] if len(pairs) == _PAIRS else (pairs * 4)[:4]
    likely = [
        candidate
        for candidate in candidates
        if a in candidate or b in candidate or c in candidate or d in candidate
    ]
    candidates = likely if len(likely) >= _COMPARED else candidates
    shares = [
        sum([pair in candidate for pair in pairs]) / (len(candidate) + len(word))
        for candidate in candidates
    ]
    return [candidate for _, candidate in nlargest(_COMPARED, zip(shares, candidates, strict=True))]


def _taken_apart(text: str, by_name: Mapping[str, str]) -> tuple[Sequence[str], str]:
    """The providers that `text` names or suggests, and the last part of the model's id.
    `by_name`: plain form → id of each provider."""
    parts = [part.strip() for part in text.split("/")]
    for place, part in enumerate(parts[:2]):
        owner, _, rest = part.partition(":")  # "openai:gpt-4o", but not "llama3.3:70b"
        if rest and _named(owner, by_name) is not None:
            parts[place : place + 1] = [owner, rest]
            break
    name = parts.pop().casefold()
    owners = _named("/".join(parts), by_name)  # an id of a provider may hold slashes
    if owners:
        return owners, name
    for owner in parts[:2]:
        exact = _named(owner, by_name)
        if exact:
            return exact, name
        if exact is None:
            alike = closest(plain(owner), by_name)
            return [by_name[name] for name in alike], name
    if not parts:
        for form, providers in FORMS:
            if form.search(name):
                return [id for id in providers if plain(id) in by_name], name
    return (), name


def _named(owner: str, by_name: Mapping[str, str]) -> Sequence[str] | None:
    """The providers with this name, here or elsewhere; None if there are none."""
    word = plain(owner)
    if word in by_name:
        return (by_name[word],)
    if word in PREFIXES:
        return [id for id in PREFIXES[word] if plain(id) in by_name]
    return None


def _alike(wanted: Spelling, models: Models, names: Models) -> dict[tuple[str, str], float]:
    """(provider, bare id) of models with a similar last part → similarity. `names`: the
    `last_parts` of the providers to compare with."""
    every = {*chain.from_iterable(names.values())}
    near = {*_likely(wanted.core, every, _LIKE), *_holding(wanted, every), *_held(wanted, every)}
    near = {name for name in near if len(name) <= LONGEST}
    pairs = [
        (provider, id)
        for provider, own in names.items()
        for name, id in zip(own, models[provider], strict=False)
        if name in near
    ]
    last = {pair: pair[1].rpartition("/")[2] for pair in pairs}
    shares = {name: likeness(wanted, Spelling.of(name)) for name in {*last.values()}}
    return {pair: shares[name] for pair, name in last.items() if shares[name] >= _LIKE}


def _holding(wanted: Spelling, names: Iterable[str]) -> list[str]:
    """The shortest names that contain all words of `wanted`."""
    for word in sorted({*wanted.words}, key=len, reverse=True)[:_PAIRS]:
        names = [name for name in names if word in name]
    return nsmallest(_COMPARED, names, len) if wanted.words else []


def _held(wanted: Spelling, names: Collection[str]) -> set[str]:
    """The names that equal `wanted` without some words at its start or end."""
    words, places = wanted.words, range(len(wanted.words))
    starts = {"".join(words[: place + 1]) for place in places}
    return (starts | {"".join(words[place:]) for place in places}).intersection(names)


def _makers(candidates: Iterable[tuple[str, str]], by_name: Mapping[str, str]) -> dict[str, float]:
    """Provider → bonus as the maker of `candidates`. Resellers name it in their ids, such as
    "anthropic/claude-sonnet-4.5" at openrouter."""
    sold = Counter(id.split("/")[-2] for _, id in candidates if "/" in id)
    worth: dict[str, float] = {}
    for place, (word, _) in enumerate(sold.most_common(_MAKERS)):
        near = _named(word, by_name)
        for id in near if near is not None else closest(plain(word), by_name, share=0.8):
            worth.setdefault(by_name.get(id, id), _MADE * (1 - place / 10))
    return worth


def last_parts(models: Models) -> dict[str, list[str]]:
    """Provider id → the plain last part of each of its bare ids."""
    # All ids in one call, since a call for each would be slow. No id holds a NUL.
    plain_ids = {id: plain("\0".join(own)).split("\0") for id, own in models.items()}
    return {id: [name.rpartition("/")[2] for name in own] for id, own in plain_ids.items()}


def did_you_mean(word: str, known: Iterable[str], share: float = 0.6) -> str:
    """A hint with the nearest of a few `known` words, else with all of them; "" without any.

    For ids of models and providers see `hint`.
    """
    names = sorted(known)
    near = nearest(word, names, share)
    if near is not None:
        return f"did you mean {near!r}?"
    if not names:
        return ""
    from textwrap import shorten  # whole names; what only mistakes need is imported late

    return printable(shorten(f"known are {', '.join(names)}", _MOST_KNOWN, placeholder=" …"))


def nearest(word: str, known: Collection[str], share: float = 0.6) -> str | None:
    """The word of `known` that is most similar to `word`, at least by `share`; else None."""
    return next(iter(closest(word, known, share=share)), None)
