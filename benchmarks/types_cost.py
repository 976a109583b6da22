"""Measures the cost of the generated types, beside the obvious single union of all ids.

    python -m benchmarks.types_cost [--rounds 5]

It runs the real type checkers and language servers on the types of the bundled registry, of a
registry with ten times as many models of each provider, and of three providers in each. It also
runs them on ordinary lines of code (benchmarks.types_lines). It writes and prints the page
docs/types-cost.md, and stores every figure in benchmarks/results/types.json. It needs node,
pydantic and a system with /proc, and takes about half an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from attrs import evolve

from benchmarks.types_lines import PY_CHECKERS, Use, check_command, measure_lines, tsc_commands
from benchmarks.types_table import page
from registry_core import ProviderConfig, Snapshot
from registry_core._base.secrets import Secrets
from registry_core._catalog.bundle import Bundle
from registry_core._writers import python_types, typescript
from registry_core._writers.mastra import callable_providers
from registry_core.plugin import PluginSettings
from tests.ide.lsp import LanguageServer, Server, TsServer, until
from tests.nodetools import TYPESCRIPTS, cache_folder, node_package

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "types.json"
PAGE = ROOT / "docs" / "types-cost.md"

SCOPE = ("anthropic", "google", "openai")
#: For the ordinary lines: under 100 ids.
TWO = ("google", "openai")
SIZES = (1, 10)
SINGLE, DERIVED, EMITTED, SCOPED = "single union", "derived", "emitted", "three providers"
EMPTY = "empty"
#: Completions before those that count (a server compiles what it runs often), and those; at
#: least five, however long they take.
WARMING, KEYSTROKES, PATIENCE_MS = 5, 20, 10_000
#: basedpyright leaves longer literals out of its completions.
LONGEST = 50

PY_NAME, TS_NAME = "registry_core_types.pyi", "provider-types.generated.d.ts"
#: What a user writes: what he uses → the import, and what comes before the call.
PY_ASK = "\n\ndef ask(model: %s) -> None: ...\n"
PY_IMPORT = "from registry_core_types import %s"
PY_USES = {
    "ModelId": PY_IMPORT % "ModelId" + PY_ASK % "ModelId",
    "KnownModelId": PY_IMPORT % "KnownModelId" + PY_ASK % "KnownModelId",
    "model_id": PY_IMPORT % "model_id as ask" + "\n",
    "Model_openai": PY_IMPORT % "Model_openai" + PY_ASK % "Model_openai",
    EMPTY: PY_ASK % "str",
}
#: The uses of each form that are measured; of the others, all.
PY_USES_OF = {SINGLE: ("ModelId", "KnownModelId"), EMITTED: ("model_id", "Model_openai")}
TS_IMPORT = 'import type { %s } from "./provider-types.generated";'
TS_USES = {
    "ModelRouterModelId": (TS_IMPORT % "ModelRouterModelId", "ModelRouterModelId"),
    "ModelForProvider": (TS_IMPORT % "ModelForProvider", 'ModelForProvider<"openai">'),
    EMPTY: ("", "string"),
}
COMPLETED = ("ModelId", "model_id", "Model_openai", "ModelRouterModelId", "ModelForProvider")


@dataclass(frozen=True)
class Case:
    """One file of types, and one file of a user."""

    language: str
    form: str
    size: int
    use: str
    folder: Path
    ids: tuple[str, ...]
    """The ids that a completion should offer."""

    @property
    def user(self) -> Path:
        suffix = "py" if self.language == "python" else "ts"
        return self.folder / f"{self.use.lower()}_user.{suffix}"

    @property
    def key(self) -> dict[str, object]:
        return {"form": self.form, "size": self.size, "use": self.use}


def registries() -> dict[int, Snapshot]:
    today = Bundle.of_wheel().load()
    providers = today.get_providers().values()

    def times(provider: ProviderConfig, size: int) -> ProviderConfig:
        ids = [f"{id}-{n}" if n else id for id in provider.models for n in range(size)]
        return evolve(provider, models=ids)

    return {size: Snapshot.build(times(provider, size) for provider in providers) for size in SIZES}


def forms(snapshot: Snapshot) -> Iterator[tuple[str, str, str, Mapping[str, tuple[str, ...]]]]:
    """Language, form, text of the file of types, and its models."""
    everything = snapshot.get_models()
    for_typescript = {provider.id: ids for provider, ids in callable_providers(snapshot)}
    for language, models in (("python", everything), ("typescript", for_typescript)):
        yield language, SINGLE, single(language, full_ids(models)), models
        text = emitted(language, snapshot, None)
        yield language, EMITTED, text, models
        if language == "typescript":
            yield language, DERIVED, derived(text), models
        scoped = {id: models[id] for id in SCOPE}
        yield language, SCOPED, emitted(language, snapshot, SCOPE), scoped


def single(language: str, ids: tuple[str, ...]) -> str:
    """The types that somebody would write by hand."""
    literals = [json.dumps(id) for id in ids]
    if language == "python":
        known = "".join(f"    {literal},\n" for literal in literals)
        return (
            f"import typing as t\n\nKnownModelId: t.TypeAlias = t.Literal[\n{known}]\n"
            "ModelId: t.TypeAlias = KnownModelId | str\n"
        )
    union = "".join(f"  | {literal}\n" for literal in literals)
    return f"export type ModelRouterModelId =\n{union}  | (string & {{}});\n"


def derived(text: str) -> str:
    """The emitted table, with full ids that the compiler makes from it."""
    table, known, _ = text.partition("export type ModelRouterModelId =\n")
    full = "{ [P in Provider]: `${P}/${ProviderModelsMap[P][number]}` }[Provider]"
    return f"{table}{known}  | {full}\n  | (string & {{}});\n"


def emitted(language: str, snapshot: Snapshot, scope: tuple[str, ...] | None) -> str:
    emitter = python_types if language == "python" else typescript
    view = PluginSettings(types_providers=scope, environ={}, secrets=Secrets())
    (artifact,) = emitter.registry_emit(snapshot, view)
    return str(artifact.text)


def full_ids(models: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(f"{id}/{model}" for id, ids in models.items() for model in ids)


def user_file(case: Case, text: str = "") -> str:
    if case.language == "python":
        return f'{PY_USES[case.use]}\nask("{text}")\n'
    imported, name = TS_USES[case.use]
    return f'{imported}\nexport function ask(model: {name}): void {{}}\nask("{text}");\n'


def cases(root: Path) -> list[Case]:
    all_cases = []
    for size, snapshot in registries().items():
        for language, form, text, models in forms(snapshot):
            folder = root / language / f"{form}-{size}"
            python = language == "python"
            place = folder / "typings" / PY_NAME if python else folder / TS_NAME
            place.parent.mkdir(parents=True)
            place.write_text(text, encoding="utf-8")
            for use in PY_USES_OF.get(form, PY_USES) if python else TS_USES:
                bare = use in ("Model_openai", "ModelForProvider")
                if (use == EMPTY and (form, size) != (SCOPED, 1)) or (
                    bare and form in (SINGLE, DERIVED)
                ):
                    continue
                ids = models["openai"] if bare else full_ids(models)
                all_cases.append(Case(language, form, size, use, folder, ids))
                # A known id, so that the file has no error.
                all_cases[-1].user.write_text(user_file(all_cases[-1], ids[0]), encoding="utf-8")
    return all_cases


def line_uses() -> list[Use]:
    """The lines with `str`, and with the types in each form and size."""
    uses = [Use("str", 0, "", "str", "a"), Use("str", 0, "", "string", "a")]
    for size, snapshot in registries().items():
        models = snapshot.get_models()
        everything, scoped = (emitted("python", snapshot, scope) for scope in (None, TWO))
        few = everything.partition("KnownModelId_0: ")[2].split('"')[1]
        last = list(models)[-1]
        dear = f"{last}/{models[last][-1]}"  # it is in the last of the signatures
        model = f"{TWO[0]}/{models[TWO[0]][0]}"
        uses += [
            Use("as installed", size, everything, "ModelId", few),
            Use("scope of two", size, scoped, "ModelId", model),
            Use("`model_id`", size, everything, "ModelId", dear, "model_id"),
            Use("with `@takes_model_id`", size, everything, "ModelId", dear, "model_id", True),
        ]
        if size == 1:  # there are no more providers in the larger one
            uses.append(Use("as installed", size, everything, "ProviderId", "openai"))
        for form, scope in (("all ids", None), ("scope of two", TWO)):
            text = emitted("typescript", snapshot, scope)
            uses.append(Use(form, size, text, "ModelRouterModelId", model))
    return uses


# Checks from the command line.


def checkers(case: Case) -> dict[str, list[str | Path]]:
    if case.language == "python":
        run: list[str | Path] = [sys.executable, "-m"]
        caches = case.folder / "caches" / case.use
        mypy = [*run, "mypy", "--strict", "--cache-dir", caches, case.user]
        basedpyright = check_command("basedpyright", case.user)
        return {"basedpyright": basedpyright, "mypy, cold": mypy, "mypy, warm": mypy}
    return tsc_commands(case.user)


def check(tool: str, case: Case, command: list[str | Path]) -> tuple[float, float]:
    """Processor seconds, and seconds on the clock. Other processes hardly affect the first."""
    if tool == "mypy, cold":
        shutil.rmtree(case.folder / "caches" / case.use, ignore_errors=True)
    environ = {**os.environ, "MYPYPATH": str(case.folder / "typings")}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    completed = subprocess.run(
        command, cwd=case.folder, env=environ, capture_output=True, text=True, check=False
    )
    clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if completed.returncode:
        raise SystemExit(f"{tool} on {case}: {completed.stdout[:2000]}{completed.stderr[:2000]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock


def measure_checks(all_cases: list[Case], rounds: int) -> list[dict[str, object]]:
    """Every case once in each round, beside the empty file of the same tool and round."""
    runs = [(tool, case, command) for case in all_cases for tool, command in checkers(case).items()]
    runs.sort(key=lambda run: run[0])  # all of one tool within a short time
    taken: dict[tuple[str, Case], list[tuple[float, float]]] = {}
    for number in range(rounds + 1):
        for tool, case, command in runs:
            seconds = check(tool, case, command)
            if number:  # the first round warms the disk
                taken.setdefault((tool, case), []).append(seconds)
        print(f"checks: round {number} of {rounds}", file=sys.stderr)
    empty = {tool: times for (tool, case), times in taken.items() if case.use == EMPTY}
    return [
        {
            "tool": tool,
            **case.key,
            "cpu_s": [cpu for cpu, _ in times],
            "clock_s": [clock for _, clock in times],
            "ratios": [run[0] / base[0] for run, base in zip(times, empty[tool], strict=True)],
        }
        for (tool, case), times in taken.items()
    ]


def mypys_message(case: Case) -> dict[str, object]:
    """The bytes of mypy's message about one wrong id."""
    wrong = case.folder / "wrong.py"
    wrong.write_text(user_file(case, "openai/gtp-4o"), encoding="utf-8")
    environ = {**os.environ, "MYPYPATH": str(case.folder / "typings")}
    command: list[str | Path] = [sys.executable, "-m", "mypy"]
    command += ["--cache-dir", case.folder / "caches", wrong]
    completed = subprocess.run(
        command, cwd=case.folder, env=environ, capture_output=True, check=False
    )
    assert completed.returncode == 1, completed
    return {**case.key, "bytes": len(completed.stdout)}


