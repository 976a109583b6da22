"""Which model ids does a code base name, and which of them are of no use any more?"""

from __future__ import annotations

from .checking import check
from .findings import LEVELS, Finding, Findings

__all__ = ["LEVELS", "Finding", "Findings", "check"]
