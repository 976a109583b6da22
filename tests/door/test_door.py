"""What somebody meets who comes to the repository: metadata, pages, templates, the workflow."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]


@pytest.mark.parametrize("file", PROJECTS, ids=lambda file: file.parent.name)
def test_each_package_says_who_makes_it_and_for_which_pythons(file: Path) -> None:
    project: Any = tomllib.loads(file.read_text("utf-8"))["project"]
    assert project["authors"] == [{"name": "registry-core maintainers"}]
    named = [
        re.fullmatch(r"Programming Language.*:: (3\.\d+)", one) for one in classifiers(project)
    ]
    assert [found[1] for found in named if found] == PYTHONS
    assert project["requires-python"] == f">={PYTHONS[0]}"
    assert project["license"] == "MIT"


def classifiers(project: dict[str, Any]) -> list[str]:
    found: list[str] = project["classifiers"]
    return found


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_of_the_first_pages_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for link, anchor in re.findall(r"\]\(([^)#:]+)(?:#([\w-]+))?\)", text):
        assert (ROOT / link).exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.+)$", (ROOT / link).read_text("utf-8"), re.MULTILINE)
            assert anchor in [
                re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in titles
            ]
    for path in re.findall(r"`((?:examples|tools|src|tests)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_set_up_of_contributing_is_what_ci_runs() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    _, extras, *gateways = re.findall(r"-e (\S+)", "-e . " + text.split("```")[1])
    assert f"-e {extras}" in (ROOT / ".ci/run").read_text("utf-8")
    assert all((ROOT / one / "pyproject.toml").exists() for one in gateways)
    sent = text.split("\n## Before you send it\n")[1].split("```")[1]
    for command in re.findall(r"^\.venv/bin/.+$", sent, flags=re.MULTILINE):
        assert {bare(part) for part in command.split(" && ")} <= known(), command


def bare(command: str) -> str:
    """Without the folder of the environment."""
    return re.sub(r'"\$work/lowest/bin/(\w+)"|\.venv/bin/', r"\1", command).strip()


def known() -> set[str]:
    """The commands of .ci/run and of the README, line by line."""
    lines = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    readme = re.findall(r"^<!-- command: .*\n```sh\n(.+)\n", (ROOT / "README.md").read_text(), re.M)
    lines += [part for line in readme for part in line.split(" && ")]
    return {bare(line) for line in lines}


def workflow() -> Any:
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((GITHUB / "workflows/ci.yml").read_text("utf-8"))


def test_the_workflow_runs_the_commands_of_ci_and_no_others() -> None:
    ran = [
        line.strip()
        for job in workflow()["jobs"].values()
        for step in job["steps"]
        for line in step.get("run", "").splitlines()
        if not line.startswith("sudo apt-get ")
    ]
    assert [line for line in ran if line not in known()] == []
    checked = (ROOT / ".ci/run").read_text("utf-8").split('step "lint and types"')[1]
    for line in re.findall(r"^(?:\.venv/bin/|for ).+", checked, flags=re.MULTILINE):
        assert bare(line) in ran, line


def test_the_workflow_tests_each_python_on_each_system() -> None:
    job = workflow()["jobs"]["tests"]
    matrix = job["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert [one.split("-")[0] for one in matrix["system"]] == ["ubuntu", "macos", "windows"]
    free = [one for one in matrix["include"] if one["python"].endswith("t")]
    assert [one["reported"] for one in free] == [True]
    assert "matrix.reported" in job["continue-on-error"]


FORMS = [file for file in sorted(GITHUB.glob("ISSUE_TEMPLATE/*.yml")) if file.stem != "config"]
SCHEMAS = {
    "github-workflows": [GITHUB / "workflows/ci.yml"],
    "github-issue-forms": FORMS,
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE/config.yml"],
}


@pytest.mark.slow
@pytest.mark.parametrize("schema", SCHEMAS)
def test_workflow_and_forms_are_what_their_schemas_allow(schema: str) -> None:
    pytest.importorskip("check_jsonschema")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*check, *SCHEMAS[schema]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
