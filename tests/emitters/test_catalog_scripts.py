"""The scripts of registry-catalog's page, read by TypeScript's compiler and by node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.nodetools import TYPESCRIPTS, tsc

PAGE = Path(__file__).parents[2] / "plugins/registry-catalog/src/registry_catalog/page"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", TYPESCRIPTS)
def test_the_types_that_the_scripts_state_are_kept(version: str) -> None:
    flags = ("--allowJs", "--checkJs", "--lib", "es2023,dom,dom.iterable")
    assert tsc(version, sorted(PAGE.glob("*.js")), *flags, cwd=PAGE) == []


def test_node_can_read_them() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    for script in PAGE.glob("*.js"):
        subprocess.run([node, "--check", script], check=True)
