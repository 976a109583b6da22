"""A generation in memory: ask, choose, merge, overlay. Nothing of it is written here,
except raw payloads and what was found damaged."""

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
from ..errors import GatewayError, OverlayError, SyncError, as_error
from ..plugin import FactSource
from ..report import GatewayReport, Problem
from .asking import ask
from .before import Before
from .facts import fill, mistake
from .fetch import Outcome
from .freshness import digest, fingerprint
from .merge import merge
from .policies import fallback, refuse_lost
from .runtime import RuntimeGateway
from .turn import Data, Providers, Turn, bundled, bundled_facts

if TYPE_CHECKING:
    from .._catalog.bundle import Bundle
    from .._http.payloads import Payloads
    from .._plugins.host import PluginHost
    from .._world import World
    from ..settings import Settings
    from .options import Options
    from .sharing import Sharing

logger = logging.getLogger("registry_core")

Losses = tuple[Problem, ...]

_TWICE = "a plugin adds a gateway with the same id: give the one registered at run time another id"
INSTALL = "pip install registry-gateway-models-dev registry-gateway-netlify"


@define
class Prepared:
    """A generation that could be committed."""

    before: Before
    turns: Sequence[Turn]
    """The turns of the gateways that plugins add, sorted by id."""
    snapshot: Snapshot
    lasting: Snapshot
    """The snapshot without volatile data. Everything that leaves the machine is made from it."""
    generation: Generation | None = None
    """None if the stored generation stays."""
    held: bool = False
    """An overlay failed, or no model was left, so what was fetched is not used."""
    objects: Sequence[Snapshot] = ()
    """The snapshots of the generation that may not be stored yet."""
    reports: Sequence[GatewayReport] = ()
    problems: list[Problem] = field(factory=list)
    runtime: Sequence[RuntimeGateway] = ()
    """The gateways of this process, as they are now."""
    clashes: tuple[tuple[str, str], ...] = ()
    """(culprit, message) for each provider that lost in the merge, and each warning of an overlay.
    From this sync, or from the last one that merged."""

    @property
    def changed(self) -> bool:
        """Whether there is a new generation that differs in more than times."""
        new, old = self.generation, self.before.generation
        return new is not None and not (old is not None and new.same_as(old))


def prepare(
    world: World,
    options: Options,
    before: Before,
    runtime: Sequence[RuntimeGateway],
    payloads: Payloads,
    since: float | None = None,
    sharing: Sharing | None = None,
) -> Prepared:
    """Ask the gateways, choose and merge their data, and apply the policy. Stores nothing.

    `runtime`: the gateways of this process. `since`: when the sync began that this one has
    waited for; its results count.
    """
    host, settings = world.host, world.settings
    turns, failures = _installed(world, before, options.forget)
    own = _registered(runtime, {turn.id for turn in turns if turn.loaded})
    idle = {added.gateway.id for added in runtime} - {turn.id for turn in own}
    ask(world, options, (*turns, *own), payloads, since, sharing)
    for turn in turns:
        if turn.outcome is None and turn.good:
            failure = host.failure_of(turn.good.about.plugin)
            if failure:
                turn.outcome = Outcome.failed(turn.id, failure, world.clock())
        accepted = turn.id in options.accept
        turn.choose(shrink_limit=0.0 if accepted else settings.shrink_limit)
    for turn in own:
        turn.choose(shrink_limit=0.0)
    clashes = before.state.clashes
    prepared = Prepared(before, turns, before.snapshot, before.lasting, clashes=clashes)
    prepared.problems = [*host.problems, *failures, *before.problems]
    prepared.problems += _misled(host, options, before, turns)
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
        inputs = _inputs(prepared, settings)
        if _is_same(prepared, inputs) and not host.overlays():
            prepared.generation = before.generation
        else:
            _combine(prepared, inputs, host, world.bundle, settings)
    except (OverlayError, SyncError) as error:
        prepared.held, prepared.clashes = True, before.state.clashes
        for turn in turns:
            turn.hold()
        if isinstance(error, OverlayError):
            prepared.runtime = runtime
        error.message += "; the last generation stays"
        prepared.problems.append(Problem.of("overlay", error))
    prepared.problems += [Problem("merge", *clash, fatal=False) for clash in prepared.clashes]
    generation = prepared.generation
    if generation is None and not before.whole and before.overlays == EMPTY:
        prepared.generation = before.generation
    elif generation and before.generation and generation.same_as(before.generation):
        dated = _dated_anew(prepared, before.generation, world.clock())
        is_right = before.whole and dated == before.generation
        prepared.generation = None if is_right else dated
    prepared.reports = [
        _report(turn, host, now=world.clock(), max_age=options.max_age) for turn in (*turns, *own)
    ]
    return prepared


