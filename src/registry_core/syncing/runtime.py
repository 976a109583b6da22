"""Gateways that an application registers at run time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from ..frozen import EMPTY
from ..snapshot import Snapshot
from ..state import GatewayState

if TYPE_CHECKING:
    from ..gateway import ModelGateway
    from ..models import ProviderConfig
    from .fetch import Outcome


@frozen
class RuntimeGateway:
    """One of them, and what this process knows of it; never stored or emitted."""

    gateway: ModelGateway
    providers: Mapping[str, ProviderConfig] = EMPTY
    """Its last good data, as published."""
    known: GatewayState = field(factory=GatewayState)

    def overlaid(self, overlay: Callable[[Snapshot], Snapshot]) -> RuntimeGateway:
        """As the policies leave it. Raises OverlayError."""
        if not self.providers:
            return self
        return evolve(self, providers=overlay(Snapshot.build(self.providers)).get_providers())

    def renewed(self, outcome: Outcome) -> RuntimeGateway:
        """As it is after a sync that had this outcome."""
        known = evolve(
            self.known,
            checked_at=outcome.finished_at,
            status=outcome.status,
            error=outcome.error,
        )
        if outcome.status in ("fresh", "unchanged"):
            known = evolve(known, retrieved_at=outcome.finished_at)
        providers = self.providers if outcome.providers is None else outcome.providers
        return RuntimeGateway(self.gateway, providers, known)
