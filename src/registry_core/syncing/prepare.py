"""A generation in memory: fetch, choose, merge, overlay. Nothing of it is written here,
save raw payloads and what was found damaged."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from attrs import define, evolve, frozen

from ..errors import OverlayError, ShrunkError, SyncError
from ..frozen import EMPTY, FrozenDict
from ..report import GatewayReport, Problem
from ..settings import did_you_mean
from ..snapshot import Snapshot
from ..state import State, utc
from ..store import Generation, Overlays, Store
from . import commit
from .asking import ask
from .choose import Chosen, bundled_data, fetched, in_snapshot, last_good, refuse_shrunk
from .fetch import Outcome
from .freshness import digest
from .merge import merge
from .runtime import RuntimeGateway

if TYPE_CHECKING:
    from ..http.payloads import Payloads
    from ..plugins.host import LoadedGateway
    from .context import Context, Options

logger = logging.getLogger("registry_core")

_OWN = "registry-core:"  # a part of the core can't be missing
INSTALL = "pip install registry-gateway-models-dev registry-gateway-netlify"


@define
class Before:
    """What was there: the last generation, and the last good data of each gateway."""

    state: State
    pointed: Generation | None
    """What the pointer says, or said."""
    generation: Generation | None
    """The same, if its snapshot can be read."""
    snapshot: Snapshot
    """That of the generation, else the bundle; after a policy rather none."""
    stored: Mapping[str, Chosen]
    good: Mapping[str, Chosen]
    overlays: Overlays | None
    """Those that were last in force; None: some were, and nobody knows any more which."""
    whole: bool
    """The pointer is what it was."""
    problems: Sequence[Problem]


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
    """An overlay failed, or nothing was left: what was fetched is not used."""
    objects: tuple[Snapshot, ...]
    reports: tuple[GatewayReport, ...]
    problems: tuple[Problem, ...]
    runtime: tuple[RuntimeGateway, ...] = ()


def prepare(
    context: Context,
    options: Options,
    store: Store | None,
    payloads: Payloads | None,
    since: float | None = None,
) -> Prepared:
    """`since`: a sync of this store began then that was waited for; its results stand.
    Without `payloads` nothing at all is written.
    """
    loaded = {one.gateway.id: one for one in context.host.gateways()}
    before = _look_back(context, store, loaded, repair=payloads is not None)
    outcomes = ask(context, options, before.state, before.stored, loaded, payloads, since)
    for id, data in before.good.items():
        failure = context.host.failure_of(data.data.plugin)
        if id not in outcomes and failure:
            outcomes[id] = Outcome.failed(id, failure, context.clock())
    problems = [*context.host.problems, *before.problems]
    runtime: list[RuntimeGateway] = []
    for one in context.runtime:
        if one.gateway.id not in loaded:
            outcome = outcomes.pop(one.gateway.id)
            runtime.append(one.renewed(outcome))
            if outcome.status == "failed":
                text = outcome.error or ""
                problems.append(Problem("gateway", one.gateway.id, text, raised=outcome.failure))
    if not loaded:
        problems.append(_no_gateway(context))
    for id in sorted({*options.accept} - {*loaded}):
        text = f"there is no such gateway; {did_you_mean(id, loaded)}"
        problems.append(Problem("gateway", f"--accept {id}", text, fatal=False))
    chosen, outcomes, quarantined = _choose(context, options, before, loaded, outcomes)
    for outcome in outcomes.values():
        problems += outcome.warnings

    snapshot, held = before.snapshot, False
    generation: Generation | None = None
    objects: tuple[Snapshot, ...] = ()
    try:
        _refuse_lost_policy(context, before)
        runtime = [one.overlaid(context.host.overlay) for one in runtime]
        if _same(context, before, chosen):
            generation = before.generation
        else:
            snapshot, generation, objects, lost = _combine(context, before, chosen, loaded)
            problems += lost
    except (OverlayError, SyncError) as error:
        held, chosen = True, dict(before.good)
        if isinstance(error, OverlayError):
            runtime = list(context.runtime)
        error.message += "; the last generation stays"
        problems.append(Problem.of("overlay", error))
    if generation is None and not before.whole and before.overlays == EMPTY:
        generation = before.generation
    elif generation and before.generation and generation.same_as(before.generation):
        generation = None if before.whole else before.generation
    reports = tuple(
        _gateway_report(
            context, options, id, loaded.get(id), outcomes.get(id), chosen.get(id), quarantined
        )
        for id in sorted({*loaded, *chosen})
    )
    for report in reports:
        used = "no data" if report.source == "none" else f"{report.source} data is used"
        why = f": {report.error}" if report.error else ""
        logger.debug("%s: %s, %s, %d models%s", report.id, report.status, used, report.models, why)
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
        tuple(runtime),
    )


def _no_gateway(context: Context) -> Problem:
    host, discovery = context.host, context.host.discovery
    idle = [one.key for one in host.plugins if "registry_gateways" in one.hooks]
    idle += [one.key for one in host.failed]  # who knows what they would add
    switched_off = [f"{one.key}: {why}" for one, why in discovery.excluded] if discovery else []
    if idle:
        hint = f"{', '.join(idle)} adds none; mend it, or {INSTALL}"
        return Problem("gateway", "no gateway can be used", "; ".join([*switched_off, hint]))
    if switched_off:
        return Problem("gateway", "every gateway is switched off", "; ".join(switched_off))
    return Problem("gateway", "no gateway is installed", INSTALL)


def _look_back(
    context: Context, store: Store | None, loaded: Collection[str], *, repair: bool
) -> Before:
    found = (
        commit.recover(store, repair=repair, verified=context.verified) if store else commit.Found()
    )
    state, generation = found.state, found.generation
    stored: dict[str, Chosen] = {}
    for id, data in generation.gateways.items() if generation else ():
        if data.result and data.result in found.objects:
            load = partial(found.objects.__getitem__, data.result)
            data = evolve(data, retrieved_at=state.confirmed(id, data.retrieved_at))
            stored[id] = in_snapshot("stored", data, load, id)
    good = {
        id: one
        for id, one in last_good(stored, bundled_data(context.bundle)).items()
        if id in loaded or not context.host.is_excluded(one.data.plugin)
    }
    overlays = dict(generation.overlays) if generation else {}
    for policy in found.policies or ():
        overlays |= policy
    served = found.objects.get(generation.snapshot) if generation else None
    if found.policies is not None and generation and generation.overlays not in found.policies:
        served = None
    nothing = context.bundle.load() if found.policies is None else Snapshot.build(())
    return Before(
        state,
        generation,
        generation if served else None,
        served or nothing,
        stored,
        good,
        None if found.policies is not None and not overlays else overlays,
        found.whole,
        found.problems,
    )


def _refuse_lost_policy(context: Context, before: Before) -> None:
    """Raise OverlayError if a policy that was in force would fall away, or lose its options,
    for another reason than that the user has said so.

    A package is gone for a moment while it is upgraded, and a sync that is started elsewhere
    finds no project.
    """
    host, project = context.host, context.settings.project
    overlays = host.overlays()
    if before.overlays is None and project is None:
        raise OverlayError(
            "was in force, and no project was found",
            culprit="a policy that is not known any more",
            hint="run it in the project, or name that: registry-core sync --project DIR; "
            "if it needs none, remove the file `policy` of the store",
        )
    for key, about in (before.overlays or {}).items():
        if not key or host.is_excluded(key):
            continue
        if key not in overlays:
            if key.startswith(_OWN):
                continue
            raise OverlayError(
                "was in force, and is not installed any more",
                culprit=key,
                hint=f"install it again, or give it up: REGISTRY_CORE_DISABLE_PLUGINS={key}",
            )
        if project is None and overlays[key]["options"] != about.get("options"):
            raise OverlayError(
                "was in force with other options, and no project was found",
                culprit=key,
                hint="run it in the project, or name that: registry-core sync --project DIR",
            )


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
            fresh = fetched(loaded[id].plugin.key, outcome.providers, outcome.finished_at)
            try:
                refuse_shrunk(
                    id,
                    fresh,
                    before.stored.get(id, before.good.get(id)),
                    limit=0.0 if id in options.accept else context.settings.shrink_limit,
                )
            except ShrunkError as error:
                quarantined.add(id)
                results[id] = Outcome.failed(id, error, outcome.finished_at)
            else:
                chosen[id] = fresh
    return chosen, results, quarantined


def _same(context: Context, before: Before, chosen: Mapping[str, Chosen]) -> bool:
    """Whether merging `chosen` can only give the generation that is there."""
    old = before.generation
    return (
        old is not None
        and not (context.host.overlays() or old.overlays)
        and old.inputs == _inputs(context, chosen)
        and all(one.source != "fetched" for one in chosen.values())
        and {id: one.data.result for id, one in chosen.items()}
        == {id: data.result for id, data in old.gateways.items()}
    )


def _combine(
    context: Context,
    before: Before,
    chosen: Mapping[str, Chosen],
    loaded: Mapping[str, LoadedGateway],
) -> tuple[Snapshot, Generation, tuple[Snapshot, ...], tuple[Problem, ...]]:
    """Merge, overlay, and say which object holds each gateway's data.

    Raises OverlayError, and SyncError if no provider is left: an empty registry is no data.
    """
    bundle = context.bundle.load().get_providers()
    results = {id: one.providers() for id, one in chosen.items()}
    merged, problems = merge(
        results,
        owners={id: provider.gateway or "" for id, provider in bundle.items()},
        prefixes={id: id for id, one in loaded.items() if one.gateway.namespaced},
        priority=context.settings.priority,
    )
    if not merged:
        raise SyncError("no gateway is left that has a model", culprit="merge")
    plugins = {id: one.data.plugin for id, one in chosen.items()}
    plain = Snapshot.build(merged, plugins)
    final = context.host.overlay(plain, before.snapshot)
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
        final.overlays,
        _fallback(before, final),
    )
    return final, generation, tuple(objects.values()), problems


def _fallback(before: Before, final: Snapshot) -> str | None:
    """The snapshot to serve if `final` turns out to be damaged: after a policy, the one before,
    if it has passed the same policy and holds nothing of what is withheld now.
    """
    old = before.snapshot
    if not final.overlays or before.generation is None or old.overlays != final.overlays:
        return None
    if old == final:
        return before.generation.previous
    shown = (old.get_provider_config(id) or old.get_model(id) for id in final.withheld)
    return None if any(shown) else old.hash


def _inputs(context: Context, chosen: Mapping[str, Chosen]) -> str:
    """Fingerprint of what a merge depends on beyond the stored results."""
    captured = context.bundle.captured
    bundled = {id: captured[id] for id, one in chosen.items() if one.source == "bundled"}
    return digest([bundled, context.settings.priority])


def _gateway_report(
    context: Context,
    options: Options,
    id: str,
    loaded: LoadedGateway | None,
    outcome: Outcome | None,
    chosen: Chosen | None,
    quarantined: Collection[str],
) -> GatewayReport:
    if outcome is None:  # its data stays until the settings say otherwise
        loads = chosen and any(one.key == chosen.data.plugin for one in context.host.plugins)
        missing = "does not add it" if loads else "is not installed"
        outcome = Outcome("disabled", error=f"its plugin {missing}")
    providers, models = chosen.count() if chosen else (0, 0)
    retrieved_at = chosen.data.retrieved_at if chosen else None
    young = (
        retrieved_at is not None
        and options.max_age is not None
        and context.clock() - retrieved_at <= options.max_age
    )
    return GatewayReport(
        id=id,
        name=loaded.gateway.name if loaded else id,
        status=outcome.status,
        source=chosen.source if chosen else "none",
        distribution=loaded.plugin.source.name if loaded else None,
        version=loaded.plugin.version if loaded else None,
        providers=providers,
        models=models,
        retrieved_at=utc(retrieved_at),
        error=outcome.error,
        failure=outcome.failure,
        quarantined=id in quarantined,
        tolerated=outcome.status == "failed" and young,
    )
