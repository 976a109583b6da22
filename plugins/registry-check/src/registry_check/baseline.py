"""What was known before: findings that are no news, by file, text and level, not by line."""

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
    """The findings that the baseline does not hold. One that has become more urgent is new.

    Raises SettingsError for a file that is no baseline.
    """
    left = _read(Path(path))
    new: list[Finding] = []
    for one in findings:
        key = _key(one)
        if left[key] > 0:
            left[key] -= 1
        else:
            new.append(one)
    return evolve(findings, findings=tuple(new))


def write(findings: Iterable[Finding], path: str | os.PathLike[str]) -> None:
    """Make a baseline of these findings. Raises OSError."""
    counts = Counter(map(_key, findings))
    rows = [
        {"path": path, "text": text, "level": level, "count": count}
        for (path, text, level), count in sorted(counts.items())
    ]
    text = json.dumps({"schema": 1, "findings": rows}, indent=2, ensure_ascii=False)
    Path(path).write_text(text + "\n", "utf-8")


def _key(one: Finding) -> Key:
    return os.path.normpath(one.path).replace(os.sep, "/"), one.text, one.level


def _read(path: Path) -> Counter[Key]:
    try:
        rows = json.loads(path.read_text("utf-8"))["findings"]
        return Counter({(row["path"], row["text"], row["level"]): row["count"] for row in rows})
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = f"write one with --write-baseline {path}"
        raise SettingsError(f"is no baseline: {error}", culprit=str(path), hint=hint) from error
