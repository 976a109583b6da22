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
    """Gateways whose shrinkage is right."""
    forget: Collection[str] = ()
    """Gateways whose stored data is to be dropped before they are asked."""
    max_age: float | None = None
    """Seconds: data younger than that is good enough if its gateway fails."""
    trial: bool = False
    """A plugin is tried: the data of the wheel will do, where no gateway is installed."""
    project: bool = False
    """Write the project target, too."""
    fresh_for: float | None = None
    """Seconds: what answered so lately is not asked again; None asks everybody."""
    retry_after: float = 0.0
    """Seconds: with `fresh_for`, what failed so lately is not asked again either."""
    host: PluginHost | None = None
    """Plugins and settings to go by from now on, for a sync that joins none; None: as before."""
    progress: Callable[[str, Outcome], None] = field(default=lambda id, outcome: None, eq=False)
    """Hears of each gateway as it ends."""

    def covers(self, other: Options) -> bool:
        """Whether a sync done like this asks all that one done like `other` would."""
        if other.host is not None:
            return False
        return self.force >= other.force and (self.fresh_for is None or other.fresh_for is not None)
