"""Ask the gateways of one sync: those that are due, all at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from .._http.asked import Asked
from .._http.client import HttpClient
from .._http.config import HttpConfig
from .fetch import FetchTask, fetch_all
from .freshness import stands, taken_over, trusted_since

if TYPE_CHECKING:
    from .._http.payloads import Payloads
    from .._world import World
    from .options import Options
    from .turn import Turn

logger = logging.getLogger("registry_core")


def ask(
    world: World,
    options: Options,
    turns: Iterable[Turn],
    payloads: Payloads | None,
    since: float | None,
) -> None:
    """Give each turn its outcome. `since`: a sync of this store began then that was waited for."""
    now = world.clock()
    config = HttpConfig(world.settings, world.secrets, world.environ, world.clock)
    due: dict[str, Turn] = {}
    tasks: dict[str, FetchTask] = {}
    for turn in turns:
        if turn.gateway is None:
            continue
        known, current = turn.known, turn.is_current
        trusted = trusted_since(known, options, None if turn.runtime else since, now)
        if turn.stored and known.checked_at is None:
            trusted = since  # the state was lost, so nobody knows how old the data is
        if turn.id in options.accept:
            trusted = None  # what *this* sync fetches is to be taken
        if stands(known, trusted, now, current=current):
            turn.outcome = taken_over(known)
            ago = now - (known.checked_at or now)
            logger.debug("%s: not asked, it was %.0f s ago: %s", turn.id, ago, known.status)
            continue
        view = turn.loaded.settings if turn.loaded else world.host.view({})
        client = partial(
            HttpClient,
            config,
            view.options,
            payloads=None if turn.runtime else payloads,
            since=trusted,
            force=options.force,
            consulted=view.consulted,
        )
        asked = Asked.read(known.asked) if current and not options.force else None
        due[turn.id] = turn
        source = turn.loaded.plugin.source if turn.loaded else None
        plugin = f"{source.name} {source.version}" if source else ""
        # Accepted now, or at the sync that stored it.
        empty = turn.id in options.accept or (turn.stored and turn.stored.count() == (0, 0))
        tasks[turn.id] = FetchTask(turn.gateway, view, client, asked, plugin, bool(empty))
    outcomes = fetch_all(
        tasks,
        deadline=world.settings.fetch_deadline_ms / 1000,
        clock=world.clock,
        mask=world.secrets.mask,
        finished=options.progress,
    )
    for id, outcome in outcomes.items():
        due[id].outcome = outcome
