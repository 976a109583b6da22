"""Asks the gateways of one sync: those that are due, all at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import evolve

from .._http.asked import Asked
from .._http.client import HttpClient
from .._http.config import HttpConfig
from ..errors import GatewayError, RegistryError, as_error
from .fetch import FetchTask, fetch_all
from .freshness import stands, taken_over, trusted_since

if TYPE_CHECKING:
    from .._http.payloads import Payloads
    from .._world import World
    from ..plugin import RegistrySource
    from ..settings import Settings
    from .options import Options
    from .sharing import Sharing
    from .turn import Turn

logger = logging.getLogger("registry_core")

#: The deadline of a gateway that comes and goes.
_BRIEF_MS = 5_000


def ask(
    world: World,
    options: Options,
    turns: Iterable[Turn],
    payloads: Payloads,
    since: float | None,
    sharing: Sharing | None = None,
) -> None:
    """Give each turn its outcome. `since`: when the sync began that this one has waited for.
    `sharing`: the fleet's catalog, which is tried before a gateway is asked."""
    now = world.clock()
    config = HttpConfig(
        world.settings, world.secrets, world.environ, world.clock, tokens=world.tokens
    )
    due: dict[str, Turn] = {}
    tasks: dict[str, FetchTask] = {}
    for turn in turns:
        if turn.gateway is None:
            continue
        known = turn.known
        trusted = trusted_since(known, options, None if turn.runtime else since, now)
        if turn.stored and known.checked_at is None:
            trusted = since  # the state was lost, so the age of the data is unknown
        if turn.id in options.accept:
            trusted = None  # only a result that this sync fetches is accepted
        view = turn.loaded.settings if turn.loaded else world.host.view({})
        client = HttpClient(
            evolve(config, settings=_brief(world.settings)) if turn.volatile else config,
            view.options,
            gateway=turn.id,
            payloads=payloads.unkept() if turn.runtime else payloads,
            since=trusted,
            force=options.force,
            consulted=view.consulted,
        )
        failure: RegistryError | None = None
        try:
            _identify(turn, turn.gateway.itself, client)
        except KeyboardInterrupt:
            raise  # the user's
        except BaseException as error:
            module = type(turn.gateway.itself).__module__
            failure = as_error(error, GatewayError, turn.id, world.secrets.mask, module)
        current = turn.is_current
        is_due = turn.disowned or not stands(known, trusted, now, current=current)
        if not (is_due or (sharing and sharing.has_news(turn))):
            turn.outcome = taken_over(known)
            ago = now - (known.checked_at or now)
            logger.debug("%s: not asked, it was %.0f s ago: %s", turn.id, ago, known.status)
            client.close()
            continue
        again = current and not turn.volatile and not options.force
        asked = Asked.read(known.asked) if again else None
        due[turn.id] = turn
        source = turn.loaded.plugin.source if turn.loaded else None
        plugin = f"{source.name} {source.version}" if source else ""
        # Accepted now, or at the sync that stored it.
        empty = turn.id in options.accept or (turn.stored and turn.stored.count() == (0, 0))
        tasks[turn.id] = FetchTask(
            turn.gateway,
            view,
            client,
            asked,
            failure,
            plugin,
            turn.volatile or bool(empty),
            sharing.adopting(turn) if sharing else None,
        )
    outcomes = fetch_all(
        tasks,
        deadline=world.settings.fetch_deadline_ms / 1000,
        clock=world.clock,
        mask=world.secrets.mask,
        finished=options.progress,
    )
    for id, outcome in outcomes.items():
        due[id].outcome = outcome


def _brief(settings: Settings) -> Settings:
    """Settings for a server that may be away: one try, and a short deadline."""
    deadline = min(settings.fetch_deadline_ms, _BRIEF_MS)
    return evolve(settings, fetch_retries=0, fetch_deadline_ms=deadline)


def _identify(turn: Turn, gateway: RegistrySource, client: HttpClient) -> None:
    """Tell the client for whom the gateway is asked. Disowns stored data of another identity."""
    identity: object = gateway.identity(client)
    if identity is not None and not isinstance(identity, str):
        raise GatewayError(f"its identity is {type(identity).__name__}, not a text")
    client.identify((identity or "").strip() or None)  # an empty one would fit everybody
    if client.is_another(turn.known.identity):
        turn.disown(is_anothers=True)