def _installed(
    world: World, before: Before, forget: Collection[str]
) -> tuple[list[Turn], list[Problem]]:
    """The turns of the gateways that plugins add, and of gateways with stored data whose plugin
    can't be asked. If a plugin failed, or is not installed, the data of its gateways stays."""
    host, bundle = world.host, world.bundle
    loaded = {gateway.gateway.id: gateway for gateway in host.gateways()}
    turns, problems = list[Turn](), list[Problem]()
    for id in sorted({*loaded, *before.stored, *bundle.captured}):
        known, stored = before.state.gateways.get(id), before.stored.get(id)
        wheel = bundled(bundle, id)
        if id in loaded:  # a gateway may have become a source of facts, with other data
            of_facts = isinstance(loaded[id].gateway.itself, FactSource)
            wheel = None if of_facts else wheel
            if stored and (stored.about.facts is not None) != of_facts:
                stored = None
        # If this version of the plugin has fetched before, the stored data is newer than its own.
        own = known if stored and id not in forget else None
        if id in loaded and not (own and own.fingerprint == fingerprint(loaded[id])):
            try:
                wheel = wheel or bundled_facts(loaded[id])
            except KeyboardInterrupt:
                raise  # the user's
            except BaseException as error:  # an error of a plugin does not end the sync
                module = type(loaded[id].gateway.itself).__module__
                failure = as_error(error, GatewayError, id, world.secrets.mask, module)
                problems.append(Problem.of("gateway", failure))
        turn = Turn.installed(id, known or GatewayState(), loaded.get(id), stored, wheel)
        if id in forget:
            turn.disown()
        if turn.loaded or (turn.good and not _is_given_up(host, turn.good.about.plugin, before)):
            turns.append(turn)
    return turns, problems


def _is_given_up(host: PluginHost, plugin: str, before: Before) -> bool:
    """Whether gateways that this plugin no longer adds are gone. The plugin or the settings decide.

    The plugin decides only if its options could be found. A sync that is started elsewhere (by
    cron, by a service) finds no project.
    """
    missed = before.state.in_project and host.settings.project is None
    has_spoken = (
        any(loaded.key == plugin for loaded in host.plugins) and host.failure_of(plugin) is None
    )
    return (has_spoken and not missed) or host.is_excluded(plugin)


def _registered(runtime: Iterable[RuntimeGateway], installed: Collection[str]) -> list[Turn]:
    """The turns of the gateways of this process, without those whose id a plugin uses."""
    return [Turn.registered(gateway) for gateway in runtime if gateway.gateway.id not in installed]


