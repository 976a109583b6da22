"""One sync: prepare a generation, commit it, emit, notify. The only way the store changes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from .._base.frozen import FrozenDict
from .._base.warning import warn_once
from .._catalog import journal
from .._catalog.loading import open_explicit
from .._catalog.snapshot import Snapshot
from .._catalog.state import State
from .._catalog.store import Store
from .._emit.emission import Emission
from .._emit.manifest import Manifest
from .._emit.targets import Target, installed_types
from .._files.writing import clear_leftovers
from .._http.payloads import Payloads
from .._resolve.bindings import remember
from .._world import World
from ..errors import OverlayError, SettingsError, StoreError, error_text
from ..report import Changes, SyncReport
from . import commit
from .before import look_back
from .changes import compared
from .freshness import reached_at
from .locking import locked, patience
from .options import Options
from .prepare import Prepared, prepare
from .runtime import RuntimeGateway

if TYPE_CHECKING:
    from .._catalog.places import Places
    from .._plugins.host import PluginHost
    from ..settings import Settings
    from .sharing import Sharing

logger = logging.getLogger("registry_core")

_MOST_TOLD = 20


@frozen
class Result:
    """The result of a sync, for the process that ran it."""

    report: SyncReport
    snapshot: Snapshot
    previous: Snapshot
    """What was served before."""
    runtime: tuple[RuntimeGateway, ...] = ()


def sync(world: World, options: Options, runtime: Sequence[RuntimeGateway] = ()) -> Result:
    """Run one sync. `runtime`: the gateways that the application registered.

    Raises SettingsError and StoreError, which make a sync impossible. All other failures are in
    the report."""
    try:
        return _sync(world, options, runtime)
    except (OSError, ImportError, MemoryError) as error:  # even an import needs a descriptor
        raise StoreError(
            f"the system stopped the sync: {error_text(error)}",
            hint="the last good data stays; try again when the cause is gone",
        ) from error


def _sync(world: World, options: Options, runtime: Sequence[RuntimeGateway]) -> Result:
    settings, started = world.settings, world.clock()
    world.host.load()
    if settings.snapshot is not None:
        return _sync_pinned(world, settings.snapshot, started, options)
    store = _writable_store(world.places, settings.store_dir)
    with locked(store, patience(settings)) as since, _shared(world, store, options) as sharing:
        commit.adopt_versions(store)
        commit.adopt(store, world.store())
        payloads = payloads_of(world, store, writes=True)
        manifest = Manifest(store.emitted)  # before anything is changed
        before = look_back(store, world.bundle, repair=True, verified=world.verified)
        prepared = prepare(world, options, before, runtime, payloads, since, sharing)
        changes = compared(before.snapshot, prepared.snapshot)
        if prepared.generation is not None:
            news = _journal(store, prepared, changes, started)
            commit.commit(store, prepared.generation, prepared.objects, news)
        elif prepared.held:
            logger.debug("store: a policy holds the generation that is there")
        else:
            logger.debug("store: nothing has changed")
            if before.generation is not None:
                commit.mark(store, before.generation)
        generation = prepared.generation or before.generation
        state = _next_state(prepared, world, started)
        commit.save_state(store, state, prepared.generation or before.pointed)
        if sharing is not None:
            sharing.publish(prepared.turns)
            prepared.problems += sharing.problems
        report = _report(prepared, changes, started, offline=settings.offline)
        if generation is not None:  # otherwise a policy failed, and no snapshot has passed it
            targets = [Target("environment", store.place), *other_targets(world, options)]
            scope = settings.types_providers
            emission = Emission(world.host, prepared.snapshot, scope, prepared.lasting)
            report = _emit(emission, targets, manifest, report, force=options.force)
        if (failures := _failures(report)) != state.problems:
            with suppress(StoreError):  # everything else is stored
                state = evolve(state, problems=failures)
                commit.save_state(store, state, prepared.generation or before.pointed)
    report = _notify(world.host, report, prepared.snapshot, before.snapshot)
    return Result(report, prepared.snapshot, before.snapshot, tuple(prepared.runtime))


def check(world: World, options: Options) -> tuple[SyncReport, tuple[str, ...]]:
    """The report of such a sync, and the files that it would change in the project target or the
    output folder. Writes nothing. Raises SettingsError if there is no such target."""
    settings, started = world.settings, world.clock()
    targets = [target for target in other_targets(world, options) if target.requested]
    if not targets:
        raise SettingsError(
            "there is no target to check",
            hint="give --output DIR, or name folders under [tool.registry-core.output]",
        )
    world.host.load()
    if settings.snapshot is not None:
        snapshot = _pinned(world.host, settings.snapshot)
        report = _pinned_report(settings, snapshot, started)
    else:
        store = world.store()
        before = look_back(store, world.bundle, repair=False, verified=world.verified)
        payloads = payloads_of(world, store, writes=False)
        with _shared(world, store, options, writes=False) as sharing:
            prepared = prepare(world, options, before, (), payloads, None, sharing)
        prepared.problems += sharing.problems if sharing else ()
        snapshot = prepared.lasting
        changes = compared(before.snapshot, prepared.snapshot)
        report = _report(prepared, changes, started, offline=settings.offline)
    emission = Emission(world.host, snapshot, settings.types_providers)
    differing = tuple(path for target in targets for path in emission.differing(target))
    return evolve(report, problems=(*report.problems, *emission.problems)), differing


def _pinned(host: PluginHost, path: Path) -> Snapshot:
    """The snapshot in a file that the user has named. Raises StoreError, and OverlayError if it
    has not passed an installed policy, since it would be published without that policy."""
    snapshot = open_explicit(path, verify=True)
    unseen = host.unseen_by(snapshot)
    if unseen is not None:
        raise OverlayError(
            f"has not passed the snapshot {path}",
            culprit=unseen,
            hint=host.policy_hint(unseen),
        )
    return snapshot


def _sync_pinned(world: World, path: Path, started: float, options: Options) -> Result:
    """A snapshot file stands for fetch, merge and overlay; the store is left alone."""
    snapshot = _pinned(world.host, path)
    targets = [target for target in other_targets(world, options) if target.requested]
    emission = Emission(world.host, snapshot, world.settings.types_providers)
    report = _pinned_report(world.settings, snapshot, started)
    report = _emit(emission, targets, Manifest(None), report, force=options.force)
    return Result(_notify(world.host, report, snapshot, snapshot), snapshot, snapshot)


def _emit(
    emission: Emission,
    targets: Sequence[Target],
    manifest: Manifest,
    report: SyncReport,
    *,
    force: bool,
) -> SyncReport:
    written = emission.write(targets, manifest, force=force)
    return evolve(
        report,
        problems=(*report.problems, *emission.problems),
        written=written,
        targets=FrozenDict({str(target.root): manifest.count(target.name) for target in targets}),
    )


def _notify(
    host: PluginHost, report: SyncReport, snapshot: Snapshot, previous: Snapshot
) -> SyncReport:
    problems = host.refreshed(report, snapshot, previous)
    return evolve(report, problems=(*report.problems, *problems))


def _shared(
    world: World, store: Store | None, options: Options, *, writes: bool = True
) -> AbstractContextManager[Sharing | None]:
    if world.settings.shared is None or world.settings.offline or options.trial:
        return nullcontext()
    from .sharing import sharing

    return sharing(world, store, options, writes=writes)


def payloads_of(world: World, store: Store | None, *, writes: bool) -> Payloads:
    settings, place = world.settings, store.place if store else None
    folders = [*world.places.payloads(place, settings.store_dir, make=writes)]
    if writes:
        for folder in folders:
            clear_leftovers(folder)
    trusts, most = world.places.trusts(settings.store_dir), settings.fetch_max_bytes
    return Payloads(*folders, trusts=trusts, max_bytes=most, writes=writes)


def _writable_store(places: Places, folder: Path | None) -> Store:
    faults: list[str] = []
    for place in places.stores(folder, make=True):
        store = Store(place, places.trusts(folder))
        try:
            commit.create(store)
        except StoreError as error:
            if not commit.is_read_only(error):
                raise  # it may be writable next time, and then another store would be ignored
            logger.debug("%s", error)
            faults.append(f"{error.culprit}: {error.message}")
        else:
            if places.is_temporary(store.place):
                faults.append("there is no home folder that can be written")
            if faults:
                warn_once(f"the store is in {store.place}: {'; '.join(faults)}")
            return store
    raise StoreError(
        f"no folder for the store can be written: {'; '.join(faults)}",
        hint="set REGISTRY_CORE_STORE_DIR to a folder that can",
    )


def other_targets(world: World, options: Options) -> list[Target]:
    """The targets of a sync, except the environment's folder."""
    settings = world.settings
    if settings.output is not None:
        return [Target("output", settings.output)]
    installed = installed_types(world.types_path)
    targets = [installed] if installed else []
    if installed is None:
        logger.debug("installed types: not written (editable, in a zip, or read-only)")
    if options.project and settings.project and settings.outputs:
        targets.append(Target("project", settings.project, settings.outputs))
    elif settings.outputs:
        logger.debug("project target: written by the command sync, and in dev")
    return targets


