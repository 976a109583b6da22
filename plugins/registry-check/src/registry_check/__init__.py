"""Finds the model ids in a code base that can't be used any more, or soon can't be used."""

from __future__ import annotations

from .checking import check
from .findings import LEVELS, Finding, Findings

__all__ = ["LEVELS", "Finding", "Findings", "check"]
