"""Lookups: lazy, cached for a time, clean, and never in the way."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from enum import StrEnum
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from attrs import evolve

import registry_core
from registry_core import (
    ArgumentError,
    Endpoint,
    HostChangedError,
    ModelGateway,
    ModelRegistry,
    ProviderConfig,
    Settings,
    Snapshot,
    SnapshotDamagedError,
    StoreError,
)
from registry_core._catalog.state import State, utc
from registry_core._sync import commit, joining
from tests.world import NOW, Overlay, Plugin, World


@pytest.fixture
def synced(world: World) -> World:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    return world


def test_without_a_store_the_bundle_is_served(world: World) -> None:
    registry = world.registry()
    assert registry.get_models() == {"openai": ("gpt-old",), "other": ("x",)}
    assert registry.get_model("openai/gpt-old").provider_id == "openai"  # type: ignore[union-attr]
    assert registry.get_model("openai/gpt-5") is None
    assert registry.is_provider_registered("other")
    assert registry.split("openai/new") == ("openai", "new")
    assert registry.get_last_refresh_time() is None


def test_a_lookup_writes_nothing(world: World) -> None:
    world.registry().get_models()
    assert not list(world.tmp_path.iterdir())


def test_a_new_generation_is_seen_within_the_ttl_and_not_before(synced: World) -> None:
    registry = synced.registry()
    assert registry.get_model("openai/gpt-6") is None
    synced.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    synced.sync()
    synced.monotonic += 59
    assert registry.get_model("openai/gpt-6") is None
    synced.monotonic += 2
    assert registry.get_model("openai/gpt-6") is not None


@pytest.mark.parametrize("nonsense", [None, 3, b"openai/gpt-5", ["openai/gpt-5"], ("a", "b"), {}])
def test_what_is_no_text_is_no_id(
    synced: World, nonsense: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = synced.registry()
    monkeypatch.setattr(ModelRegistry, "_instance", registry)
    snapshot, view = registry.snapshot(), registry_core.PROVIDER_REGISTRY
    lookups: list[Callable[[Any], object]] = [
        snapshot.get_model,
        snapshot.get_provider_config,
        snapshot.is_provider_registered,
        snapshot.offers,
        snapshot.split,
        registry.get_model,
        registry.get_provider_config,
        registry.is_provider_registered,
        registry.split,
        registry.resolve,
        registry_core.get_model,
        registry_core.get_provider_config,
        registry_core.is_provider_registered,
        registry_core.is_valid_model_id,
        registry_core.parse_model_string,
        registry_core.resolve,
        lambda id: registry_core.model_supports(id, "reasoning"),
        view.__getitem__,
    ]
    expected = f"^expected an id as text, such as openai/gpt-4o, got {type(nonsense).__name__}$"
    for lookup in lookups:
        with pytest.raises(TypeError, match=expected):
            lookup(nonsense)


def test_an_environment_that_holds_no_text_is_named(synced: World) -> None:
    environ: Any = {"OPENAI_API_KEY": None}
    with pytest.raises(TypeError, match=r"^environ: OPENAI_API_KEY: expected text, got NoneType$"):
        synced.registry().resolve("openai/gpt-5", environ)


def test_invalidate_looks_at_once(synced: World) -> None:
    registry = synced.registry()
    registry.get_models()
    synced.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    synced.sync()
    registry.invalidate()
    assert registry.get_model("openai/gpt-6") is not None


def test_of_threads_that_wait_for_a_look_at_the_store_none_looks_again(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, asked, looks = synced.registry(), threading.Semaphore(0), list[int]()
    look = registry._look
    registry.snapshot()
    synced.monotonic += 1000

    def now() -> float:
        asked.release()
        return synced.monotonic

    monkeypatch.setattr(registry.world, "monotonic", now)
    monkeypatch.setattr(registry, "_look", lambda: looks.append(1) or look())
    threads = [threading.Thread(target=registry.snapshot) for _ in range(5)]
    with registry._lock:
        for thread in threads:
            thread.start()
        for _ in threads:  # each has seen that the time is over
            asked.acquire()
    for thread in threads:
        thread.join()
    assert looks == [1]


def test_the_same_generation_is_not_loaded_again(synced: World) -> None:
    registry = synced.registry()
    first = registry.snapshot()
    synced.monotonic += 1000
    assert registry.snapshot() is first


def test_a_pinned_snapshot_outlives_every_refresh(synced: World) -> None:
    registry = synced.registry()
    pinned = registry.snapshot()
    for n in range(3):
        synced.serve("main", {"openai": [f"gpt-{n}", "gpt-old"]})
        registry.sync_gateways()
    assert pinned.get_model("openai/gpt-5") is not None
    assert registry.get_model("openai/gpt-5") is None


def test_its_own_sync_is_seen_at_once(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    registry = world.registry()
    registry.get_models()
    registry.sync_gateways()
    assert registry.get_model("openai/gpt-5") is not None
    assert registry.get_last_refresh_time() == utc(NOW)


def test_the_last_refresh_is_that_which_reached_every_gateway(world: World) -> None:
    world.gateway("main")
    world.gateway("second")
    world.serve("main", {"openai": ["gpt-old"]})
    registry = world.registry()
    registry.sync_gateways()
    assert registry.get_last_refresh_time() is None
    world.serve("second", {"other": ["x"]})
    registry.sync_gateways()
    assert registry.get_last_refresh_time() == utc(NOW)


def test_concurrent_syncs_join_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    release, joined = threading.Event(), threading.Semaphore(0)

    def debug(text: str, *_: object) -> None:
        if "joins" in text:
            joined.release()

    monkeypatch.setattr(joining.logger, "debug", debug)

    class Slow(ModelGateway):
        id = name = "slow"
        fetches = 0

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            Slow.fetches += 1
            release.wait(60)
            return {"slow": ProviderConfig(id="slow", models=["m"])}

    world.plugins.append(Plugin(Slow()))
    registry = world.registry()
    with ThreadPoolExecutor(8) as pool:
        reports = [pool.submit(registry.sync_gateways) for _ in range(8)]
        for _ in reports[1:]:
            assert joined.acquire(timeout=60)
        release.set()
    assert all(one.result().ok for one in reports)
    assert Slow.fetches == 1
    assert registry.get_models()["slow"] == ("m",)


def test_a_damaged_snapshot_gives_way_to_the_bundle_with_one_warning(
    synced: World, caplog: pytest.LogCaptureFixture
) -> None:
    for path in (synced.store.folder / "objects").iterdir():
        data = path.read_bytes()
        path.write_bytes(data[:68] + b"\xff" * (len(data) - 68))
    before = sorted(synced.tmp_path.rglob("*"))
    registry = synced.registry()
    assert registry.get_model("openai/gpt-old") is not None
    assert registry.get_model("openai/gpt-5") is None
    assert registry.get_models() == {"openai": ("gpt-old",), "other": ("x",)}
    assert len(caplog.records) == 1
    assert "sync" in caplog.text
    assert sorted(synced.tmp_path.rglob("*")) == before


def test_a_snapshot_that_is_gone_gives_way_to_the_bundle(synced: World) -> None:
    for path in (synced.store.folder / "objects").iterdir():
        path.unlink()
    assert synced.models() == {"openai": ("gpt-old",), "other": ("x",)}


def test_a_damaged_pointer_gives_way_to_the_bundle(synced: World) -> None:
    data = bytearray(synced.store.pointer.read_bytes())
    data[40] ^= 1
    synced.store.pointer.write_bytes(data)
    assert synced.models() == {"openai": ("gpt-old",), "other": ("x",)}


def test_a_store_of_another_schema_is_absent(synced: World) -> None:
    synced.store.folder.rename(synced.store.place / "v999")
    assert synced.models() == {"openai": ("gpt-old",), "other": ("x",)}


def test_an_explicit_snapshot_comes_before_everything(synced: World, tmp_path: Path) -> None:
    path = tmp_path / "pinned"
    path.write_bytes(synced.bundled.to_bytes())
    assert synced.models(snapshot=path) == {"openai": ("gpt-old",), "other": ("x",)}
    frozen = ModelRegistry.from_snapshot(path)
    assert frozen.get_models() == {"openai": ("gpt-old",), "other": ("x",)}


def test_an_explicit_snapshot_that_is_missing_is_an_error(world: World) -> None:
    with pytest.raises(StoreError, match="REGISTRY_CORE_SNAPSHOT"):
        world.models(snapshot=world.tmp_path / "nope")


def test_a_newer_bundle_serves_lookups_if_the_store_holds_nothing_else(world: World) -> None:
    upgraded = world.bundle
    world.now = 1_600_000_000.0
    world.bundle = copy(upgraded)
    world.bundle.captured = dict.fromkeys(upgraded.captured, world.now - 1)
    world.gateway("main")
    world.serve("main", {"openai": ["ancient"]})
    world.sync()
    world.bundle = upgraded
    assert world.models() == {"openai": ("gpt-old",), "other": ("x",)}


def test_a_304_since_then_keeps_the_stored_generation(world: World) -> None:
    world.now = 1_600_000_000.0
    world.gateway("main")
    world.serve("main", {"openai": ["ancient"]}, etag='"1"')
    world.sync()
    world.now = NOW
    world.sync()
    assert world.models()["openai"] == ("ancient",)


def test_a_gateway_registered_at_run_time_is_merged_in_memory_only(synced: World) -> None:
    class Mine(ModelGateway):
        id = name = "mine"

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            return {"mine": ProviderConfig(id="mine", models=["a"])}

    registry = synced.registry()
    registry.register_gateway(Mine())
    assert [one.id for one in registry.gateways] == ["main", "mine"]
    registry.sync_gateways()
    assert registry.get_model("mine/a") is not None
    assert registry.get_model("openai/gpt-5") is not None
    synced.monotonic += 1000
    assert registry.get_model("mine/a") is not None
    assert "mine" not in synced.models()
    assert '"mine"' not in (synced.store.place / "provider-registry.json").read_text()


class Member(StrEnum):
    """Equal to its text, and shown and stored as something else."""

    MINE = "mine"


class Own(ModelGateway):
    needs_network = False

    def __init__(self, id: str, *models: str) -> None:
        self.id = self.name = id
        self.models = models

    def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
        return {self.id: ProviderConfig(self.id, self.models)}


@pytest.mark.parametrize(
    ("nonsense", "told"),
    [
        (None, "expected a ModelGateway, got NoneType"),
        (Own, "expected a ModelGateway, got the class Own"),
        ({"id": "mine"}, "expected a ModelGateway, got dict"),
        (Own("My gateway"), "a gateway has the id 'My gateway'"),
        (Own(Member.MINE), "a gateway has the id <Member.MINE: 'mine'>; use a plain text"),
    ],
)
def test_only_a_gateway_can_be_registered(synced: World, nonsense: Any, told: str) -> None:
    registry = synced.registry()
    with pytest.raises(TypeError, match=told):
        registry.register_gateway(nonsense)
    assert [one.id for one in registry.gateways] == ["main"]


def test_a_gateway_that_is_registered_again_replaces_the_first(synced: World) -> None:
    registry = synced.registry()
    first = Own("mine", "a")
    registry.register_gateway(first)
    registry.sync_gateways()
    registry.register_gateway(first)
    assert registry.get_model("mine/a") is not None
    registry.register_gateway(Own("mine", "b"))
    assert len(registry.gateways) == 2
    assert registry.get_model("mine/a") is not None  # it serves until the next sync
    registry.sync_gateways()
    assert registry.get_models()["mine"] == ("b",)


def test_a_gateway_that_a_plugin_adds_too_is_named(synced: World) -> None:
    registry = synced.registry()
    registry.register_gateway(Own("main", "a"))
    for _ in range(2):
        (problem,) = registry.sync_gateways().problems
        assert str(problem).startswith("main: a plugin adds a gateway with the same id")
        assert not problem.fatal


def test_a_state_file_of_any_content_is_readable() -> None:
    for text in ("{}", '{"gateways": 3}', '{"gateways": {"a": []}}', '{"plugins": {"a": 1}}'):
        assert State.from_json(text) == State()
    for text in ("", "[", "3", "[]", "[" * 100_000, '{"checksum": "00000000"}'):
        with pytest.raises(ValueError, match=r".+"):
            State.from_json(text)
    strange = '{"last_refresh": 1e999, "gateways": {"a": {"asked": [1, {}], "retrieved_at": -5}}}'
    state = State.from_json(strange)
    assert state.last_refresh is None
    assert state.gateways["a"].retrieved_at is None
    assert State.from_json(state.to_json()) == state


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("toolcall", "did you mean 'tool_call'?"),
        ("tools", "did you mean 'tool_call'?"),  # as `find_models` takes it
        ("vision", "that is get_model(id).accepts('image')"),
        ("image_generation", "that is get_model(id).modalities.output"),
        ("xyz", "known are attachment, "),
    ],
)
def test_for_what_is_no_capability_it_is_told_what_is(word: str, told: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        registry_core.model_supports("openai/gpt-4o", word)
    assert caught.value.culprit == "capability"
    assert told in caught.value.hint


def test_the_singleton_is_one_per_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REGISTRY_CORE_STORE_DIR", str(tmp_path))
    ModelRegistry.reset_instance()
    try:
        assert ModelRegistry.get_instance() is ModelRegistry.get_instance()
        assert registry_core.get_model("openai/gpt-4o") is not None
        assert registry_core.PROVIDER_REGISTRY["openai"].name == "OpenAI"
        assert "gpt-4o" in registry_core.PROVIDER_MODELS["openai"]
        assert registry_core.is_valid_model_id("openai/gpt-4o")
        assert not registry_core.is_valid_model_id("openai/never")
        assert registry_core.is_provider_registered("openai")
        assert registry_core.get_provider_config("openai").id == "openai"  # type: ignore[union-attr]
        assert "openai" in registry_core.get_registered_providers()
        assert registry_core.model_supports("openai/gpt-4o", "tool_call") is True
        assert registry_core.model_supports("openai/never", "tool_call") is None
        with pytest.raises(TypeError):
            registry_core.PROVIDER_REGISTRY["x"] = 1  # type: ignore[index]
    finally:
        ModelRegistry.reset_instance()


def test_resolve_is_there_in_both_colours(synced: World) -> None:
    environ = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    registry = synced.registry()
    endpoint = registry.resolve("openai/gpt-5", environ)
    assert (endpoint.base_url, endpoint.model) == ("http://127.0.0.1:1/v1", "gpt-5")
    assert asyncio.run(registry.aresolve("openai/gpt-5", environ)) == endpoint
    assert registry.resolve("openai/ft:mine", environ).model == "ft:mine"


HEAVY = (
    "pluggy",
    "importlib.metadata",
    "importlib_metadata",
    "requests",
    "cattrs",
    "click",
    "rich",
)

AUDIT = """
import json, sys
events = []
def hook(event, args):
    if event in ("open", "socket.connect", "os.mkdir", "os.rename", "os.remove"):
        writing = event != "open" or (isinstance(args[1], str) and set(args[1]) & set("wax+"))
        writing = writing or (event == "open" and isinstance(args[2], int) and args[2] & 3)
        if writing: events.append([event, repr(args)])
    if event in ("socket.connect", "os.mkdir", "_thread.start_new_thread"):
        events.append([event, repr(args)])
