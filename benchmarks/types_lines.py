"""Ordinary lines of users' code, with the generated types, and with `str` instead.

For benchmarks.types_cost, and for the test that no line makes a type checker hang.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from tests.nodetools import TYPESCRIPTS, cache_folder, node_package

PY_CHECKERS = ("basedpyright", "pyright", "mypy", "ty", "pyrefly")

#: `{T}`: the type; `{x}`: a literal of it; `{v}`: a value of it; `{a}`: of its function's first
#: parameter; `{decorator}`: with its newline.
PY_LINES = {
    "a == b": """\
{decorator}def f(a: {T}, b: {T}) -> bool:
    return a == b
f({a}, {v})
""",
    'a != "x"': """\
{decorator}def f(a: {T}) -> bool:
    return a != {x}
f({a})
""",
    "b or a": """\
{decorator}def f(a: {T}, b: {T} | None) -> {T}:
    return b or a
f({a}, {v})
""",
    "if b is None: b = a": """\
{decorator}def f(a: {T}, b: {T} | None) -> {T}:
    if b is None:
        b = a
    return b
f({a}, None)
""",
    "x if c else y": """\
{decorator}def f(a: {T}, b: {T}, c: bool) -> {T}:
    d = a if c else b
    return d
f({a}, {v}, True)
""",
    "a in (b, c)": """\
{decorator}def f(a: {T}, b: {T}, c: {T}) -> bool:
    return a in (b, c)
f({a}, {v}, {v})
""",
    "dict[T, int] lookup": """\
{decorator}def f(a: {T}, d: dict[{T}, int]) -> int:
    return d.get(a) or d[a]
f({a}, {{{v}: 1}})
""",
    "list[T] append, +": """\
{decorator}def f(a: {T}, d: list[{T}], e: list[{T}]) -> list[{T}]:
    d.append(a)
    return d + e
f({a}, [{v}], [])
""",
    "default argument": """\
def f(a: {T} = {v}, b: {T} | None = None) -> {T}:
    return a
f({v})
""",
    "dataclass field": """\
import dataclasses
@dataclasses.dataclass
class C:
    a: {T} = {v}
    b: {T} | None = None
def f(c: C) -> {T}:
    return c.b or c.a
f(C(a={v}))
""",
    "pydantic field": """\
import pydantic
class C(pydantic.BaseModel):
    a: {T} = {v}
    b: {T} | None = None
def f(c: C) -> {T}:
    return c.b or c.a
f(C(a={v}))
""",
    "match": """\
{decorator}def f(a: {T}) -> int:
    match a:
        case {x}:
            return 1
        case _:
            return 2
f({a})
""",
    "f-string": """\
{decorator}def f(a: {T}) -> str:
    return f"{{a}}!"
f({a})
""",
    "two branches": """\
{decorator}def f(a: {T}, b: {T}, c: bool) -> {T}:
    if c:
        return a
    return b
f({a}, {v}, True)
""",
}


def _in_one_file(lines: Iterable[str]) -> str:
    """All lines, each with its own names, after their imports."""
    bodies = [
        re.sub(r"\b([fC])(?=[(:)])", rf"\g<1>{number}", line) for number, line in enumerate(lines)
    ]
    split = [line for body in bodies for line in body.splitlines(keepends=True)]
    imports = [line for line in split if line.startswith("import ")]
    return "".join([*imports, *(line for line in split if line not in imports)])


PY_LINES["all of these, in one file"] = _in_one_file(PY_LINES.values())
TS_LINES = {
    "a === b": "export const f = (a: {T}, b: {T}) => a === b;\n",
    'a !== "x"': "export const f = (a: {T}) => a !== {x};\n",
    "b ?? a": "export const f = (a: {T}, b?: {T}): {T} => b ?? a;\n",
    "if (!b) b = a": (
        "export function f(a: {T}, b?: {T}): {T} {{\n  if (!b) b = a;\n  return b;\n}}\n"
    ),
    "c ? x : y": "export const f = (a: {T}, b: {T}, c: boolean): {T} => (c ? a : b);\n",
    "[b, c].includes(a)": ("export const f = (a: {T}, b: {T}, c: {T}) => [b, c].includes(a);\n"),
    "Map<T, number> lookup": "export const f = (a: {T}, d: Map<{T}, number>) => d.get(a);\n",
    "T[] push, concat": (
        "export function f(a: {T}, d: {T}[], e: {T}[]): {T}[] {{\n"
        "  d.push(a);\n  return d.concat(e);\n}}\n"
    ),
    "default argument": "export const f = (a: {T} = {x}): {T} => a;\n",
    "field of a class": (
        "export class C {{\n  a: {T} = {x};\n  b?: {T};\n  get(): {T} {{\n"
        "    return this.b ?? this.a;\n  }}\n}}\n"
    ),
    "switch": (
        "export function f(a: {T}): number {{\n  switch (a) {{\n    case {x}:\n"
        "      return 1;\n    default:\n      return 2;\n  }}\n}}\n"
    ),
    "template string": "export const f = (a: {T}) => `${{a}}!`;\n",
    "two branches": (
        "export function f(a: {T}, b: {T}, c: boolean): {T} {{\n"
        "  if (c) return a;\n  return b;\n}}\n"
    ),
}
#: With ten times the ids only these are measured: the dearest in each language, and one that
#: compares nothing.
TENFOLD = ("a == b", "a in (b, c)", "f-string", "a === b", "if (!b) b = a", "template string")
TS_MODULE = "./provider-types.generated"


@dataclass(frozen=True)
class Use:
    """How a user writes the lines, and with which types."""

    form: str
    size: int
    stub: str
    """The text of the file of types."""
    type: str
    id: str
    """An id that the type names."""
    through: str | None = None
    """The function that makes the values."""
    decorated: bool = False
    """Whether functions have the decorator `takes_model_id`."""

    @property
    def python(self) -> bool:
        return self.type not in ("string", "ModelRouterModelId")

    def code(self, line: str) -> str:
        literal = f'"{self.id}"'
        decorator = "takes_model_id" if self.decorated else None
        value = f"{self.through}({literal})" if self.through else literal
        body = (PY_LINES if self.python else TS_LINES)[line].format(
            T=self.type,
            x=literal,
            v=value,
            a=literal if decorator else value,
            decorator=f"@{decorator}\n" if decorator else "",
        )
        if self.type in ("str", "string"):
            return body
        names = ", ".join(name for name in (self.type, self.through, decorator) if name)
        if self.python:
            return f"from registry_core_types import {names}\n{body}"
        return f'import type {{ {names} }} from "{TS_MODULE}";\n{body}'

    def write(self, folder: Path, line: str) -> Path:
        """Write the files to `folder`. Returns the user's file."""
        types = "typings/registry_core_types.pyi" if self.python else f"{TS_MODULE}.d.ts"
        (folder / types).parent.mkdir(parents=True, exist_ok=True)
        (folder / types).write_text(self.stub, encoding="utf-8")
        file = folder / ("user.py" if self.python else "user.ts")
        file.write_text(self.code(line), encoding="utf-8")
        return file


