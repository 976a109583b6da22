"""A sync, from gateways behind a real server to files on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import attrs
import pytest

from registry_core import (
    Artifact,
    Disabled,
    ModelGateway,
    PluginSettings,
    ProviderConfig,
    Settings,
    SettingsError,
    Snapshot,
    StoreError,
    hookimpl,
)
from registry_core.syncing import freshness
from registry_core.syncing.options import Options
from tests.loopback import Reply
from tests.world import BUNDLED_AT, Emitter, JsonGateway, Overlay, Plugin, World


def status(report: Any) -> dict[str, str]:
    return {one.id: one.status for one in report.gateways}


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_is_fetched_is_merged_stored_and_served(world: World) -> None:
    world.gateway("main")
    world.gateway("second")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.serve("second", {"other": ["x", "y"]})
    report = world.sync()
    assert report.ok
    assert status(report) == {"main": "fresh", "second": "fresh"}
    assert report.added == ("openai/gpt-5", "other/y")
    assert world.models() == {"openai": ("gpt-5", "gpt-old"), "other": ("x", "y")}


def test_a_second_sync_revalidates_and_writes_nothing_but_state(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    before = files(world.tmp_path)
    report = world.sync()
    after = files(world.tmp_path)
    assert status(report)["main"] == "unchanged"
    assert gateway.fetches == 1
    assert [one.headers["If-None-Match"] for one in world.server.requests] == [None, '"1"']
    changed = {name for name in after if before.get(name) != after[name]}
    assert {Path(name).name for name in changed if not name.endswith((".lock", ".payload"))} == {
        "state.json"
    }
    assert not report.written


def test_force_sends_no_validators(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    world.now += 10
    report = world.sync(Options(force=True))
    assert status(report)["main"] == "fresh"
    assert gateway.fetches == 2
    assert world.server.requests[1].headers["If-None-Match"] is None


def test_a_deleted_artifact_comes_back_without_a_fetch(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    artifact = world.store.place / "provider-registry.json"
    text = artifact.read_text()
    artifact.unlink()
    report = world.sync()
    assert artifact.read_text() == text
    assert report.written == (str(artifact),)
    assert gateway.fetches == 1


def test_an_edited_artifact_is_restored_and_the_others_are_not_rewritten(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    before = files(world.store.place)
    artifact = world.store.place / "registry_core_types.pyi"
    artifact.write_text("edited")
    assert world.sync().written == (str(artifact),)
    after = files(world.store.place)
    same = {name for name in before if before[name] == after[name]}
    assert "provider-registry.json" in same


def test_one_gateway_that_fails_costs_the_others_nothing(world: World) -> None:
    world.gateway("main")
    world.gateway("second")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.serve("second", {"other": ["x"]})
    world.sync()
    world.server.route("/main.json", Reply(404))
    world.serve("second", {"other": ["x", "new"]})
    world.now += 3600
    report = world.sync()
    assert not report.ok
    assert status(report) == {"main": "failed", "second": "fresh"}
    main = report.gateways[0]
    assert main.source == "stored"
    assert "404" in (main.error or "")
    assert world.models() == {"openai": ("gpt-5", "gpt-old"), "other": ("new", "x")}


def test_a_gateway_that_never_answered_has_no_data(world: World) -> None:
    world.gateway("new")
    world.server.route("/new.json", Reply(404))
    (found,) = [one for one in world.sync().gateways if one.id == "new"]
    assert (found.status, found.source, found.retrieved_at) == ("failed", "none", None)
    assert (found.providers, found.models) == (0, 0)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<!doctype html><html></html>", b"null", b"{}", b"[]", b'{"openai": 3}'],
    ids=["empty", "truncated", "html", "null", "empty object", "list", "wrong type"],
)
def test_an_answer_that_is_no_data_is_never_taken_for_some(world: World, body: bytes) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    world.server.route("/main.json", Reply(200, body, {"ETag": '"2"'}))
    for _ in range(2):  # the failure must not be cached as a success either
        report = world.sync()
        assert status(report)["main"] == "failed"
        assert world.models()["openai"] == ("gpt-5", "gpt-old")
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]}, etag='"3"')
    assert status(world.sync())["main"] == "fresh"


def test_a_gateway_that_shrinks_is_quarantined_until_it_is_accepted(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": [f"m{n}" for n in range(10)]})
    world.sync()
    world.serve("main", {"openai": ["m0", "m1", "m2", "m3"]})
    report = world.sync()
    assert not report.ok
    assert report.gateways[0].quarantined
    assert "--accept main" in (report.gateways[0].error or "")
    assert len(world.models()["openai"]) == 10
    assert world.sync(Options(accept=["main"])).ok
    assert len(world.models()["openai"]) == 4


def test_shrinkage_is_measured_against_the_bundle_if_nothing_is_stored(world: World) -> None:
    world.bundled = Snapshot.build(
        [ProviderConfig(id="openai", models=["a", "b", "c"], gateway="main")]
    )
    world.gateway("main")
    world.serve("main", {"openai": ["a"]})
    assert world.sync().gateways[0].quarantined
    assert world.models() == {"openai": ("a", "b", "c")}


def test_accept_does_not_lift_an_empty_result(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": []})
    assert status(world.sync(Options(accept=["main"])))["main"] == "failed"
    assert world.models()["openai"] == ("gpt-old",)


def test_accept_of_nobody_is_named_and_no_failure(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    report = world.sync(Options(accept=["mian"]))
    assert report.ok
    assert [one.culprit for one in report.problems] == ["--accept mian"]
    assert "'main'" in report.problems[0].message


def test_offline_works_from_the_bundle_and_asks_nobody(world: World) -> None:
    world.gateway("main")
    report = world.sync(offline=True)
    assert report.ok
    assert status(report)["main"] == "offline"
    assert report.gateways[0].source == "bundled"
    assert report.gateways[0].retrieved_at.timestamp() == BUNDLED_AT  # type: ignore[union-attr]
    assert (world.store.place / "provider-registry.json").exists()
    assert not world.server.requests


def test_an_offline_sync_forgets_nothing(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    before = world.registry().world.state().gateways
    world.sync(offline=True)
    assert world.registry().world.state().gateways == before


def test_a_gateway_that_needs_no_network_is_asked_offline(world: World) -> None:
    class Local(ModelGateway):
        id = name = "local"
        needs_network = False

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            return {"local": ProviderConfig(id="local", models=["a"])}

    world.plugins.append(Plugin(Local()))
    assert status(world.sync(offline=True))["local"] == "fresh"
    assert world.models()["local"] == ("a",)


def test_a_newer_bundle_replaces_older_stored_data_gateway_by_gateway(world: World) -> None:
    """An upgrade brings newer bundled data; private providers must not vanish with it."""
    world.now = BUNDLED_AT - 1000
    world.gateway("main")
    world.gateway("private")
    world.serve("main", {"openai": ["ancient"]})
    world.serve("private", {"mine": ["secret-model"]})
    world.sync(Options(accept=["main"]))
    assert world.models() == {"mine": ("secret-model",), "openai": ("ancient",), "other": ("x",)}
    world.now = BUNDLED_AT + 1000
    report = world.sync(offline=True)
    assert {one.id: one.source for one in report.gateways} == {
        "main": "bundled",
        "private": "stored",
        "second": "bundled",
    }
    assert world.models() == {"mine": ("secret-model",), "openai": ("gpt-old",), "other": ("x",)}


def test_a_304_makes_stored_data_newer_than_the_bundle(world: World) -> None:
    world.now = BUNDLED_AT - 1000
    world.gateway("main")
    world.serve("main", {"openai": ["ancient"]}, etag='"1"')
    world.sync()
    world.now = BUNDLED_AT + 1000
    assert status(world.sync())["main"] == "unchanged"
    assert world.models()["openai"] == ("ancient",)


def test_a_disabled_gateway_is_no_failure_and_keeps_its_data(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    gateway.should_enable = lambda settings: Disabled("set TOKEN")  # type: ignore[method-assign]
    report = world.sync()
    assert report.ok
    assert (report.gateways[0].status, report.gateways[0].error) == ("disabled", "set TOKEN")
    assert world.models()["openai"] == ("gpt-5", "gpt-old")


def test_a_full_id_that_two_providers_share_is_new_or_gone_only_with_the_last_of_them(
    world: World,
) -> None:
    world.gateway("main")

    def changes(payload: dict[str, list[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        world.serve("main", payload)
        report = world.sync()
        assert report.ok
        return report.added, report.removed

    changes({"or/oa": ["x"], "or": ["y"]})
    assert changes({"or/oa": ["x"], "or": ["oa/x", "y"]}) == ((), ())
    assert changes({"or/oa": ["x"], "or": ["y"]}) == ((), ())
    assert changes({"or/oa": ["z"], "or": ["oa/x"]}) == (("or/oa/z",), ("or/y",))
    assert changes({"or/oa": ["z"], "or": ["y"]}) == (("or/y",), ("or/oa/x",))


def test_only_the_settings_remove_a_gateways_data(world: World) -> None:
    world.gateway("private")
    world.serve("private", {"mine": ["a"]})
    world.sync()
    world.plugins.clear()  # uninstalled
    assert not world.sync().ok  # no gateway is installed any more, and it says so
    assert "mine" in world.models()
    world.sync(disable_plugins=("registry-core:test-0",))
    assert "mine" not in world.models()


def test_the_failure_of_a_gateway_that_was_switched_off_is_forgotten(world: World) -> None:
    world.gateway("private")
    world.serve("private", {"mine": ["a"]})
    world.sync()
    world.server.route("/private.json", Reply(404))
    assert not world.sync().ok
    world.plugins.clear()
    world.sync(disable_plugins=("registry-core:test-0",))
    assert "private" not in world.registry().world.state().gateways  # doctor would fail for ever


def test_a_gateway_that_is_missing_is_told_from_one_that_was_refused(world: World) -> None:
    world.gateway("private")
    world.serve("private", {"mine": ["a"]})
    world.sync()

    def told(*plugins: object) -> tuple[str, str | None, list[str]]:
        world.plugins[:] = plugins
        report = world.sync()
        (found,) = [one for one in report.gateways if one.id == "private"]
        assert not report.ok
        assert "mine" in world.models()
        return found.status, found.error, [one.culprit for one in report.problems]

    missing = "its plugin is not installed"
    assert told() == ("disabled", missing, ["no gateway is installed"])
    missing = "its plugin does not add it"
    assert told(Plugin()) == ("disabled", missing, ["no gateway can be used"])
    status, error, culprits = told(Plugin(JsonGateway("Private!", "")))
    assert status == "failed"
    assert error and "'Private!'" in error
    assert culprits[-1] == "no gateway can be used"
    assert world.registry().world.state().gateways["private"].error == error  # as doctor shows it


def test_an_overlay_changes_what_is_served_and_emitted(world: World) -> None:
    def deny(snapshot: Snapshot) -> Snapshot:
        kept = {id: one for id, one in snapshot.get_providers().items() if id != "bad"}
        return snapshot.with_providers(kept)

    world.gateway("main")
    world.plugins.append(Overlay(deny))
    world.serve("main", {"openai": ["gpt-5", "gpt-old"], "bad": ["b"]}, etag='"1"')
    world.sync()
    assert world.models() == {"openai": ("gpt-5", "gpt-old"), "other": ("x",)}
    assert '"bad"' not in (world.store.place / "provider-registry.json").read_text()
    world.plugins.pop()
    world.sync()  # 304: the gateway's own result was kept whole beside the overlaid snapshot
    assert "bad" in world.models()


def test_an_overlay_that_fails_holds_the_generation(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    world.plugins.append(Overlay(lambda snapshot: 1 / 0))
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]}, etag='"2"')
    report = world.sync()
    assert not report.ok
    assert [one.kind for one in report.problems] == ["overlay"]
    assert world.models()["openai"] == ("gpt-5", "gpt-old")
    world.plugins.pop()
    assert world.sync().ok  # what was held is used once the policy works again
    assert world.models()["openai"] == ("gpt-6", "gpt-old")


def test_a_gateway_that_hangs_is_abandoned_at_its_deadline(world: World) -> None:
    from threading import Event

    release = Event()

    class Hanging(ModelGateway):
        id = name = "hanging"

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            release.wait(30)
            return {}

    world.plugins.append(Plugin(Hanging()))
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    try:
        report = world.sync(fetch_deadline_ms=300)
    finally:
        release.set()
    assert status(report)["hanging"] == "failed"
    assert status(report)["main"] == "fresh"
    assert "fetch_deadline_ms" in (report.gateways[0].error or "")


def test_gateways_are_asked_at_the_same_time(world: World) -> None:
    """Each answers only when all have been asked: one after the other would never end."""
    from threading import Barrier

    barrier = Barrier(4)
    for n in range(4):
        world.gateway(f"g{n}")

        def answer(request: Any, n: int = n) -> Reply:
            barrier.wait(10)
            return Reply(200, f'{{"p{n}": ["m"]}}'.encode())

        world.server.route(f"/g{n}.json", answer)
    assert world.sync().ok


def test_data_that_is_young_enough_tolerates_a_failure(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.server.route("/main.json", Reply(404))
    world.now += 3600
    assert world.sync(Options(max_age=7200)).ok
    assert not world.sync(Options(max_age=1800)).ok


def test_a_damaged_store_is_quarantined_and_rebuilt(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    for path in (world.store.folder / "objects").iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    report = world.sync()
    assert [one.kind for one in report.problems] == ["store"]
    assert report.ok
    assert list((world.store.folder / "quarantine").iterdir())
    assert world.models()["openai"] == ("gpt-5", "gpt-old")
    assert world.server.requests[1].headers["If-None-Match"] == '"1"'  # from the raw payload


def test_a_damaged_pointer_or_state_costs_a_sync_nothing(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.store.pointer.write_text("garbage")
    world.store.state.write_text('{"gateways": {"main": {"retrieved_at": "NaN"}}, "plugins": 3}')
    assert world.sync().ok
    assert world.models()["openai"] == ("gpt-5", "gpt-old")


def test_old_objects_go_once_nothing_refers_to_them(world: World) -> None:
    world.gateway("main")
    for n in range(5):
        world.serve("main", {"openai": ["gpt-old", f"gpt-{n}"]})
        world.sync()
    assert len(list((world.store.folder / "objects").iterdir())) == 2  # this one and the last


def test_leftovers_of_an_earlier_emission_are_removed(world: World) -> None:
    world.gateway("main", namespaced=True)
    model = {"id": "m", "attachment": True}
    gateway = world.gateway("flags")

    def fetch(client: Any) -> dict[str, ProviderConfig]:
        from registry_core import ModelInfo

        return {
            id: ProviderConfig(
                id=id, models={"m": ModelInfo(id="m", provider_id=id, attachment=True)}
            )
            for id in client.get_json(world.server.url("/flags.json"))
        }

    assert model
    gateway.fetch_providers = fetch  # type: ignore[method-assign]
    world.serve("main", {"main": ["a"]})
    world.serve("flags", ["one", "two"])
    world.sync()
    folder = world.store.place / "capabilities"
    assert {path.name for path in folder.iterdir()} == {"one.json", "two.json"}
    world.serve("flags", ["one"])
    world.sync()
    assert {path.name for path in folder.iterdir()} == {"one.json"}


def test_no_gateway_says_what_to_install(world: World) -> None:
    report = world.sync()
    assert not report.ok
    assert "pip install" in report.problems[0].message


def test_output_gets_everything_and_the_project_nothing(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    output, project = world.tmp_path / "out", world.tmp_path / "project"
    world.sync(
        Options(project=True), output=output, project=project, outputs={"json": project / "x"}
    )
    assert {path.name for path in output.iterdir()} >= {
        "provider-registry.json",
        "provider-types.generated.d.ts",
        "registry_core_types.pyi",
    }
    assert not project.exists()


def test_the_project_gets_what_its_output_table_names_in_its_scope(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"], "hidden": ["h"]})
    folder = world.tmp_path / "project"
    settings: dict[str, Any] = {
        "project": folder,
        "outputs": {"python": folder / "typings"},
        "types_providers": ("openai",),
    }
    world.sync(Options(project=False), **settings)
    assert not folder.exists()
    world.sync(Options(project=True), **settings)
    scoped = (folder / "typings" / "registry_core_types.pyi").read_text()
    assert "gpt-5" in scoped
    assert "hidden" not in scoped
    assert "hidden" in (world.store.place / "registry_core_types.pyi").read_text()


def test_check_names_the_files_that_differ_and_writes_nothing(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    output = world.tmp_path / "out"
    world.sync(output=output)
    before = files(world.tmp_path)
    assert world.check(output=output)[1] == ()
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    report, differing = world.check(output=output)
    assert report.ok
    assert str(output / "provider-registry.json") in differing
    after = files(world.tmp_path)
    assert before == after


def test_check_without_a_target_is_a_settings_error(world: World) -> None:
    with pytest.raises(SettingsError, match="--output"):
        world.check()


def test_a_snapshot_file_stands_for_fetch_and_store(world: World) -> None:
    path = world.tmp_path / "pinned"
    path.write_bytes(world.bundled.to_bytes())
    world.gateway("main")
    output = world.tmp_path / "out"
    report = world.sync(snapshot=path, output=output)
    assert report.ok
    assert "gpt-old" in (output / "provider-registry.json").read_text()
    assert not world.server.requests
    assert not world.store.folder.exists()
    assert world.check(snapshot=path, output=output)[1] == ()


def test_an_artifact_that_leads_out_of_its_target_is_refused(world: World) -> None:
    from registry_core import Artifact, hookimpl

    class Evil:
        @hookimpl
        def registry_emit(self, snapshot: Snapshot) -> list[Artifact]:
            paths = ["../evil", "/evil", "a/../../evil", "C:evil", "con.json", "x.", "a//b", "A\0"]
            return [Artifact("evil", path, "") for path in paths] + [
                Artifact("evil", "Same", "1"),
                Artifact("evil", "same", "2"),
                Artifact("evil", "é" * 200, ""),
                Artifact("evil", "bad-text", "\ud800"),
            ]

    world.gateway("main")
    world.serve("main", {"openai": ["gpt-old"]})
    world.plugins.append(Evil())
    report = world.sync()
    assert report.ok
    assert sum(one.kind == "emitter" for one in report.problems) == 11
    assert (world.store.place / "Same").read_text() == "1"
    assert not list(world.tmp_path.rglob("evil*"))


def test_a_symlink_below_the_target_is_not_followed_out_of_it(world: World) -> None:
    outside = world.tmp_path / "outside"
    outside.mkdir()
    output = world.tmp_path / "out"
    output.mkdir()
    (output / "capabilities").symlink_to(outside)
    from registry_core import Artifact, hookimpl

    class Nested:
        @hookimpl
        def registry_emit(self, snapshot: Snapshot) -> list[Artifact]:
            return [Artifact("nested", "capabilities/x.json", "{}")]

    world.gateway("main")
    world.serve("main", {"openai": ["gpt-old"]})
    world.plugins.append(Nested())
    report = world.sync(output=output)
    assert not report.ok
    assert report.problems[0].kind == "target"
    assert not list(outside.iterdir())


def test_observers_hear_of_failed_syncs_too(world: World) -> None:
    from registry_core import hookimpl

    heard: list[bool] = []

    class Observer:
        @hookimpl
        def registry_refreshed(self, report: Any, snapshot: Snapshot) -> None:
            heard.append(report.ok)
            assert snapshot.is_provider_registered("openai")

    world.gateway("main")
    world.plugins.append(Observer())
    world.sync()
    world.serve("main", {"openai": ["gpt-old"]})
    world.sync()
    assert heard == [False, True]


def test_a_writer_that_fails_costs_the_others_nothing_and_is_asked_again(world: World) -> None:
    from registry_core import hookimpl

    class Broken:
        broken = True

        @hookimpl
        def registry_emit(self, snapshot: Snapshot) -> list[Any]:
            if self.broken:
                raise RuntimeError("no")
            return []

    world.gateway("main")
    world.serve("main", {"openai": ["gpt-old"]}, etag='"1"')
    broken = Broken()
    world.plugins += [broken, Emitter()]
    report = world.sync()
    assert not report.ok
    assert (world.store.place / "providers.txt").exists()
    broken.broken = False
    assert world.sync().ok


def test_a_store_that_cannot_be_written_falls_back_and_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = world.tmp_path / "venv"
    blocked.write_text("a file where the environment should be")
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    assert world.sync().ok
    assert "gpt-5" in world.models()["openai"]
    assert [one.levelname for one in caplog.records] == ["WARNING"]
    assert list((world.tmp_path / "cache").glob("env-*"))


def test_no_place_at_all_is_one_clear_error(world: World) -> None:
    for name in ("venv", "cache", "tmp"):
        (world.tmp_path / name).write_text("in the way")
    with pytest.raises(StoreError, match="REGISTRY_CORE_STORE_DIR"):
        world.sync()


def test_strict_raises_all_failures_at_once(world: World) -> None:
    world.gateway("main")
    world.gateway("second")
    with pytest.raises(ExceptionGroup) as caught:
        world.registry(strict=True).sync_gateways()
    assert len(caught.value.exceptions) == 2


def test_file_modes_follow_the_umask_and_are_kept(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    artifact = world.store.place / "provider-registry.json"
    mask = os.umask(0)
    os.umask(mask)
    assert artifact.stat().st_mode & 0o777 == 0o666 & ~mask
    artifact.chmod(0o640)
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    world.sync()
    assert artifact.stat().st_mode & 0o777 == 0o640


def test_settings_default_to_nothing_that_touches_a_project() -> None:
    assert Settings().outputs == {}
    assert attrs.fields_dict(Settings)["output"].default is None


def test_a_writer_that_fails_keeps_its_last_good_files(world: World) -> None:
    class Flaky(Emitter):
        broken = False

        @hookimpl
        def registry_emit(self, snapshot: Snapshot, settings: PluginSettings) -> list[Artifact]:
            if self.broken:
                raise RuntimeError("no")
            return super().registry_emit(snapshot, settings)

    flaky = Flaky()
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-old"]}, etag='"1"')
    world.plugins.append(flaky)
    world.sync()
    file = world.store.place / "providers.txt"
    before = file.read_text()
    flaky.broken = True
    world.serve("main", {"openai": ["gpt-6"], "new": ["m"]}, etag='"2"')
    assert not world.sync().ok
    assert file.read_text() == before
    flaky.broken = False
    assert world.sync().ok
    assert "new" in file.read_text()


def test_a_changed_output_table_counts_at_once(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-old"]}, etag='"1"')
    project = world.tmp_path / "project"
    for folder in ("one", "two"):
        outputs = {"json": project / folder}
        world.sync(Options(project=True), project=project, outputs=outputs)
        assert (project / folder / "provider-registry.json").exists()


def test_force_asks_the_writers_again(world: World) -> None:
    """An author's edit of a writer must not wait for a new version, or a new model."""
    text = ["one"]

    class Edited:
        @hookimpl
        def registry_emit(self) -> list[Artifact]:
            return [Artifact("edited", "edited.txt", text[0])]

    world.gateway("main")
    world.serve("main", {"openai": ["gpt-old"]}, etag='"1"')
    world.plugins.append(Edited())
    world.sync()
    text[0] = "two"
    world.sync(Options(force=True))
    assert (world.store.place / "edited.txt").read_text() == "two"


