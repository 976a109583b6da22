"""What is to be said of a model's name at its place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from . import spellings
from .context import of_place, sellers_of
from .findings import LEVELS
from .names import Name, Names
from .place import Place

if TYPE_CHECKING:
    from registry_core import ModelInfo, Snapshot


#: So many unknown names get a suggestion: each takes 10 ms, and nobody reads more.
MOST_MEANT = 500


@frozen
class Verdict:
    """As a `Finding`, without the place."""

    id: str | None
    level: str
    message: str
    retires_on: str | None = None
    successor: str | None = None
    suggestions: tuple[str, ...] = ()


class Judge:
    """Knows the snapshot, the day, and how far ahead to look.

    `unlisted`: what is known of models that the snapshot does not offer, by full id. `gone`: full
    id → the day since which nobody offers it.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        names: Names,
        today: date,
        within: timedelta,
        unlisted: Mapping[str, ModelInfo],
        gone: Mapping[str, str],
    ) -> None:
        self.snapshot = snapshot
        self.names = names
        self.today = today
        self.until = (today + within).isoformat()
        self._unlisted = unlisted
        self._gone = gone
        self._known: dict[str, Verdict | None] = {}
        self._asked = 0
        self._unknown: dict[tuple[str, str], Verdict] = {}

    def read(self, text: str) -> Name | None:
        """What `text` names, if there is anything to say of it at some place."""
        name = self.names.read(text)
        if name is None or name.role:
            return name if name and self.of_id(name.role or "") else None
        if name.full:
            matters = any(self.of_id(f"{one}/{name.bare}") for one in name.named)
        elif name.named:
            matters = bool(name.owners) or self._may_be_unknown(name, name.named[0])
            matters = matters or any(one in self.names.withheld for one in name.named)
        else:
            matters = (
                name.vague
                or (name.maker is not None and not self.names.knows(name.maker, name.bare))
                or any(self.of_id(f"{one}/{name.bare}") for one in {*name.owners, name.maker})
            )
        return name if matters else None

    def judge(self, name: Name, place: Place, about: frozenset[str]) -> Verdict | None:
        """None if there is nothing to say. `about`: the providers that the file speaks of."""
        if place.strange or (place.decoy and not place.sure):
            return None
        if name.role:
            return self.of_id(name.role) if place.sure and not place.is_key else None
        if name.full:
            if not (place.whole or place.sure):
                return None
            near = (*sellers_of(place, self.names), *of_place(place, self.names))
            sellers = [one for one in near if self.names.knows(one, name.text)]
            named = [f"{one}/{name.bare}" for one in name.named]
            return self._of_candidates([f"{one}/{name.text}" for one in sellers] or named)
        if not place.sure:
            return None
        if name.named:
            return self._prefixed(name, place, about)
        return self._bare(name, place, about)

    def _prefixed(self, name: Name, place: Place, about: frozenset[str]) -> Verdict | None:
        """A provider that is known, and none of its models."""
        for provider in name.named:
            if provider in self.names.withheld:
                return self._withheld(f"{provider}/{name.bare}", provider)
        if name.owners:
            speaks = of_place(place, self.names) or tuple(sorted(about))
            sellers = [one for one in speaks if one in name.owners]
            return self._of_candidates([f"{one}/{name.text}" for one in sellers])
        if verdict := self._dated(name, name.named):
            return verdict
        return self._not_known(name, place, name.named[0], about)

    def _bare(self, name: Name, place: Place, about: frozenset[str]) -> Verdict | None:
        near = of_place(place, self.names)
        sellers = sellers_of(place, self.names)
        if sellers and sellers[0] in name.owners:
            return self.of_id(f"{sellers[0]}/{name.bare}")
        speaks = near or tuple(sorted(about))
        if name.vague:
            return self._mistyped(name, place, speaks)
        sure = place.kin or bool((near or about) and (place.strict or "-" in name.bare))
        if not (sure or name.distinct or (name.maker and "-" in name.bare)):
            return None
        for provider in speaks:
            if self.names.knows(provider, name.bare):
                owners = [one for one in speaks if self.names.knows(one, name.bare)]
                if name.maker in owners and name.maker is not None:
                    owners = [name.maker]
                return self._of_candidates([f"{one}/{name.bare}" for one in owners])
        maker = name.maker or self._maker(name)
        if maker is None or (near and not {maker, "azure", "local"} & {*near}):
            return None
        if self.names.knows(maker, name.bare):
            return self.of_id(f"{maker}/{name.bare}")
        if maker in self.names.withheld:
            return self._withheld(f"{maker}/{name.bare}", maker)
        if verdict := self._dated(name, (maker,)):
            return verdict
        elsewhere = set(speaks) - {maker}
        if (
            name.maker is None
            or elsewhere & (name.owners | spellings.OPEN)
            or (near and maker not in near)
        ):
            return None
        return self._not_known(name, place, maker, about)

    def _maker(self, name: Name) -> str | None:
        """The only provider that has it, unless others make what that one sells."""
        (owner, *others) = name.owners
        return None if others or self.names.resells(owner) else owner

    def _mistyped(self, name: Name, place: Place, speaks: tuple[str, ...]) -> Verdict | None:
        """A name that is nearly one of the only provider that the place speaks of."""
        if len(speaks) != 1 or speaks[0] not in spellings.MAKER_IDS:
            return None
        return self._not_known(name, place, speaks[0], frozenset())

    def _of_candidates(self, ids: list[str]) -> Verdict | None:
        """Of the first that is known; if several are meant, only what holds for all of them."""
        known = [id for id in ids if self._is_known(id)]
        verdicts = [self.of_id(id) for id in known]
        if not verdicts or None in verdicts:
            return None
        return min((one for one in verdicts if one), key=lambda one: LEVELS.index(one.level))

    def _is_known(self, id: str) -> bool:
        provider, _, bare = id.partition("/")
        return self.names.knows(provider, bare) or self._model(id) is not None

    def of_id(self, id: str, note: str = "") -> Verdict | None:
        """What is to be said of a full id."""
        key = f"{id} {note}"
        if key not in self._known:
            self._known[key] = self._look(id, note)
        return self._known[key]

    def _look(self, id: str, note: str) -> Verdict | None:
        for one in (id, id.partition("/")[0]):
            if one in self.names.withheld:
                return self._withheld(id, one)
        model = self._model(id)
        if model is None:
            return self._not_offered(id) if id in self._gone else None
        status = model.status_on(self.today)
        retires_on, successor = model.lifecycle.retires_on, model.lifecycle.successor
        if successor is not None:
            successor = successor if self._is_in_use(successor) else None
        if status == "retired":
            level, said = "retired", "was retired" + (f" on {retires_on}" if retires_on else "")
        elif retires_on is not None and retires_on <= self.until:
            days = (date.fromisoformat(retires_on) - self.today).days
            level = "retiring"
            said = f"retires on {retires_on}, in {days} day{'s' * (days != 1)}"
        elif status == "deprecated":
            level, said = "deprecated", "is deprecated"
            said += f", retires on {retires_on}" if retires_on else ""
        else:
            return None
        follows = f"; use {successor}" if successor else ""
        return Verdict(id, level, f"{id}{note} {said}{follows}", retires_on, successor)

    def _is_in_use(self, id: str) -> bool:
        model = self.snapshot.get_model(id)
        return model is not None and model.status_on(self.today) not in ("retired", "deprecated")

    def _model(self, id: str) -> ModelInfo | None:
        return self.snapshot.get_model(id) or self._unlisted.get(id)

    def _not_offered(self, id: str) -> Verdict:
        """What a gateway has offered, and none does any more."""
        provider, _, bare = id.partition("/")
        hint, found = self._meant(provider, bare)
        text = f"{provider} has not listed {bare} since {self._gone[id]}{hint}"
        return Verdict(None, "unknown", text, suggestions=found)

    def _meant(self, provider: str, bare: str) -> tuple[str, tuple[str, ...]]:
        """A question, and the ids that it names."""
        if self._asked >= MOST_MEANT:
            return "", ()
        self._asked += 1
        found = tuple(filter(self._is_in_use, self.snapshot.suggest(f"{provider}/{bare}")))
        found = tuple(id for id in found if id.startswith(f"{provider}/"))
        return f"; did you mean {' or '.join(found)}?" if found else "", found

    def _withheld(self, id: str, what: str) -> Verdict:
        plugin = self.names.withheld[what]
        return Verdict(id, "withheld", f"{id} is withheld by the policy of {plugin}")

    def _dated(self, name: Name, providers: tuple[str, ...]) -> Verdict | None:
        """What is said of the model that a name with a date or "latest" is a version of."""
        base = self._base(name.bare)
        for provider in providers:
            if base and self.names.knows(provider, base):
                found = self.of_id(f"{provider}/{base}", f", as which {name.bare} is dated,")
                return found if found and found.level in ("retired", "retiring") else None
        return None

    @staticmethod
    def _base(bare: str) -> str | None:
        found = spellings.DATED.search(bare)
        return bare[: found.start()] if found else None

    def _may_be_unknown(self, name: Name, provider: str) -> bool:
        """Whether the list of this provider is complete, as to models that are called so."""
        if (
            provider in spellings.OPEN
            or provider not in self.names.models
            or spellings.PLACEHOLDER.search(name.bare)
            or spellings.UNLISTED.search(name.bare.rpartition("/")[2])
            or name.bare != name.bare.lower()
            # Under a prefix of their own, others route to what its maker offers.
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
            or (base and any(self.names.knows(one, base) for one in name.named or (provider,)))
            or ("local" in about and name.maker is None)
        ):
            return None
        key = (provider, name.bare)
        if key not in self._unknown:
            hint, found = self._meant(provider, name.bare)
            message = f"{provider} is not known to have a model {name.bare}{hint}"
            self._unknown[key] = Verdict(None, "unknown", message, suggestions=found)
        return self._unknown[key]
