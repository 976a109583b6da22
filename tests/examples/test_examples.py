"""The examples work as they are: found by their metadata, with no configuration."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from registry_core import ModelRegistry, ProviderConfig, Snapshot
from registry_core._sync.options import Options
from registry_core._sync.sync import sync
from registry_core.cli import main
from tests.examples.installing import EXAMPLES, install, registry
from tests.loopback import Loopback, Reply, Request

TOKEN = "acme-token-4711"
MODELS = b'{"data": [{"id": "acme-large", "context_window": 200000}, {"id": "acme-small"}]}'


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in ("acme_registry_gateway", "registry_keys", "registry_price_list"):
        sys.modules.pop(name, None)


def acme(request: Request) -> Reply:
    allowed = request.headers["Authorization"] == f"Bearer {TOKEN}"
    return Reply(200, MODELS) if allowed else Reply(401, b"{}")


def with_acme(tmp_path: Path, site: Path, server: Loopback, **environ: str) -> ModelRegistry:
    install("acme-registry-gateway", site)
    server.route("/v1/models", acme)
    options: Any = {"acme": {"url": server.url("/v1")}}
    return registry(tmp_path, site, environ, plugin_options=options)


def test_acmes_models_are_there_and_can_be_called(
    tmp_path: Path, site: Path, server: Loopback
) -> None:
    mine = with_acme(tmp_path, site, server, ACME_TOKEN=TOKEN)

    report = mine.sync_gateways()

    assert report.ok
    assert [(one.id, one.status, one.distribution) for one in report.gateways] == [
        ("acme", "fresh", "acme-registry-gateway")
    ]
    assert mine.get_models() == {"acme": ("acme-large", "acme-small")}
    model = mine.get_model("acme/acme-large")
    assert model is not None
    assert model.limit.context == 200_000
    endpoint = mine.resolve("acme/acme-large")
    assert (endpoint.base_url, endpoint.api_key) == (server.url("/v1"), TOKEN)


def test_without_its_token_acme_says_what_to_set_and_its_last_data_stays(
    tmp_path: Path, site: Path, server: Loopback
) -> None:
    with_acme(tmp_path, site, server, ACME_TOKEN=TOKEN).sync_gateways()
    asked = len(server.requests)

    mine = with_acme(tmp_path, site, server)
    report = mine.sync_gateways()

    assert report.ok
    assert [(one.status, one.error) for one in report.gateways] == [("disabled", "set ACME_TOKEN")]
    assert len(server.requests) == asked
    assert mine.get_models() == {"acme": ("acme-large", "acme-small")}


def test_a_refused_token_fails_acme_and_never_shows(
    tmp_path: Path, site: Path, server: Loopback
) -> None:
    report = with_acme(tmp_path, site, server, ACME_TOKEN="wrong-token-0815").sync_gateways()

    assert [one.status for one in report.gateways] == ["failed"]
    assert "wrong-token-0815" not in repr(report)


def test_the_price_list_is_written_and_follows_its_options(tmp_path: Path, site: Path) -> None:
    install("custom-emitter", site)
    snapshot = Snapshot.build([ProviderConfig("acme", ["a"]), ProviderConfig("other", ["b"])])
    file = tmp_path / "frozen.snapshot"
    file.write_bytes(snapshot.to_bytes())

    def rows(**options: Any) -> list[str]:
        mine = registry(
            tmp_path,
            site,
            snapshot=file,
            output=tmp_path / "out",
            plugin_options={"prices": options},
        )
        report = sync(mine.world, Options()).report
        assert report.ok, report.problems
        with (tmp_path / "out" / "prices.csv").open(newline="", encoding="utf-8") as lines:
            return [row["model"] for row in csv.DictReader(lines)]

    assert rows() == ["acme/a", "other/b"]
    assert rows(providers=["other"]) == ["other/b"]


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C can't be sent to one process")
def test_the_upstream_of_the_walk_through_ends_quietly_at_ctrl_c() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job may ignore it
    upstream = subprocess.Popen(
        [sys.executable, EXAMPLES / "dev_server" / "upstream.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    with upstream:
        assert upstream.stdout is not None
        told = [upstream.stdout.readline() for _ in range(7)]
        (store,) = [line.split("=")[1].strip() for line in told if "STORE_DIR" in line]
        upstream.send_signal(signal.SIGINT)
        _, errors = upstream.communicate(timeout=60)

    assert (upstream.returncode, errors) == (0, "")
    assert not Path(store).exists()


def test_a_command_is_there_when_it_is_installed(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("custom-command", site)
    monkeypatch.chdir(tmp_path)
    assert "registry-keys 1.0.0" in CliRunner().invoke(main, ["--help"]).stdout
    environ = {"REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"), "GROQ_API_KEY": "gsk-4711"}
    done = CliRunner().invoke(main, ["keys", "groq"], env=environ)
    assert (done.exit_code, done.stdout) == (0, "groq: GROQ_API_KEY\n")


@pytest.mark.parametrize("example", ["acme-registry-gateway", "custom-command", "custom-emitter"])
def test_the_examples_own_tests_pass(example: str) -> None:
    folder = EXAMPLES / example
    path = [str(folder / "src"), str(EXAMPLES.parent / "src")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
