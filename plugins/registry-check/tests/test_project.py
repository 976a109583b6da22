"""A whole project: what is found in it, and what each format prints of it, to the letter."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path, PurePath
from typing import Any

import pytest
from registry_check import Findings, check
from registry_check.contents import language_of
from registry_check.formats import as_github, as_sarif, as_text

from registry_core import Snapshot

HERE = Path(__file__).with_name("project")
FORMS: Mapping[str, Callable[[Findings], str]] = {
    "findings.txt": lambda findings: "\n".join(as_text(findings)) + "\n",
    "findings.github": lambda findings: "\n".join(as_github(findings)) + "\n",
    "findings.sarif": lambda findings: json.dumps(as_sarif(findings, "1.0"), indent=2) + "\n",
}


@pytest.fixture
def findings(
    snapshot: Snapshot, today: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Findings:
    """Of a copy, since a `.gitignore` above would count."""
    shutil.copytree(HERE / "files", tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return check(registry=snapshot, today=today)


def test_every_planted_id_is_found_and_no_decoy(findings: Findings) -> None:
    labels = re.findall(
        r"^(.+):(\d+):(\d+) (\w+) (.+)$", (HERE / "labels.txt").read_text("utf-8"), re.MULTILINE
    )
    for path, line, column, _, text in labels:
        lines = (HERE / "files" / path).read_text("utf-8").splitlines()
        assert lines[int(line) - 1].startswith(text, int(column) - 1), (path, line, text)
    planted = {label for label in labels if label[3] != "no"}
    assert (len(planted), len(labels) - len(planted)) == (34, 56)
    kinds = {language_of(PurePath(path).name) or path for path, *_ in planted}
    assert len(kinds) >= 10
    found = [(one.path, str(one.line), str(one.column), one.level, one.text) for one in findings]
    assert sorted(found) == sorted(planted)
    assert not findings.skipped


@pytest.mark.parametrize("name", FORMS)
def test_a_format_prints_what_is_stored(name: str, findings: Findings, tmp_path: Path) -> None:
    printed, stored = tmp_path / name, HERE / name
    printed.write_text(FORMS[name](findings), "utf-8")
    right = stored.exists() and printed.read_text("utf-8") == stored.read_text("utf-8")
    assert right, f"diff {stored} {printed}; if that is right: cp {printed} {stored}"


@pytest.mark.slow
def test_the_stored_sarif_is_valid_by_its_schema(sarif_schema: Any) -> None:
    from jsonschema import Draft7Validator

    log = json.loads((HERE / "findings.sarif").read_text("utf-8"))
    assert len(log["runs"][0]["results"]) == 34
    Draft7Validator(sarif_schema).validate(log)
