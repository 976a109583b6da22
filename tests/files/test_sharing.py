"""Two versions of registry-core that share one store, in either order."""

from __future__ import annotations

import json
from base64 import b85decode
from typing import Any
from zlib import crc32

import pytest
from attrs import evolve

from registry_core import Lifecycle, ModelInfo, ProviderConfig, Snapshot
from registry_core._base import encoding
from registry_core._catalog import writing
from registry_core._catalog.state import State
from registry_core._catalog.store import Store
from registry_core._sync import changes
from registry_core._sync.commit import commit
from registry_core.models import Cost, Limit
from registry_core.records import provider_from_record
from tests.files.scene import contents
from tests.world import World


@pytest.fixture
def synced(world: World) -> World:
    world.gateway("main")
    world.gateway("private")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.serve("private", {"mine": ["a", "b"]}, etag='"1"')
    assert world.sync().ok
    return world


def seen(world: World) -> dict[str, tuple[str, ...]]:
    return dict(world.models())


def write_pointer(store: Store, change: Any) -> None:
    raw = json.loads(store.pointer.read_bytes().partition(b" ")[2])
    change(raw)
    text = json.dumps(raw).encode()
    store.pointer.write_bytes(b"%08x %b" % (crc32(text), text))


def write_state(store: Store, change: Any) -> None:
    raw = json.loads(store.state.read_bytes())
    del raw["checksum"]
    change(raw)
    raw["checksum"] = f"{crc32(json.dumps(raw, sort_keys=True).encode()):08x}"
    store.state.write_text(json.dumps(raw))


def test_what_a_newer_version_adds_to_the_pointer_is_skipped(
    synced: World, caplog: pytest.LogCaptureFixture
) -> None:
    def newer(raw: dict[str, Any]) -> None:
        raw["signed_by"] = ["somebody"]
        for data in raw["gateways"].values():
            data["mirror"] = "https://mirror.example"

    before = seen(synced)
    write_pointer(synced.store, newer)
    assert seen(synced) == before
    report = synced.sync()
    assert (report.ok, report.changed, report.problems) == (True, False, ())
    assert [one.status for one in report.gateways[:2]] == ["unchanged", "unchanged"]
    synced.serve("main", {"openai": ["gpt-6", "gpt-old"]}, etag='"2"')
    assert synced.sync().changed
    assert caplog.messages == []


def test_what_a_newer_version_adds_to_the_state_is_skipped(synced: World) -> None:
    def newer(raw: dict[str, Any]) -> None:
        raw["quota"] = {"used": 3}
        for about in raw["gateways"].values():
            about["latency"] = [1, 2]

    refreshed = synced.registry().get_last_refresh_time()
    write_state(synced.store, newer)
    assert synced.registry().get_last_refresh_time() == refreshed
    report = synced.sync()
    assert [one.status for one in report.gateways[:2]] == ["unchanged", "unchanged"]
    assert report.problems == ()


def test_what_an_older_version_left_out_of_the_state_is_as_if_never_known(synced: World) -> None:
    def older(raw: dict[str, Any]) -> None:
        del raw["bindings"], raw["plugins"], raw["generation"]

    write_state(synced.store, older)
    assert synced.sync().problems == ()


