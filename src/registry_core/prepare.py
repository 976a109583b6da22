"""A generation in memory: fetch, choose, merge, overlay. Nothing of it is written here,
save raw payloads and what was found damaged."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from . import commit
from .choose import Chosen, bundled_data, count, fetched, last_good, of_gateway, refuse_shrunk
from .client import Asked, HttpClient
from .errors import OverlayError, ShrunkError, SnapshotDamagedError
from .fetch import FetchTask, Outcome, fetch_all
from .frozen import EMPTY, FrozenDict
from .merge import merge
from .report import GatewayReport, GatewayStatus, Problem
from .snapshot import Snapshot
from .store import GatewayState, Generation, State, Store, utc

if TYPE_CHECKING:
    from .bundle import Bundle
    from .gateway import ModelGateway
    from .host import LoadedGateway, PluginHost
    from .models import ProviderConfig
    from .payloads import Payloads
    from .places import Places
    from .plugin_settings import PluginSettings
    from .secrets import Secrets
    from .settings import Settings

INSTALL = "pip install registry-gateway-models-dev registry-gateway-netlify"


@frozen
class Context:
    """What a sync works with; everything from outside is passed in."""

    settings: Settings
    host: PluginHost
    secrets: Secrets
    places: Places
    bundle: Bundle
    environ: Mapping[str, str]
    clock: Callable[[], float]
    runtime: Sequence[ModelGateway] = ()
    """Gateways that were registered at run time; never stored or emitted."""
    progress: Callable[[str, Outcome], None] = lambda id, outcome: None
    types_path: Sequence[str] | None = None
    """Where to look for the installed types; None: `sys.path`."""


@frozen
class Options:
    """How one sync is to be done."""

    force: bool = False
    """Send no validators: every payload is fetched whole."""
    accept: Collection[str] = ()
    """Gateways whose shrinkage is right."""
    max_age: float | None = None
    """Seconds: data younger than that is good enough if its gateway fails."""
    project: bool = False
    """Write the project target, too."""
    fresh_for: float | None = None
    """Seconds: what answered so lately is not asked again; None asks everybody."""


@define
class Before:
    """What was there: the last generation, and the last good data of each gateway."""

    state: State
    generation: Generation | None
    snapshot: Snapshot
    stored: Mapping[str, Chosen]
    good: Mapping[str, Chosen]
    problems: list[Problem]


@frozen
class Prepared:
    """A generation that could be committed."""

    before: Before
    outcomes: Mapping[str, Outcome]
    chosen: Mapping[str, Chosen]
    snapshot: Snapshot
    generation: Generation | None
    """None: the one in the store stays."""
    held: bool
    """An overlay failed, so that what was fetched is not used."""
    objects: tuple[Snapshot, ...]
    reports: tuple[GatewayReport, ...]
    problems: tuple[Problem, ...]
    runtime: Mapping[str, Mapping[str, ProviderConfig]] = field(default=EMPTY)


def prepare(
    context: Context,
    options: Options,
    store: Store | None,
    payloads: Payloads | None,
    since: float | None = None,
) -> Prepared:
    """`since`: another process has synced this store since then, and its results stand.
    Without `payloads` nothing at all is written.
    """
    before = _look_back(context, store, quarantine=payloads is not None)
    loaded = {one.gateway.id: one for one in context.host.gateways()}
    outcomes = _ask(context, options, before, loaded, payloads, since)
    runtime = {
        one.id: outcomes.pop(one.id).providers or {}
        for one in context.runtime
        if one.id in outcomes and one.id not in loaded
    }
    problems = [*context.host.problems, *before.problems]
    if not loaded:
        problems.append(Problem("gateway", "no gateway is installed", INSTALL))
    chosen, outcomes, quarantined = _choose(context, options, before, loaded, outcomes)
    for outcome in outcomes.values():
        problems += outcome.warnings

    snapshot, held = before.snapshot, False
    generation: Generation | None = None
    objects: tuple[Snapshot, ...] = ()
    if not _same(context, before, chosen):
        try:
            snapshot, generation, objects, lost = _combine(context, chosen, loaded)
            problems += lost
        except OverlayError as error:
            held = True
            problems.append(
                Problem("overlay", error.culprit, f"{error.message}; the last generation stays")
            )
    if generation and before.generation and generation.same_as(before.generation):
        generation = None
    reports = tuple(
        _gateway_report(
            context, options, id, loaded.get(id), outcomes.get(id), chosen.get(id), quarantined
        )
        for id in sorted({*loaded, *chosen})
    )
    return Prepared(
        before,
        outcomes,
        chosen,
        snapshot,
        generation,
        held,
        objects,
        reports,
        tuple(problems),
        FrozenDict(runtime),
    )


def fingerprint(loaded: LoadedGateway) -> str:
    """Of what a stored result depends on, beyond its payloads."""
    return _digest([loaded.plugin.version, loaded.settings.options])


def _look_back(context: Context, store: Store | None, *, quarantine: bool) -> Before:
    problems: list[Problem] = []
    opened: dict[str, Snapshot] = {}
    state = store.read_state() if store else State()
    generation = commit.readable_generation(store) if store else None
    if store is not None and generation is not None:
        for hash in sorted(generation.objects()):
            try:
                opened[hash] = store.open_snapshot(hash)
                opened[hash].verify()
            except SnapshotDamagedError as error:
                opened.pop(hash, None)
                problems.append(Problem("store", error.culprit, error.message, fatal=False))
                if quarantine:
                    commit.quarantine(store, store.object(hash))
    stored: dict[str, Chosen] = {}
    for id, data in generation.gateways.items() if generation else ():
        holder = opened.get(data.result or "")
        if holder is not None:
            confirmed = state.gateways[id].retrieved_at if id in state.gateways else None
            data = evolve(data, retrieved_at=max(data.retrieved_at, confirmed or 0.0))
            stored[id] = Chosen("stored", data, of_gateway(holder, id))
    good = {
        id: one
        for id, one in last_good(stored, bundled_data(context.bundle)).items()
        if not context.host.is_excluded(one.data.plugin)
    }
    served = opened.get(generation.snapshot) if generation else None
    return Before(
        state,
        generation if served else None,
        served or context.bundle.load(),
        stored,
        good,
        problems,
    )


def _ask(
    context: Context,
    options: Options,
    before: Before,
    loaded: Mapping[str, LoadedGateway],
    payloads: Payloads | None,
    since: float | None,
) -> dict[str, Outcome]:
    """Ask every gateway that no other process has just asked."""
    settings = context.settings
    tasks: dict[str, FetchTask] = {}
    outcomes: dict[str, Outcome] = {}
    fresh = None if options.fresh_for is None else context.clock() - options.fresh_for

    def client(view: PluginSettings, payloads: Payloads | None) -> Callable[[], HttpClient]:
        return lambda: HttpClient(
            options=view.options,
            environ=context.environ,
            secrets=context.secrets,
            payloads=payloads,
            offline=settings.offline,
            force=options.force,
            deadline=time.monotonic() + settings.fetch_deadline_ms / 1000,
            since=fresh if fresh is not None else since,
            retries=settings.fetch_retries,
            max_bytes=settings.fetch_max_bytes,
        )

    for id, one in loaded.items():
        known = before.state.gateways.get(id)
        if known and _stands(known, since, fresh):
            outcomes[id] = _taken_over(known)
            continue
        asked = None
        if id in before.stored and known and known.fingerprint == fingerprint(one):
            asked = None if options.force else Asked.read(known.asked)
        tasks[id] = FetchTask(one.gateway, one.settings, client(one.settings, payloads), asked)
    for gateway in context.runtime:
        view = context.host.view({})
        tasks.setdefault(gateway.id, FetchTask(gateway, view, client(view, None), None))
    outcomes |= fetch_all(
        tasks,
        deadline=settings.fetch_deadline_ms / 1000,
        clock=context.clock,
        mask=context.secrets.mask,
        finished=context.progress,
    )
    return outcomes


def _stands(known: GatewayState, since: float | None, fresh: float | None) -> bool:
    """Whether what is known of a gateway need not be asked for again."""
    checked = known.checked_at or 0.0
    answered = known.status in ("fresh", "unchanged")
    return (since is not None and checked >= since) or (
        fresh is not None and answered and checked > fresh
    )


def _taken_over(known: GatewayState) -> Outcome:
    """What the sync of another process has just made of a gateway."""
    status: GatewayStatus = "unchanged"  # whatever it fetched is stored by now
    if known.status == "failed":
        status = "failed"
    elif known.status == "disabled":
        status = "disabled"
    return Outcome(status, error=known.error, finished_at=known.checked_at or 0.0)


def _choose(
    context: Context,
    options: Options,
    before: Before,
    loaded: Mapping[str, LoadedGateway],
    outcomes: Mapping[str, Outcome],
) -> tuple[dict[str, Chosen], dict[str, Outcome], set[str]]:
    chosen = dict(before.good)
    results = dict(outcomes)
    quarantined: set[str] = set()
    for id, outcome in outcomes.items():
        if outcome.status == "unchanged" and id in before.stored:
            stored = before.stored[id]
            data = evolve(stored.data, retrieved_at=outcome.finished_at)
            chosen[id] = evolve(stored, data=data)
        elif outcome.providers is not None:
            try:
                refuse_shrunk(
                    id,
                    outcome.providers,
                    before.good.get(id),
                    limit=0.0 if id in options.accept else context.settings.shrink_limit,
                )
            except ShrunkError as error:
                quarantined.add(id)
                results[id] = evolve(outcome, status="failed", error=str(error))
            else:
                plugin = loaded[id].plugin.key
                chosen[id] = fetched(plugin, outcome.providers, outcome.finished_at)
    return chosen, results, quarantined


def _same(context: Context, before: Before, chosen: Mapping[str, Chosen]) -> bool:
    """Whether merging `chosen` can only give the generation that is there."""
    old = before.generation
    return (
        old is not None
        and not (context.host.has_overlays or old.overlays)
        and old.inputs == _inputs(context, chosen)
        and all(one.source != "fetched" for one in chosen.values())
        and {id: one.data.result for id, one in chosen.items()}
        == {id: data.result for id, data in old.gateways.items()}
    )


def _combine(
    context: Context, chosen: Mapping[str, Chosen], loaded: Mapping[str, LoadedGateway]
) -> tuple[Snapshot, Generation, tuple[Snapshot, ...], tuple[Problem, ...]]:
    """Merge, overlay, and say which object holds each gateway's data. Raises OverlayError."""
    bundle = context.bundle.load().get_providers()
    results = {id: one.providers() for id, one in chosen.items()}
    merged, problems = merge(
        results,
        owners={id: provider.gateway or "" for id, provider in bundle.items()},
        prefixes={id: id for id, one in loaded.items() if one.gateway.namespaced},
        priority=context.settings.priority,
    )
    plugins = {id: one.data.plugin for id, one in chosen.items()}
    plain = Snapshot.build(merged, plugins)
    final = context.host.overlay(plain)
    objects = {final.hash: final}
    gateways = {}
    for id, one in chosen.items():
        data = one.data
        if one.source != "bundled":
            # The merge holds a gateway's data whole, unless it lost a provider there.
            whole = all(merged.get(key) is provider for key, provider in results[id].items())
            holder = plain if whole else Snapshot.build(results[id], {id: data.plugin})
            objects[holder.hash] = holder
            data = evolve(data, result=holder.hash)
        gateways[id] = data
    generation = Generation(
        final.hash,
        FrozenDict(gateways),
        _inputs(context, chosen),
        context.host.has_overlays,
    )
    return final, generation, tuple(objects.values()), problems