def check_command(checker: str, file: Path) -> list[str | Path]:
    """The command for a file beside a folder `typings`. The settings are as strict as possible
    without complaints that have nothing to do with types. mypy uses no cache."""
    run: list[str | Path] = [sys.executable, "-m", checker]
    match checker:
        case "mypy":
            return [*run, "--strict", "--cache-dir", os.devnull, file]
        case "ty":
            program = Path(sys.executable).with_name("ty")
            python = ["--python", Path(sys.prefix)]
            return [program, "check", *python, "--extra-search-path", "typings", file]
        case "pyrefly":
            python = ["--python-interpreter-path", Path(sys.executable)]
            return [*run, "check", "--search-path", "typings", "--preset", "strict", *python, file]
        case _:
            return [*run, "--level", "error", "--pythonpath", sys.executable, file]


def tsc_commands(file: Path) -> dict[str, list[str | Path]]:
    flags = ["--strict", "--noEmit", "--target", "es2022", "--module", "esnext"]
    flags += ["--moduleResolution", "bundler"]
    return {
        f"tsc {version[0]}": [
            "node",
            node_package("typescript", version) / "bin" / "tsc",
            *flags,
            file,
        ]
        for version in TYPESCRIPTS
    }


def run_check(command: Sequence[str | Path], folder: Path) -> tuple[float, str]:
    """Processor seconds, and the tool's complaint, which is empty if there is none."""
    environ = {
        **os.environ,
        "MYPYPATH": str(folder / "typings"),
        "PYRIGHT_PYTHON_CACHE_DIR": str(cache_folder() / "pyright"),
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    completed = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, f"{completed.stdout}{completed.stderr}" if completed.returncode else ""


def measure_lines(root: Path, uses: Sequence[Use], rounds: int) -> Iterator[dict[str, object]]:
    """Seconds of the processors for each tool, line and use; the least of the rounds, or None for
    a crash. Uses with
    `str` (`string`) and their likes of one line are measured one after the other."""
    for python in (True, False):
        group = [use for use in uses if use.python is python]
        for line in PY_LINES if python else TS_LINES:
            taken: dict[tuple[str, Use], list[float]] = {}
            for _ in range(rounds):
                for number, use in enumerate(group):
                    if use.size > 1 and line not in TENFOLD:
                        continue
                    folder = root / "lines" / f"{number}"
                    file = use.write(folder, line)
                    for tool, command in check_commands(use, file).items():
                        seconds, wrong = run_check(command, folder)
                        if wrong and "internal error" not in wrong:
                            raise SystemExit(f"{tool}: {use.code(line)}\n{wrong[:3000]}")
                        taken.setdefault((tool, use), []).append(inf if wrong else seconds)
            for (tool, use), times in taken.items():
                key = {"tool": tool, "form": use.form, "size": use.size, "type": use.type}
                cpu = min(times)
                yield {**key, "line": line, "cpu_s": None if cpu == inf else cpu}
            print(f"lines: {line}", file=sys.stderr)
        shutil.rmtree(root / "lines")


def check_commands(use: Use, file: Path) -> Mapping[str, list[str | Path]]:
    if use.python:
        return {checker: check_command(checker, file) for checker in PY_CHECKERS}
    return tsc_commands(file)