before = set(sys.modules)
sys.addaudithook(hook)
import registry_core
imported = sorted(name for name in sys.modules if name.startswith("registry_core"))
found = registry_core.get_model("openai/gpt-4o")
print(json.dumps({"events": events, "imported": imported, "found": found is not None,
                  "modules": sorted(set(sys.modules) - before)}))
"""


@pytest.mark.parametrize("stored", [False, True], ids=["bundled", "stored"])
def test_import_and_lookup_are_clean(synced: World, stored: bool) -> None:
    """Audited in a fresh interpreter: nothing written, no thread, no network, no heavy import."""
    place = synced.store.place if stored else synced.tmp_path / "nothing"
    environ = {
        **{key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"},
        "REGISTRY_CORE_STORE_DIR": str(place),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", AUDIT], env=environ, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["events"] == []
    assert found["imported"] == ["registry_core"]
    assert found["found"] is not stored
    assert not {name for name in found["modules"] if name.split(".")[0] in HEAVY or name in HEAVY}


def test_a_pinned_file_may_be_overwritten_while_it_is_served(world: World) -> None:
    path = world.tmp_path / "pinned"
    path.write_bytes(world.bundled.to_bytes())
    registry = world.registry(snapshot=path)
    registry.get_models()
    path.write_bytes(b"")  # as `cp` does; a mapped file would end the process here
    assert registry.get_model("openai/gpt-old") is not None
    assert registry.get_last_refresh_time() is None


def test_damage_condemns_the_snapshot_that_was_read_and_no_newer_one(synced: World) -> None:
    registry = synced.registry()
    old = registry.snapshot()
    synced.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    synced.sync()
    registry.invalidate()
    registry._condemn(old)
    assert registry.snapshot().get_model("openai/gpt-6") is not None


def test_policies_hold_for_gateways_registered_at_run_time(synced: World) -> None:
    def deny(snapshot: Any) -> Any:
        providers = snapshot.get_providers()
        return snapshot.with_providers({id: one for id, one in providers.items() if id != "bad"})

    class Mine(ModelGateway):
        id = name = "mine"
        namespaced = False

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            return {id: ProviderConfig(id=id, models=["a"]) for id in ("good", "bad")}

    synced.plugins.append(Overlay(deny))
    registry = synced.registry()
    registry.register_gateway(Mine())
    registry.sync_gateways()
    assert registry.get_model("good/a") is not None
    assert registry.get_model("bad/a") is None


def test_resolving_for_many_tenants_gathers_none_of_their_secrets(synced: World) -> None:
    """Neither those that the core reads, nor those that a gateway asks for."""
    seen: list[str | None] = []

    class Exchanging(ModelGateway):
        id = name = "tenants"
        needs_network = False

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            known = ProviderConfig("tenants", ["m"], api_key_env_vars="TENANT_API_KEY")
            return {"tenants": known}

        def endpoint(self, provider: Any, model: Any, environ: Any, client: Any) -> Endpoint:
            seen.append(client.secret("TENANT_SESSION"))
            return Endpoint("http://127.0.0.1:1/v1", "m", "openai", environ["TENANT_API_KEY"])

    synced.plugins.append(Plugin(Exchanging()))
    registry = synced.registry()
    registry.sync_gateways()
    for n in range(20):
        key, session = f"tenant-key-{n}", f"tenant-session-{n}"
        environ = {"TENANT_API_KEY": key, "TENANT_SESSION": session}
        assert registry.resolve("tenants/m", environ).api_key == key
        url = "http://127.0.0.1:1/v1"
        registry.resolve("openai/gpt-5", {"OPENAI_API_KEY": key, "OPENAI_BASE_URL": url})
        secrets = registry.world.secrets
        assert seen[-1] == session
        assert (secrets.name_of(key), secrets.name_of(session)) == (None, None)
        assert secrets.mask(f"{key} {session}") == f"{key} {session}"


def test_gateways_registered_at_run_time_need_no_plugin(world: World) -> None:
    class Mine(ModelGateway):
        id = name = "mine"

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            return {"mine": ProviderConfig(id="mine", models=["a"])}

    disabled = ("main-plugin", "second-plugin")
    registry = world.registry(plugins=(), disable_plugins=disabled)
    registry.register_gateway(Mine())
    registry.sync_gateways()
    assert registry.get_models()["mine"] == ("a",)


def test_the_bundle_is_served_from_a_zip_too(tmp_path: Path) -> None:
    archive = tmp_path / "app.zip"
    package = Path(registry_core.__file__).parent
    with ZipFile(archive, "w") as made:
        for path in package.rglob("*"):
            if path.suffix in (".py", ".snapshot"):
                made.write(path, path.relative_to(package.parent))
    program = (
        "import registry_core as r; assert 'app.zip' in r.__file__;"
        "assert r.get_model('openai/gpt-4o').limit.context"
    )
    environ = {"PYTHONPATH": str(archive), "REGISTRY_CORE_STORE_DIR": str(tmp_path / "none")}
    subprocess.run([sys.executable, "-c", program], env=environ, check=True)


def test_where_the_data_comes_from_is_known_without_a_lookup_before(world: World) -> None:
    assert world.registry().world.load().origin == "bundled"
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    loaded = world.registry().world.load()
    assert (loaded.origin, loaded.store) == ("stored", world.store)


def test_a_frozen_registry_binds_keys_by_its_file_and_any_other_by_its_syncs(
    world: World, tmp_path: Path
) -> None:
    acme = ProviderConfig(
        "acme", ["m"], url="https://api.acme.example/v1", api_key_env_vars="ACME_API_KEY"
    )
    path = tmp_path / "pinned"
    path.write_bytes(world.bundled.with_providers([acme]).to_bytes())
    environ = {"ACME_API_KEY": "sk-acme"}
    assert world.registry(snapshot=path).resolve("acme/m", environ).api_key == "sk-acme"
    world.bundled = Snapshot.build([])

    class Acme(ModelGateway):
        id = name = "acme"

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            return {"acme": acme}

    world.plugins.append(Plugin(Acme()))
    world.sync()
    assert world.registry().resolve("acme/m", environ).api_key == "sk-acme"
    store = world.store
    commit.save_state(store, evolve(store.read_state(), bindings={}), store.read_generation())
    with pytest.raises(HostChangedError):
        world.registry().resolve("acme/m", environ)


def test_where_the_bundle_itself_is_damaged_a_lookup_says_so_and_ends(world: World) -> None:
    data = bytearray(world.bundled.to_bytes())
    data[data.index(b'"gpt-old",{')] ^= 1
    world.bundled = Snapshot.from_bytes(bytes(data))
    registry = world.registry()
    for _ in range(2):
        with pytest.raises(SnapshotDamagedError, match="damaged record"):
            registry.get_model("openai/gpt-old")


def test_without_an_environment_of_the_call_that_of_the_registry_counts(synced: World) -> None:
    process, mine = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"
    synced.environ = {"OPENAI_BASE_URL": process}
    registry = synced.registry()
    assert registry.resolve("openai/gpt-5").base_url == process
    assert registry.resolve("openai/gpt-5", {"OPENAI_BASE_URL": mine}).base_url == mine


def test_an_object_that_holds_another_snapshot_than_its_name_says_is_damaged(
    synced: World,
) -> None:
    generation = synced.store.read_generation()
    assert generation
    other = synced.bundled.with_providers([ProviderConfig("evil", ["m"])])
    synced.store.object(generation.snapshot).write_bytes(other.to_bytes())
    with pytest.raises(SnapshotDamagedError, match="another snapshot"):
        synced.store.open_snapshot(generation.snapshot)
    assert "evil" not in synced.models()


def test_a_registry_over_a_world_takes_nothing_beside_it(world: World) -> None:
    outside = world.registry().world
    with pytest.raises(TypeError, match="a world has its own settings"):
        ModelRegistry(Settings(offline=True), world=outside)
    assert ModelRegistry(world=outside).world is outside