# Completions in the editor.


def servers(case: Case) -> dict[str, Callable[[], Server]]:
    folder = case.folder
    if case.language == "python":
        program = Path(sys.executable).with_name("basedpyright-langserver")
        settings = {"python": {"pythonPath": sys.executable}}
        return {"basedpyright": lambda: LanguageServer([program, "--stdio"], folder, settings)}
    old, new = (node_package("typescript", version) for version in TYPESCRIPTS)
    tsserver: list[str | Path] = ["node", old / "lib" / "tsserver.js"]
    native: list[str | Path] = ["node", new / "bin" / "tsc", "--lsp", "--stdio"]
    (folder / "tsconfig.json").write_text('{"compilerOptions": {"strict": true, "noEmit": true}}')
    return {
        "tsserver 5": lambda: TsServer([*tsserver, "--disableAutomaticTypingAcquisition"], folder),
        "TypeScript 7": lambda: LanguageServer(native, folder),
    }


def complete(case: Case, start: Callable[[], Server]) -> dict[str, object]:
    """Milliseconds of the first completion and of those after a keystroke, and the offered ids."""
    text = user_file(case)
    case.user.write_text(text, encoding="utf-8")
    with start() as server:
        started = time.perf_counter()
        server.open(case.user)
        until(lambda: server.complete(case.user, 'ask("'), lambda ids: case.ids[0] in ids)
        first = time.perf_counter() - started
        taken: list[float] = []
        before = 0.0
        for number in range(WARMING + KEYSTROKES):
            if number == WARMING:
                before = processor_time(server.session)
            if number >= WARMING + 5 and sum(taken[WARMING:]) > PATIENCE_MS:
                break
            started = time.perf_counter()
            server.edit(case.user, text + "\n" * (1 + number % 2))
            offered = server.complete(case.user, 'ask("')
            taken.append(1000 * (time.perf_counter() - started))
        cpu = (processor_time(server.session) - before) / (len(taken) - WARMING)
        memory = peak_memory(server.session)
    missing = set(case.ids) - set(offered)
    return {
        **case.key,
        "ids": len(case.ids),
        "missing": len(missing),
        "missing_short": sum(len(id) <= LONGEST for id in missing),
        "first_ms": 1000 * first,
        "ms": taken[WARMING:],
        "cpu_ms": 1000 * cpu,
        "peak_mib": memory,
    }