def _inputs(context: Context, chosen: Mapping[str, Chosen]) -> str:
    """Fingerprint of what a merge depends on beyond the stored results."""
    captured = context.bundle.captured
    bundled = {id: captured[id] for id, one in chosen.items() if one.source == "bundled"}
    return _digest([bundled, context.settings.priority])


def _gateway_report(
    context: Context,
    options: Options,
    id: str,
    loaded: LoadedGateway | None,
    outcome: Outcome | None,
    chosen: Chosen | None,
    quarantined: Collection[str],
) -> GatewayReport:
    if outcome is None:  # no loaded plugin has it: its data stays until the settings say otherwise
        key = chosen.data.plugin if chosen else ""
        failed = [one.failure for one in context.host.failed if one.key == key]
        outcome = Outcome(
            "failed" if failed else "disabled",
            error=failed[0] if failed else "its plugin is not installed",
        )
    providers = chosen.providers() if chosen else {}
    retrieved_at = chosen.data.retrieved_at if chosen else None
    age = context.clock() - retrieved_at if retrieved_at is not None else None
    return GatewayReport(
        id=id,
        name=loaded.gateway.name if loaded else id,
        status=outcome.status,
        source=chosen.source if chosen else "none",
        distribution=loaded.plugin.source.name if loaded else None,
        version=loaded.plugin.version if loaded else None,
        providers=len(providers),
        models=count(providers),
        retrieved_at=utc(retrieved_at),
        error=outcome.error,
        quarantined=id in quarantined,
        tolerated=age is not None and options.max_age is not None and age <= options.max_age,
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
