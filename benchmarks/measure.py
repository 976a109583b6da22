"""Rounds, ratios and tables.

The machine is never quiet, so nothing is compared across runs or even across minutes: each
round runs every case once, and a ratio is taken within its round.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Spread:
    """Of some figures: the one in the middle, the least, the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1])

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.least)}–{_short(self.most)})"


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


Seconds = dict[str, list[float]]
"""Case → what it took in each round."""


def rounds(cases: Mapping[str, Callable[[], float]], count: int) -> Seconds:
    """Run each case once per round; the first round only warms up."""
    taken: Seconds = {name: [] for name in cases}
    for number in range(count + 1):
        for name, run in cases.items():
            seconds = run()
            if number:
                taken[name].append(seconds)
    return taken


def ratios(taken: Seconds, name: str, base: str) -> Spread:
    pairs = zip(taken[name], taken[base], strict=True)
    return Spread.of(one / other for one, other in pairs)


def milliseconds(taken: Seconds, name: str) -> str:
    return _short(statistics.median(taken[name]) * 1000)


def process(argv: Sequence[str | Path], environ: Mapping[str, str]) -> float:
    """Seconds from the start of a process to its end; it must succeed."""
    texts = [os.fspath(one) for one in argv]
    if not hasattr(os, "posix_spawn"):
        began = time.perf_counter()
        subprocess.run(texts, env=environ, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    program = shutil.which(texts[0]) or texts[0]
    began = time.perf_counter()
    child = os.posix_spawn(program, texts, environ, file_actions=silent)
    _, status = os.waitpid(child, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"failed: {' '.join(texts)}")
    return seconds


class Worker:
    """A process that answers each line with a line of JSON."""

    def __init__(
        self, argv: Sequence[str | Path], environ: Mapping[str, str], cwd: Path | None = None
    ) -> None:
        texts = [os.fspath(one) for one in argv]
        self._process = subprocess.Popen(
            texts, env=environ, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self.hear()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self._process.args!r} ended")
        return json.loads(line)

    def seconds(self, line: str) -> float:
        return float(self.ask(line)["ms"]) / 1000

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Table:
    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[object]]
    about: str = ""

    def __str__(self) -> str:
        lines = [self.heading, ["---"] * len(self.heading), *self.rows]
        table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
        return "\n\n".join(part for part in (f"### {self.title}", self.about, table) if part)


def within(value: float, limit: float) -> str:
    """A limit, and whether it is kept."""
    return f"≤ {limit:g} {'✓' if value <= limit else '✗'}"
