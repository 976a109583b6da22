"""What the page and the README show of choosing a model is what comes of it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from registry_core import ModelInfo
from registry_core._catalog.bundle import Bundle

ROOT = Path(__file__).parents[2]
SHOWN = [
    code
    for page in ("docs/choosing.md", "README.md")
    for code in re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.S | re.M)
    if re.search(r"^(find_models|suggest|estimate_cost)\(", code, re.M)
]


def run(code: str, folder: Path, **environ: str) -> str:
    """What a new process prints, on the bundled data and with these keys alone."""
    environ |= {"PATH": os.environ["PATH"], "HOME": str(folder)}
    environ["REGISTRY_CORE_STORE_DIR"] = str(folder / "store")
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environ,
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()


def cheapest(*keys: str) -> ModelInfo:
    """Read from all records, without `find_models`."""
    providers = Bundle.of_wheel().load().get_providers().values()
    fit = [
        (model.cost.input, model.full_id, model)
        for provider in providers
        if {*keys} & {*provider.api_key_env_vars} and not provider.unroutable
        for model in provider.models.values()
        if model.tool_call
        and model.accepts("image")
        and (model.limit.context or 0) >= 200_000
        and model.cost
        and model.cost.input is not None
        and model.status != "deprecated"
    ]
    return min(fit)[2]


@pytest.mark.parametrize("code", [one for one in SHOWN if "find_models(" in one])
@pytest.mark.parametrize(
    "keys",
    [("OPENAI_API_KEY",), ("ANTHROPIC_API_KEY",), ("GEMINI_API_KEY", "MISTRAL_API_KEY")],
    ids=str,
)
def test_the_cheapest_model_with_tools_vision_and_200k_that_there_is_a_key_for(
    code: str, keys: tuple[str, ...], tmp_path: Path
) -> None:
    call = next(line for line in code.splitlines() if line.startswith("find_models("))
    start = code[: code.index(call)]
    keyed = dict.fromkeys(keys, "sk-0123456789")
    told = run(f"{start}print(*[one.full_id for one in {call}])", tmp_path, **keyed)
    assert told == cheapest(*keys).full_id
    assert run(f"{start}print({call})", tmp_path) == "()"


def test_the_readme_shows_the_call_of_the_page() -> None:
    calls = {
        line for code in SHOWN for line in code.splitlines() if line.startswith("find_models(")
    }
    assert len(calls) == 1


@pytest.mark.parametrize("code", SHOWN)
def test_what_is_called_gives_what_the_comment_says(code: str, tmp_path: Path) -> None:
    shown = [line.split("  #") for line in code.splitlines() if "  #" in line]
    printed = "".join(f"print({call.strip()})\n" for call, _ in shown)
    imports = "".join(f"{ast.unparse(one)}\n" for one in ast.parse(code).body[:1])
    wanted = [comment.split(",")[0].strip() for _, comment in shown]
    assert run(imports + printed, tmp_path).splitlines() == wanted
