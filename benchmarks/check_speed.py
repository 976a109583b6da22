"""Time and memory of `registry-core check` on a folder, beside llm-sunset and grep.

    python benchmarks/check_speed.py FOLDER --peers VENV

VENV: an environment with llm-sunset. Each round runs each once; ratios are taken within rounds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROUNDS = 5
Run = tuple[float, float, float]


def measure(command: list[str], folder: Path) -> Run:
    """Seconds, seconds of CPU, MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) > 1:  # 1: grep has found nothing
        raise SystemExit(f"{' '.join(command)}: failed")
    cpu = used.ru_utime + used.ru_stime
    return time.perf_counter() - start, cpu, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peers", type=Path, required=True, help="an environment with llm-sunset")
    given = parser.parse_args()
    ours = Path(sys.executable).parent / "registry-core"
    commands = {
        "registry-check": [str(ours), "check", "--fail-on", "never"],
        "llm-sunset": [str(given.peers / "bin/llm-sunset"), "--format", "json", "--no-fail"],
        "grep": ["grep", "-r", "opossum", "."],
    }
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            runs[name].append(measure(command, given.folder))
    print("| | s | s of CPU | MiB | ours: s, × | ours: CPU, × |\n|---|---|---|---|---|---|")
    for name, found in runs.items():
        seconds, cpu, memory = (median(column) for column in zip(*found, strict=True))
        pairs = [*zip(runs["registry-check"], found, strict=True)]
        times, cpus = (median(a[at] / b[at] for a, b in pairs) for at in (0, 1))
        print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {memory:.0f} | {times:.2f} | {cpus:.2f} |")


if __name__ == "__main__":
    main()