#: What version 0.1, which knew neither kinds nor lifecycles, made of `of_version_0_1`.
VERSION_0_1 = (
    "a%E>@Z*pY{0RR91)B*qi000001poj5RR9100m9--h1rAa%6Ydc+d1w}3ISqV;8){eyBh$v7u>s9_kq_HYSgT2=>Px#"
    "00000+yDRoQsGFu#Q^{S000004*&oF<-Z-"
    "x)Bykh000004*&oFYMiC4;{gBw00000ZvX%QJx5?fQUU+~00000f&c&jWEqYqdm?9HbY*v8d2=E<dm?RNX>KAqB5-"
    "VVXK8LaZDDC{B7H0(aB^>UX=G(`b0RuhTOwg&ZDk@XB5h%5ZXzr)T`XH7ZDC|(A}k_pVQFq6EHPbOeOn@7V{K(3EFx"
    "_pEPEnjZ*z1aI(s5%Zg6#UB04fIH7p`@X=QSAB05`pB57`Lb#x*+H7p`?X?kTMIx&4+eJmnncyw}MB075_WMy+>a%p"
    "gMX>V>KIwEUjaC9PlEFx@aZE18OI(s5xZ*FvDcyuB<F)}zXFfe^AB5iMEVQgu1X=QUFI(s5%Zg6#UB05_lbY*ySA}k"
    "_lZDD6+B3*qfB5q-"
    "AWg<EvM{>iq!=Gg$EFyDsVRUtKB03^uWpHw3V_|e<WFjmgbZ>8LUt?ixY$7^za&={WU0WhyV{K(3EFx|qEPH)jTOw^"
    "?WMv{OB6uP!dwpG7B5h%0Wg;wYb!==bdm?6RVP|t9I$JPZEFx!NbY*v8c_KO@ZDDC{A}k_pZ)9a`UvGA0a&l>8Wpg4"
    "rdm?xuI(s5vaA_hsB4~7UaC15@FL*9xcwudDY-J*SeJmnvZ)9a`b0RuhB6uQQeO+53VPkD&A}nroY-"
    "}uhB4Kc8Uu$J~UuAA~Uv^<~b0RuhB0)n<MPExrSt4C5B4%u1XLBMtTRAo?FkLJnXJK?@cVT%VIwEahX>KAcB5iMEWo"
    "&aII$I)bA}k_qB3&#Zb#iPXIwELvbZ~PzFE3$ZZDlTHcwudDY-KNYF(Q3k"
)


def of_version_0_1() -> list[ProviderConfig]:
    record = {
        "name": "Größe",
        "status": "deprecated",
        "tool_call": True,
        "description": "kept",
        "limit": {"context": 128000},
        "cost": {"input": 2.5, "tiers": [{"input": 5, "size": 1}]},
        "modalities": {"input": ["text", "image"]},
    }
    about = {"url": "https://acme.example/v1", "api_key_env_vars": "ACME_KEY", "gateway": "main"}
    fetched = provider_from_record("acme", {"models": {"m": record, "n": {}}, **about})
    assert fetched is not None
    overrides = {"x": {"api": "https://x.example"}}
    return [fetched, ProviderConfig("made", ["x"], gateway="main", model_overrides=overrides)]


def test_a_snapshot_of_an_older_version_is_read_and_new_fields_cost_it_nothing() -> None:
    data = b85decode(VERSION_0_1)
    older = Snapshot.from_bytes(data)
    older.verify()
    expected = {one.id: one for one in of_version_0_1()}
    assert older.get_providers() == expected
    model = older.get_model("acme/m")
    assert model == expected["acme"].models["m"]
    assert (model.kind, model.lifecycle) == ("chat", Lifecycle())
    built = Snapshot.build(of_version_0_1(), {"main": "plugin:main"})
    assert {*built.lines()} == {*older.lines()}
    assert changes.diff(older, built).updated == ()


def test_a_store_of_an_older_version_is_served_and_synced(synced: World) -> None:
    older = Snapshot.from_bytes(b85decode(VERSION_0_1))
    generation = synced.store.read_generation()
    assert generation is not None
    gateways = {"main": evolve(generation.gateways["main"], result=older.hash)}
    commit(synced.store, evolve(generation, snapshot=older.hash, gateways=gateways), [older])
    assert synced.registry().get_model("acme/m") == older.get_model("acme/m")
    synced.serve("main", {"acme": ["m", "n"], "made": ["x"]}, etag='"2"')
    report = synced.sync()
    assert report.problems == ()
    assert "m" in synced.models()["acme"]


