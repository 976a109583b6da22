"""What `registry-core new` makes, built, and installed in a fresh environment, does its job."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry_core.cli import main
from registry_core.cli.new import KINDS
from tests.examples.installing import EXAMPLES, Run, environment, wheel
from tests.loopback import Loopback, Reply, Request

LONGEST = "a-name-with-thirty-two-character"
TOOLS = ("mypy>=1.17", "pytest>=8.4", "ruff>=0.12")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Run]]:
    """The folder of the packages, and where their wheels are installed."""
    folder = tmp_path_factory.mktemp("new")
    before = Path.cwd()
    os.chdir(folder)
    for kind in KINDS:
        for name in ("acme", LONGEST):
            assert CliRunner().invoke(main, ["new", kind, name]).exit_code == 0
    os.chdir(before)
    sources = [EXAMPLES.parent, *(folder / f"registry-{kind}-acme" for kind in KINDS)]
    wheels = [wheel(source, folder) for source in sources]
    yield folder, environment(folder / "venv", [*wheels, *TOOLS])


@pytest.mark.parametrize("kind", KINDS)
def test_its_tests_pass_against_the_wheel(kind: str, made: tuple[Path, Run]) -> None:
    folder, run = made
    package = folder / f"registry-{kind}-acme"
    done = run("pytest", "-q", "-o", "pythonpath=", "-p", "no:cacheprovider", cwd=package)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["acme", LONGEST])
@pytest.mark.parametrize("kind", KINDS)
def test_type_checker_and_linter_have_nothing_to_say(
    kind: str, name: str, made: tuple[Path, Run]
) -> None:
    folder, run = made
    for command in (["mypy", "--strict"], ["ruff", "check"], ["ruff", "format", "--check"]):
        done = run(*command, cwd=folder / f"registry-{kind}-{name}", MYPYPATH="src")
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_sync_uses_them_all(made: tuple[Path, Run]) -> None:
    folder, run = made
    with Loopback() as server:
        answer = b'{"data": [{"id": "large", "context_window": 200000}, {"id": "small"}]}'

        def models(request: Request) -> Reply:
            known = request.headers["Authorization"] == "Bearer token-4711"
            return Reply(200, answer) if known else Reply(401, b"{}")

        server.route("/v1/models", models)
        # All of one name share their options: the source of facts asks the same place.
        server.route("/v1", Reply(200, b'[{"model": "acme/small", "date": "2027-01-31"}]'))
        out = folder / "out"
        synced = run(
            *("registry-core", "sync", "--output", str(out)),
            ACME_TOKEN="token-4711",
            REGISTRY_CORE_PLUGIN_ACME_URL=server.url("/v1"),
        )
    assert synced.returncode == 0, synced.stdout + synced.stderr
    lines = (out / "acme.tsv").read_text("utf-8").splitlines()
    assert {"acme/large\t", "acme/small\t"} <= {*lines}
    shown = run("registry-core", "show", "acme/small")
    assert "retires_on: 2027-01-31" in shown.stdout
    listed = run("registry-core", "plugins", "--load")
    assert "registry-overlay-acme:acme" in listed.stdout
    assert (listed.returncode, "failed" in listed.stdout) == (0, False)
