"""Asks all gateways at once, each in its own thread with its own deadline.

A thread that outlives its deadline is abandoned, not joined. A pool would delay the exit of the
process if a gateway hangs.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen
from attrs.converters import optional

from .._base.frozen import EMPTY
from .._base.printable import message
from .._plugins.hook_rules import reason_disabled
from ..errors import (
    GatewayError,
    GatewayTimeoutError,
    OfflineError,
    RegistryError,
    UnreachableError,
    as_error,
)
from ..models import ProviderConfig
from ..plugin import FactSource, ModelGateway
from ..records import clean_providers
from ..report import GatewayStatus, Problem
from .facts import as_providers

if TYPE_CHECKING:
    from .._http.asked import Asked
    from .._http.client import HttpClient
    from .._plugins.hook_rules import Described
    from ..plugin import PluginSettings

logger = logging.getLogger("registry_core")


@frozen
class FetchTask:
    """One gateway to ask, and what is known about its last good fetch."""

    gateway: Described
    settings: PluginSettings
    client: HttpClient
    asked: Sequence[Asked] | None
    """The requests to revalidate first. None if there is no stored result, or it is outdated."""
    failure: RegistryError | None = None
    """Why the gateway's identity is unknown. A failure, unless the gateway need not be asked."""
    plugin: str = ""
    """Distribution and version that the gateway comes from; empty if it has none."""
    may_be_empty: bool = False
    """A result without a model is right."""
    adopt: Callable[[], Outcome | None] | None = None
    """Tries to take a result of the fleet over. Returns None if the gateway must be asked."""


@frozen
class Outcome:
    """The result of asking one gateway."""

    status: GatewayStatus
    providers: Mapping[str, ProviderConfig] | None = None
    """Published providers; None unless fresh."""
    asked: tuple[Asked, ...] | None = None
    identity: Mapping[str, str] = EMPTY
    """Whose data it is: see `Cache.whose`."""
    warnings: tuple[Problem, ...] = field(default=())
    error: str | None = field(default=None, converter=optional(message))
    """Why it failed, or is disabled, or absent."""
    finished_at: float = 0.0
    """Epoch seconds. For an answer: when a process received or confirmed it."""
    failure: RegistryError | None = None
    """The error that was raised."""
    private: bool = False
    """A credential was sent for it."""
    consulted: tuple[str, ...] = ()
    """The variables that its plugin has read, including unset ones."""
    shared: str = ""
    """The hash of the fleet's object that was taken over. Empty if this machine has asked."""
    vouched: bool = True
    """It was fetched here, or published by somebody who has the fleet's key."""
    accepted: bool = False
    """A user of the fleet has accepted that it holds far fewer models than before."""

    @property
    def answered(self) -> bool:
        return self.status in ("fresh", "unchanged")

    @property
    def reached(self) -> bool:
        """Whether asking it again at once would give nothing new."""
        return self.answered or self.status == "absent"

    @classmethod
    def in_vain(cls, task: FetchTask, failure: RegistryError, at: float) -> Outcome:
        """The outcome if the gateway raised `failure`, or was abandoned."""
        gateway, client = task.gateway, task.client
        if gateway.volatile and isinstance(failure, (UnreachableError, GatewayTimeoutError)):
            return cls("absent", error=str(failure), finished_at=at)
        failed = cls.failed(gateway.id, failure, at)
        return evolve(failed, private=client.private, consulted=client.consulted)

    @classmethod
    def failed(cls, gateway: str, failure: RegistryError, at: float) -> Outcome:
        if failure.culprit != gateway:
            failure.add_note(f"gateway {gateway}")
        # Reports name the gateway already.
        text = str(failure).removeprefix(f"{gateway}: ")
        return cls("failed", error=text, finished_at=at, failure=failure)


