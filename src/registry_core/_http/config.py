"""What all clients of one sync, or of one `resolve`, share."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from attrs import Factory, field, frozen

from .._base.secrets import Secrets
from ..settings import Settings
from .tokens import Tokens


@frozen
class HttpConfig:
    """Everything from outside that a client uses."""

    settings: Settings
    secrets: Secrets
    environ: Mapping[str, str] = field(repr=False)
    clock: Callable[[], float] = time.time
    """Epoch seconds."""
    monotonic: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep
    random: Callable[[], float] = random.random
    tokens: Tokens = field(default=Factory(lambda self: Tokens(self.clock), takes_self=True))

    def secret(self, name: str) -> str | None:
        """The variable `name`; None if it is unset or empty. From now on its value is masked."""
        return self.secrets.reveal(name, self.environ)
