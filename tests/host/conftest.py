"""Real distributions in a temporary site folder, and a host that looks there only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from registry_core._base.secrets import Secrets
from registry_core._catalog.snapshot import Snapshot
from registry_core._plugins.host import PluginHost
from registry_core.models import ProviderConfig
from registry_core.settings import Settings
from registry_core.testing import write_distribution

PRELUDE = """\
from registry_core import Artifact, ModelGateway, ProviderConfig, Snapshot, hookimpl

class Gateway(ModelGateway):
    def __init__(self, id, name="A gateway"):
        self.id, self.name = id, name
    def fetch_providers(self, client):
        return {}

def with_provider(snapshot, id):
    return Snapshot.build({**snapshot.get_providers(), id: ProviderConfig(id, ["model"])})
"""


class Site:
    """A folder on `sys.path` that distributions can be installed in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self,
        name: str,
        code: str = "",
        *,
        entry: str | None = None,
        version: str = "1.0",
        value: str | None = None,
        modules: Mapping[str, str] | None = None,
        entry_points: Mapping[str, str] | None = None,
    ) -> str:
        """A plugin whose module `code` follows a prelude of useful names; returns the module."""
        module = name.replace("-", "_").lower()
        if modules is None:
            modules = {f"{module}.py": PRELUDE + dedent(code)}
        if entry_points is None:
            entry_points = {entry or name: value or module}
        write_distribution(self.folder, name, version, entry_points=entry_points, modules=modules)
        return module

    def rewrite(self, module: str, code: str) -> None:
        self.install_file(f"{module}.py", PRELUDE + dedent(code))

    def install_file(self, path: str, text: str) -> None:
        write_distribution(self.folder, "loose-files", modules={path: text}, group="nobody")

    def loaded(self, module: str) -> bool:
        return module in sys.modules


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a module may change within a second
    before = set(sys.modules)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


MakeHost = Callable[..., PluginHost]


@pytest.fixture
def make_host(site: Site) -> MakeHost:
    def make(settings: Settings | None = None, **more: Any) -> PluginHost:
        options = {"environ": {}, "secrets": Secrets(), "path": [str(site.folder)], "builtins": ()}
        return PluginHost(settings or Settings(), **{**options, **more})

    return make


@pytest.fixture
def snapshot() -> Snapshot:
    return Snapshot.build([ProviderConfig("openai", ["gpt"])])
