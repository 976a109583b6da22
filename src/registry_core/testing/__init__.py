"""Helpers for the tests of plugins and applications; see `docs/plugins.md`.

- `check_plugin` finds mistakes that can be found without a service.
- `GatewayContract`, `FactsContract`, `OverlayContract`, `EmitterContract` and
  `ObserverContract` are tests to inherit, with what the host expects.
- `CannedClient` and `plugin_settings` replace what the host passes to a plugin.
- `write_distribution` installs a distribution in a folder.

The fixture `frozen_registry` comes with the distribution (`registry_core.pytest_plugin`), and
needs no import.
"""

from __future__ import annotations

from .canned import CannedClient, CannedRequest, plugin_settings
from .checking import check_plugin
from .contract import FactsContract, GatewayContract
from .distributions import write_distribution
from .hook_contracts import EmitterContract, ObserverContract, OverlayContract

__all__ = [
    "CannedClient",
    "CannedRequest",
    "EmitterContract",
    "FactsContract",
    "GatewayContract",
    "ObserverContract",
    "OverlayContract",
    "check_plugin",
    "plugin_settings",
    "write_distribution",
]
