"""Damage at any byte of any file of the store: lookups serve the truth or the bundle, and
the next sync puts it right."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from zlib import crc32

import pytest

from registry_core import (
    HostChangedError,
    ModelGateway,
    ModelRegistry,
    ProviderConfig,
    Snapshot,
    SnapshotDamagedError,
    StoreError,
    hookimpl,
)
from tests.files.scene import put_back
from tests.world import World

PAYLOAD = {"openai": ["gpt-5", "gpt-old", "o9"], "acme": ["a1", "a2"]}
IDS = ("openai/gpt-5", "openai/gpt-old", "acme/a2", "other/x", "nobody/m")

Change = Callable[[bytes, int], bytes]
CHANGES: dict[str, Change] = {
    "one bit": lambda data, at: data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :],
    "zeros": lambda data, at: data[:at] + bytes(len(data[at : at + 16])) + data[at + 16 :],
    "cut off": lambda data, at: data[:at],
    "doubled tail": lambda data, at: data + data[at:],
}
FILES = ("pointer", "state.json", "emitted.json", "object", "payload", "key")
LOOKED_AT = ("pointer", "state.json", "object")


class Damage:
    """A synced world, and what is seen of it whole, and without a store."""

    def __init__(self, world: World, saved: Path) -> None:
        self.world, self.saved = world, saved
        world.gateway("main")
        self.bundle = self.look()
        world.serve("main", PAYLOAD, etag='"1"')
        assert world.sync().ok
        self.truth = self.look()
        self.artifact = world.store.place / "provider-registry.json"
        self.emitted = self.artifact.read_bytes()
        self.refreshed = world.registry().get_last_refresh_time()
        shutil.copytree(world.tmp_path, saved)

    def all_models(self, registry: ModelRegistry) -> object:
        """By way of the providers, which read each model when it is asked for: the only
        lookup that can't turn to the bundle any more, and says so."""
        try:
            return {id: dict(one.models) for id, one in registry.get_providers().items()}
        except SnapshotDamagedError as error:
            assert "sync" in error.hint
            return self.bundle[1]

    def look(self) -> list[object]:
        """Every lookup there is, each of a registry that has seen nothing yet."""
        made = self.world.registry
        return [
            dict(made().get_models()),
            self.all_models(made()),
            *(made().get_model(id) for id in IDS),
            *((one := made().get_provider_config(id)) and one.name for id in ("acme", "nobody")),
            made().is_provider_registered("acme"),
            [made().split(id) for id in IDS],
        ]

    def files(self, name: str) -> list[Path]:
        store, payloads = self.world.store, self.world.tmp_path / "cache" / "payloads"
        found = {
            "object": sorted((store.folder / "objects").iterdir()),
            "payload": sorted(payloads.glob("*.payload")),
            "key": [payloads / "key"],
        }
        return found.get(name, [store.folder / name])

    def damage(self, name: str, change: Change, stride: int) -> Iterator[tuple[Path, bytes]]:
        """Every `stride`-th byte of the file is where it is changed, each alone."""
        for path in self.files(name):
            whole = path.read_bytes()
            for at in range(stride // 3, len(whole), stride):
                changed = change(whole, at)
                if changed != whole:
                    path.write_bytes(changed)
                    yield path, changed
                    path.write_bytes(whole)

    def is_seen_or_the_bundle_is(self) -> None:
        for found, true, bundled in zip(self.look(), self.truth, self.bundle, strict=True):
            assert found in (true, bundled)
        assert self.world.registry().get_last_refresh_time() in (self.refreshed, None)

    def is_mended_by_a_sync(self, path: Path) -> None:
        report = self.world.sync()
        assert report.ok
        assert all(one.kind == "store" for one in report.problems)
        assert self.look() == self.truth
        assert self.artifact.read_bytes() == self.emitted
        assert self.world.registry().get_last_refresh_time() == self.refreshed
        assert not self.world.sync().problems
        quarantine = self.world.store.folder / "quarantine" / path.name
        assert quarantine.exists() == bool(report.problems)
        put_back(self.world.tmp_path, self.saved)


@pytest.fixture
def damage(world: World, tmp_path_factory: pytest.TempPathFactory) -> Damage:
    return Damage(world, tmp_path_factory.mktemp("saved") / "world")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", FILES)
def test_damage_is_never_believed_and_the_next_sync_mends_it(
    damage: Damage, name: str, change: str
) -> None:
    size = sum(path.stat().st_size for path in damage.files(name))
    for path, changed in damage.damage(name, CHANGES[change], stride=size // 2 + 1):
        damage.is_seen_or_the_bundle_is()
        assert path.read_bytes() == changed  # a lookup writes nothing
        damage.is_mended_by_a_sync(path)


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", FILES)
def test_damage_at_every_byte_is_never_believed(damage: Damage, name: str, change: str) -> None:
    tried = 0
    stride = 1 if change == "one bit" else 5
    for path, _ in damage.damage(name, CHANGES[change], stride):
        if name in LOOKED_AT:
            damage.is_seen_or_the_bundle_is()
        if tried % 29 == 0:
            damage.is_mended_by_a_sync(path)
        tried += 1
    print(f"{name}, {change}: {tried} damaged files")


@pytest.mark.parametrize("name", ["pointer", "state.json", "emitted.json", "object", "payload"])
def test_a_folder_in_place_of_a_file_is_put_aside(damage: Damage, name: str) -> None:
    for path in damage.files(name):
        path.unlink()
        path.mkdir()
        damage.is_seen_or_the_bundle_is()
        report = damage.world.sync()
        assert report.ok
        assert damage.look() == damage.truth
        put_back(damage.world.tmp_path, damage.saved)


@pytest.mark.parametrize("name", ["pointer", "state.json", "emitted.json", "object", "payload"])
def test_a_file_that_is_gone_is_made_anew(damage: Damage, name: str) -> None:
    for path in damage.files(name):
        path.unlink()
        damage.is_seen_or_the_bundle_is()
        report = damage.world.sync()
        assert report.ok
        assert damage.look() == damage.truth
        put_back(damage.world.tmp_path, damage.saved)


def test_a_damaged_pointer_loses_nothing_even_while_gateways_are_down(damage: Damage) -> None:
    data = bytearray(damage.world.store.pointer.read_bytes())
    data[50] ^= 1
    damage.world.store.pointer.write_bytes(data)
    report = damage.world.sync(offline=True)
    assert [(one.kind, one.culprit) for one in report.problems] == [
        ("store", str(damage.world.store.pointer))
    ]
    assert damage.look() == damage.truth


def test_a_damaged_state_is_reported_and_forgets_only_what_it_held(damage: Damage) -> None:
    damage.world.store.state.write_text("{")
    report = damage.world.sync()
    assert [(one.kind, one.fatal) for one in report.problems] == [("store", False)]
    assert damage.look() == damage.truth
    assert damage.world.server.requests[-1].headers["If-None-Match"] == '"1"'


def test_what_lies_in_a_lock_does_not_matter(damage: Damage) -> None:
    damage.world.store.lock.write_bytes(b"\0garbage")
    assert damage.world.sync().problems == ()


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_a_lost_state_binds_no_key_to_a_host_that_a_provider_has_moved_to(
    world: World, how: str
) -> None:
    class Moving(ModelGateway):
        id = name = "main"
        namespaced = False
        needs_network = False
        host = "first"

        @hookimpl
        def registry_gateways(self) -> list[ModelGateway]:
            return [self]

        def fetch_providers(self, client: object) -> dict[str, ProviderConfig]:
            url = f"https://{self.host}.example/v1"
            return {"acme": ProviderConfig("acme", ["m"], url=url, api_key_env_vars="ACME_KEY")}

    gateway = Moving()
    world.plugins.append(gateway)
    world.sync()
    if how == "gone":
        world.store.state.unlink()
    else:
        world.store.state.write_text("{")
    gateway.host = "second"
    world.sync()
    with pytest.raises(HostChangedError, match=r"bound to https://first\.example"):
        world.registry().resolve("acme/m", {"ACME_KEY": "k"})


@pytest.mark.parametrize("code", [errno.ELOOP, errno.ENXIO])
def test_a_sound_file_that_the_system_calls_no_file_for_a_while_is_not_put_aside(
    world: World, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As automounters do."""
    world.gateway("main")
    world.serve("main", PAYLOAD)
    world.sync()
    real = os.open

    def refuse(path: str, flags: int, *rest: int) -> int:
        if os.fspath(path).endswith("pointer"):
            raise OSError(code, os.strerror(code))
        return real(path, flags, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(StoreError):
            world.sync()
    assert world.store.pointer.is_file()
    assert not (world.store.folder / "quarantine").exists()


def test_a_link_to_itself_is_damage(world: World) -> None:
    world.gateway("main")
    world.serve("main", PAYLOAD)
    world.sync()
    world.store.state.unlink()
    world.store.state.symlink_to(world.store.state)
    assert world.sync().ok
    assert world.store.state.is_file()


def test_threads_that_meet_damage_at_once_are_all_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.gateway("main")
    world.serve("main", PAYLOAD)
    world.sync()
    registry = world.registry()
    registry.snapshot()
    for file in (world.store.folder / "objects").iterdir():
        with file.open("r+b") as one:
            one.seek(68)
            one.write(b"\xff" * (file.stat().st_size - 68))
    both = Barrier(2)
    real = Snapshot.get_models

    def get_models(snapshot: Snapshot) -> Any:
        if snapshot.hash != world.bundled.hash:
            both.wait()  # both have the damaged one in hand
        return real(snapshot)

    monkeypatch.setattr(Snapshot, "get_models", get_models)
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(registry.get_models) for _ in range(2)]
    assert [dict(one.result()) for one in found] == [dict(real(world.bundled))] * 2


OBJECT = "a" * 64
DATA = {"plugin": "p", "retrieved_at": 1.0, "result": None}
GENERATION: dict[str, Any] = {"snapshot": OBJECT, "gateways": {"main": DATA}, "inputs": ""}


@pytest.mark.parametrize(
    "content",
    [
        *(None, 5, [], "x", True, {}),
        *({**GENERATION, "snapshot": one} for one in ("../../mine", None, 5, "A" * 64, OBJECT)),
        *({**GENERATION, "previous": one} for one in ("../../mine", 7)),
        *({**GENERATION, "gateways": one} for one in (5, [], {"main": 5}, {"main": {}})),
        *(
            {**GENERATION, "gateways": {"main": {**DATA, **change}}}
            for change in (
                *({"retrieved_at": one} for one in ("x", None, -1, float("nan"), 1e300, 10**400)),
                {"result": "../../mine"},
                *({"facts": one} for one in ("x", [], float("inf"))),
            )
        ),
    ],
    ids=str,
)
def test_a_pointer_with_a_right_checksum_may_hold_anything(world: World, content: object) -> None:
    """It is damage: no file that it names is touched, and the next sync makes it anew."""
    world.gateway("main")
    world.serve("main", PAYLOAD, etag='"1"')
    assert world.sync().ok
    mine = world.store.place / "mine"
    mine.write_text("mine")
    text = json.dumps(content).encode()
    world.store.pointer.write_bytes(b"%08x %b" % (crc32(text), text))
    assert world.models()["openai"] == ("gpt-old",)
    assert world.sync().ok
    assert world.models().keys() >= PAYLOAD.keys()
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("time", [10**400, float("inf"), float("nan"), -1, "x", True])
def test_a_state_with_a_right_checksum_may_hold_any_time(world: World, time: object) -> None:
    world.gateway("main")
    world.serve("main", PAYLOAD, etag='"1"')
    world.sync()
    raw = json.loads(world.store.state.read_text())
    raw.pop("checksum")
    raw["last_refresh"] = raw["gateways"]["main"]["checked_at"] = time
    pointed = raw["pointer"] if "pointer" in raw else raw["generation"]
    pointed["gateways"]["main"]["retrieved_at"] = time
    world.store.state.write_text(json.dumps(raw))
    world.store.pointer.unlink()
    assert world.registry().world.state().last_refresh is None
    assert world.sync().ok
    assert world.models().keys() >= PAYLOAD.keys()
