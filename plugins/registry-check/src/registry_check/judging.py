"""Judges the name of a model at its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from . import spellings
from .context import of_place, sellers_of
from .findings import LEVELS
from .keys import is_decoy, is_list_decoy, key_of
from .names import Name, Names
from .place import Place

if TYPE_CHECKING:
    from registry_core import ModelInfo, Snapshot


#: How many unknown names get a suggestion. Each takes milliseconds.
MOST_MEANT = 500
_SEPARATORS = re.compile("[-.]")
_THINGS = spellings.RECORD | spellings.THING | spellings.SAID


@frozen
class Verdict:
    """A `Finding` without its place."""

    id: str | None
    level: str
    message: str
    retires_on: str | None = None
    successor: str | None = None
    suggestions: tuple[str, ...] = ()


class Judge:
    """Knows the snapshot, the day, and how far ahead to look.

    `unlisted`: models that the snapshot does not offer, by full id. `removed`: full id → the day
    since which nobody offers it.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        names: Names,
        today: date,
        within: timedelta,
        unlisted: Mapping[str, ModelInfo],
        removed: Mapping[str, str],
    ) -> None:
        self.snapshot = snapshot
        self.names = names
        self.today = today
        self.until = (today + within).isoformat()
        self._unlisted = unlisted
        self._gone = removed
        self._known: dict[str, Verdict | None] = {}
        self._asked = 0
        self._names: dict[str, Name | None] = {}
        self._unknown: dict[tuple[str, str], Verdict] = {}

    def read(self, text: str) -> Name | None:
        """The name in `text`. None if it never leads to a finding."""
        name = self.names.read(text)
        if name is None or name.role:
            return name if name and self.of_id(name.role or "") else None
        if name.full:
            matters = any(self.of_id(f"{provider}/{name.bare}") for provider in name.named)
        elif name.named:
            matters = bool(name.owners) or self._may_be_unknown(name, name.named[0])
            matters = matters or any(provider in self.names.withheld for provider in name.named)
        else:
            matters = (
                name.vague
                or (name.maker is not None and not self.names.knows(name.maker, name.bare))
                or any(
                    self.of_id(f"{provider}/{name.bare}") for provider in {*name.owners, name.maker}
                )
            )
        return name if matters else None

    def judge(self, name: Name, place: Place, about: frozenset[str]) -> Verdict | None:
        """The verdict on a name, or None. `about`: the providers that the file names."""
        if place.strange or (place.decoy and not place.sure):
            return None
        if place.beside and self._alike(place.beside):
            return None  # a name that the user gives to that model
        maker = place.siblings[0].get("maker") if place.siblings else None
        if maker and not self.names.providers(maker):
            return None  # of something else
        if name.role:
            return self.of_id(name.role) if place.sure and not place.is_key else None
        if name.full:
            if not (place.whole or place.sure):
                return None
            near = (*sellers_of(place, self.names), *of_place(place, self.names))
            sellers = [provider for provider in near if self.names.knows(provider, name.text)]
            named = [f"{provider}/{name.bare}" for provider in name.named]
            return self._of_candidates([f"{provider}/{name.text}" for provider in sellers] or named)
        if not place.sure and (place.is_key or not self._stands_out(name, place)):
            return None
        if name.named:
            return self._prefixed(name, place, about)
        return self._bare(name, place, about)

    def _prefixed(self, name: Name, place: Place, about: frozenset[str]) -> Verdict | None:
        """A name with a known provider, but without a known model."""
        for provider in name.named:
            if provider in self.names.withheld:
                return self._withheld(f"{provider}/{name.bare}", provider)
        if name.owners:
            speaks = of_place(place, self.names) or tuple(sorted(about))
            sellers = [provider for provider in speaks if provider in name.owners]
            return self._of_candidates([f"{provider}/{name.text}" for provider in sellers])
        if verdict := self._dated(name, name.named):
            return verdict
        return self._not_known(name, place, name.named[0], about)

    def _bare(self, name: Name, place: Place, about: frozenset[str]) -> Verdict | None:
        sellers = sellers_of(place, self.names)
        if sellers and sellers[0] in name.owners:
            return self.of_id(f"{sellers[0]}/{name.bare}")
        near = self._near(name, place)
        speaks = near or tuple(sorted(about))
        if name.vague:
            return self._mistyped(name, place, speaks)
        sure = place.kin or bool((near or about) and (place.strict or "-" in name.bare))
        sure = sure or name.distinct or bool(name.maker and "-" in name.bare)
        if not (sure or self._stands_out(name, place)):
            return None
        own = name.maker if not place.sure and self.names.knows(name.maker or "", name.bare) else ""
        if own and self.of_id(f"{own}/{name.bare}") is None:
            return None  # only a seller has withdrawn it, and the place names none
        for provider in speaks:
            if self.names.knows(provider, name.bare):
                owners = [seller for seller in speaks if self.names.knows(seller, name.bare)]
                if name.maker in owners and name.maker is not None:
                    owners = [name.maker]
                return self._of_candidates([f"{owner}/{name.bare}" for owner in owners])
        maker = name.maker or (self._maker(name) if place.sure else None)
        if maker is None or (near and not {maker, "azure", "local"} & {*near}):
            return None
        if self.names.knows(maker, name.bare):
            return self.of_id(f"{maker}/{name.bare}")
        if maker in self.names.withheld:
            return self._withheld(f"{maker}/{name.bare}", maker)
        if "azure" not in near and (verdict := self._dated(name, (maker,))):
            return verdict
        elsewhere = set(speaks) - {maker}
        if (
            name.maker is None
            or elsewhere & (name.owners | spellings.OPEN)
            or (near and maker not in near)
        ):
            return None
        return self._not_known(name, place, maker, about)

    def _near(self, name: Name, place: Place) -> tuple[str, ...]:
        """The providers that the code around names. None if they are makers, and the name is in a
        list with models of several others."""
        near = of_place(place, self.names)
        foreign = near and name.maker not in (None, *near)
        if foreign and spellings.MAKER_IDS.issuperset(near):
            return near if len(self._among_models(place) - {""}) < 2 else ()
        return near

    def _among_models(self, place: Place) -> frozenset[str]:
        """The makers of the models in a list, or similar, that holds this text. Empty if it holds
        anything else, a single model, only words such as "command", or mostly unknown names."""
        if any(is_decoy(name) or is_list_decoy(name) for name in place.names):
            return frozenset()
        for group in place.peers():
            names = [*map(self._alike, {*group})]
            known = [name for name in names if name and self._is_known_name(name)]
            if (
                all(names)
                and len(known) > 1
                and 2 * len(known) >= len(names)
                and any(name.distinct for name in known)
            ):
                return frozenset(name.maker or "" for name in known)
        return frozenset()

    def _stands_out(self, name: Name, place: Place) -> bool:
        """Whether it is among its like, or a value that is so clearly the name of a model that no
        key needs to say so."""
        return bool(self._among_models(place)) or (
            place.is_value
            and name.maker is not None
            and self.names.knows(name.maker, name.bare)
            and len(_SEPARATORS.findall(name.text)) > 1
            and not any(map(_names_a_thing, place.names))
        )

    def _alike(self, text: str) -> Name | None:
        """The name in a text, if it is known or like those of a maker."""
        if text not in self._names:
            name = self.names.read(text)
            like = name and (name.full or name.owners or name.maker)
            self._names[text] = name if like and not spellings.FILE.search(text) else None
        return self._names[text]

    def _is_known_name(self, name: Name) -> bool:
        ids = (name.bare, self._base(name.bare))
        return (
            name.full
            or bool(name.owners)
            or any(id and name.maker and self.names.knows(name.maker, id) for id in ids)
        )

    def _maker(self, name: Name) -> str | None:
        """The only provider that has the model, unless that one resells other makers' models."""
        (owner, *others) = name.owners
        return None if others or self.names.resells(owner) else owner

    def _mistyped(self, name: Name, place: Place, speaks: tuple[str, ...]) -> Verdict | None:
        """A name that is close to one of the only provider that the place names."""
        if len(speaks) != 1 or speaks[0] not in spellings.MAKER_IDS:
            return None
        return self._not_known(name, place, speaks[0], frozenset())

    def _of_candidates(self, ids: list[str]) -> Verdict | None:
        """The most urgent verdict on these ids. None unless all known ones have a verdict."""
        known = [id for id in ids if self._is_known(id)]
        verdicts = [self.of_id(id) for id in known]
        if not verdicts or None in verdicts:
            return None
        return min(
            (verdict for verdict in verdicts if verdict),
            key=lambda verdict: LEVELS.index(verdict.level),
        )

    def _is_known(self, id: str) -> bool:
        names = self.names
        return id in names.beside or id in names.withheld or self._model(id) is not None

    def of_id(self, id: str, note: str = "") -> Verdict | None:
        """The verdict on a full id."""
        key = f"{id} {note}"
        if key not in self._known:
            self._known[key] = self._look(id, note)
        return self._known[key]

    def _look(self, id: str, note: str) -> Verdict | None:
        model = self._model(id)
        status = model.status_on(self.today) if model else None
        if status != "retired" and (withheld := self.names.withheld_of(id)):
            return self._withheld(id, withheld)
        if model is None:
            return self._not_offered(id) if id in self._gone else None
        retires_on, successor = model.lifecycle.retires_on, model.lifecycle.successor
        if successor is not None:
            successor = successor if self._is_in_use(successor) else None
        if status == "retired":
            level, text = "retired", "was retired" + (f" on {retires_on}" if retires_on else "")
        elif retires_on is not None and retires_on <= self.until:
            days = (date.fromisoformat(retires_on) - self.today).days
            level = "retiring"
            text = f"retires on {retires_on}, in {days} day{'s' * (days != 1)}"
        elif status == "deprecated":
            level, text = "deprecated", "is deprecated"
            text += f", retires on {retires_on}" if retires_on else ""
        else:
            return None
        follows = f"; use {successor}" if successor else ""
        return Verdict(id, level, f"{id}{note} {text}{follows}", retires_on, successor)

    def _is_in_use(self, id: str) -> bool:
        model = self.snapshot.get_model(id)
        return model is not None and model.status_on(self.today) not in ("retired", "deprecated")

    def _model(self, id: str) -> ModelInfo | None:
        return self.snapshot.get_model(id) or self._unlisted.get(id)

    def _not_offered(self, id: str) -> Verdict:
        """The verdict on a model that a gateway offered, and that no gateway offers now."""
        provider, bare = self.snapshot.split(id)
        hint, ids = self._meant(provider or "", bare)
        text = f"{provider} has not listed {bare} since {self._gone[id]}{hint}"
        return Verdict(None, "unknown", text, suggestions=ids)

    def _meant(self, provider: str, bare: str) -> tuple[str, tuple[str, ...]]:
        """The question "did you mean …?", and the ids in it."""
        if self._asked >= MOST_MEANT:
            return "", ()
        self._asked += 1
        ids = tuple(filter(self._is_in_use, self.snapshot.suggest(f"{provider}/{bare}")))
        ids = tuple(id for id in ids if id.startswith(f"{provider}/"))
        return f"; did you mean {' or '.join(ids)}?" if ids else "", ids

    def _withheld(self, id: str, withheld: str) -> Verdict:
        plugin = self.names.withheld[withheld]
        return Verdict(id, "withheld", f"{id} is withheld by the policy of {plugin}")

    def _dated(self, name: Name, providers: tuple[str, ...]) -> Verdict | None:
        """The verdict on the model of which this name, with a date or "latest", is a version."""
        base = self._base(name.bare)
        for provider in providers:
            if base and self.names.knows(provider, base):
                verdict = self.of_id(f"{provider}/{base}", f", as which {name.bare} is dated,")
                return verdict if verdict and verdict.level in ("retired", "retiring") else None
        return None

    @staticmethod
    def _base(bare: str) -> str | None:
        match = spellings.DATED.search(bare)
        return bare[: match.start()] if match else None

    def _may_be_unknown(self, name: Name, provider: str) -> bool:
        """Whether the catalog of this provider is complete for models with such names."""
        if (
            provider in spellings.OPEN
            or provider not in self.names.models
            or spellings.PLACEHOLDER.search(name.bare)
            or spellings.FILE.search(name.bare)
            or spellings.UNLISTED.search(name.bare.rpartition("/")[2])
            or name.bare != name.bare.lower()
            # Other providers route to the models of its maker, under their own prefix.
            or (name.maker not in (None, provider) and self.names.knows(name.maker, name.bare))
        ):
            return False
        if name.maker is not None or name.vague:
            return True
        others = provider in spellings.MAKER_IDS or self.names.resells(provider)
        return not others and self.names.resembles(provider, name.bare)

    def _not_known(
        self, name: Name, place: Place, provider: str, about: frozenset[str]
    ) -> Verdict | None:
        base = self._base(name.bare)
        sellers = sellers_of(place, self.names)
        if (
            not place.strict
            or place.is_key  # a name that is given here
            or (sellers and provider not in sellers)
            or self.names.is_family(provider, name.bare)
            or not self._may_be_unknown(name, provider)
            or (base and any(self.names.knows(named, base) for named in name.named or (provider,)))
            or ("local" in about and name.maker is None)
        ):
            return None
        key = (provider, name.bare)
        if key not in self._unknown:
            hint, ids = self._meant(provider, name.bare)
            message = f"{provider} is not known to have a model {name.bare}{hint}"
            self._unknown[key] = Verdict(None, "unknown", message, suggestions=ids)
        return self._unknown[key]


def _names_a_thing(key: str) -> bool:
    """Whether a value under this key is something else, even if it looks like a model."""
    return is_decoy(key) or is_list_decoy(key) or not _THINGS.isdisjoint(key_of(key).words)
