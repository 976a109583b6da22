"""For the tests of plugins and applications; see `docs/plugins.md`.

`GatewayContract` holds the host's expectations of a gateway, as tests to inherit;
`CannedClient` and `plugin_settings` are what the host would give a plugin;
`write_distribution` installs one in a folder. The fixture `frozen_registry` comes with
the distribution (`registry_core.pytest_plugin`) and needs no import.
"""

from __future__ import annotations

from .canned import CannedClient, CannedRequest, plugin_settings
from .contract import GatewayContract
from .distributions import write_distribution

__all__ = [
    "CannedClient",
    "CannedRequest",
    "GatewayContract",
    "plugin_settings",
    "write_distribution",
]
