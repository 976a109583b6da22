"""Which artifacts a sync writes, and which it leaves alone."""

from __future__ import annotations

import os
from typing import Any

from registry_core import Artifact, ModelInfo, PluginSettings, ProviderConfig, Snapshot, hookimpl
from registry_core._sync.options import Options
from tests.syncing.looking import files
from tests.world import Emitter, World


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


def test_leftovers_of_an_earlier_emission_are_removed(world: World) -> None:
    world.gateway("main", namespaced=True)
    gateway = world.gateway("flags")

    def fetch(client: Any) -> dict[str, ProviderConfig]:
        return {
            id: ProviderConfig(
                id=id, models={"m": ModelInfo(id="m", provider_id=id, attachment=True)}
            )
            for id in client.get_json(world.server.url("/flags.json"))
        }

    gateway.fetch_providers = fetch  # type: ignore[method-assign]
    world.serve("main", {"main": ["a"]})
    world.serve("flags", ["one", "two"])
    world.sync()
    folder = world.store.place / "capabilities"
    assert {path.name for path in folder.iterdir()} == {"one.json", "two.json"}
    world.serve("flags", ["one"])
    world.sync()
    assert {path.name for path in folder.iterdir()} == {"one.json"}


def test_a_writer_that_fails_costs_the_others_nothing_and_is_asked_again(world: World) -> None:
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


def test_an_artifact_that_leads_out_of_its_target_is_refused(world: World) -> None:
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


def test_a_writer_that_asks_for_a_sync_is_told_at_once_that_it_is_in_one(world: World) -> None:
    class Recursive:
        @hookimpl
        def registry_emit(self, snapshot: Snapshot) -> list[Artifact]:
            world.registry().sync_gateways()  # a registry of its own, as `get_instance()` is
            return []

    world.plugins.append(Recursive())
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    report = world.sync()
    (problem,) = report.problems
    assert "a hook of this sync asked for another sync" in problem.error.text
    assert (world.store.place / "provider-registry.json").exists()
    assert world.models()["openai"] == ("gpt-5", "gpt-old")
