"""Compare `estimate_cost` with genai-prices and LiteLLM, on some hundred (model, usage) pairs.

    python benchmarks/costs.py [--cache FOLDER] [--all]

Each difference is one of: their data says another price (our arithmetic, with their prices,
gives their answer); we don't know a price for which they take another's; or their arithmetic is
another. Environments are those of run.py. With --all every difference is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections import Counter
from math import isclose
from pathlib import Path
from typing import Any

from environments import PEERS, Environments

from registry_core import Cost, ModelInfo, estimate_cost
from registry_core._base.costs import COUNTED, cost_of
from registry_core._catalog.bundle import Bundle

HERE = Path(__file__).resolve().parent

#: Provider → its id at genai-prices, and what LiteLLM writes before its models.
PROVIDERS = {
    "anthropic": ("anthropic", ""),
    "deepseek": ("deepseek", "deepseek/"),
    "google": ("google", "gemini/"),
    "groq": ("groq", "groq/"),
    "mistral": ("mistral", "mistral/"),
    "moonshotai": ("moonshotai", "moonshot/"),
    "openai": ("openai", ""),
    "perplexity": ("perplexity", "perplexity/"),
    "xai": ("x-ai", "xai/"),
    "zai": ("zai", "zai/"),
}
USAGES: dict[str, dict[str, int]] = {
    "plain": {"input": 1_000, "output": 500},
    "cache read": {"input": 2_000, "cache_read": 8_000, "output": 500},
    "cache written": {"input": 2_000, "cache_write": 8_000, "output": 500},
    "reasoning": {"input": 1_000, "output": 500, "reasoning": 1_500},
    "sound": {"input": 1_000, "input_audio": 1_000, "output": 500},
    "at 200k": {"input": 200_000, "output": 500},
    "300k": {"input": 300_000, "output": 500},
    "300k, cache read": {"input": 20_000, "cache_read": 280_000, "output": 500},
    "300k, cache written": {"input": 20_000, "cache_write": 280_000, "output": 500},
}


def answers(python: Path, script: str, questions: list[Any]) -> list[Any]:
    done = subprocess.run(
        [python, HERE / "inside" / script],
        input=json.dumps(questions),
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def same(one: float | None, other: float | None) -> bool:
    return (
        one is not None and other is not None and isclose(one, other, rel_tol=1e-6, abs_tol=1e-12)
    )


def judged(ours: float | None, theirs: float, prices: dict[str, Any], counts: Any) -> str:
    if same(ours, theirs):
        return "the same"
    with_theirs = cost_of(Cost(**prices), counts)
    if with_theirs is None:
        return "a price is unknown to both, they assume one"
    if not same(with_theirs, theirs):
        return "another arithmetic"
    return "a price is unknown to us" if ours is None else "another price in the data"


def pairs() -> list[tuple[ModelInfo, str, dict[str, int]]]:
    bundle = Bundle.of_wheel().load().get_providers()
    models = [model for id in PROVIDERS for model in bundle[id].models.values() if model.cost]
    full = {name: dict.fromkeys(COUNTED, 0) | counts for name, counts in USAGES.items()}
    return [(model, name, counts) for model in models for name, counts in full.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="print every difference")
    parser.add_argument(
        "--cache",
        type=Path,
        default=os.environ.get(
            "REGISTRY_CORE_BENCHMARKS", Path(tempfile.gettempdir()) / "registry-core-benchmarks"
        ),
    )
    options = parser.parse_args()
    environments = Environments(Path(options.cache).resolve())
    found = {peer.name: environments.peer(peer) for peer in PEERS if peer.name in SCRIPTS}
    peers = {name: python for name, python in found.items() if python is not None}
    for name, (script, column) in SCRIPTS.items():
        asked = pairs()
        questions = [
            (
                PROVIDERS[model.provider_id][0],
                PROVIDERS[model.provider_id][1] * column + model.id,
                counts,
            )
            for model, _, counts in asked
        ]
        counted: Counter[str] = Counter()
        found = answers(peers[name], script, questions)
        for (model, usage, counts), answer in zip(asked, found, strict=True):
            if answer is None:
                continue
            ours = estimate_cost(model, **counts)
            verdict = judged(ours, *answer, counts)
            counted[verdict] += 1
            if verdict != "the same" and (options.all or verdict == "another arithmetic"):
                print(
                    f"{name}: {model.full_id}, {usage}: {ours} here, {answer[0]} there: {verdict}"
                )
        print(f"{name}: {counted.total()} pairs of a model that both know")
        for verdict, count in counted.most_common():
            print(f"  {count:5} {verdict}")


#: Peer → its script, and whether its ids of models hold the provider.
SCRIPTS = {"genai-prices": ("costs_genai.py", 0), "litellm": ("costs_litellm.py", 1)}


if __name__ == "__main__":
    main()
