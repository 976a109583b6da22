"""Precision and recall of `registry-core check` beside llm-sunset and chowkidar, in one run.

    python benchmarks/check_corpus.py --peers VENV

VENV: an environment with both. The corpus, its labels and the catalog are those of the tests of
registry-check; each peer uses its own data. So only ids of models are counted that the peers
can know: no withheld, unknown or private ones, and no roles. Of what a tool finds in a file, each
text that is (part of) a planted id counts once; what is left over is a false alarm, if it is the
name of such a model.
"""

from __future__ import annotations

import argparse
import json
import runpy
import subprocess
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CORPUS = runpy.run_path(str(ROOT / "plugins/registry-check/tests/conftest.py"))
PRIVATE = ("acme/acme-large-1", "fast")
_SUNSET = ["-m", "llm_sunset", "scan", "--format", "json", "--no-fail", "--include-docs",
           "--include-hidden", "--provider", "all"]  # fmt: skip
_CHOWKIDAR = """
import json, sys
from chowkidar.scanner import scan_directory
print(json.dumps([[one["file"], one["model"]] for one in scan_directory(sys.argv[1]).all_models]))
"""
Found = dict[str, list[str]]


def ours(folder: Path) -> Found:
    from registry_check import check

    found = check([folder], registry=CORPUS["make_snapshot"](), today=CORPUS["TODAY"])
    return _by_file(((one.path, one.text) for one in found), folder)


def sunset(folder: Path, python: Path) -> Found:
    said = json.loads(_run(python, *_SUNSET, str(folder)))["findings"]
    return _by_file(((one["path"], one["match"]) for one in said), folder)


def chowkidar(folder: Path, python: Path) -> Found:
    return _by_file(json.loads(_run(python, "-c", _CHOWKIDAR, str(folder))), folder)


def _run(*command: object) -> str:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout


def _by_file(pairs: Any, folder: Path) -> Found:
    found: Found = defaultdict(list)
    for path, text in pairs:
        found[str(Path(path).resolve().relative_to(folder))].append(text)
    return found


def count(kinds: dict[str, Any], found: Found, dead: set[str]) -> dict[str, Counter[str]]:
    """Kind → how many were found, missed, and false."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for path, case in kinds.items():
        planted = [text for _, _, text, level in case.marked if _is_public(text, level)]
        other = [text for _, _, text, level in case.marked if level != "no"]
        counts[case.kind]["planted"] += len(planted)
        for text in sorted(found.get(path, ()), key=len, reverse=True):
            if hit := next((one for one in planted if text in one), None):
                planted.remove(hit)
                counts[case.kind]["found"] += 1
            elif text in dead or (
                any(one in text for one in dead) and not any(text in one for one in other)
            ):
                counts[case.kind]["false"] += 1
    return counts


def _is_public(text: str, level: str) -> bool:
    return level in ("retired", "retiring", "deprecated") and text not in PRIVATE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, required=True, help="an environment with both")
    python = parser.parse_args().peers / "bin" / "python"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        kinds = {}
        for case in CORPUS["cases"]():
            if case.kind != "ignored":  # each tool has a comment of its own
                path = folder / case.kind / case.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(case.text, "utf-8")
                kinds[f"{case.kind}/{case.path}"] = case
        marked = [one for case in kinds.values() for one in case.marked]
        dead = {text for _, _, text, level in marked if _is_public(text, level)}
        tools = {
            "registry-check": ours(folder),
            "llm-sunset": sunset(folder, python),
            "chowkidar": chowkidar(folder, python),
        }
        tables = {tool: count(kinds, found, dead) for tool, found in tools.items()}
    print("| kind | planted | " + " | ".join(f"{one}: found, false" for one in tables) + " |")
    print("| --- " * (2 + len(tables)) + "|")
    for kind in dict.fromkeys(case.kind for case in kinds.values()):
        cells = [f"{one[kind]['found']}, {one[kind]['false']}" for one in tables.values()]
        print(f"| {kind} | {tables['registry-check'][kind]['planted']} | {' | '.join(cells)} |")
    for tool, table in tables.items():
        total: Counter[str] = sum(table.values(), Counter())
        hits, false = total["found"], total["false"]
        print(
            f"\n{tool}: precision {hits / max(hits + false, 1):.3f}, "
            f"recall {hits / total['planted']:.3f}"
        )


if __name__ == "__main__":
    main()