def newer_dumps(value: Any) -> bytes:
    """As a version with more fields would write a directory, a provider and a model."""
    if "gateways" in value:
        rows = [[*row, "more"] for row in value["providers"]]
        value = {**value, "providers": rows, "signature": "s"}
    elif "flags" in value:
        value = {**value, "region": "eu"}
    else:
        limit = {**value.get("limit", {}), "images": 2}
        lifecycle = {"retires_on": "2030-01-01", "announced_on": "2029-01-01"}
        value = {**value, "limit": limit, "cost": {"input": 1, "per_second": 2}, "speed": 9}
        value = {**value, "kind": "robot", "lifecycle": lifecycle}
    return json.dumps(value, sort_keys=True).encode()


def test_what_a_newer_version_adds_to_a_snapshot_is_skipped(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ModelInfo("gpt-5", "openai", name="Five", limit=Limit(context=5))
    provider = ProviderConfig("openai", {"gpt-5": model}, name="OpenAI", gateway="main")
    with monkeypatch.context() as patched:
        patched.setattr(writing, "dumps", newer_dumps)
        patched.setattr(encoding, "dumps", newer_dumps)
        newer = Snapshot.build([provider])
    assert b"per_second" in newer.to_bytes()
    generation = synced.store.read_generation()
    assert generation is not None
    gateways = {"main": evolve(generation.gateways["main"], result=newer.hash)}
    commit(synced.store, evolve(generation, snapshot=newer.hash, gateways=gateways), [newer])

    registry = synced.registry()
    found = registry.get_model("openai/gpt-5")
    assert found == evolve(model, cost=Cost(input=1), lifecycle=Lifecycle(retires_on="2030-01-01"))
    assert dict(registry.get_providers()["openai"].models)["gpt-5"].name == "Five"
    assert registry.get_provider_config("openai").name == "OpenAI"  # type: ignore[union-attr]
    report = synced.sync()
    assert (report.ok, report.problems) == (True, ())
    assert "gpt-5" in synced.models()["openai"]


def test_a_pointer_without_what_every_version_writes_is_damaged(synced: World) -> None:
    before = seen(synced)
    for change in (
        lambda raw: raw.pop("snapshot"),
        lambda raw: raw.update(gateways=3),
        lambda raw: raw["gateways"].update(main=[]),
        lambda raw: raw["gateways"]["main"].update(retrieved_at="yesterday"),
    ):
        write_pointer(synced.store, change)
        assert seen(synced) == {"openai": ("gpt-old",), "other": ("x",)}
        assert [one.kind for one in synced.sync().problems] == ["store"]
        assert seen(synced) == before


def test_a_store_of_a_newer_schema_is_neither_read_nor_touched(synced: World) -> None:
    newer = synced.store.place / "v2"
    synced.store.folder.rename(newer)
    (newer / "pointer").write_text("of another kind")
    before = contents(newer)
    assert seen(synced) == {"openai": ("gpt-old",), "other": ("x",)}
    assert synced.sync().ok
    assert "gpt-5" in seen(synced)["openai"]
    assert contents(newer) == before
    assert len(synced.server.requests) == 4  # the second time each payload was confirmed
    assert synced.server.requests[-1].headers["If-None-Match"] == '"1"'


def test_a_version_that_emits_something_else_takes_turns_and_ends_whole(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.world import Emitter

    older = synced.writers
    synced.writers = (*older, ("newer", Emitter()))
    assert synced.sync().ok
    artifact = synced.store.place / "providers.txt"
    assert artifact.read_text() == "mine\nopenai\nother"
    synced.writers = older
    assert str(artifact) in synced.sync().written
    assert not artifact.exists()


def test_state_survives_its_own_words() -> None:
    state = State(last_refresh=1_800_000_000.5, bindings={"acme": (("KEY", "https://a.b"),)})
    assert State.from_json(state.to_json()) == state