def test_nothing_is_emitted_that_no_policy_has_passed(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.plugins.append(Overlay(lambda snapshot: 1 / 0))
    report = world.sync()
    assert not report.ok
    assert not (world.store.place / "provider-registry.json").exists()


def test_a_held_sync_reports_the_data_in_use(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.plugins.append(Overlay(lambda snapshot: 1 / 0))
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    world.now += 3600
    main = world.sync().gateways[0]
    assert main.source == "stored"
    assert main.retrieved_at.timestamp() == world.now - 3600  # type: ignore[union-attr]


def test_what_a_policy_held_was_not_retrieved(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.now += 3600
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    world.plugins.append(Overlay(lambda snapshot: 1 / 0))
    assert not world.sync().ok
    known = world.registry().world.state().gateways["main"]
    assert (known.retrieved_at, known.checked_at) == (world.now - 3600, world.now)


def test_an_empty_registry_is_no_data(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.plugins.clear()
    disabled = ("registry-core:test-0", "main-plugin", "second-plugin")
    report = world.sync(disable_plugins=disabled)
    assert not report.ok
    assert any("no gateway is left" in one.message for one in report.problems)
    assert world.models()["openai"] == ("gpt-5", "gpt-old")


def test_a_fork_of_a_plugin_is_asked_itself(world: World) -> None:
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.plugins.append(Emitter())
    world.gateway("main")
    world.sync()
    world.plugins.reverse()  # the same gateway, from another plugin
    fork = world.plugins[0]._gateways[0]  # type: ignore[attr-defined]
    fork.fetches = 0
    world.sync()
    assert fork.fetches == 1
    world.now += 10
    report = world.sync(offline=True, disable_plugins=("registry-core:test-1",))
    assert (report.gateways[0].status, report.gateways[0].source) == ("offline", "stored")


def test_a_gateway_hook_that_raises_is_a_failed_gateway(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    first = world.store.read_state().last_refresh

    class Raising:
        @hookimpl
        def registry_gateways(self) -> list[ModelGateway]:
            raise RuntimeError("out of order")

    assert gateway
    world.plugins[:] = [Raising()]
    world.now += 3600
    report = world.sync()
    assert status(report)["main"] == "failed"
    assert "out of order" in (report.gateways[0].error or "")
    assert world.store.read_state().last_refresh == first
    assert world.models()["openai"] == ("gpt-5", "gpt-old")


def test_only_failures_are_tolerated(world: World) -> None:
    world.gateway("main")
    report = world.sync(Options(max_age=10**10), offline=True)
    assert not any(one.tolerated for one in report.gateways)


def test_shrinkage_is_measured_against_what_is_stored_even_if_the_bundle_is_newer(
    world: World,
) -> None:
    """A private mirror that holds less than the public bundle is no shrinkage of its own."""
    world.bundled = Snapshot.build(
        [ProviderConfig(id="openai", models=[f"m{n}" for n in range(10)], gateway="main")]
    )
    world.now = BUNDLED_AT - 1000
    world.gateway("main")
    world.serve("main", {"openai": ["m0"]})
    world.sync(Options(accept=["main"]))
    world.now = BUNDLED_AT + 1000
    world.serve("main", {"openai": ["m0", "m1"]})
    assert world.sync().ok
    assert world.models()["openai"] == ("m0", "m1")


def test_a_pinned_file_that_is_missing_is_a_clear_error(world: World) -> None:
    missing = world.tmp_path / "missing"
    for call in (world.sync, world.check):
        with pytest.raises(StoreError, match="REGISTRY_CORE_SNAPSHOT"):
            call(snapshot=missing, output=world.tmp_path / "out")


def test_a_gateway_that_has_moved_is_asked_at_its_new_place(world: World) -> None:
    """Though its old address, which is revalidated first, is down."""
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    world.server.route("/main.json", Reply(404))
    world.serve("moved", {"openai": ["gpt-6", "gpt-old"]})
    gateway._url = world.server.url("/moved.json")
    assert status(world.sync())["main"] == "fresh"
    assert world.models()["openai"] == ("gpt-6", "gpt-old")


def test_what_the_project_asks_for_and_nobody_makes_is_named(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    project = world.tmp_path / "project"
    report = world.sync(
        Options(project=True, accept=["mian"]),
        project=project,
        outputs={"pyhton": project / "typings"},
        types_providers=("opnai",),
    )
    told = {one.culprit: one.message for one in report.problems}
    assert "did you mean 'python'" in told["[tool.registry-core.output] pyhton"]
    assert "did you mean 'openai'" in told["[tool.registry-core.types] providers"]
    assert "did you mean 'main'" in told["--accept mian"]
    assert not report.ok


def test_a_new_version_of_the_core_asks_each_gateway_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the core knows of providers, and how it reads records, may have changed."""
    main = world.gateway("main")
    world.serve("main", {"openai": ["a"]}, etag='"1"')
    for version, fetches in (("1.0", 1), ("1.0", 1), ("1.1", 2), ("1.1", 2)):
        monkeypatch.setattr(freshness, "__version__", version)
        world.sync()
        assert main.fetches == fetches
