"""A baseline: known findings, which are not reported again. By file, text and level, not line."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from attrs import evolve

from registry_core import SettingsError

from .findings import Finding, Findings

Key = tuple[str, str, str]


def without(findings: Findings, path: str | os.PathLike[str]) -> Findings:
    """The findings that are not in the baseline. If one has become more urgent, it is new.

    Raises SettingsError for a file that is not a baseline.
    """
    known = _read(Path(path))
    new: list[Finding] = []
    for finding in findings:
        key = _key(finding)
        if known[key] > 0:
            known[key] -= 1
        else:
            new.append(finding)
    return evolve(findings, findings=tuple(new), known=len(findings) - len(new))


def write(findings: Iterable[Finding], path: str | os.PathLike[str]) -> None:
    """Write a baseline of these findings. Raises OSError."""
    counts = Counter(map(_key, findings))
    rows = [
        {"path": path, "text": text, "level": level, "count": count}
        for (path, text, level), count in sorted(counts.items())
    ]
    text = json.dumps({"schema": 1, "findings": rows}, indent=2, ensure_ascii=False)
    Path(path).write_text(text + "\n", "utf-8")


def _key(finding: Finding) -> Key:
    return os.path.normpath(finding.path).replace(os.sep, "/"), finding.text, finding.level


def _read(path: Path) -> Counter[Key]:
    try:
        rows = json.loads(path.read_text("utf-8"))["findings"]
        return Counter({(row["path"], row["text"], row["level"]): row["count"] for row in rows})
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = f"write one with --write-baseline {path}"
        raise SettingsError(f"is not a baseline: {error}", culprit=str(path), hint=hint) from error
