"""One gateway's turn in a sync: it is asked, its data is chosen, and a report gives the result.

A turn is one record, filled step by step. Its data is what was fetched, or else the newer of the
stored and the bundled data. Newer means retrieved later; dates in the data do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
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

_ANOTHERS = "its stored data is dropped: it was fetched with another token, or another account"


@frozen
class Data:
    """Data of one gateway that can go into the merge."""

    source: DataSource
    about: GatewayData
    providers: Callable[[], Providers]
    count: Callable[[], tuple[int, int]]
    """The number of providers and models. Cheaper than `providers`."""


def in_snapshot(
    source: DataSource, about: GatewayData, load: Callable[[], Snapshot], gateway: str
) -> Data:
    """The data of `gateway` in a snapshot, which is loaded on demand."""
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
    """The facts that a source has in its own package. Raises whatever the plugin raises."""
    source, id = loaded.gateway.itself, loaded.gateway.id
    package_data = source.bundled() if isinstance(source, FactSource) else None
    if package_data is None:
        return None
    facts, captured = package_data
    providers, _ = clean_providers(id, False, as_providers(id, facts))
    about = GatewayData(loaded.plugin.key, captured.timestamp(), facts=0)
    return in_memory("bundled", about, providers)


@define
class Turn:
    """The fields are filled from top to bottom."""

    id: str
    known: GatewayState
    """What the store knows about it."""
    loaded: LoadedGateway | None
    """The gateway with its plugin and settings. None if no plugin adds it."""
    runtime: RuntimeGateway | None = None
    """The gateway, if the application registered it. If `loaded` is None too, it can't be asked,
    and its data stays until the settings say otherwise."""
    wheel: Data | None = None
    """Its data in the wheel."""
    stored: Data | None = None
    """Its last good data in the store."""
    good: Data | None = None
    """The newer of the stored and the bundled data."""
    outcome: Outcome | None = None
    """The result of asking it. None if there was nobody to ask."""
    used: Data | None = field(default=None)
    """What goes into the merge. None if it has no data."""
    before: Data | None = None
    """What was good when the turn began."""
    disowned: bool = False
    """The stored data belongs to another identity, or is to be forgotten."""
    is_anothers: bool = False
    """The stored data was fetched for another identity than today's."""
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
        """The turn of a gateway whose data comes, or came, from a plugin."""
        candidates = [data for data in (wheel, stored) if data]
        good = max(
            candidates, key=lambda data: (data.about.retrieved_at, data is stored), default=None
        )
        facts = wheel if wheel and wheel.about.facts is not None else None
        if good and facts and good.about.retrieved_at == facts.about.retrieved_at:
            good = evolve(good, source="bundled")  # though a sync has stored it
        return cls(id, known, loaded, None, wheel, stored, good, used=good, before=good)

    @classmethod
    def registered(cls, runtime: RuntimeGateway) -> Turn:
        """The turn of a gateway of this process, whose data is in memory."""
        providers, known = runtime.providers, runtime.known
        about = GatewayData("", known.retrieved_at or 0.0)
        data = in_memory("stored", about, providers) if providers else None
        return cls(runtime.gateway.id, known, None, runtime, None, data, data, used=data)

    @property
    def gateway(self) -> Described | None:
        either = self.loaded or self.runtime
        return either.gateway if either else None

    @property
    def volatile(self) -> bool:
        """Whether it comes and goes. Without its plugin, the stored data decides."""
        if self.gateway is not None:
            return self.gateway.volatile
        return self.good is not None and self.good.about.volatile

    @property
    def away(self) -> bool:
        """Whether it is volatile, and absent or not enabled now, so that its models are gone."""
        status = self.outcome.status if self.outcome else None
        return status == "absent" or (status == "disabled" and self.volatile)

    @property
    def is_of_facts(self) -> bool:
        """Whether it is a source of facts. Without its plugin, the stored data decides."""
        if self.gateway is not None:
            return isinstance(self.gateway.itself, FactSource)
        return self.good is not None and self.good.about.facts is not None

    @property
    def is_current(self) -> bool:
        """Whether the stored data is that of the gateway as it is now."""
        if self.loaded is None:
            return self.runtime is not None
        is_alike = self.stored is not None and self.stored.about.volatile == self.volatile
        return is_alike and self.known.fingerprint == fingerprint(self.loaded)

    @property
    def measure(self) -> Data | None:
        """The data that a new result is compared with; None for a volatile gateway.

        Stored data is used if there is any. The bundled data is used only if the user has set no
        options and the result belongs to no identity: one option may be the URL of a mirror.
        """
        if self.volatile:
            return None
        options = self.loaded.settings.options if self.loaded else EMPTY
        identity = self.outcome.identity if self.outcome else EMPTY
        # Facts of the package are stored too, even before the source has sent anything.
        sent = self.stored if self.known.retrieved_at or not self.is_of_facts else None
        return sent or (None if options or identity else self.good)

    def disown(self, *, is_anothers: bool = False) -> None:
        """Don't use the stored data: neither serve it nor compare with it."""
        self.is_anothers = is_anothers
        self.disowned, self.stored = True, None
        self.good = self.used = self.wheel

    def choose(self, *, shrink_limit: float) -> None:
        """Use what was fetched, unless its number of models is below this share (`shrink_limit`,
        0 to 1) of the last good data."""
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
                own = self.gateway.own if self.gateway else ()
                refuse_shrunk(self.id, fresh, self.measure, limit=limit, own=own)
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
        """Note how many models of its facts are offered by a gateway."""
        if self.used:
            self.used = evolve(self.used, about=evolve(self.used.about, facts=offered))

    def hold(self) -> None:
        """Don't use what was fetched, since a policy has not passed it. The previous data stays,
        even if it was fetched for another account."""
        self.used = self.before

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The records that can't be used: those of this fetch, or else those of the stored data.
        They are reported until they are fixed."""
        if self.outcome and self.outcome.status == "fresh":
            return self.outcome.warnings
        if self.is_anothers and self.used is not self.before:
            return (Problem("gateway", self.id, _ANOTHERS, fatal=False),)
        if self.used is None or self.used.source != "stored":
            return ()
        return tuple(Problem("record", *warning, fatal=False) for warning in self.known.warnings)

    def remembered(self, *, held: bool) -> GatewayState | None:
        """What the store is to remember about it. None for nothing."""
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
            asked = tuple(request.to_dict() for request in outcome.asked or ())
            warnings = tuple((warning.culprit, warning.message) for warning in outcome.warnings)
            known = evolve(
                known, fingerprint=fingerprint(self.loaded), asked=asked, warnings=warnings
            )
        return known

    def report(self, *, idle: str, now: float, max_age: float | None) -> GatewayReport:
        """The report on it. `idle`: the error if there was nobody to ask. `max_age`: see
        `Options`."""
        outcome = self.outcome or Outcome("disabled", error=idle)
        providers, models = self.used.count() if self.used else (0, 0)
        retrieved_at = self.used.about.retrieved_at if self.used else None
        if self.used and self.used.source != "bundled":  # its time is not from this clock
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


def refuse_shrunk(
    id: str, fresh: Data, good: Data | None, *, limit: float, own: Collection[str] = ()
) -> None:
    """Raise ShrunkError if `fresh` has fewer models than this share (`limit`, 0 to 1) of `good`.
    Models in `own` don't count: they may come from the package itself."""
    now, before = (_size(data, own) if data else 0 for data in (fresh, good))
    if now < limit * before:
        raise ShrunkError(
            f"sent {now} models where its last good data has {before}; quarantined",
            culprit=id,
            hint=f"if that is right, run: registry-core sync --accept {id}",
        )


def _size(data: Data, own: Collection[str]) -> int:
    if not own:
        return data.count()[1]
    providers = data.providers().values()  # of facts: one, whose models have full ids
    return sum(id not in own for provider in providers for id in provider.models)
