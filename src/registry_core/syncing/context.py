"""What every step of a sync is given: its world, and how it is to be done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from ..bundle import Bundle
    from ..places import Places
    from ..plugins.host import PluginHost
    from ..secrets import Secrets
    from ..settings import Settings
    from .commit import Verified
    from .fetch import Outcome
    from .runtime import RuntimeGateway


@frozen
class Context:
    """What a sync works with; everything from outside is passed in."""

    settings: Settings
    host: PluginHost
    secrets: Secrets
    places: Places
    bundle: Bundle
    environ: Mapping[str, str] = field(repr=False)
    clock: Callable[[], float]
    runtime: Sequence[RuntimeGateway] = ()
    progress: Callable[[str, Outcome], None] = lambda id, outcome: None
    types_path: Sequence[str] | None = None
    """Where to look for the installed types; None: `sys.path`."""
    verified: Verified = field(factory=dict)


@frozen
class Options:
    """How one sync is to be done."""

    force: bool = False
    """Send no validators: every payload is fetched whole."""
    accept: Collection[str] = ()
    """Gateways whose shrinkage is right."""
    max_age: float | None = None
    """Seconds: data younger than that is good enough if its gateway fails."""
    project: bool = False
    """Write the project target, too."""
    fresh_for: float | None = None
    """Seconds: what answered so lately is not asked again; None asks everybody."""
    retry_after: float = 0.0
    """Seconds: with `fresh_for`, what failed so lately is not asked again either."""

    def covers(self, other: Options) -> bool:
        """Whether a sync done like this asks all that one done like `other` would."""
        return self.force >= other.force and (self.fresh_for is None or other.fresh_for is not None)