def _misled(
    host: PluginHost, options: Options, before: Before, turns: Sequence[Turn]
) -> Iterable[Problem]:
    """Problems with names that the user gave and that do not exist, or no longer exist."""
    loaded = {turn.id for turn in turns if turn.loaded}
    if not any(turn.loaded and not turn.is_of_facts for turn in turns):
        yield _no_gateway(host, needed=not options.trial)
    ids = {turn.id for turn in turns}
    for id in sorted(before.stored.keys() - ids - {*options.forget}):
        plugin = before.stored[id].about.plugin
        if not host.is_excluded(plugin):
            text = f"{plugin} no longer adds it, so its data is dropped"
            yield Problem("gateway", id, text, fatal=False)
    known = ids | before.stored.keys() | before.state.gateways.keys()
    for option, asked, existing in [
        ("--accept", options.accept, loaded),
        ("--forget", options.forget, known),
        ("priority", host.settings.priority, known),
    ]:
        for id in sorted({*asked} - existing):
            text = f"there is no such gateway; {did_you_mean(id, existing)}"
            yield Problem("gateway", f"{option} {id}", text, fatal=False)
    sources = [turn.id for turn in turns if turn.is_of_facts]
    for preferred in host.settings.facts_priority:
        wrong = mistake(preferred, sources)
        if wrong:
            yield Problem("gateway", f"facts_priority {preferred}", wrong, fatal=False)


def _no_gateway(host: PluginHost, *, needed: bool) -> Problem:
    discovery = host.discovery
    idle = [loaded.key for loaded in host.plugins if "registry_gateways" in loaded.hooks]
    idle += [failed.key for failed in host.failed]  # they may add gateways
    switched_off = (
        [f"{source.key}: {why}" for source, why in discovery.excluded] if discovery else []
    )
    if idle:
        hint = f"{', '.join(idle)} adds none; fix it, or {INSTALL}"
        return Problem("gateway", "no gateway can be used", "; ".join([*switched_off, hint]))
    if switched_off:
        return Problem("gateway", "every gateway is switched off", "; ".join(switched_off))
    return Problem("gateway", "no gateway is installed", INSTALL, fatal=needed)


def _used(prepared: Prepared) -> Mapping[str, Data]:
    return {turn.id: turn.used for turn in prepared.turns if turn.used}


def _inputs(prepared: Prepared, settings: Settings) -> str:
    """Fingerprint of everything that a merge depends on, except the stored results."""
    used = _used(prepared).items()
    captured = {id: data.about.retrieved_at for id, data in used if data.source == "bundled"}
    return digest([captured, settings.priority, settings.facts_priority])


def _is_same(prepared: Prepared, inputs: str) -> bool:
    """Whether a merge of the chosen data would give the current generation again."""
    old, used = prepared.before.generation, _used(prepared)
    return (
        old is not None
        and not old.overlays
        and old.inputs == inputs
        and all(data.source != "fetched" for data in used.values())
        and {id: data.about.result for id, data in used.items()}
        == {id: data.result for id, data in old.gateways.items()}
    )


def _combine(
    prepared: Prepared, inputs: str, host: PluginHost, bundle: Bundle, settings: Settings
) -> None:
    """Merge, fill in facts, apply overlays, and record which object holds each gateway's data.

    Raises OverlayError, and SyncError if there is no data.
    """
    before, used = prepared.before, _used(prepared)
    owners = {id: provider.gateway or "" for id, provider in bundle.load().get_providers().items()}
    results = {id: data.providers() for id, data in used.items()}
    gateways = [turn for turn in prepared.turns if not turn.is_of_facts]
    prefixes = {turn.id: turn.id for turn in gateways if turn.gateway and turn.gateway.namespaced}
    facts = {
        turn.id: results[turn.id][turn.id].models
        for turn in prepared.turns
        if turn.is_of_facts and results.get(turn.id)
    }

    def merged_from(turns: Iterable[Turn]) -> tuple[Snapshot, Mapping[str, int], Losses]:
        usable = [turn for turn in turns if turn.used]
        offers = {turn.id: results[turn.id] for turn in usable if not turn.is_of_facts}
        merged, lost = merge(offers, owners=owners, prefixes=prefixes, priority=settings.priority)
        facts_used = {turn.id: facts[turn.id] for turn in usable if turn.id in facts}
        filled, met = fill(merged, facts_used, settings.facts_priority)
        return Snapshot.build(filled, {id: used[id].about.plugin for id in offers}), met, lost

    plain, met, lost = merged_from(prepared.turns)
    merged = plain.get_providers()
    for turn in prepared.turns:
        if turn.id in facts:
            turn.met(met[turn.id])
    stays = [turn for turn in gateways if not turn.volatile]
    others = any(turn.disowned for turn in prepared.turns)  # the generation from before
    # A lasting gateway without models is right: the user has accepted that.
    if not (merged or any(turn.used for turn in stays) or (gateways and not stays) or others):
        raise SyncError("no gateway has a model", culprit="merge")
    problems = [*lost]
    final = lasting = host.overlay(plain, before.last, problems.append)
    lasting_turns = [turn for turn in prepared.turns if not turn.volatile]
    if any(turn.used and turn.volatile for turn in prepared.turns):
        lasting = host.overlay(merged_from(lasting_turns)[0], before.lasting)
    holders = _holders(_used(prepared), results, plain)
    gateways_data = {id: _dated(prepared, id, data.about) for id, data in _used(prepared).items()}
    for id, holder in holders.items():
        gateways_data[id] = evolve(gateways_data[id], result=holder.hash)
    prepared.clashes = tuple((problem.culprit, problem.message) for problem in problems)
    prepared.snapshot, prepared.lasting = final, lasting
    objects = {snapshot.hash: snapshot for snapshot in (final, lasting, *holders.values())}
    prepared.objects = tuple(objects.values())
    prepared.generation = Generation(
        final.hash,
        FrozenDict(gateways_data),
        inputs,
        final.overlays,
        None if others else fallback(before, final),
        lasting.hash if lasting != final else None,
    )


