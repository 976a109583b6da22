"""Findings as text, as GitHub's annotations, and as SARIF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from .findings import LEVELS, Finding, Findings

_MEANING = {
    "retired": "The model is shut off",
    "withheld": "A policy withholds the model",
    "retiring": "The model will soon be shut off",
    "deprecated": "The model is deprecated",
    "unknown": "No such model is known",
}
_IGNORED = "What is meant all the same is marked by a comment: registry-core: ignore"
_ADVICE = {
    "retired": f"Calls fail since the day that is named. Use its successor. {_IGNORED}",
    "withheld": f"Use a model that the policy allows. {_IGNORED}",
    "retiring": f"Calls will fail from the day that is named. Use its successor. {_IGNORED}",
    "deprecated": f"Its provider advises against it. Use a newer one. {_IGNORED}",
    "unknown": f"Check the spelling, or sync: it may be newer than the data. {_IGNORED}",
}
#: Level → GitHub's command, which is SARIF's level, too, but for "note".
_SEVERITY = {
    "retired": "error",
    "withheld": "error",
    "retiring": "warning",
    "deprecated": "notice",
    "unknown": "warning",
}
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def as_text(findings: Findings) -> Iterator[str]:
    """A line each, as compilers write them, and one that counts."""
    for one in findings:
        written = "" if one.text in one.message else f"{one.text}: "
        yield f"{one.path}:{one.line}:{one.column}: {one.level}: {written}{one.message}"
    yield _counted(findings)


def _counted(findings: Findings) -> str:
    counts = Counter(one.level for one in findings)
    said = ", ".join(f"{counts[level]} {level}" for level in reversed(LEVELS) if counts[level])
    many = "s" * (findings.files != 1)
    return f"{findings.files} file{many}: {said or 'nothing found'}"


def as_github(findings: Findings) -> Iterator[str]:
    """Workflow commands, which GitHub shows as annotations; and a line for its log."""
    for one in findings:
        place = f"file={_property(one.path)},line={one.line},col={one.column}"
        end = f"endColumn={one.column + len(one.text)}"
        title = _property(f"{one.level}: {one.text}")
        yield f"::{_SEVERITY[one.level]} {place},{end},title={title}::{_data(one.message)}"
    yield _counted(findings)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(findings: Iterable[Finding], version: str) -> dict[str, Any]:
    """A SARIF 2.1.0 log with one run."""
    rules = [
        {
            "id": f"model-{level}",
            "name": f"{level.capitalize()}Model",
            "shortDescription": {"text": _MEANING[level]},
            "fullDescription": {"text": f"{_MEANING[level]}. {_ADVICE[level]}"},
            "help": {"text": _ADVICE[level]},
            "defaultConfiguration": {"level": _SEVERITY[level].replace("notice", "note")},
        }
        for level in reversed(LEVELS)
    ]
    driver = {
        "name": "registry-check",
        "version": version,
        "rules": rules,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one) for one in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(one: Finding) -> dict[str, Any]:
    where = {"uri": "file://" * PurePath(one.path).is_absolute() + quote(one.path)}
    region = {
        "startLine": one.line,
        "startColumn": one.column,
        "endColumn": one.column + len(one.text),
    }
    return {
        "ruleId": f"model-{one.level}",
        "ruleIndex": [*reversed(LEVELS)].index(one.level),
        "level": _SEVERITY[one.level].replace("notice", "note"),
        "message": {"text": one.message},
        "locations": [{"physicalLocation": {"artifactLocation": where, "region": region}}],
        "partialFingerprints": {"model/v1": f"{one.path}:{one.text}:{one.level}"},
    }
