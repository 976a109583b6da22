"""What an overlay changes, and what its failure holds back."""

from __future__ import annotations

import pytest

from registry_core import PluginSettings, Snapshot, SnapshotDamagedError, hookimpl
from registry_core._sync.options import Options
from tests.syncing.looking import files
from tests.world import Overlay, World


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


class Denying:
    """A policy whose list changes while its version and options do not."""

    def __init__(self, world: World) -> None:
        self.denied: set[str] = set()
        world.plugins.append(Overlay(self._change))
        self._world = world

    def _change(self, snapshot: Snapshot) -> Snapshot:
        kept = {
            id: one.replace(
                models={m: it for m, it in one.models.items() if it.full_id not in self.denied}
            )
            for id, one in snapshot.get_providers().items()
            if id not in self.denied
        }
        return snapshot.with_providers(kept)

    def sync(self, **payload: list[str]) -> None:
        self._world.serve("main", payload)
        assert self._world.sync().ok

    def previous(self) -> Snapshot | None:
        """What serves if the current snapshot turns out to be damaged."""
        store = self._world.store
        generation = store.read_generation()
        assert generation
        return store.open_snapshot(generation.previous) if generation.previous else None


@pytest.fixture
def denying(world: World) -> Denying:
    world.gateway("main")
    denying = Denying(world)
    denying.denied = {"other"}
    denying.sync(openai=["a", "b"], more=["m"])
    return denying


@pytest.mark.parametrize("denied", ["more", "more/m", "openai/a"])
def test_what_is_withheld_since_is_not_shown_by_the_generation_before(
    world: World, denying: Denying, denied: str
) -> None:
    denying.denied.add(denied)
    denying.sync(openai=["a", "b", "c"], more=["m", "n"])
    assert denying.previous() is None


def test_the_generation_before_may_serve_if_it_never_had_what_is_withheld(
    world: World, denying: Denying
) -> None:
    before = world.registry().snapshot()
    denying.denied.add("new/x")
    denying.sync(openai=["a", "b"], more=["m"], new=["x", "y"])
    assert denying.previous() == before


def test_a_model_that_the_generation_before_would_pass_on_counts_as_shown(
    world: World, denying: Denying
) -> None:
    """`resolve` passes on what a registered provider does not list."""
    denying.denied.add("more/x")
    denying.sync(openai=["a", "b"], more=["m", "x"])
    assert denying.previous() is None


def test_a_merge_that_ends_as_before_keeps_the_generation_before(
    world: World, denying: Denying
) -> None:
    before = world.registry().snapshot()
    denying.sync(openai=["a", "b", "c"], more=["m"])
    assert denying.previous() == before
    current = world.registry().snapshot()
    inputs = world.store.read_generation().inputs  # type: ignore[union-attr]
    assert world.sync(priority=("main",)).ok
    assert world.store.read_generation().inputs != inputs  # type: ignore[union-attr]
    assert world.registry().snapshot() == current
    assert denying.previous() == before


def test_without_a_policy_there_is_no_generation_before_and_damage_ends_in_the_bundle(
    world: World,
) -> None:
    world.gateway("main")
    for name in ("a", "b"):
        world.serve("main", {"openai": [name]})
        assert world.sync(Options(accept=["main"])).ok
    generation = world.store.read_generation()
    assert generation
    assert generation.previous is None


def test_a_policy_that_nobody_knows_any_more_holds_what_finds_no_project(
    world: World, denying: Denying
) -> None:
    for path in (world.store.pointer, world.store.state):
        path.unlink()
    world.store.policy.write_text("[")
    report = world.sync()
    (held,) = [one for one in report.problems if one.kind == "overlay"]
    assert "--project" in held.error.hint
    assert "registry-core.policy" in held.error.hint
    assert not report.ok
    assert world.sync(project=world.tmp_path).ok
    assert "other" not in world.models()


def test_a_lost_mark_beside_lost_data_shows_nothing_that_the_policy_took_out(
    world: World, denying: Denying
) -> None:
    """The pointer still says that there was a policy."""
    world.store.policy.unlink()
    generation = world.store.read_generation()
    assert generation
    world.store.object(generation.snapshot).write_bytes(b"damaged")
    artifact = world.store.place / "provider-registry.json"
    artifact.unlink()
    world.plugins[-1] = Overlay(lambda snapshot: 1 / 0)
    assert not world.sync().ok
    assert not artifact.exists()
    with pytest.raises(SnapshotDamagedError):
        world.models()


def test_a_sync_without_news_leaves_the_mark_of_a_policy_as_it_is(
    world: World, denying: Denying
) -> None:
    before = files(world.store.place)["registry-core.policy"]
    assert world.sync().ok
    assert files(world.store.place)["registry-core.policy"] == before


class Wanting:
    """A policy that warns of a provider that is not there."""

    @hookimpl
    def registry_overlay(self, snapshot: Snapshot, settings: PluginSettings) -> None:
        for id in ("bad", "local"):
            if id not in snapshot.get_providers():
                settings.warn(id, "there is no such provider")


def test_what_a_policy_warns_of_is_in_each_report_until_it_is_mended(world: World) -> None:
    world.gateway("main")
    world.gateway("local", volatile=True)  # away for what leaves this machine
    world.plugins.append(Wanting())
    world.serve("local", {"local": ["m"]})
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    for report in (world.sync(), world.sync(), world.check(output=world.tmp_path / "out")[0]):
        assert report.ok
        assert [str(one) for one in report.problems] == ["test-2: bad: there is no such provider"]
    assert world.registry().world.state().warnings == (
        ("test-2: bad", "there is no such provider"),
    )
    world.serve("main", {"openai": ["gpt-5", "gpt-old"], "bad": ["b"]}, etag='"2"')
    assert world.sync().problems == ()
    assert world.registry().world.state().warnings == ()
