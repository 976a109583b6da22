"""One gateway's turn through a sync: it is asked, its data is chosen, a report says how it fared.

One record, filled step by step. Data is what was fetched, else the newer of stored and bundled:
newer by time of retrieval, never by dates in the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from .._base.frozen import EMPTY
from .._catalog.snapshot import Snapshot
from .._catalog.state import GatewayState, past, utc
from .._catalog.store import GatewayData
from ..errors import ShrunkError
from ..models import ProviderConfig
from ..plugin import FactSource
from ..records import clean_providers
from ..report import DataSource, GatewayReport, Problem
from .facts import as_providers
from .fetch import Outcome
from .freshness import fingerprint

if TYPE_CHECKING:
    from .._catalog.bundle import Bundle
    from .._plugins.hook_rules import Described
    from .._plugins.host import LoadedGateway
    from .runtime import RuntimeGateway

Providers = Mapping[str, ProviderConfig]

_ANOTHERS = "its stored data does not count: it was fetched with another token, or another account"


@frozen
class Data:
    """Data of one gateway that can go into the merge."""

    source: DataSource
    about: GatewayData
    providers: Callable[[], Providers]
    count: Callable[[], tuple[int, int]]
    """How many providers and models these are; asks for less than `providers`."""


def in_snapshot(
    source: DataSource, about: GatewayData, load: Callable[[], Snapshot], gateway: str
) -> Data:
    """What `gateway` published, of all that the snapshot holds; when wanted."""
    return Data(source, about, lambda: load().providers_of(gateway), lambda: load().count(gateway))


def in_memory(source: DataSource, about: GatewayData, providers: Providers) -> Data:
    count = len(providers), sum(len(provider.models) for provider in providers.values())
    return Data(source, about, lambda: providers, lambda: count)


def bundled(bundle: Bundle, gateway: str) -> Data | None:
    """Its data in the wheel."""
    if gateway not in bundle.captured:
        return None
    about = GatewayData(bundle.plugins[gateway], bundle.captured[gateway])
    return in_snapshot("bundled", about, bundle.load, gateway)


def bundled_facts(loaded: LoadedGateway) -> Data | None:
    """What a source of facts has in its own package. Raises whatever its author does."""
    source, id = loaded.gateway.itself, loaded.gateway.id
    held = source.bundled() if isinstance(source, FactSource) else None
    if held is None:
        return None
    facts, captured = held
    providers, _ = clean_providers(id, False, as_providers(id, facts))
    about = GatewayData(loaded.plugin.key, captured.timestamp(), facts=0)
    return in_memory("bundled", about, providers)


@define
class Turn:
    """Filled from above to below."""

    id: str
    known: GatewayState
    """What the store remembers of it."""
    loaded: LoadedGateway | None
    """It, its plugin and settings; None: no plugin adds it."""
    runtime: RuntimeGateway | None = None
    """It, if the application registered it. None beside no plugin: it can't be asked, and its
    data stays until the settings say otherwise."""
    wheel: Data | None = None
    """Its data in the wheel."""
    stored: Data | None = None
    """Its last good data in the store."""
    good: Data | None = None
    """The newer of that and the bundled."""
    outcome: Outcome | None = None
    """What became of asking it; None: there was nobody to ask."""
    used: Data | None = field(default=None)
    """What goes into the merge; None: it has no data."""
    before: Data | None = None
    """What was good when the turn began."""
    disowned: bool = False
    """What is stored is another's, or is to be forgotten."""
    is_anothers: bool = False
    """What is stored was fetched for another identity than is there now."""
    quarantined: bool = False

    @classmethod
    def installed(
        cls,
        id: str,
        known: GatewayState,
        loaded: LoadedGateway | None,
        stored: Data | None,
        wheel: Data | None,
    ) -> Turn:
        """That of a gateway whose data is, or was, a plugin's."""
        both = [one for one in (wheel, stored) if one]
        good = max(both, key=lambda one: (one.about.retrieved_at, one is stored), default=None)
        facts = wheel if wheel and wheel.about.facts is not None else None
        if good and facts and good.about.retrieved_at == facts.about.retrieved_at:
            good = evolve(good, source="bundled")  # though a sync has stored it
        return cls(id, known, loaded, None, wheel, stored, good, used=good, before=good)

    @classmethod
    def registered(cls, runtime: RuntimeGateway) -> Turn:
        """That of a gateway of this process, whose data is in its memory."""
        kept, known = runtime.providers, runtime.known
        about = GatewayData("", known.retrieved_at or 0.0)
        data = in_memory("stored", about, kept) if kept else None
        return cls(runtime.gateway.id, known, None, runtime, None, data, data, used=data)

    @property
    def gateway(self) -> Described | None:
        either = self.loaded or self.runtime
        return either.gateway if either else None

    @property
    def volatile(self) -> bool:
        """It comes and goes; without its plugin, it did when its data was fetched."""
        if self.gateway is not None:
            return self.gateway.volatile
        return self.good is not None and self.good.about.volatile

    @property
    def away(self) -> bool:
        """It comes and goes, and is not here now, or not enabled: its models are gone."""
        status = self.outcome.status if self.outcome else None
        return status == "absent" or (status == "disabled" and self.volatile)

    @property
    def is_of_facts(self) -> bool:
        """It says more about what gateways offer; without its plugin, as its data is."""
        if self.gateway is not None:
            return isinstance(self.gateway.itself, FactSource)
        return self.good is not None and self.good.about.facts is not None

    @property
    def is_current(self) -> bool:
        """Whether the stored data is that of the gateway as it is now."""
        if self.loaded is None:
            return self.runtime is not None
        same = self.stored is not None and self.stored.about.volatile == self.volatile
        return same and self.known.fingerprint == fingerprint(self.loaded)

    @property
    def measure(self) -> Data | None:
        """What a result of it is compared with. The bundle, or its package, says what its source
        sends only if the user has set none of its options, of which one may be the URL of a
        mirror, and it is not asked for an identity of its own. Nothing does of one that comes
        and goes."""
        if self.volatile:
            return None
        options = self.loaded.settings.options if self.loaded else EMPTY
        identity = self.outcome.identity if self.outcome else EMPTY
        # What a package holds is stored, too, before its source has sent anything.
        sent = self.stored if self.known.retrieved_at or not self.is_of_facts else None
        return sent or (None if options or identity else self.good)

    def disown(self, *, is_anothers: bool = False) -> None:
        """Neither compare nor serve what is stored."""
        self.is_anothers = is_anothers
        self.disowned, self.stored = True, None
        self.good = self.used = self.wheel

    def choose(self, *, shrink_limit: float) -> None:
        """Use what was fetched, unless fewer than `shrink_limit` (0 to 1) of the last good
        models are left."""
        outcome = self.outcome
        if outcome is None:
            return
        if self.away:
            self.used = None
        elif outcome.status == "unchanged" and self.stored:
            about = evolve(self.stored.about, retrieved_at=outcome.finished_at)
            self.used = evolve(self.stored, about=about)
        elif outcome.providers is not None:
            plugin = self.loaded.plugin.key if self.loaded else ""
            facts = 0 if self.is_of_facts else None
            about = GatewayData(
                plugin,
                outcome.finished_at,
                volatile=self.volatile,
                facts=facts,
                shared=outcome.shared or None,
                vouched=outcome.vouched,
            )
            fresh = in_memory("fetched", about, outcome.providers)
            try:
                limit = 0.0 if outcome.accepted else shrink_limit
                refuse_shrunk(self.id, fresh, self.measure, limit=limit)
            except ShrunkError as error:
                self.quarantined = True
                failed = Outcome.failed(self.id, error, outcome.finished_at)
                self.outcome = evolve(
                    failed,
                    private=outcome.private,
                    consulted=outcome.consulted,
                    shared=outcome.shared,
                )
            else:
                self.used = fresh

    def met(self, offered: int) -> None:
        """Note of how many models that its facts are about some gateway offers."""
        if self.used:
            self.used = evolve(self.used, about=evolve(self.used.about, facts=offered))

    def hold(self) -> None:
        """Use nothing of what was fetched: a policy has not passed it. What was there stays,
        also if it was fetched for another account."""
        self.used = self.before

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The records that can't be used: those just fetched, else those of the stored data,
        which are told until they are mended."""
        if self.outcome and self.outcome.status == "fresh":
            return self.outcome.warnings
        if self.is_anothers and self.used is not self.before:
            return (Problem("gateway", self.id, _ANOTHERS, fatal=False),)
        if self.used is None or self.used.source != "stored":
            return ()
        return tuple(Problem("record", *one, fatal=False) for one in self.known.warnings)

    def remembered(self, *, held: bool) -> GatewayState | None:
        """What the store is to remember of it now; None: nothing."""
        outcome = self.outcome
        known = GatewayState() if self.disowned and not held else self.known
        if outcome is None or outcome.status in ("offline", "waiting"):
            return known if self.used and known != GatewayState() else None
        if self.away:
            known = GatewayState(fingerprint=fingerprint(self.loaded) if self.loaded else "")
        known = evolve(
            known, checked_at=outcome.finished_at, status=outcome.status, error=outcome.error
        )
        if outcome.answered and not held:
            known = evolve(known, retrieved_at=outcome.finished_at)
        if outcome.status == "fresh" and not held:
            known = evolve(known, identity=outcome.identity, private=outcome.private)
        if outcome.status == "fresh" and self.loaded and not held:
            asked = tuple(one.to_dict() for one in outcome.asked or ())
            warnings = tuple((one.culprit, one.message) for one in outcome.warnings)
            known = evolve(
                known, fingerprint=fingerprint(self.loaded), asked=asked, warnings=warnings
            )
        return known

    def report(self, *, idle: str, now: float, max_age: float | None) -> GatewayReport:
        """`idle`: what to say if there was nobody to ask. `max_age`: see `Options`."""
        outcome = self.outcome or Outcome("disabled", error=idle)
        providers, models = self.used.count() if self.used else (0, 0)
        retrieved_at = self.used.about.retrieved_at if self.used else None
        if self.used and self.used.source != "bundled":  # whose time is not of this clock
            retrieved_at = past(retrieved_at, now)
        known = past(retrieved_at, now)
        young = known is not None and max_age is not None and now - known <= max_age
        loaded = self.loaded
        return GatewayReport(
            id=self.id,
            name=self.gateway.name if self.gateway else self.id,
            status=outcome.status,
            source=self.used.source if self.used else "none",
            distribution=loaded.plugin.source.name if loaded else None,
            version=loaded.plugin.version if loaded else None,
            providers=providers,
            models=models,
            facts=self.used.about.facts if self.used else None,
            retrieved_at=utc(retrieved_at),
            error=outcome.error,
            failure=outcome.failure,
            quarantined=self.quarantined,
            tolerated=outcome.status == "failed" and young,
        )


def refuse_shrunk(id: str, fresh: Data, good: Data | None, *, limit: float) -> None:
    """Raise ShrunkError if fewer than `limit` (0 to 1) of the last good models are left."""
    now, before = fresh.count()[1], good.count()[1] if good else 0
    if now < limit * before:
        raise ShrunkError(
            f"sent {now} models where its last good data has {before}; quarantined",
            culprit=id,
            hint=f"if that is right, run: registry-core sync --accept {id}",
        )