def _next_state(prepared: Prepared, world: World, started: float) -> State:
    state, turns = prepared.before.state, prepared.turns
    remembered = {turn.id: turn.remembered(held=prepared.held) for turn in turns}
    outcomes = [turn.outcome for turn in turns if turn.outcome]
    reached = reached_at(state, outcomes, started, world.clock())
    bindings = state.bindings
    # A killed sync may have stored its generation, but not its state.
    is_bound = state.generation.get("snapshot") == prepared.snapshot.hash
    if prepared.generation is not None or not is_bound:
        bundle = world.bundle.load().get_providers()
        now = prepared.snapshot, prepared.generation or prepared.before.generation
        # If the stored bindings were damaged, they are made from what was served until now.
        before = prepared.before.snapshot, prepared.before.generation
        for snapshot, generation in (now,) if bindings else (before, now):
            known = generation.gateways.items() if generation else ()
            # Somebody who can write to a fleet's bucket but lacks its key must not bind keys.
            unvouched = {id for id, about in known if not about.vouched}
            others = [id for id in snapshot.provider_ids if id not in bundle]
            providers = filter(None, map(snapshot.get_provider_config, others))
            own = (provider for provider in providers if provider.gateway not in unvouched)
            bindings = remember(own, bundle, bindings)
    return State(
        last_refresh=state.last_refresh if prepared.held else reached,
        started_at=started,
        gateways=FrozenDict({id: known for id, known in remembered.items() if known}),
        plugins=world.host.known_plugins(),
        bindings=bindings,
        clashes=prepared.clashes,
        problems=state.problems,
        project=str(world.settings.project) if world.settings.project else None,
        in_project=state.in_project or world.settings.project is not None,
    )


