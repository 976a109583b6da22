"""What docs/types.md shows is checked by the real programs; its errors are where it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from registry_core._writers import python_types, typescript
from tests.emitters.samples import emit, snapshot_of
from tests.nodetools import TYPESCRIPTS, tsc
from tests.pytypes import CHECKERS, check, error_lines

PAGE = Path(__file__).parents[2] / "docs" / "types.md"
MODELS = {"anthropic": ["claude-opus-4-5"], "openai": ["gpt-4o"]}
REGISTRY = snapshot_of(MODELS).with_roles({"fast": "openai/gpt-4o"})


def examples(language: str) -> list[str]:
    """The page's code blocks in this language."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def marked(code: str) -> list[int]:
    """The numbers of the lines that are said to be errors."""
    lines = enumerate(code.splitlines(), start=1)
    return [number for number, line in lines if re.search(r"(#|//) error$", line)]


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_the_python_of_the_page_has_the_errors_that_it_names(checker: str, tmp_path: Path) -> None:
    (tmp_path / "typings").mkdir()
    for name, text in emit(python_types, REGISTRY).items():
        (tmp_path / "typings" / name).write_text(text, encoding="utf-8")
    user = tmp_path / "user.py"
    for code in examples("python"):
        user.write_text(code, encoding="utf-8")
        assert error_lines(check(checker, user)) == marked(code)
    assert marked(code)


@pytest.mark.slow
@pytest.mark.parametrize("version", TYPESCRIPTS)
def test_the_typescript_of_the_page_has_the_errors_that_it_names(
    version: str, tmp_path: Path
) -> None:
    (tmp_path / "llm").mkdir()
    for name, text in emit(typescript, REGISTRY).items():
        (tmp_path / "llm" / name).write_text(text, encoding="utf-8")
    user = tmp_path / "user.ts"
    found = []
    for code in examples("ts"):
        user.write_text(code, encoding="utf-8")
        lines = [re.search(r"user\.ts\((\d+),", line) for line in tsc(version, [user])]
        assert [line and int(line[1]) for line in lines] == marked(code)
        found += marked(code)
    assert found
