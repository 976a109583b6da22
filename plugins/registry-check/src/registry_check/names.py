"""What a text can be as a model's name: of which providers, under which ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from . import spellings

if TYPE_CHECKING:
    from registry_core import Snapshot

#: Ids that are words, or as short as one, mean a model only beside something that says so.
_DISTINCT = re.compile(r"(?=.*[-./:@])(?=.*[A-Za-z]).{6,}|(?=.*\d)(?=.*[A-Za-z]).{7,}")

_ENDS_OF_PREFIXES = re.compile("[/:]")
#: So many characters of a text tell whether a file may hold it.
_ENOUGH = 12
_MARKED = re.compile(r"[/:@]|-.*\d|\d.*-|[a-z]-[a-z]|^o\d$")


@frozen
class Name:
    """A text that may name a model."""

    text: str
    bare: str
    """Without the provider that it names."""
    named: tuple[str, ...] = ()
    """Ids of the providers that its prefix, or its form, names."""
    maker: str | None = None
    """Who makes models of such names."""
    owners: frozenset[str] = frozenset()
    """Ids of the providers that have a model of exactly this bare id."""
    role: str | None = None
    """The full id that it stands for, if it is a role."""
    full: bool = False
    """Whether it is the full id of a model, in our words or in those of a library."""

    vague: bool = False
    """It only has something of what models of well-known makers are called."""

    @property
    def distinct(self) -> bool:
        return self.full or _DISTINCT.fullmatch(self.text) is not None


class Names:
    """What the snapshot, and what is known beside it, makes of texts."""

    def __init__(self, snapshot: Snapshot, beside: Collection[str] = ()) -> None:
        self.models = snapshot.get_models()
        self.roles = snapshot.roles
        self.withheld = snapshot.withheld
        self._urls = (provider.url for provider in snapshot.get_providers().values())
        self._owners: dict[str, set[str]] = {}
        for provider, ids in self.models.items():
            for bare in ids:
                self._owners.setdefault(bare, set()).add(provider)
        self.beside: Collection[str] = beside
        """Full ids that no gateway offers, and that there are all the same."""
        for id in self.withheld:
            provider, slash, bare = id.partition("/")
            if slash:
                self._owners.setdefault(bare, set()).add(provider)
        self._providers = {*self.models, *(id.partition("/")[0] for id in self.withheld)}
        self._resells: dict[str, bool] = {}
        self._read: dict[str, Name | None] = {}

    def triggers(self) -> list[str]:
        """Texts of which one is in every file that there can be something to say of.

        What is known is one itself, where it is no word. What is not known has a prefix, or is
        called as the models of a well-known maker.
        """
        bares = {*self._owners, *(id.partition("/")[2] for id in self.beside)}
        plain = (id for id in bares if _DISTINCT.fullmatch(id))
        known = {*self.models} - spellings.MAKER_IDS - spellings.OPEN
        prefixes = [one + "/" for one in known] + [one.partition("/")[0] for one in self.withheld]
        hosts = (host for host, found in self.hosts.items() if found != ("local",))
        every = {*plain, *prefixes, *self.roles, *hosts}
        # Where one holds another, that one is enough, and how it begins is: whole, they take
        # four times the memory, and find no fewer files.
        families = re.compile("|".join(map(re.escape, spellings.FAMILIES)))
        others = {one[:_ENOUGH] for one in every if not families.search(one)}
        return [*spellings.FAMILIES, *sorted(others)]

    def stems(self) -> list[str]:
        """Texts of which one is in every name, but for those that are `plain`."""
        short = (one for one in self._owners if not _DISTINCT.fullmatch(one))
        return [*self.triggers(), *(one for one in short if _MARKED.search(one)), *spellings.STEMS]

    def plain(self) -> list[str]:
        """The names that look like a word, and are known all the same."""
        return [one for one in (*self._owners, *self.roles) if not re.search("[-/:@]", one)]

    @cached_property
    def hosts(self) -> Mapping[str, tuple[str, ...]]:
        """Host → providers."""
        found: dict[str, tuple[str, ...]] = {}
        for id, provider in self._by_host():
            found[id] = (*found.get(id, ()), provider)
        return {**found, **spellings.HOSTS}

    def _by_host(self) -> Iterator[tuple[str, str]]:
        for provider, url in zip(self.models, self._urls, strict=True):
            host = url and "$" not in url and urlsplit(url).hostname
            if host and "." in host and not host.startswith("127."):
                yield host, provider

    def providers(self, text: str) -> tuple[str, ...]:
        """The providers that a text names, in our words or in those of a library."""
        text = text.lower()
        for one in (text, text.replace("_", "-"), text.replace("_", "").replace("-", "")):
            if one in spellings.PREFIXES:
                return spellings.PREFIXES[one]
            if one in self._providers:
                return (one,)
        return ("local",) if text in spellings.OPEN else ()

    def owner_of(self, url: str) -> tuple[str, ...]:
        """The providers whose API a URL names; ("local",) for one that nobody knows."""
        for host, providers in self.hosts.items():
            if host in url:
                return providers
        return ("local",) if "://" in url else ()

    def knows(self, provider: str, bare: str) -> bool:
        return provider in self._owners.get(bare, ()) or f"{provider}/{bare}" in self.beside

    def read(self, text: str) -> Name | None:
        """What it can be; None if no model is called so, nor anything like it."""
        try:
            return self._read[text]
        except KeyError:
            return self._read.setdefault(text, self._of(text))

    def _of(self, text: str) -> Name | None:
        if text not in self._owners and not _MARKED.search(text):
            return Name(text, text, role=self.roles[text]) if text in self.roles else None
        if text in self.roles:
            return Name(text, text, role=self.roles[text])
        inner = spellings.WRAPPERS.sub("", text, count=1) if "/" in text else text
        if inner.startswith("ft:"):
            inner = inner[3:].partition(":")[0]
        for mark in _ENDS_OF_PREFIXES.finditer(inner):
            at = mark.start()
            if name := self._with_prefix(text, inner[:at], inner[at + 1 :]):
                return name
        for form, providers in spellings.FORMS:
            if form.fullmatch(inner) and providers[0] in self._providers:
                known = next((one for one in forms(inner) if self._any(providers, one)), None)
                if known or form is spellings.FORMS[0][0]:
                    # A word with a dot in it: only what looks like Bedrock's.
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
        """Whether it is nearly an id of a well-known maker."""
        if not spellings.VAGUE.search(text):
            return False
        ids = (id for maker in spellings.MAKER_IDS for id in self.models.get(maker, ()))
        return bool(get_close_matches(text, ids, 1, 0.8))

    def _with_prefix(self, text: str, head: str, rest: str) -> Name | None:
        providers: tuple[str, ...] = (head,) if head in self._providers else ()
        providers += tuple(one for one in spellings.PREFIXES.get(head, ()) if one != head)
        if not providers or not rest or rest[0] in "/:":
            return None
        rest = spellings.WRAPPERS.sub("", rest, count=1) if "/" in rest or ":" in rest else rest
        for provider in providers:
            for bare in forms(rest):
                if self.knows(provider, bare):
                    ordered = (provider, *(one for one in providers if one != provider))
                    return Name(text, bare, ordered, maker_of(bare), full=True)
        whole = any(id in self.withheld for id in providers)
        maker = maker_of(rest.rpartition("/")[2].partition("@")[0])
        if whole or maker or (set(providers) & set(self.models)):
            return Name(text, rest, providers, maker, frozenset(self._owners.get(text, ())))
        return None

    def _any(self, providers: Collection[str], bare: str) -> bool:
        return any(self.knows(one, bare) for one in providers)

    def resembles(self, provider: str, bare: str) -> bool:
        """Whether models of this provider are called at all like this."""
        words = set(re.findall("[a-z]{3,}", bare.lower()))
        return bool(words & self._words(provider))

    def is_family(self, provider: str, bare: str) -> bool:
        """Whether ids of this provider begin with it: the name of many is that of none."""
        return any(id.startswith((f"{bare}-", f"{bare}:")) for id in self.models.get(provider, ()))

    def resells(self, provider: str) -> bool:
        """Whether it offers what others make, who alone say when it is shut off."""
        if provider not in self._resells:
            names = (re.split("[/.](?=[a-z])", one)[-1] for one in self.models.get(provider, ()))
            foreign = {maker_of(one) for one in names} - {None, provider}
            self._resells[provider] = provider in spellings.OPEN or bool(foreign)
        return self._resells[provider]

    def _words(self, provider: str) -> set[str]:
        text = " ".join(self.models.get(provider, ()))
        return set(re.findall("[a-z]{3,}", text.lower())) - {"latest", "preview", "mini", "pro"}


def forms(bare: str) -> Iterator[str]:
    """An id as catalogs may have it: with and without region, suffix and version."""
    yield bare
    region = re.match(r"(?:us|eu|ap|apac|au|ca|jp|global|us-gov)\.", bare)
    rest = bare[region.end() :] if region else bare
    if region:
        yield rest
    for end in (r":\w+$", r":\d+[\w:]*$", r"-v\d+(?::\d+)?[\w:]*$", r":latest$", r"@\w+$"):
        if (shorter := re.sub(end, "", rest)) and shorter != rest:
            yield shorter


def maker_of(bare: str) -> str | None:
    """Who makes models of such names, and decides when they are shut off."""
    found = _MAKERS.fullmatch(bare)
    return found.lastgroup if found else None


_MAKERS = re.compile("|".join(f"(?P<{maker}>{form})" for form, maker in spellings.MAKERS))
