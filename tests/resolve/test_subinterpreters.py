"""What works where extension modules may not be loaded: in Python 3.13's subinterpreters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = """
import sys
sys.modules["msgspec"] = None  # so that importing it fails, as it does there
"""
LOOK = """
import registry_core
assert registry_core.get_model("openai/gpt-4o")
endpoint = registry_core.resolve("openai/gpt-4o", {"OPENAI_API_KEY": "key"})
assert endpoint.base_url == "https://api.openai.com/v1"
try:
    registry_core.ModelRegistry().sync_gateways()
except registry_core.StoreError as error:
    assert "msgspec" in str(error)
else:
    raise AssertionError("it works: say so in the documentation")
"""
INSIDE = f"""
import _interpreters
failed = _interpreters.run_string(_interpreters.create(), {LOOK!r})
assert not failed, failed.formatted
"""


def run(code: str, folder: Path) -> None:
    environ = {"REGISTRY_CORE_STORE_DIR": str(folder), "REGISTRY_CORE_OFFLINE": "true"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_lookups_and_resolve_need_no_msgspec_and_a_sync_says_that_it_does(tmp_path: Path) -> None:
    run(WITHOUT + LOOK, tmp_path)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="interpreters are made by a private module")
def test_so_it_is_in_a_subinterpreter(tmp_path: Path) -> None:
    run(INSIDE, tmp_path)
