"""Gateways that an application registers at run time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from .._base.frozen import EMPTY
from .._base.warning import warn_once
from .._catalog.snapshot import Snapshot
from .._catalog.state import GatewayState

if TYPE_CHECKING:
    from .._plugins.hook_rules import Described
    from ..models import ProviderConfig


@frozen
class RuntimeGateway:
    """Such a gateway, and what this process knows about it. Never stored or emitted."""

    gateway: Described
    providers: Mapping[str, ProviderConfig] = EMPTY
    """Its last good data, as published."""
    passed: Snapshot | None = None
    """That data after the policies."""
    known: GatewayState = field(factory=GatewayState)

    @classmethod
    def instead_of(cls, before: RuntimeGateway | None, gateway: Described) -> RuntimeGateway:
        """`gateway`, with the data of the one that had its id. It will be asked."""
        if before is None:
            return cls(gateway)
        known = GatewayState(retrieved_at=before.known.retrieved_at, identity=before.known.identity)
        return cls(gateway, before.providers, before.passed, known)

    def after(
        self,
        providers: Mapping[str, ProviderConfig],
        known: GatewayState | None,
        overlay: Callable[[Snapshot], Snapshot],
    ) -> RuntimeGateway:
        """The gateway after its turn and after the policies. Raises OverlayError."""
        passed = overlay(Snapshot.build(providers)) if providers else None
        return RuntimeGateway(self.gateway, providers, passed, known or GatewayState())


def add_to(stored: Snapshot, gateways: Iterable[RuntimeGateway]) -> Snapshot:
    """`stored` with those providers of these gateways that it lacks. What a policy has withheld
    stays withheld, even if another gateway offers it.

    A gateway that has passed other overlays than `stored` is left out. Another process may have
    synced under a stricter policy, and only a sync of this process applies it.
    """
    providers = dict(stored.get_providers())
    withheld, roles = dict(stored.withheld), dict(stored.roles)
    for gateway in gateways:
        passed = gateway.passed
        if passed is None:
            continue
        if passed.overlays != stored.overlays:
            warn_once(
                f"{gateway.gateway.id} is left out until this process syncs: it has not passed the "
                "policies of the data that is served"
            )
            continue
        for id, provider in passed.get_providers().items():
            if id not in providers and id not in stored.withheld:
                models = {
                    bare: model
                    for bare, model in provider.models.items()
                    if model.full_id not in stored.withheld
                }
                providers[id] = evolve(provider, models=models)
        withheld |= {id: key for id, key in passed.withheld.items() if id not in providers}
        roles = {**passed.roles, **roles}
    sizes = len(providers), len(withheld), len(roles)
    if sizes == (len(stored.get_providers()), len(stored.withheld), len(stored.roles)):
        return stored
    return stored.replace(providers=providers, withheld=withheld, roles=roles)
