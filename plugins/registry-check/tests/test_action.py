"""The action for GitHub: the shell lines of action.yml, run as a runner would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from registry_core.testing import write_distribution

ROOT = Path(__file__).parents[3]
yaml = pytest.importorskip("yaml")
Done = subprocess.CompletedProcess[str]


class Runner:
    """Takes the steps of the action, with `inputs`, in a workspace of its own."""

    def __init__(self, folder: Path) -> None:
        self.action: Mapping[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
        self.workspace, self.temp = folder / "work space", folder / "runner temp"
        for made in (self.workspace, self.temp, folder / "bin"):
            made.mkdir()
        (folder / "bin" / "python").symlink_to(sys.executable)
        self.environ = {
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(folder / "output"),
            "REGISTRY_CORE_STORE_DIR": str(folder / "store"),
            "REGISTRY_CORE_OFFLINE": "1",
        }

    def step(self, name: str, **inputs: str) -> Done | None:
        """What became of this step; None if its condition does not hold."""
        (step,) = (one for one in self.action["runs"]["steps"] if one.get("name") == name)
        known = {key: about["default"] for key, about in self.action["inputs"].items()}
        assert inputs.keys() <= known.keys()
        known |= inputs
        if "if" in step:
            key, value = re.fullmatch(r"inputs\.([\w-]+) == '(\w+)'", step["if"]).groups()  # type: ignore[union-attr]
            if known[key] != value:
                return None
        assert "${{" not in step["run"]  # what users write is no part of a script
        given = {
            name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: known[found[1]], text)
            for name, text in step.get("env", {}).items()
        }
        assert step["shell"] == "bash"
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env={**self.environ, **given},
            capture_output=True,
            text=True,
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner(tmp_path)
    (made.workspace / "src").mkdir()
    (made.workspace / "src" / "bad.py").write_text('import openai\nopenai.chat(model="gpt-4")\n')
    (made.workspace / "good.py").write_text('import openai\nopenai.chat(model="gpt-5.6-sol")\n')
    return made


@pytest.fixture
def installed(runner: Runner, tmp_path: Path) -> Runner:
    """With what the step "install" leaves, of this checkout."""
    site = tmp_path / "site"
    write_distribution(site, "registry-check", commands={"check": "registry_check.command:check"})
    write_distribution(
        site,
        "registry-facts-litellm",
        entry_points={"litellm-cost-map": "registry_facts_litellm"},
    )
    paths = [site, *(ROOT / "plugins").glob("*/src"), ROOT / "src"]
    runner.environ["PYTHONPATH"] = os.pathsep.join(map(str, paths))
    program = runner.temp / "registry-check" / "bin" / "registry-core"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m registry_core "$@"\n')
    program.chmod(0o755)
    return runner


Check = Callable[..., Done]


@pytest.fixture
def check(installed: Runner) -> Check:
    def run(**inputs: str) -> Done:
        done = installed.step(
            "check", **{name.replace("_", "-"): it for name, it in inputs.items()}
        )
        assert done is not None
        return done

    return run


def test_a_retired_model_is_annotated_and_fails_the_job(check: Check) -> None:
    done = check()
    assert done.returncode == 1, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith("::error file=src/bad.py,line=2,col=20,endColumn=25,title=retired")
    assert last == "2 files: 1 retired"


def test_paths_and_the_level_that_fails_are_inputs(check: Check) -> None:
    assert check(paths="good.py").returncode == 0
    assert check(paths="good.py src").returncode == 1
    assert check(fail_on="never").returncode == 0
    assert "soon" in check(within="soon").stderr


def test_sarif_is_written_though_the_job_fails(check: Check, installed: Runner) -> None:
    done = check(sarif="models.sarif")
    assert done.returncode == 1
    log = json.loads((installed.workspace / "models.sarif").read_text())
    assert [one["ruleId"] for one in log["runs"][0]["results"]] == ["model-retired"]
    assert "::error" in done.stdout


def test_a_baseline_is_an_input(check: Check, installed: Runner) -> None:
    rows = [{"path": "src/bad.py", "text": "gpt-4", "level": "retired", "count": 1}]
    known = installed.workspace / "known models.json"
    known.write_text(json.dumps({"schema": 1, "findings": rows}))
    assert check(baseline="known models.json").returncode == 0


def test_an_input_is_never_a_part_of_the_script(check: Check, installed: Runner) -> None:
    done = check(paths="$(touch pwned) `touch pwned`;touch pwned", within='90d"; touch pwned')
    assert done.returncode == 2
    assert not (installed.workspace / "pwned").exists()


def test_a_sync_that_fails_leaves_the_bundled_models(installed: Runner) -> None:
    assert installed.step("sync", sync="false") is None
    done = installed.step("sync")
    assert done is not None
    assert done.returncode == 0, done.stderr
    installed.environ["REGISTRY_CORE_PLUGINS"] = ""  # no gateway: a sync fails
    done = installed.step("sync")
    assert done is not None
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (
        0,
        ["::warning::the bundled models are used"],
    )


@pytest.mark.slow
def test_all_steps_in_order_as_a_runner_takes_them(runner: Runner) -> None:
    for name in ("install", "sync"):
        done = runner.step(name)
        assert done is not None
        assert done.returncode == 0, done.stdout + done.stderr
    done = runner.step("check", paths="src good.py", sarif="models.sarif")
    assert done is not None
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=src/bad.py,line=2")
    assert (runner.workspace / "models.sarif").stat().st_size > 500
