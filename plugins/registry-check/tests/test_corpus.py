"""What is said of real-looking code, by kind of file and client, labelled by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from registry_check import check, contents

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


def test_a_text_that_is_not_parsed_for_would_have_had_no_place(
    snapshot: Snapshot, today: Any, tmp_path: Path, pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for at, case in enumerate(pytestconfig.registry_check_cases()):  # type: ignore[attr-defined]
        file = tmp_path / str(at) / case.path
        file.parent.mkdir(parents=True)
        file.write_text(case.text, "utf-8")
    quick = check([tmp_path], registry=snapshot, today=today)
    with monkeypatch.context() as patch:
        patch.setattr(contents, "may_have_place", lambda *_: True)
        assert check([tmp_path], registry=snapshot, today=today) == quick
    parsed: list[str] = []
    parse = contents.parse
    monkeypatch.setattr(
        contents, "parse", lambda language, data: parsed.append(language) or parse(language, data)
    )
    prose = tmp_path / "prose.py"
    prose.write_text("# Like gpt-4, `gpt-4o` sees.\ndef f():\n    'Asks gpt-3.5-turbo.'\n")
    assert not [*check([prose], registry=snapshot, today=today)] and not parsed
    prose.write_text("import openai\nopenai.chat(model='gpt-4')\n")
    assert [*check([prose], registry=snapshot, today=today)] and parsed == ["python"]
