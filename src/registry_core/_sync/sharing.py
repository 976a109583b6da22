"""What a sync takes from the fleet's shared catalog, and what it publishes there.

Before a gateway is asked, a shared result that is young enough is taken over, as if another process
of this machine had fetched it. Otherwise the gateway is asked, and its result is published.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve

from .._base.printable import message
from .._base.version import __version__
from .._shared.engine import Engine, Fault
from .._shared.fleet import Fleet, Result
from .._shared.lease import LONGEST
from .._shared.pointer import LAST, Entry, NewerError, StaleError, UnsoundError
from ..errors import GatewayError, RegistryError
from ..records import clean_providers
from ..report import Problem
from .fetch import Outcome
from .freshness import digest
from .polling import fleet_of

if TYPE_CHECKING:
    from .._catalog.store import Store
    from .._world import World
    from .options import Options
    from .turn import Turn

logger = logging.getLogger("registry_core")

#: Seconds after a failure in which no machine asks that gateway. Each further failure in a row
#: doubles them, up to the longest time of a lease.
_PAUSE = 60.0

Adopt = Callable[[], Outcome | None]


class Sharing:
    """The sharing of one sync. Raises nothing: failures of the engine are in `problems`, and the
    sync continues with the data of this machine. With `writes=False` it only reads."""

    def __init__(self, fleet: Fleet, world: World, options: Options, *, writes: bool) -> None:
        settings = world.settings
        self._fleet, self._options, self._clock = fleet, options, world.clock
        self._reads_only = (
            settings.shared_mode == "read" or not Engine(settings.shared or "").writable
        )
        self._environ = world.environ
        self._named = frozenset(settings.shared_gateways)
        self._writes = writes
        interval = settings.refresh_interval_ms / 1000
        self._young = interval if options.fresh_for is None else options.fresh_for
        self._monotonic, self._waiting = world.monotonic, fleet.memory.waiting
        fleet.note(waiting=None)
        self._sound = False
        self._replaceable = False
        self.problems: list[Problem] = []

    def look(self) -> None:
        try:
            self._fleet.look()
        except StaleError as fault:
            self._sound = self._replaceable = True
            self._tell(fault, fatal=False)
        except UnsoundError as fault:
            self._replaceable = True
            self._tell(fault)
        except Fault as fault:
            self._tell(fault, fatal=isinstance(fault, NewerError) or self._reads_only)
        else:
            self._sound = self._replaceable = True
            if self._reads_only and not self._fleet.memory.text:
                self._tell(
                    Fault(
                        "has no pointer, so nothing is published there",
                        culprit=self._fleet.memory.url,
                        hint="correct REGISTRY_CORE_SHARED, or let a machine that fetches publish",
                    )
                )

    def has_news(self, turn: Turn) -> bool:
        """Whether the fleet has a newer result than this machine."""
        return self._news(turn) is not None

    def adopting(self, turn: Turn) -> Adopt | None:
        """A function to call before this gateway is asked. It returns the outcome, or None if the
        gateway must be asked. None if the fleet does not share this gateway."""
        if self._why_not(turn) is not None and not (self._reads_only and turn.loaded):
            return None
        return partial(self._adopt, turn)

    def _adopt(self, turn: Turn) -> Outcome | None:
        asks_anyway = turn.id in self._options.accept or self._options.force or turn.disowned
        if self._why_not(turn) is None and (not asks_anyway or self._reads_only):
            news = self._news(turn)
            if news is not None and self._is_young(news[1]):
                outcome = self._taken(turn, *news)
                if outcome is not None:
                    return outcome
            has = turn.stored.about.retrieved_at if turn.stored and turn.is_current else None
            if has is not None and self._is_young(has):
                return Outcome("unchanged", finished_at=has)  # as young as the shared result
        else:
            news = None
        if self._reads_only:
            taken = self._taken(turn, *news) if news else None
            return taken or self._waits("only others fetch (REGISTRY_CORE_SHARED_MODE=read)")
        if asks_anyway or not self._replaceable or not self._writes:
            return None
        failure = self._failure(turn)
        if failure is not None:
            self._fleet.note(waiting=self._monotonic())
            why = f"{failure.publisher} asked and failed: {failure.error}"
        elif self._may_fetch() or not self._waits_on():
            return None
        else:
            why = "another machine is fetching it"
        taken = self._taken(turn, *news) if news else None
        return taken or self._waits(why)

    def _failure(self, turn: Turn) -> Entry | None:
        """The recent failure because of which it is not asked now; None if there is none. The
        machine that failed waits twice as long, since the fault may be its own."""
        key = self._entry(turn, "", 0.0).key
        entry = self._fleet.pointer.entries.get(key) if self._sound else None
        since = self._fleet.known_since(entry) if entry else None
        if entry is None or since is None or self._is_for_others(turn, entry):
            return None
        pause = min(_PAUSE * 2.0 ** min(max(entry.failures - 1, 0), 30), LONGEST)
        pause *= 2 if turn.known.status == "failed" else 1
        return entry if self._clock() - since < pause else None

    def _waits_on(self) -> bool:
        """Whether to wait for the machine that has the lease, up to the longest time of a lease.
        A lease that is renewed again and again may be meant to keep all from fetching."""
        now, since = self._monotonic(), self._waiting
        since = now if since is None or since > now else since
        if now - since >= LONGEST:
            return False
        self._fleet.note(waiting=since)
        return True

    def _waits(self, why: str) -> Outcome:
        return Outcome("waiting", error=why, finished_at=self._clock())

    def _may_fetch(self) -> bool:
        try:
            return self._fleet.may_fetch()
        except Fault as fault:  # then each machine fetches for itself
            self._tell(fault)
            return True

    def _is_young(self, since: float) -> bool:
        return 0 <= self._clock() - since < self._young

    def _why_not(self, turn: Turn) -> str | None:
        """Why the fleet does not share this gateway; None if it does."""
        known = turn.known
        if turn.loaded is None:
            return "it was registered at run time" if turn.runtime else "its plugin is gone"
        if turn.volatile:
            return "it comes and goes"
        outcome = turn.outcome
        own = outcome is not None and not outcome.shared
        sent = own and outcome is not None and (outcome.private or bool(outcome.identity))
        if outcome is None or outcome.status != "fresh":
            sent = sent or known.private or bool(known.identity)
        if sent and turn.id not in self._named:
            return "a credential was sent for it; shared_gateways does not name it"
        return None

    def _news(self, turn: Turn) -> tuple[Entry, float] | None:
        """The best entry that is newer than the stored data, and since when it is known."""
        if not self._sound or self._why_not(turn) is not None:
            return None
        has = turn.stored.about.retrieved_at if turn.stored and not turn.disowned else 0.0
        if has > self._clock():
            has = 0.0
        # In `read` mode, an entry of unknown age, or of an older version, is better than nothing.
        in_need = self._reads_only and not has
        candidates: list[tuple[bool, float, Entry]] = []
        for entry in self._entries(turn):
            since, is_new = self._fleet.known_since(entry), _is_new_enough(turn, entry)
            since = 1.0 if since is None and in_need else since
            if since is not None and since > has and (is_new or in_need):
                candidates.append((is_new, since, entry))
        if not candidates:
            return None
        _, since, entry = max(
            candidates, key=lambda found: (*found[:2], found[2].version, found[2].core)
        )
        return entry, since

    def _entries(self, turn: Turn) -> Iterable[Entry]:
        scope = _scope(turn)
        for entry in self._fleet.pointer.entries.values():
            fits = entry.gateway == turn.id and entry.scope == scope and entry.object
            if fits and not self._is_for_others(turn, entry):
                yield entry

    def _is_for_others(self, turn: Turn, entry: Entry) -> bool:
        """Whether it was fetched without a credential that this machine would send."""
        return turn.id not in self._named and any(map(self._is_set, entry.consulted))

    def _is_set(self, variable: str) -> bool:
        return bool(self._environ.get(variable, "").strip())

    def _taken(self, turn: Turn, entry: Entry, since: float) -> Outcome | None:
        """The outcome of taking over this result; None if it can't be used."""
        has = turn.stored.about if turn.stored and turn.is_current else None
        vouched = self._fleet.vouched
        if has and has.shared == entry.object and has.vouched >= vouched:
            return Outcome("unchanged", finished_at=since, shared=entry.object)
        gateway = turn.gateway
        assert gateway is not None
        accepted = entry.accepted and vouched
        try:
            shared = self._fleet.get(entry)
            prefix = f"{gateway.id}/"
            if gateway.namespaced:  # shared results have the published ids
                shared = {
                    id: provider
                    for id, provider in shared.items()
                    if id == gateway.id or id.startswith(prefix)
                }
            providers, warnings = clean_providers(turn.id, False, shared, may_be_empty=accepted)
        except Fault as fault:
            self._tell(fault)
            return None
        except GatewayError as error:
            self._tell(Fault(f"result of {turn.id}: {error.message}", culprit=error.culprit))
            return None
        logger.debug("%s: taken from %s", turn.id, entry.publisher)
        return Outcome(
            "fresh",
            providers,
            (),
            warnings=warnings,
            finished_at=since,
            shared=entry.object,
            vouched=vouched,
            accepted=accepted,
        )

    def publish(self, turns: Iterable[Turn]) -> None:
        """Share what this sync has fetched or confirmed."""
        if self._reads_only or not self._writes:
            return
        results: dict[str, Result] = {}
        why: dict[str, str] = {}
        for turn in turns:
            reason = self._why_not(turn)
            if reason is not None:
                if turn.loaded is not None:
                    why[turn.id] = reason
                continue
            outcome = turn.outcome
            own = outcome is not None and not outcome.shared
            if outcome is None or not own or (outcome.asked is None and outcome.failure is None):
                continue  # this sync has not asked it
            if not self._replaceable:
                why[turn.id] = "the shared catalog could not be read"
                continue
            result = self._result(turn, outcome)
            results[result.entry.key] = result
        if results:
            try:
                self._fleet.clean()
            except Fault as fault:
                self._tell(fault)
            try:
                self._fleet.publish(results)
            except Fault as fault:
                self._tell(fault)
                why |= {result.entry.gateway: fault.message for result in results.values()}
        self._fleet.note(unpublished=why)

    def _result(self, turn: Turn, outcome: Outcome) -> Result:
        object = "0" * 64 if outcome.failure is None else ""
        entry = self._entry(turn, object, outcome.finished_at, *outcome.consulted)
        before = self._fleet.pointer.entries.get(entry.key)
        if outcome.failure is not None:
            failures = min(before.failures + 1, LAST) if before else 1
            return Result(evolve(entry, error=_kind(outcome.failure), failures=failures), None)
        stored = turn.stored
        if outcome.providers is not None:
            fetched = outcome.providers
            return Result(entry, lambda: fetched)
        assert stored is not None
        if before is not None and before.object == stored.about.shared:
            entry = evolve(entry, object=before.object)
        return Result(entry, stored.providers)

    def _entry(self, turn: Turn, object: str, at: float, *consulted: str) -> Entry:
        assert turn.loaded is not None
        return Entry(
            turn.id,
            _scope(turn),
            turn.loaded.plugin.version,
            object,
            at,
            self._fleet.publisher,
            turn.id in self._options.accept,
            tuple(variable for variable in consulted if not self._is_set(variable))[:100],
            core=__version__,
        )

    def _tell(self, fault: Fault, *, fatal: bool | None = None) -> None:
        """`fatal`: None means that it is fatal if only other machines fetch."""
        problem = Problem.of("shared", fault, fatal=self._reads_only if fatal is None else fatal)
        if problem not in self.problems:
            self.problems.append(problem)
            logger.debug("shared catalog: %s", problem)

    def close(self) -> None:
        error = message("; ".join(map(str, self.problems))) if self.problems else None
        self._fleet.note(error=error)
        if self._writes:
            self._fleet.close()


@contextmanager
def sharing(
    world: World, store: Store | None, options: Options, *, writes: bool = True
) -> Generator[Sharing]:
    """The fleet's catalog for one sync, which must hold the store's lock."""
    fleet = fleet_of(world, store)
    sharing = Sharing(fleet, world, options, writes=writes)
    sharing.look()
    try:
        yield sharing
    finally:
        sharing.close()


def _scope(turn: Turn) -> str:
    assert turn.loaded is not None
    return digest([turn.loaded.plugin.key, turn.loaded.settings.options])


def _is_new_enough(turn: Turn, entry: Entry) -> bool:
    assert turn.loaded is not None
    version = turn.loaded.plugin.version
    return _is_at_least(entry.version, version) and _is_at_least(entry.core, __version__)


def _kind(failure: RegistryError) -> str:
    """What others are told of it. Its text may hold a path, a URL or a key of this machine."""
    status = failure.status if isinstance(failure, GatewayError) else None
    return f"it answered {status}" if isinstance(status, int) else type(failure).__name__


def _is_at_least(version: str, other: str) -> bool:
    """Whether `version` is not older than `other`. Texts that are not versions must be equal."""
    if version == other:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(version) >= Version(other)
    except InvalidVersion:
        return False
