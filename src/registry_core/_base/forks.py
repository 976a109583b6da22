"""Processes that were forked: what they have to make anew, and what they can't use any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

cut_off: set[str] = set()
"""Packages whose own threads this process lacks: it was forked from one that had imported them.

Lookups import this module, so that it is there before most forks.
"""


def after_fork(call: Callable[[], object]) -> None:
    """Make this `call` in each child, where processes can be forked."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=call)


def _note() -> None:
    cut_off.update(name for name in ("obstore",) if name in sys.modules)


after_fork(_note)