def fetch_all(
    tasks: Mapping[str, FetchTask],
    *,
    deadline: float,
    clock: Callable[[], float],
    mask: Callable[[str], str],
    finished: Callable[[str, Outcome], None] = lambda id, outcome: None,
) -> Mapping[str, Outcome]:
    """Run all tasks in parallel. Returns gateway id → outcome. Raises no error of a gateway.

    `deadline`: seconds from now, for each task. `mask` hides secrets in an error of a gateway.
    `finished` is called when a task ends.
    """
    results: SimpleQueue[tuple[str, Outcome]] = SimpleQueue()
    ends = time.monotonic() + deadline

    def run(id: str, task: FetchTask) -> None:
        results.put((id, _fetch(task, clock, mask)))

    for id, task in tasks.items():
        name = f"registry-core fetch {id}"
        try:
            Thread(target=run, args=(id, task), name=name, daemon=True).start()
        except RuntimeError as error:  # the system has no thread left
            failure = GatewayError(str(error), culprit=id, hint="try again")
            results.put((id, Outcome.failed(id, failure, clock())))

    outcomes: dict[str, Outcome] = {}
    while len(outcomes) < len(tasks):
        try:
            id, outcome = results.get(timeout=max(0.0, ends - time.monotonic()))
        except Empty:
            break
        outcomes[id] = outcome
        finished(id, outcome)
    for id in tasks.keys() - outcomes.keys():
        failure = GatewayTimeoutError(
            f"gave no result within {deadline:g} s and was abandoned",
            culprit=id,
            hint="raise fetch_deadline_ms if it needs longer",
        )
        outcomes[id] = Outcome.in_vain(tasks[id], failure, clock())
        finished(id, outcomes[id])
    return {id: outcomes[id] for id in sorted(outcomes)}


def _is_unchanged(client: HttpClient, asked: Sequence[Asked]) -> bool:
    try:
        return client.revalidate(asked)
    except (OfflineError, GatewayTimeoutError):
        raise
    except GatewayError:  # its URL may have changed, so the gateway makes its requests itself
        return False


def _fetch(task: FetchTask, clock: Callable[[], float], mask: Callable[[str], str]) -> Outcome:
    gateway, client = task.gateway, task.client
    try:
        reason = reason_disabled(gateway, gateway.itself.should_enable(task.settings))
        if reason is not None:
            return Outcome("disabled", error=reason, finished_at=clock())
        if gateway.needs_network and task.settings.offline:
            return Outcome("offline", finished_at=clock())
        if task.adopt is not None and (adopted := task.adopt()) is not None:
            return adopted
        if task.failure is not None:
            raise task.failure
        if task.asked and _is_unchanged(client, task.asked):
            logger.debug("%s: unchanged, %d revalidated", gateway.id, len(task.asked))
            asked = tuple(task.asked)
            return Outcome(
                "unchanged",
                asked=asked,
                finished_at=client.confirmed_at,
                private=client.private,
                consulted=tuple(
                    sorted({*client.consulted, *(n for a in asked for n in a.consulted)})
                ),
            )
        fetched: Any = None
        if isinstance(gateway.itself, ModelGateway):
            fetched = gateway.itself.fetch_providers(client)
        elif isinstance(gateway.itself, FactSource):
            fetched = as_providers(gateway.id, gateway.itself.fetch_facts(client), client.warn)
        providers, warnings = clean_providers(
            gateway.id,
            gateway.namespaced,
            fetched,
            client.warnings,
            client.unkept_warnings,
            may_be_empty=task.may_be_empty,
        )
        return Outcome(
            "fresh",
            providers,
            client.asked,
            client.whose,
            warnings,
            finished_at=client.confirmed_at,
            private=client.private,
            consulted=client.consulted,
        )
    except OfflineError:
        return Outcome("offline", finished_at=clock())
    except BaseException as error:  # SystemExit too, which would silently end the thread
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s: the fetch failed\n%s", gateway.id, mask(traceback.format_exc()))
        module = type(gateway.itself).__module__
        failure = as_error(error, GatewayError, gateway.id, mask, module)
        if failure is not error and task.plugin:
            failure.message += f", of {task.plugin}"
        return Outcome.in_vain(task, failure, clock())
    finally:
        client.close()
