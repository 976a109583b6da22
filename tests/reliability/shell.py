"""The real command line, in a process of its own, with a home, a store and plugins of a test's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from registry_core.testing import write_distribution

#: What the modules of plugins start with.
PRELUDE = """\
import os, sys, threading, time
from registry_core import (
    Artifact, Disabled, Endpoint, GatewayError, ModelGateway, ModelInfo, ProviderConfig, Snapshot,
    hookimpl,
)

class Gateway(ModelGateway):
    namespaced = False
    def __init__(self, id, models=None, **attributes):
        self.id = self.name = id
        self._models = models
        vars(self).update(attributes)
    def fetch_providers(self, client):
        if self._models is not None:
            return {self.id: ProviderConfig(self.id, self._models)}
        payload = client.get_json(client.options["url"])
        return {id: ProviderConfig(id, models) for id, models in payload.items()}
"""


@dataclass(frozen=True)
class Done:
    """What became of a command."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class Shell:
    """Runs commands with only the plugins that it installs, and keeps what they leave."""

    def __init__(self, folder: Path) -> None:
        self.site = folder / "site"
        self.project = folder / "project"
        self.home = folder / "home"
        self.store = folder / "store"
        for made in (self.site, self.project, self.home):
            made.mkdir(parents=True)
        self.plugins: list[str] = []
        inherited = filter(None, [os.environ.get("PYTHONPATH")])
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join([str(self.site), *inherited]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "REGISTRY_CORE_STORE_DIR": str(self.store),
            "REGISTRY_CORE_FETCH_RETRIES": "0",
            "REGISTRY_CORE_SHRINK_LIMIT": "0",
        }

    def install(
        self, name: str, code: str = "", *, entry: str | None = None, value: str | None = None
    ) -> Path:
        """A distribution with one plugin; its module, of the same name, follows the prelude."""
        module = name.replace("-", "_")
        write_distribution(
            self.site,
            name,
            entry_points={entry or name: value or module},
            modules={f"{module}.py": PRELUDE + dedent(code)},
        )
        self.plugins.append(name)
        return self.site / f"{module}.py"

    def options(self, tables: Mapping[str, str], more: str = "") -> None:
        """Write the project's pyproject.toml: entry point → the TOML lines of its options."""
        text = "".join(
            f"[tool.registry-core.plugin.{entry}]\n{lines}\n" for entry, lines in tables.items()
        )
        (self.project / "pyproject.toml").write_text(f"[tool.registry-core]\n{more}\n{text}")

    def run(self, *arguments: str, **variables: str) -> Done:
        """`registry-core ARGUMENTS`."""
        return self.python("-m", "registry_core", *arguments, **variables)

    def python(self, *arguments: str, **variables: str) -> Done:
        allowed = {"REGISTRY_CORE_PLUGINS": ",".join(self.plugins)}
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**allowed, **self.environ, **variables},
            cwd=self.project,
            capture_output=True,
            timeout=120,  # ends a test that hangs
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def by_provider(listed: str) -> dict[str, list[str]]:
    """What `list --json` printed, as provider id → bare ids."""
    found: dict[str, list[str]] = {}
    for model in json.loads(listed)["models"]:
        found.setdefault(model["provider_id"], []).append(model["id"])
    return found
