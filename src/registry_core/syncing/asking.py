"""Ask the gateways of one sync: those that are due, all at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ..http.asked import Asked
from ..http.client import HttpClient
from ..state import GatewayState, State
from .fetch import FetchTask, Outcome, fetch_all
from .freshness import fingerprint, stands, taken_over, trusted_since

if TYPE_CHECKING:
    from ..gateway import ModelGateway
    from ..http.payloads import Payloads
    from ..plugins.host import LoadedGateway
    from ..plugins.settings import PluginSettings
    from .context import Context, Options

logger = logging.getLogger("registry_core")


def ask(
    context: Context,
    options: Options,
    state: State,
    stored: Collection[str],
    loaded: Mapping[str, LoadedGateway],
    payloads: Payloads | None,
    since: float | None,
) -> dict[str, Outcome]:
    """What became of each gateway, of plugins and registered at run time, by id.

    `stored`: the gateways whose stored data can be read. `since`: a sync of this store began
    then that was waited for.
    """
    settings, now = context.settings, context.clock()
    tasks: dict[str, FetchTask] = {}
    outcomes: dict[str, Outcome] = {}

    def add(
        gateway: ModelGateway,
        view: PluginSettings,
        trusted: float | None,
        payloads: Payloads | None = None,
        asked: Sequence[Asked] | None = None,
    ) -> None:
        def client() -> HttpClient:
            return HttpClient(
                options=view.options,
                environ=context.environ,
                secrets=context.secrets,
                consulted=view.consulted,
                payloads=payloads,
                offline=settings.offline,
                force=options.force,
                deadline=time.monotonic() + settings.fetch_deadline_ms / 1000,
                since=trusted,
                retries=settings.fetch_retries,
                max_bytes=settings.fetch_max_bytes,
                clock=context.clock,
            )

        tasks[gateway.id] = FetchTask(gateway, view, client, asked)

    def leave(id: str, known: GatewayState) -> None:
        outcomes[id] = taken_over(known)
        ago = now - (known.checked_at or now)
        logger.debug("%s: not asked, it was %.0f s ago: %s", id, ago, known.status)

    for id, one in loaded.items():
        known = state.gateways.get(id, GatewayState())
        trusted = trusted_since(known, options, since, now)
        if id in stored and known.checked_at is None:
            trusted = since  # the state was lost, so nobody knows how old the data is
        if id in options.accept:
            trusted = None  # what *this* sync fetches is to be taken
        current = id in stored and known.fingerprint == fingerprint(one)
        if stands(known, trusted, now, current=current):
            leave(id, known)
        else:
            asked = Asked.read(known.asked) if current and not options.force else None
            add(one.gateway, one.settings, trusted, payloads, asked)
    for added in context.runtime:
        id, known = added.gateway.id, added.known
        trusted = trusted_since(known, options, None, now)
        if id in loaded:
            logger.debug("%s: registered at run time, but a plugin has this gateway", id)
        elif stands(known, trusted, now, current=True):
            leave(id, known)
        else:
            add(added.gateway, context.host.view({}), trusted)
    outcomes |= fetch_all(
        tasks,
        deadline=settings.fetch_deadline_ms / 1000,
        clock=context.clock,
        mask=context.secrets.mask,
        finished=context.progress,
    )
    return outcomes