def _holders(
    used: Mapping[str, Data], results: Mapping[str, Providers], plain: Snapshot
) -> dict[str, Snapshot]:
    """Gateway id → the object that holds its data. That is the merged snapshot, unless the merge
    dropped or changed one of its providers. Data of the core's wheel needs no object."""
    merged, holders = plain.get_providers(), dict[str, Snapshot]()
    for id, data in used.items():
        if data.source != "bundled" or data.about.facts is not None:
            is_whole = all(merged.get(key) is provider for key, provider in results[id].items())
            own = None if is_whole else Snapshot.build(results[id], {id: data.about.plugin})
            holders[id] = own or plain
    return holders


def _dated(prepared: Prepared, id: str, about: GatewayData) -> GatewayData:
    """`about`, with a time that is not before the capture of the bundled data if this sync got an
    answer. So lookups serve the answer, even if the clock is wrong."""
    (turn,) = (candidate for candidate in prepared.turns if candidate.id == id)
    if turn.outcome is None or not turn.outcome.answered:
        return about
    captured = turn.wheel.about.retrieved_at if turn.wheel else 0.0
    return evolve(about, retrieved_at=max(about.retrieved_at, captured))


def _dated_anew(prepared: Prepared, generation: Generation, now: float) -> Generation:
    """`generation` with the times of this sync instead of stored times in the future, until which
    data would stay young. Also with the hashes of the fleet's objects of today."""
    gateways = dict(generation.gateways)
    for id, data in _used(prepared).items():
        about = gateways.get(id)
        if about:
            about = evolve(about, shared=data.about.shared, vouched=data.about.vouched)
            gateways[id] = about
        if about and about.retrieved_at > now:
            about = evolve(about, retrieved_at=data.about.retrieved_at)
            gateways[id] = _dated(prepared, id, about)
    return evolve(generation, gateways=FrozenDict(gateways))


def _report(turn: Turn, host: PluginHost, *, now: float, max_age: float | None) -> GatewayReport:
    plugin = turn.good and turn.good.about.plugin
    loads = any(loaded.key == plugin for loaded in host.plugins)
    does = "does not add it here, where no project was found" if loads else "is not installed"
    report = turn.report(idle=f"its plugin {does}", now=now, max_age=max_age)
    used = "no data" if report.source == "none" else f"{report.source} data is used"
    why = f": {report.error}" if report.error else ""
    logger.debug("%s: %s, %s, %d models%s", report.id, report.status, used, report.models, why)
    return report
