"""For the tests of plugins and applications; see `docs/plugins.md`.

`check_plugin` finds mistakes that need no service; `GatewayContract`, `FactsContract`,
`OverlayContract`, `EmitterContract` and `ObserverContract` hold the host's expectations, as
tests to inherit; `CannedClient` and `plugin_settings` are what the host would give a plugin;
`write_distribution` installs one in a folder. The fixture `frozen_registry` comes with
the distribution (`registry_core.pytest_plugin`) and needs no import.
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
