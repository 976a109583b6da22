"""The hook, run by pre-commit on a repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_pre_commit_refuses_a_commit_that_names_a_retired_model(tmp_path: Path) -> None:
    def git(*arguments: str, cwd: Path) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    # As it is now, committed or not: pre-commit clones what is committed.
    hooks, project = tmp_path / "hooks", tmp_path / "project"
    skipped = shutil.ignore_patterns(".venv", ".git", "__pycache__", "node_modules", ".*_cache")
    shutil.copytree(ROOT, hooks, ignore=skipped)
    project.mkdir()
    for folder in (hooks, project):
        git("init", "-q", cwd=folder)
    git("add", "-A", cwd=hooks)
    git("commit", "-qm", "x", cwd=hooks)
    revision = git("rev-parse", "HEAD", cwd=hooks)
    (project / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n  - id: registry-check\n"
    )
    (project / "good.py").write_text('import openai\nopenai.chat(model="gpt-5.6-sol")\n')
    git("add", "-A", cwd=project)

    def run() -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
        environ.pop("REGISTRY_CORE_STORE_DIR", None)
        command = [sys.executable, "-m", "pre_commit", "run", "registry-check"]
        return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True)

    passed = run()
    assert passed.returncode == 0, passed.stdout + passed.stderr
    (project / "bad.py").write_text('import openai\nopenai.chat(model="gpt-4")\n')
    git("add", "-A", cwd=project)
    failed = run()
    assert failed.returncode == 1
    assert "bad.py:2:20: retired: openai/gpt-4" in failed.stdout
    (project / "registry-core.toml").write_text(
        "[tool.registry-core.plugin.policy]\nallow = ['anthropic/*']\n"
    )
    git("add", "-A", cwd=project)
    assert "good.py:2:20: withheld: openai/gpt-5.6-sol" in run().stdout
