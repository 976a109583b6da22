"""What a text can mean as the name of a model: which providers, and which ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from difflib import SequenceMatcher, get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from . import spellings

if TYPE_CHECKING:
    from registry_core import Snapshot

#: Other ids are words, or short. They mean a model only where the code around them says so.
_DISTINCT = re.compile(r"(?=.*[-./:@])(?=.*[A-Za-z]).{6,}|(?=.*\d)(?=.*[A-Za-z]).{7,}")

_ENDS_OF_PREFIXES = re.compile("[/:]")
#: This many characters of a text show whether a file may hold it.
_ENOUGH = 10
_MARKED = re.compile(r"[/:@]|-.*\d|\d.*-|[a-z]-[a-z]|^o\d$")


@frozen
class Name:
    """A text that may name a model."""

    text: str
    bare: str
    """The text without its provider."""
    named: tuple[str, ...] = ()
    """Ids of the providers that its prefix or its form means."""
    maker: str | None = None
    """The provider that makes models with such names."""
    owners: frozenset[str] = frozenset()
    """Ids of the providers that have a model of exactly this bare id."""
    role: str | None = None
    """The full id that it stands for, if it is a role."""
    full: bool = False
    """Whether it is the full id of a model, in our spelling or in that of a library."""

    vague: bool = False
    """It only resembles names of models of well-known makers."""

    @property
    def distinct(self) -> bool:
        return self.full or _DISTINCT.fullmatch(self.text) is not None


class Names:
    """Reads names with the ids of a snapshot, and with further known ids."""

    def __init__(self, snapshot: Snapshot, beside: Collection[str] = ()) -> None:
        self.models = snapshot.get_models()
        self.roles = snapshot.roles
        self.withheld = snapshot.withheld
        self._snapshot = snapshot
        self._owners: dict[str, tuple[str, ...]] = {}
        for provider, ids in self.models.items():
            for bare in ids:
                self._owners[bare] = (*self._owners.get(bare, ()), provider)
        self.beside: Collection[str] = beside
        """Full ids that are known, though no gateway offers them."""
        self._providers = {*self.models, *self.withheld}
        for id in (*self.withheld, *beside):
            owner, bare = snapshot.split(id)
            if owner is not None:
                self._owners[bare] = (*self._owners.get(bare, ()), owner)
                self._providers.add(owner)
        self._resells: dict[str, bool] = {}

    def stems(self, read: Callable[[str], Name | None]) -> list[str]:
        """A list of texts. Every name for which `read` gives a name holds one of them.

        A known id is such a text itself. An unknown id has a prefix, or a name like those of a
        well-known maker.
        """
        owned = {*self._owners, *self.roles}
        # Short ids and roles are words of every language, so only those that matter now.
        known = {text for text in owned if _DISTINCT.fullmatch(text) or read(text)}
        for bare in {id.rpartition("/")[2] for id in self.beside}:
            known |= {bare} if _DISTINCT.fullmatch(bare) else {f"/{bare}", f":{bare}"}
        others = {*self.models} - spellings.MAKER_IDS - spellings.OPEN
        known |= {id + mark for id in others for mark in "/:"}
        known |= {*self.withheld}
        # If a text holds another one, the other one is enough. The first characters of a text are
        # enough, too: whole texts take much more memory, and skip no more files.
        stems = re.compile("|".join(map(re.escape, spellings.STEMS)))
        # A single character is no name, but is in every line.
        others = {text[:_ENOUGH] for text in known if len(text) > 1 and not stems.search(text)}
        return [*spellings.STEMS, *sorted(others)]

    @cached_property
    def hosts(self) -> Mapping[str, tuple[str, ...]]:
        """Host → its providers."""
        by_host: dict[str, tuple[str, ...]] = {}
        for host, provider in self._by_host():
            by_host[host] = (*by_host.get(host, ()), provider)
        return {**by_host, **spellings.HOSTS}

    def _by_host(self) -> Iterator[tuple[str, str]]:
        for provider, config in self._snapshot.get_providers().items():
            url = config.url
            host = url and "$" not in url and urlsplit(url).hostname
            if host and "." in host and not host.startswith("127."):
                yield host, provider

    def providers(self, text: str) -> tuple[str, ...]:
        """The providers that a text names, in our spelling or in that of a library."""
        text = text.lower()
        for spelling in (text, text.replace("_", "-"), text.replace("_", "").replace("-", "")):
            if spelling in spellings.PREFIXES:
                return spellings.PREFIXES[spelling]
            if spelling in self._providers:
                return (spelling,)
        return ("local",) if text in spellings.OPEN else ()

    def owner_of(self, url: str) -> tuple[str, ...]:
        """The providers whose API a URL names; ("local",) for an unknown host."""
        for host, providers in self.hosts.items():
            if host in url:
                return providers
        return ("local",) if "://" in url else ()

    def withheld_of(self, id: str) -> str | None:
        """What of `withheld` a full id belongs to: itself, or its provider."""
        ends = (mark.start() for mark in re.finditer("/|$", id))
        return next((id[:at] for at in ends if id[:at] in self.withheld), None)

    def knows(self, provider: str, bare: str) -> bool:
        return provider in self._owners.get(bare, ()) or f"{provider}/{bare}" in self.beside

    def read(self, text: str) -> Name | None:
        """What the text can mean. None if it is not like the name of any model."""
        if text not in self._owners and ("//" in text or not _MARKED.search(text)):
            return Name(text, text, role=self.roles[text]) if text in self.roles else None
        if text in self.roles:
            return Name(text, text, role=self.roles[text])
        inner = spellings.WRAPPERS.sub("", text, count=1) if "/" in text else text
        if inner.startswith("ft:"):
            inner = inner[3:].partition(":")[0]
        ends = [mark.start() for mark in _ENDS_OF_PREFIXES.finditer(inner)]
        named = (self._with_prefix(text, inner[:at], inner[at + 1 :]) for at in reversed(ends))
        if names := [*filter(None, named)]:
            # As `Snapshot.split`: the longest provider that has the model, else the longest.
            return next((name for name in names if name.full), names[0])
        for form, providers in spellings.FORMS:
            if form.fullmatch(inner) and providers[0] in self._providers:
                known = next((bare for bare in forms(inner) if self._any(providers, bare)), None)
                if known or form is spellings.FORMS[0][0]:
                    # A word with a dot: only if it looks like an id of Bedrock.
                    if known is None and not re.search(r"\d|v\d", inner):
                        continue
                    maker = maker_of(inner.rpartition(".")[2]) or maker_of(inner)
                    return Name(text, known or inner, providers, maker, full=known is not None)
        maker = maker_of(inner.partition("@")[0])
        owners = frozenset(self._owners.get(inner, ()))
        if owners or maker:
            return Name(text, inner, (), maker, owners)
        return Name(text, inner, vague=True) if self._is_mistyped(inner) else None

    def _is_mistyped(self, text: str) -> bool:
        """Whether it is close to an id of a well-known maker."""
        if not spellings.VAGUE.search(text):
            return False
        ids = (id for maker in spellings.MAKER_IDS for id in self.models.get(maker, ()))
        return bool(get_close_matches(text, ids, 1, 0.8))

    def _is_misspelt(self, text: str, providers: Iterable[str]) -> bool:
        """Whether it has the letters of an id of one of these makers, but for one at most, in
        nearly the same order."""
        letters = Counter(text)
        ids = (
            id for one in providers if one in spellings.MAKER_IDS for id in self.models.get(one, ())
        )
        return any(
            max((letters - Counter(id)).total(), (Counter(id) - letters).total()) < 2
            and SequenceMatcher(None, text, id).ratio() > 0.8
            for id in ids
            if abs(len(text) - len(id)) < 2
        )

    def _with_prefix(self, text: str, head: str, rest: str) -> Name | None:
        providers: tuple[str, ...] = (head,) if head in self._providers else ()
        providers += tuple(
            provider for provider in spellings.PREFIXES.get(head, ()) if provider != head
        )
        if not providers or not rest or rest[0] in "/:":
            return None
        rest = spellings.WRAPPERS.sub("", rest, count=1) if "/" in rest or ":" in rest else rest
        for provider in providers:
            for bare in forms(rest):
                if self.knows(provider, bare):
                    ordered = (provider, *(other for other in providers if other != provider))
                    return Name(text, bare, ordered, maker_of(bare), full=True)
        is_withheld = any(id in self.withheld for id in providers)
        maker = maker_of(rest.rpartition("/")[2].partition("@")[0])
        if is_withheld or maker or (set(providers) & set(self.models)):
            owners = frozenset(self._owners.get(text, ()))
            vague = maker is None and self._is_misspelt(rest, providers)
            return Name(text, rest, providers, maker, owners, vague=vague)
        return None

    def _any(self, providers: Collection[str], bare: str) -> bool:
        return any(self.knows(provider, bare) for provider in providers)

    def resembles(self, provider: str, bare: str) -> bool:
        """Whether models of this provider have names like this."""
        words = set(re.findall("[a-z]{3,}", bare.lower()))
        return bool(words & self._words(provider))

    def is_family(self, provider: str, bare: str) -> bool:
        """Whether ids of this provider begin with it. The name of a family is not an unknown id."""
        return any(id.startswith((f"{bare}-", f"{bare}:")) for id in self.models.get(provider, ()))

    def resells(self, provider: str) -> bool:
        """Whether it offers models of other makers, who decide when these are shut off."""
        if provider not in self._resells:
            names = (re.split("[/.](?=[a-z])", id)[-1] for id in self.models.get(provider, ()))
            foreign = {maker_of(name) for name in names} - {None, provider}
            self._resells[provider] = provider in spellings.OPEN or bool(foreign)
        return self._resells[provider]

    def _words(self, provider: str) -> set[str]:
        text = " ".join(self.models.get(provider, ()))
        return set(re.findall("[a-z]{3,}", text.lower())) - {"latest", "preview", "mini", "pro"}


def forms(bare: str) -> Iterator[str]:
    """Spellings of an id in catalogs: with and without region, suffix and version."""
    yield bare
    region = re.match(r"(?:us|eu|ap|apac|au|ca|jp|global|us-gov)\.", bare)
    rest = bare[region.end() :] if region else bare
    if region:
        yield rest
    for end in (r":\w+$", r":\d+[\w:]*$", r"-v\d+(?::\d+)?[\w:]*$", r":latest$", r"@\w+$"):
        if (shorter := re.sub(end, "", rest)) and shorter != rest:
            yield shorter


def maker_of(bare: str) -> str | None:
    """The maker of models with such names, who decides when they are shut off."""
    match = _MAKERS.fullmatch(bare)
    return match.lastgroup if match else None


_MAKERS = re.compile("|".join(f"(?P<{maker}>{form})" for form, maker in spellings.MAKERS))
