"""docs/dev-server.md: its code runs, and its commands are those that are tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.devserver.conftest import needs
from tests.devserver.test_restarts import KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dev-server.md").read_text("utf-8")
CODE = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
FRAMEWORKS = ("fastapi", "flask", "django", "registry_core")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_code_of_the_page_runs(framework: str) -> None:
    needs(framework)
    code = CODE[FRAMEWORKS.index(framework)]
    assert framework in code
    exec(compile(code, "dev-server.md", "exec"), {"__name__": "page"})


def test_the_page_shows_what_is_tested() -> None:
    assert len(CODE) == len(FRAMEWORKS)
    assert f"'{KINDS['granian'].command[-2]}'" in PAGE
    upstream = (ROOT / "examples" / "dev_server" / "upstream.py").read_text("utf-8")
    assert upstream.count("export ") == 5
    assert "It prints five `export` lines" in PAGE
