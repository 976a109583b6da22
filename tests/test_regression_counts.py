"""What a lookup and a sync may cost, as counts: they repeat exactly, where seconds don't.

`benchmarks/run.py` measures the seconds; these counts are what must not creep up unnoticed.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import pytest

from registry_core import ModelInfo, ProviderConfig, Snapshot
from registry_core._base.frozen import FrozenDict
from registry_core._catalog.checking import remembered
from registry_core._catalog.store import GatewayData, Generation, Store
from registry_core._http import cache, echoes
from registry_core._sync.commit import commit, create
from registry_core.records import provider_from_record
from tests.world import JsonGateway, Plugin, World

LOOKUP = "from registry_core import get_model; assert get_model('openai/gpt-5')"


@pytest.fixture
def synced(world: World) -> World:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    return world


def told(code: str, world: World) -> Any:
    """What a new process of that environment says, as JSON."""
    program = f"import sys; sys.prefix = {str(world.places.prefix)!r}\n{code}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


#: All that a lookup touches, as docs/architecture.md promises.
LOOKUPS = {
    *("_base", "_catalog", "_files", "_world"),
    *("errors", "registry", "shortcuts"),
}


def test_a_cold_lookup_imports_little_beyond_attrs_and_json(synced: World) -> None:
    modules = "import json, sys; print(json.dumps([*sys.modules]))"
    foundation = {*told(f"import attr, json; {modules}", synced)}
    imported = {*told(f"{LOOKUP}; {modules}", synced)} - foundation
    ours = {one.partition(".")[2] for one in imported if one.startswith("registry_core.")}
    assert {one.split(".")[0] for one in ours} <= LOOKUPS
    assert not ours & {"models", "settings"}
    later = ("encoding", "kinds", "refusals", "secrets", "suggesting")
    assert not ours & {f"_base.{one}" for one in later}
    later = ("checking", "ids", "state", "writing")
    assert not ours & {f"_catalog.{one}" for one in later}
    others = {one for one in imported if not one.startswith("registry_core")}
    assert others <= {"_struct", "atexit", "importlib", "struct", "zlib"}


CLASSES = f"""
{LOOKUP}
import gc, json
classes = [one for one in gc.get_objects() if isinstance(one, type)]
ours = [one for one in classes if one.__module__.startswith("registry_core")]
print(json.dumps([*{{one.__name__ for one in ours if hasattr(one, "__attrs_attrs__")}}]))
"""


def test_a_cold_lookup_has_attrs_make_the_classes_of_a_model_and_of_the_pointer_alone(
    synced: World,
) -> None:
    parts = {"Limit", "Cost", "Modalities", "Lifecycle"}
    assert {*told(CLASSES, synced)} == {"ModelInfo", *parts, "Generation", "GatewayData"}


HEAR = """
import json, sys
events = []
def hear(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        events.append(arguments[0])
from registry_core import ModelRegistry
registry = ModelRegistry()
sys.addaudithook(hear)
for _ in range(3):
    assert registry.get_model("openai/gpt-5")
print(json.dumps(events))
"""


def test_a_cold_lookup_opens_the_pointer_and_one_object_and_a_warm_one_nothing(
    synced: World,
) -> None:
    generation = synced.store.read_generation()
    assert generation is not None
    pointer, snapshot = synced.store.pointer, synced.store.object(generation.snapshot)
    assert told(HEAR, synced) == [str(pointer), str(snapshot)]


def calls(run: Callable[[], object]) -> int:
    """How many functions `run` calls, of Python and of C, itself included."""
    count = 0
    gc.disable()  # what other tests have left may be cleaned up at any moment, by functions too

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count - 1  # the end of the profile


def test_a_warm_lookup_calls_few_functions(synced: World) -> None:
    registry = synced.registry()
    snapshot = registry.snapshot()
    registry.get_model("openai/gpt-5")
    assert calls(lambda: snapshot.get_model("openai/gpt-5")) <= 2
    # Both `get_model`, `snapshot`, the clock.
    assert calls(lambda: registry.get_model("openai/gpt-5")) <= 5


def test_a_sync_without_news_asks_once_and_writes_the_state_alone(synced: World) -> None:
    registry = synced.registry()
    registry.sync_gateways()
    requests, connections = len(synced.server.requests), synced.server.connections
    written: set[str] = set()
    read: list[str] = []

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if hearing and event == "open" and isinstance(arguments[0], (str, Path)):
            path, _, flags = arguments
            if str(path).startswith(str(synced.tmp_path)):
                writes = flags & (os.O_WRONLY | os.O_RDWR)
                written.add(Path(path).suffix) if writes else read.append(Path(path).name)

    hearing = True
    sys.addaudithook(hear)
    report = registry.sync_gateways()
    hearing = False
    assert (report.ok, report.changed, report.written) == (True, False, ())
    assert (len(synced.server.requests), synced.server.connections) == (
        requests + 1,
        connections + 1,
    )
    # The store's lock and that of the payload; what becomes state.json.
    assert written <= {"", ".lock", ".tmp"}
    generation = synced.store.read_generation()
    assert generation is not None
    small = {"key", "pointer", "state.json", "emitted.json"}
    payloads = [one for one in read if one.endswith(".payload")]
    assert {*read} == {*small, *payloads, *generation.objects()}
    assert len(read) == len({*read})


def test_a_sync_reads_a_stored_snapshot_whole_only_when_its_file_is_new(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = Snapshot.verify
    monkeypatch.setattr(
        Snapshot, "verify", lambda self: (verified.append(self.hash), verify(self))[1]
    )
    registry = synced.registry()
    for _ in range(3):
        registry.sync_gateways()
    assert len(verified) == 1
    (path,) = synced.store.object("").iterdir()
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"!")  # of the same size, and within the same second
    report = registry.sync_gateways()
    assert [one.kind for one in report.problems] == ["store"]
    assert report.changed
    assert registry.get_model("openai/gpt-5") is not None


class Records(JsonGateway):
    """A gateway that sends whole records."""

    def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
        found = {
            id: provider_from_record(id, {"models": models}, client.warn)
            for id, models in client.get_json(self._url).items()
        }
        return {id: one for id, one in found.items() if one is not None}


def test_a_sync_parses_a_payload_once_and_makes_no_model(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()
    parse, make = cache.parse, ModelInfo.__init__

    def counted_parse(*arguments: Any, **named: Any) -> Any:
        counts["parsed"] += 1
        return parse(*arguments, **named)

    def counted_make(*arguments: Any, **named: Any) -> None:
        counts["models"] += 1
        make(*arguments, **named)

    world.plugins.append(Plugin(Records("main", world.server.url("/main.json"))))
    world.serve("main", {"openai": {"gpt-5": {"tool_call": True}, "gpt-old": {}}}, etag='"1"')
    world.sync()
    for module in (cache, echoes):
        monkeypatch.setattr(module, "parse", counted_parse)
    monkeypatch.setattr(ModelInfo, "__init__", counted_make)
    world.serve("main", {"openai": {"gpt-6": {"tool_call": True}, "gpt-old": {}}}, etag='"2"')
    report = world.sync()
    assert report.added == ("openai/gpt-6",)
    assert counts == {"parsed": 1}


class Texts(JsonGateway):
    """A gateway that leaves records as text."""

    def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
        payload = client.get_json(self._url, text_at="*/*")
        found = {id: provider_from_record(id, {"models": one}) for id, one in payload.items()}
        return {id: one for id, one in found.items() if one is not None}


def test_a_sync_parses_and_checks_the_records_alone_that_it_has_not_met(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = {f"m{n}": {"name": f"of {__name__}, {n}"} for n in range(50)}
    world.plugins.append(Plugin(Texts("main", world.server.url("/main.json"))))
    world.serve("main", {"acme": models}, etag='"1"')
    world.sync()
    parsed: list[str | None] = []
    parse = echoes.parse

    def counted(*arguments: Any, text_at: str | None, **named: Any) -> Any:
        parsed.append(text_at)
        return parse(*arguments, text_at=text_at, **named)

    for module in (cache, echoes):
        monkeypatch.setattr(module, "parse", counted)
    before = remembered.cache_info().misses
    world.serve("main", {"acme": {**models, "m7": {"name": "seven"}}}, etag='"2"')
    report = world.sync()
    assert [one.id for one in report.updated] == ["acme/m7"]
    assert parsed == ["*/*"]  # once, though it was asked before whether it has changed
    assert remembered.cache_info().misses - before == 1


class Searches(MetaPathFinder):
    """Notes the modules that are looked for, also those that don't exist."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        self.names.append(fullname)


def test_a_sync_looks_for_no_module_again(synced: World, monkeypatch: pytest.MonkeyPatch) -> None:
    synced.serve("main", {"openai": ["gpt-5"]}, etag='"2"')
    synced.sync()
    searches = Searches()
    monkeypatch.setattr(sys, "meta_path", [searches, *sys.meta_path])
    synced.serve("main", {"openai": ["gpt-5", "gpt-6"]}, etag='"3"')
    assert synced.sync().added == ("openai/gpt-6",)
    assert searches.names == []


def store_of(folder: Path, factor: int) -> Store:
    """In an environment of its own, whose prefix is `folder / str(factor)`."""
    models = {f"openai{n or ''}": [f"gpt-{m}" for m in range(50)] for n in range(factor)}
    snapshot = Snapshot.build([ProviderConfig(id=id, models=ids) for id, ids in models.items()])
    gateways = {"main": GatewayData("main", 1.8e9, snapshot.hash)}
    store = Store(folder / str(factor) / "share" / "registry-core")
    create(store)
    commit(store, Generation(snapshot.hash, FrozenDict(gateways), ""), [snapshot])
    return store


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("valgrind"), reason="needs valgrind")
def test_a_cold_lookup_takes_few_instructions_whatever_the_size(tmp_path: Path) -> None:
    def instructions(code: str, store: Store) -> float:
        """Millions, of a whole process."""
        environ = {"PYTHONHASHSEED": "0"}
        prefix = str(store.place.parent.parent)
        program = [sys.executable, "-s", "-c", f"import sys; sys.prefix = {prefix!r}; {code}"]
        subprocess.run(program, env=environ, check=True)  # compiles
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={tmp_path / 'out'}"]
        done = subprocess.run(
            [*valgrind, *program], env=environ, check=True, capture_output=True, text=True
        )
        found = next(line for line in done.stderr.splitlines() if "Collected" in line)
        return int(found.split(":")[1]) / 1e6

    one, hundred = store_of(tmp_path, 1), store_of(tmp_path, 100)
    bare = instructions("pass", one)
    lookup = instructions(LOOKUP, one)
    assert lookup < 7 * bare
    assert instructions(LOOKUP, hundred) < 1.01 * lookup