def _failures(report: SyncReport) -> tuple[tuple[str, str], ...]:
    """The failures to store, so that `doctor` can show them later."""
    failures = [(problem.culprit, problem.message) for problem in report.problems if problem.fatal]
    return tuple(failures[:_MOST_TOLD])


def _journal(store: Store, prepared: Prepared, changes: Changes, started: float) -> bytes | None:
    """The new content of the journal. None if it stays as it is, or can't begin yet.

    The journal never names volatile data. If the previous generation can't be served, nobody knows
    what has changed since then. Then the line has no changes, and only links to older lines.
    """
    before, old, new = prepared.before, prepared.before.pointed, prepared.generation
    if old is None or new is None or journal.lasting(old) == journal.lasting(new):
        return None
    if before.generation is None:
        changes = Changes(journal.lasting(old), journal.lasting(new))
    elif (before.lasting, prepared.lasting) != (before.snapshot, prepared.snapshot):
        changes = compared(before.lasting, prepared.lasting)
    return journal.continued(store, old, evolve(changes, at=datetime.fromtimestamp(started, UTC)))


def _report(prepared: Prepared, changes: Changes, started: float, *, offline: bool) -> SyncReport:
    return SyncReport(
        started_at=datetime.fromtimestamp(started, UTC),
        gateways=tuple(prepared.reports),
        problems=tuple(prepared.problems),
        added=changes.added,
        removed=changes.removed,
        deprecated=changes.deprecated,
        updated=changes.updated,
        changed=prepared.changed,
        offline=offline,
        **_size(prepared.snapshot),
    )


def _pinned_report(settings: Settings, snapshot: Snapshot, started: float) -> SyncReport:
    return SyncReport(
        started_at=datetime.fromtimestamp(started, UTC),
        offline=settings.offline,
        pinned=str(settings.snapshot),
        **_size(snapshot),
    )


def _size(snapshot: Snapshot) -> dict[str, Any]:
    providers, models = snapshot.count()
    return {"snapshot_hash": snapshot.hash, "providers": providers, "models": models}
