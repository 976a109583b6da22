"""What is said of real-looking code, by kind of file and client, labelled by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from registry_check import check

from registry_core import Snapshot


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        found = metafunc.config.registry_check_cases()  # type: ignore[attr-defined]
        metafunc.parametrize("case", found, ids=lambda one: one.kind)


def test_every_marked_id_is_found_where_it_is_and_no_decoy(
    case: Any, snapshot: Snapshot, today: Any, tmp_path: Path
) -> None:
    file = tmp_path / case.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(case.text, "utf-8")
    found = check([file], registry=snapshot, today=today)
    assert {(one.line, one.column, one.text, one.level) for one in found} == case.expected()
    assert not found.skipped