def processes(session: int) -> Iterator[Path]:
    """The folders in /proc of the server and of the processes that it has started."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(folder.name)) == session:
                yield folder


def processor_time(session: int) -> float:
    """Processor seconds of the server."""
    ticks = 0
    for folder in processes(session):
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_memory(session: int) -> float:
    """The peak of memory of the largest process, in MiB."""
    statuses = [(folder / "status").read_text() for folder in processes(session)]
    peaks = [re.search(r"^VmHWM:\s*(\d+)", status, re.MULTILINE) for status in statuses]
    return max(int(peak[1]) for peak in peaks if peak) / 1024


def versions() -> dict[str, str]:
    from importlib.metadata import version

    packages = {name: version(name) for name in (*PY_CHECKERS, "pydantic")}
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return {
        **packages,
        "TypeScript": " and ".join(TYPESCRIPTS),
        "Python": platform.python_version(),
        "node": node.stdout.strip().lstrip("v"),
        "machine": f"{os.cpu_count()} cores of {platform.machine()}",
    }


def measure_calls(root: Path, rounds: int) -> dict[str, object]:
    everything = cases(root)
    load = [os.getloadavg()[0]]
    figures = {
        "versions": versions(),
        "checks": measure_checks([c for c in everything if c.use != "ModelId"], rounds),
        "messages": [mypys_message(c) for c in everything if c.use in ("KnownModelId", "model_id")],
        "completions": [
            {"tool": tool, **complete(case, start)}
            for case in everything
            if case.use in COMPLETED
            for tool, start in servers(case).items()
        ],
    }
    return {**figures, "load": [*load, os.getloadavg()[0]]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("calls", "lines"), help="keep the others' figures")
    options = parser.parse_args()
    os.environ.setdefault("PYRIGHT_PYTHON_CACHE_DIR", str(cache_folder() / "pyright"))
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="types-cost-") as root:
        if options.only != "lines":
            figures |= measure_calls(Path(root), options.rounds)
        if options.only != "calls":
            figures["lines"] = list(measure_lines(Path(root), line_uses(), 1))
    RESULTS.parent.mkdir(exist_ok=True)
    results = json.loads(RESULTS.read_text("utf-8")) if options.only else {}
    results |= figures
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = page(results)
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
