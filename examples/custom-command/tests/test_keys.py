from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from registry_keys import keys

from registry_core import ProviderConfig, Snapshot


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    monkeypatch.chdir(tmp_path)
    providers = [
        ProviderConfig("acme", ["a"], api_key_env_vars="ACME_TOKEN"),
        ProviderConfig("other", ["b"], api_key_env_vars="OTHER_TOKEN"),
    ]
    file = tmp_path / "frozen.snapshot"
    file.write_bytes(Snapshot.build(providers).to_bytes())
    return {"REGISTRY_CORE_SNAPSHOT": str(file), "OTHER_TOKEN": None, "ACME_TOKEN": "acme-4711"}


def run(environ: dict[str, str | None], *arguments: str) -> Result:
    return CliRunner().invoke(keys, arguments, env=environ)


def test_a_provider_whose_key_is_set_is_listed_without_the_key(
    environ: dict[str, str | None],
) -> None:
    done = run(environ)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "acme: ACME_TOKEN\n", "")
    assert json.loads(run(environ, "--json").stdout) == {
        "schema": 1,
        "keys": {"acme": ["ACME_TOKEN"]},
    }


def test_none_is_exit_status_1(environ: dict[str, str | None]) -> None:
    done = run(environ, "other", "ather")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "warning: no provider ather\n"


def test_the_option_ignore_leaves_providers_out(
    environ: dict[str, str | None], tmp_path: Path
) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text('[tool.registry-core.plugin.keys]\nignore = ["acme"]\n')
    assert run(environ).exit_code == 1
    project.write_text("[tool.registry-core.plugin.keys]\nignore = 3\n")
    done = run(environ)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "error: the option ignore of keys: is no list" in done.stderr
