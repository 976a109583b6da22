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
_IGNORED = "To keep it, add a comment: registry-core: ignore"
_ADVICE = {
    "retired": f"Calls have failed since that day. Use its successor. {_IGNORED}",
    "withheld": f"Use a model that the policy allows. {_IGNORED}",
    "retiring": f"Calls will fail from that day on. Use its successor. {_IGNORED}",
    "deprecated": f"Its provider advises against it. Use a newer one. {_IGNORED}",
    "unknown": f"Check the spelling, or sync: it may be newer than the data. {_IGNORED}",
}
#: Level → GitHub's command. SARIF's level is the same, except "note" for "notice".
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
    """A line for each finding, in the form of a compiler's messages, and a summary."""
    for finding in findings:
        place = f"{finding.path}:{finding.line}:{finding.column}"
        written = "" if finding.text in finding.message else f"{finding.text}: "
        yield f"{place}: {finding.level}: {written}{finding.message}"
    yield _counted(findings)


def _counted(findings: Findings) -> str:
    counts = Counter(finding.level for finding in findings)
    summary = ", ".join(f"{counts[level]} {level}" for level in reversed(LEVELS) if counts[level])
    many = "s" * (findings.files != 1)
    nothing = "nothing new" if findings.known else "nothing found"
    known = f", {findings.known} in the baseline" if findings.known else ""
    return f"{findings.files} file{many}: {summary or nothing}{known}"


def as_github(findings: Findings) -> Iterator[str]:
    """Workflow commands, which GitHub shows as annotations, and a summary for its log."""
    for finding in findings:
        place = f"file={_property(finding.path)},line={finding.line},col={finding.column}"
        end = f"endColumn={finding.column + len(finding.text)}"
        title = _property(f"{finding.level}: {finding.text}")
        yield f"::{_SEVERITY[finding.level]} {place},{end},title={title}::{_data(finding.message)}"
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
        "results": [_result(finding) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding) -> dict[str, Any]:
    where = {"uri": "file://" * PurePath(finding.path).is_absolute() + quote(finding.path)}
    region = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endColumn": finding.column + len(finding.text),
    }
    return {
        "ruleId": f"model-{finding.level}",
        "ruleIndex": [*reversed(LEVELS)].index(finding.level),
        "level": _SEVERITY[finding.level].replace("notice", "note"),
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {"artifactLocation": where, "region": region}}],
        "partialFingerprints": {"model/v1": f"{finding.path}:{finding.text}:{finding.level}"},
    }
