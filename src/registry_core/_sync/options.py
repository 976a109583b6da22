"""How one sync is to be done."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from .._plugins.host import PluginHost
    from .fetch import Outcome


@frozen
class Options:
    force: bool = False
    """Send no validators: every payload is fetched whole."""
    accept: Collection[str] = ()
    """Gateways whose result may have far fewer models than before."""
    forget: Collection[str] = ()
    """Gateways whose stored data is dropped before they are asked."""
    max_age: float | None = None
    """Seconds. If a gateway fails, younger data is good enough."""
    trial: bool = False
    """A plugin is tried. The data of the wheel is enough if no gateway is installed."""
    project: bool = False
    """Also write the project target."""
    fresh_for: float | None = None
    """Seconds. A gateway that has answered within them is not asked. None asks all gateways."""
    retry_after: float = 0.0
    """Seconds. With `fresh_for`, a gateway that has failed within them is not asked either."""
    host: PluginHost | None = None
    """New plugins and settings, for a sync that joins no other one. None if they stay."""
    progress: Callable[[str, Outcome], None] = field(default=lambda id, outcome: None, eq=False)
    """Called when the turn of a gateway ends."""

    def covers(self, other: Options) -> bool:
        """Whether a sync with these options asks everything that one with `other` would ask."""
        if other.host is not None:
            return False
        return self.force >= other.force and (self.fresh_for is None or other.fresh_for is not None)
