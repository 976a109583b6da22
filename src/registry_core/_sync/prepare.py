"""A generation in memory: ask, choose, merge, overlay. Nothing of it is written here,
save raw payloads and what was found damaged."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from .._base.frozen import EMPTY, FrozenDict
from .._base.suggesting import did_you_mean
from .._catalog.snapshot import Snapshot
from .._catalog.state import GatewayState
from .._catalog.store import GatewayData, Generation
from ..errors import OverlayError, SyncError
from ..report import GatewayReport, Problem
from .asking import ask
from .before import Before
from .fetch import Outcome
from .freshness import digest
from .merge import merge
from .policies import fallback, refuse_lost
from .runtime import RuntimeGateway
from .turn import Data, Turn, bundled

if TYPE_CHECKING:
    from .._catalog.bundle import Bundle
    from .._http.payloads import Payloads
    from .._plugins.host import PluginHost
    from .._world import World
    from .options import Options

logger = logging.getLogger("registry_core")

_TWICE = "a plugin adds it, too; what was registered at run time is not used: give it another id"
INSTALL = "pip install registry-gateway-models-dev registry-gateway-netlify"


@define
class Prepared:
    """A generation that could be committed."""

    before: Before
    turns: Sequence[Turn]
    """Of the gateways of plugins, sorted by id."""
    snapshot: Snapshot
    generation: Generation | None = None
    """None: the one in the store stays."""
    held: bool = False
    """An overlay failed, or nothing was left: what was fetched is not used."""
    objects: Sequence[Snapshot] = ()
    """Those of the generation that may be new."""
    reports: Sequence[GatewayReport] = ()
    problems: list[Problem] = field(factory=list)
    runtime: Sequence[RuntimeGateway] = ()
    """The gateways of this process, as they are now."""
    clashes: tuple[tuple[str, str], ...] = ()
    """(culprit, message) of what lost out in the merge, now or when it was last needed."""


def prepare(
    world: World,
    options: Options,
    before: Before,
    runtime: Sequence[RuntimeGateway],
    payloads: Payloads | None = None,
    since: float | None = None,
) -> Prepared:
    """`runtime`: the gateways of this process. `since`: a sync of this store began then that
    was waited for; its results stand. Without `payloads` nothing at all is written.
    """
    host, settings = world.host, world.settings
    turns = _installed(host, world.bundle, before)
    own = _registered(runtime, {turn.id for turn in turns if turn.loaded})
    idle = {one.gateway.id for one in runtime} - {turn.id for turn in own}
    ask(world, options, (*turns, *own), payloads, since)
    for turn in turns:
        if turn.outcome is None and turn.good:
            failure = host.failure_of(turn.good.about.plugin)
            if failure:
                turn.outcome = Outcome.failed(turn.id, failure, world.clock())
        accepted = turn.id in options.accept
        turn.choose(shrink_limit=0.0 if accepted else settings.shrink_limit)
    for turn in own:
        turn.choose(shrink_limit=0.0)
    prepared = Prepared(before, turns, before.snapshot, clashes=before.state.clashes)
    prepared.problems = [*host.problems, *before.problems, *_misled(host, options, turns)]
    prepared.problems += [Problem("gateway", id, _TWICE, fatal=False) for id in sorted(idle)]
    for turn in (*turns, *own):
        prepared.problems += turn.warnings
    failed = [(turn.id, turn.outcome) for turn in own if turn.outcome and turn.outcome.failure]
    prepared.problems += [
        Problem("gateway", id, outcome.error or "", raised=outcome.failure)
        for id, outcome in failed
    ]
    try:
        refuse_lost(host, before)
        prepared.runtime = [
            turn.runtime.after(
                turn.used.providers() if turn.used else EMPTY,
                turn.remembered(held=False),
                host.overlay,
            )
            for turn in own
            if turn.runtime
        ]
        inputs = _inputs(prepared, world.bundle, settings.priority)
        if _is_same(prepared, inputs) and not host.overlays():
            prepared.generation = before.generation
        else:
            _combine(prepared, inputs, host, world.bundle, settings.priority)
    except (OverlayError, SyncError) as error:
        prepared.held, prepared.clashes = True, before.state.clashes
        for turn in turns:
            turn.hold()
        if isinstance(error, OverlayError):
            prepared.runtime = runtime
        error.message += "; the last generation stays"
        prepared.problems.append(Problem.of("overlay", error))
    prepared.problems += [Problem("merge", *one, fatal=False) for one in prepared.clashes]
    generation = prepared.generation
    if generation is None and not before.whole and before.overlays == EMPTY:
        prepared.generation = before.generation
    elif generation and before.generation and generation.same_as(before.generation):
        prepared.generation = None if before.whole else before.generation
    prepared.reports = [
        _report(turn, host, now=world.clock(), max_age=options.max_age) for turn in (*turns, *own)
    ]
    return prepared


def _installed(host: PluginHost, bundle: Bundle, before: Before) -> list[Turn]:
    """The turns of the gateways that plugins add, or added."""
    loaded = {one.gateway.id: one for one in host.gateways()}
    turns: list[Turn] = []
    for id in sorted({*loaded, *before.stored, *bundle.captured}):
        known = before.state.gateways.get(id, GatewayState())
        stored, wheel = before.stored.get(id), bundled(bundle, id)
        turn = Turn.installed(id, known, loaded.get(id), stored, wheel)
        if turn.loaded or (turn.good and not host.is_excluded(turn.good.about.plugin)):
            turns.append(turn)
    return turns


def _registered(runtime: Iterable[RuntimeGateway], installed: Collection[str]) -> list[Turn]:
    """The turns of the gateways of this process, without those that a plugin has, too."""
    return [Turn.registered(one) for one in runtime if one.gateway.id not in installed]


def _misled(host: PluginHost, options: Options, turns: Iterable[Turn]) -> Iterable[Problem]:
    """What the user asks for that there is not."""
    loaded = [turn.id for turn in turns if turn.loaded]
    if not loaded:
        yield _no_gateway(host)
    for id in sorted({*options.accept} - {*loaded}):
        text = f"there is no such gateway; {did_you_mean(id, loaded)}"
        yield Problem("gateway", f"--accept {id}", text, fatal=False)


def _no_gateway(host: PluginHost) -> Problem:
    discovery = host.discovery
    idle = [one.key for one in host.plugins if "registry_gateways" in one.hooks]
    idle += [one.key for one in host.failed]  # who knows what they would add
    switched_off = [f"{one.key}: {why}" for one, why in discovery.excluded] if discovery else []
    if idle:
        hint = f"{', '.join(idle)} adds none; mend it, or {INSTALL}"
        return Problem("gateway", "no gateway can be used", "; ".join([*switched_off, hint]))
    if switched_off:
        return Problem("gateway", "every gateway is switched off", "; ".join(switched_off))
    return Problem("gateway", "no gateway is installed", INSTALL)


def _used(prepared: Prepared) -> Mapping[str, Data]:
    return {turn.id: turn.used for turn in prepared.turns if turn.used}


def _inputs(prepared: Prepared, bundle: Bundle, priority: Sequence[str]) -> str:
    """Fingerprint of what a merge depends on beyond the stored results."""
    used = _used(prepared).items()
    captured = {id: bundle.captured[id] for id, one in used if one.source == "bundled"}
    return digest([captured, priority])


def _is_same(prepared: Prepared, inputs: str) -> bool:
    """Whether merging what was chosen can only give the generation that is there."""
    old, used = prepared.before.generation, _used(prepared)
    return (
        old is not None
        and not old.overlays
        and old.inputs == inputs
        and all(one.source != "fetched" for one in used.values())
        and {id: one.about.result for id, one in used.items()}
        == {id: data.result for id, data in old.gateways.items()}
    )


def _combine(
    prepared: Prepared, inputs: str, host: PluginHost, bundle: Bundle, priority: Sequence[str]
) -> None:
    """Merge, overlay, and say which object holds each gateway's data.

    Raises OverlayError, and SyncError if there is no data.
    """
    before, used = prepared.before, _used(prepared)
    owners = bundle.load().get_providers()
    results = {id: one.providers() for id, one in used.items()}
    namespaced = [turn for turn in prepared.turns if turn.gateway and turn.gateway.namespaced]
    merged, lost = merge(
        results,
        owners={id: provider.gateway or "" for id, provider in owners.items()},
        prefixes={turn.id: turn.id for turn in namespaced},
        priority=priority,
    )
    if not (merged or used):  # data without a model is what the user has accepted
        raise SyncError("no gateway is left that has a model", culprit="merge")
    plain = Snapshot.build(merged, {id: one.about.plugin for id, one in used.items()})
    final = host.overlay(plain, before.last)
    objects = {final.hash: final}
    gateways: dict[str, GatewayData] = {}
    for id, one in used.items():
        gateways[id] = one.about
        if one.source != "bundled":
            # The merge holds a gateway's data whole, unless it lost a provider there.
            whole = all(merged.get(key) is provider for key, provider in results[id].items())
            holder = plain if whole else Snapshot.build(results[id], {id: one.about.plugin})
            objects[holder.hash] = holder
            gateways[id] = evolve(one.about, result=holder.hash)
    prepared.clashes = tuple((one.culprit, one.message) for one in lost)
    prepared.snapshot, prepared.objects = final, tuple(objects.values())
    prepared.generation = Generation(
        final.hash, FrozenDict(gateways), inputs, final.overlays, fallback(before, final)
    )


def _report(turn: Turn, host: PluginHost, *, now: float, max_age: float | None) -> GatewayReport:
    plugin = turn.good and turn.good.about.plugin
    loads = any(one.key == plugin for one in host.plugins)
    idle = f"its plugin {'does not add it' if loads else 'is not installed'}"
    report = turn.report(idle=idle, now=now, max_age=max_age)
    used = "no data" if report.source == "none" else f"{report.source} data is used"
    why = f": {report.error}" if report.error else ""
    logger.debug("%s: %s, %s, %d models%s", report.id, report.status, used, report.models, why)
    return report
