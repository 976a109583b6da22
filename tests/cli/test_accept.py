"""`sync --accept` takes a result that shrank; a plain sync doesn't."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry_core.cli import main
from tests.loopback import Loopback


def test_a_result_that_shrank_is_taken_only_if_it_is_accepted(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def sync(*arguments: str) -> Result:
        variables = {
            "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
            "REGISTRY_CORE_PLUGINS": "registry-gateway-netlify",
            "REGISTRY_CORE_NETLIFY_URL": server.url("/netlify.json"),
            "REGISTRY_CORE_OUTPUT": str(tmp_path / "out"),
        }
        return CliRunner().invoke(main, ["sync", *arguments], env=variables)

    server.serve("/netlify.json", {"providers": {"openai": {"models": ["a", "b", "c"]}}})
    assert sync().exit_code == 0
    server.serve("/netlify.json", {"providers": {"openai": {"models": ["only-one"]}}})

    refused = sync()
    assert refused.exit_code == 1
    assert "registry-core sync --accept netlify" in refused.stderr
    assert sync("--accept", "models.dev").exit_code == 1
    accepted = sync("--accept", "netlify")
    assert accepted.exit_code == 0, accepted.output
    assert "netlify  fresh           1       1  current" in accepted.stdout
