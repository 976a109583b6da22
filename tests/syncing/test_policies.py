"""What an overlay changes, and what its failure holds back."""

from __future__ import annotations

from registry_core import Snapshot
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
