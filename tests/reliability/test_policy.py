"""What a policy took out stays out: whatever is damaged, killed, upgraded, or asked elsewhere."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any
from unittest.mock import patch
from zlib import crc32

import pytest
from attrs import evolve

from registry_core import (
    HostChangedError,
    ModelGateway,
    ModelRegistry,
    OverlayError,
    ProviderConfig,
    RegistryError,
    Snapshot,
    SnapshotDamagedError,
    StoreError,
    UnknownModelError,
    WithheldError,
    hookimpl,
)
from registry_core._base.frozen import FrozenDict
from registry_core._base.secrets import Secrets
from registry_core._catalog.store import Generation, Store, find_store
from registry_core._plugins.host import PluginHost
from registry_core._sync import commit
from registry_core._world import World as RealWorld
from registry_core.settings import Settings
from registry_core.testing import write_distribution
from tests.world import Overlay, World

KEYS = {"OPENAI_API_KEY": "k", "BAD_API_KEY": "k"}
KEPT = {"openai": ("gpt-5", "gpt-old"), "other": ("x",)}


def without(snapshot: Snapshot, *denied: str) -> Snapshot:
    """A policy: no provider or model of these ids."""
    providers = {
        id: evolve(
            one,
            models={bare: it for bare, it in one.models.items() if it.full_id not in denied},
        )
        for id, one in snapshot.get_providers().items()
        if id not in denied
    }
    return snapshot.with_providers(providers)


class Policy(Overlay):
    """Denies what `denied` holds."""

    def __init__(self, *denied: str) -> None:
        super().__init__(lambda snapshot: without(snapshot, *self.denied))
        self.denied = denied


class Source(ModelGateway):
    """A gateway whose upstream is `sends`: provider → its models."""

    namespaced = False
    needs_network = False

    def __init__(self, id: str = "main", **sends: list[str]) -> None:
        self.id = self.name = id
        self.sends: Mapping[str, list[str]] = sends
        self.host = "example"

    @hookimpl
    def registry_gateways(self) -> list[ModelGateway]:
        return [self]

    def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
        return {id: provider(id, *ids, host=self.host) for id, ids in self.sends.items()}


@pytest.fixture
def source(world: World) -> Source:
    source = Source(openai=["gpt-5", "gpt-old", "secret"], bad=["b"])
    world.plugins.append(source)
    world.bundled = Snapshot.build(
        [
            provider("openai", "gpt-old", "secret"),
            provider("bad", "b"),
            provider("other", "x", gateway="second"),
        ]
    )
    return source


@pytest.fixture
def policy(world: World, source: Source) -> Policy:
    policy = Policy("bad", "openai/secret")
    world.plugins.append(policy)
    assert world.sync().ok
    assert world.models() == KEPT
    return policy


def provider(id: str, *models: str, gateway: str = "main", host: str = "example") -> ProviderConfig:
    return ProviderConfig(
        id,
        models,
        gateway=gateway,
        url=f"https://{id}.{host}/v1",
        api_key_env_vars=f"{id.upper()}_API_KEY",
    )


def objects(world: World) -> list[Path]:
    return [*(world.store.folder / "objects").iterdir()]


def spoil(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:68] + b"\xff" * (len(data) - 68))


def shown(world: World) -> Mapping[str, tuple[str, ...]] | None:
    """What lookups serve; None if they refuse."""
    registry = world.registry()
    try:
        models = registry.get_models()
    except SnapshotDamagedError as error:
        assert "sync" in error.hint
        with pytest.raises(RegistryError):
            registry.get_model("openai/gpt-5")
        with pytest.raises(RegistryError):
            registry.resolve("openai/gpt-5", KEYS)
        return None
    assert {*registry.get_providers()} == {*models}
    return models


def is_withheld(registry: ModelRegistry, id: str) -> bool:
    try:
        registry.resolve(id, KEYS)
    except WithheldError as error:
        assert "registry-core:test-1" in str(error)
        return True
    return False


# What resolve gives


def test_resolve_names_the_policy_that_withholds_a_provider_or_a_model(
    world: World, policy: Policy
) -> None:
    registry = world.registry()
    assert registry.resolve("openai/gpt-5", KEYS).model == "gpt-5"
    assert is_withheld(registry, "openai/secret")
    assert is_withheld(registry, "bad/b")
    assert is_withheld(registry, "bad/b-2026-01-01")
    assert dict(registry.snapshot().withheld) == {
        "bad": "registry-core:test-1",
        "openai/secret": "registry-core:test-1",
    }


def test_an_unlisted_model_is_passed_on_only_where_nothing_is_withheld(
    world: World, policy: Policy
) -> None:
    registry = world.registry()
    assert is_withheld(registry, "openai/secret-2026-01-01")
    policy.denied = ("bad",)
    world.sync()
    assert world.registry().resolve("openai/secret-2026-01-01", KEYS).api_key == "k"


def test_resolve_refuses_data_that_an_installed_policy_has_not_passed(
    world: World, source: Source
) -> None:
    world.plugins.append(Policy("bad"))
    assert is_withheld(world.registry(), "openai/gpt-old")  # no sync yet: the bundle
    world.sync()
    assert world.registry().resolve("openai/gpt-old", KEYS).api_key == "k"
    world.plugins.append(Policy("openai"))  # installed since
    with pytest.raises(WithheldError, match="registry-core:test-2 has not passed"):
        world.registry().resolve("openai/gpt-old", KEYS)


def test_a_changed_policy_is_one_that_has_not_passed_the_data_where_its_options_are_known(
    world: World, policy: Policy
) -> None:
    stricter = {"plugin_options": {"test-1": {"deny": ["openai/gpt-5"]}}}
    assert is_withheld(world.registry(project=world.tmp_path, **stricter), "openai/gpt-5")
    assert not is_withheld(world.registry(), "openai/gpt-5")  # a service finds no project
    world.sync(project=world.tmp_path, **stricter)
    assert not is_withheld(world.registry(project=world.tmp_path, **stricter), "openai/gpt-5")
    assert not is_withheld(world.registry(), "openai/gpt-5")


def test_what_a_newer_version_of_a_policy_has_passed_is_right_for_a_process_that_runs_the_older(
    world: World, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service runs on while its packages are upgraded and synced. It must not sync itself."""
    site = world.tmp_path / "site"
    install_policy(site, "1.0")
    monkeypatch.syspath_prepend(str(site))
    service = policy_host(world, shrink_limit=0.0)
    assert service.sync_gateways().ok
    shutil.rmtree(site / "no_bad-1.0.dist-info")
    install_policy(site, "2.0")
    assert policy_host(world).sync_gateways().ok
    service.invalidate()
    assert service.resolve("openai/gpt-5", KEYS).api_key == "k"
    before = Store(world.tmp_path / "store").read_generation()
    (problem,) = [one for one in service.sync_gateways().problems if one.kind == "overlay"]
    assert "this process runs version 1.0, and 2.0 is installed" in problem.message
    assert Store(world.tmp_path / "store").read_generation() == before
    monkeypatch.delitem(sys.modules, "no_bad")


def test_a_part_of_a_provider_that_a_second_policy_puts_back_withholds_the_rest(
    world: World, source: Source
) -> None:
    def put_back(snapshot: Snapshot) -> Snapshot:
        back = provider("openai", "gpt-5")
        return snapshot.with_providers({**snapshot.get_providers(), "openai": back})

    world.plugins += [Policy("openai"), Overlay(put_back)]
    world.sync()
    registry = world.registry()
    assert registry.get_model("openai/gpt-5")
    assert is_withheld(registry, "openai/secret")
    assert is_withheld(registry, "openai/anything")


def with_roles(**roles: str) -> Overlay:
    return Overlay(lambda snapshot: snapshot.with_roles(roles))


def test_a_role_resolves_to_its_model_and_is_withheld_with_it(world: World, policy: Policy) -> None:
    roles = with_roles(fast="openai/gpt-5", denied="openai/secret", bad="bad/b", far="other/gone")
    world.plugins.append(roles)
    world.sync()
    registry = world.registry()
    endpoint = registry.resolve("fast", KEYS)
    assert endpoint == registry.resolve("openai/gpt-5", KEYS)
    assert registry.get_model("fast") == registry.get_model("openai/gpt-5") is not None
    for role, id in (("denied", "openai/secret"), ("bad", "bad/b")):
        assert registry.get_model(role) is None
        with pytest.raises(
            WithheldError, match=rf"^{role} \({id}\): .*policy registry-core:test-1"
        ):
            registry.resolve(role, KEYS)
    assert dict(registry.snapshot().withheld) == {
        "bad": "registry-core:test-1",  # a provider, though a role has its id
        "openai/secret": "registry-core:test-1",
    }


def test_a_role_for_what_no_gateway_lists_is_unknown_and_says_what_it_stands_for(
    world: World, source: Source
) -> None:
    """Its model's id would be passed on; a role that stands for a retired model is a mistake."""
    world.plugins.append(with_roles(fast="openai/gpt-6"))
    world.sync()
    registry = world.registry()
    assert registry.get_model("fast") is None
    assert registry.resolve("openai/gpt-6", KEYS).model == "gpt-6"
    with pytest.raises(
        UnknownModelError, match=r"^fast \(openai/gpt-6\): no gateway lists"
    ) as caught:
        registry.resolve("fast", KEYS)
    assert "openai/gpt-5" in caught.value.hint
    with pytest.raises(UnknownModelError, match="did you mean 'fast'"):
        registry.resolve("fsat", KEYS)


def test_a_gateway_of_this_process_keeps_the_roles_and_may_serve_one(
    world: World, source: Source
) -> None:
    def declare(snapshot: Snapshot) -> Snapshot:
        local = {"local": "good/g"} if snapshot.is_provider_registered("good") else {}
        return snapshot.with_roles({"fast": "openai/gpt-5", **local})

    world.plugins.append(Overlay(declare))
    registry = world.registry()
    registry.register_gateway(Source("mine", good=["g"]))
    registry.sync_gateways()
    assert registry.snapshot().roles == {"fast": "openai/gpt-5", "local": "good/g"}
    assert registry.get_model("local") == registry.get_model("good/g") is not None
    assert registry.get_model("fast") == registry.get_model("openai/gpt-5") is not None
    assert world.registry().snapshot().roles == {"fast": "openai/gpt-5"}


def test_a_changed_role_is_a_new_generation_and_so_is_one_that_is_gone(
    world: World, source: Source
) -> None:
    roles = {"fast": "openai/gpt-5"}
    world.plugins.append(Overlay(lambda snapshot: snapshot.with_roles(roles)))
    assert world.sync().changed
    assert not world.sync().changed
    roles["fast"] = "openai/gpt-old"
    assert world.sync().changed
    assert world.registry().get_model("fast") == world.registry().get_model("openai/gpt-old")
    roles.clear()
    assert world.sync().changed
    assert world.registry().get_model("fast") is None


# Damage, upgrades, and what was put back


def test_damage_never_ends_in_the_bundle(world: World, policy: Policy) -> None:
    for path in objects(world):
        spoil(path)
    assert shown(world) is None
    assert world.sync().ok
    assert shown(world) == KEPT


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_a_pointer_that_is_lost_never_ends_in_the_bundle(
    world: World, policy: Policy, how: str
) -> None:
    if how == "gone":
        world.store.pointer.unlink()
    else:
        world.store.pointer.write_bytes(b"00000000 {}")
    assert shown(world) is None
    assert world.sync().ok
    assert shown(world) == KEPT


def damage_the_current(world: World) -> None:
    generation = world.store.read_generation()
    assert generation is not None
    spoil(world.store.object(generation.snapshot))


def test_the_generation_before_is_shown_only_if_the_policy_now_would_leave_all_of_it(
    world: World, source: Source, policy: Policy
) -> None:
    source.sends = {"openai": ["gpt-6", "secret"], "bad": ["b"]}
    world.sync()
    damage_the_current(world)
    assert shown(world) == KEPT
    world.sync()
    policy.denied = ("bad", "openai/secret", "openai/gpt-6")
    source.sends = {"openai": ["gpt-6", "gpt-7"], "bad": ["b"]}
    world.sync()
    assert shown(world) == {"openai": ("gpt-7",), "other": ("x",)}
    damage_the_current(world)
    assert shown(world) is None


def test_damage_met_by_a_registry_that_is_running_ends_in_the_generation_before(
    world: World, source: Source, policy: Policy
) -> None:
    source.sends = {"openai": ["gpt-6", "secret"], "bad": ["b"]}
    world.sync()
    registry = world.registry()
    registry.snapshot()
    damage_the_current(world)
    assert registry.get_models() == KEPT
    for path in objects(world):
        spoil(path)
    world.monotonic += 1000
    with pytest.raises(SnapshotDamagedError):
        world.registry().get_models()


def test_a_damaged_mark_lets_nothing_through(world: World, policy: Policy) -> None:
    world.store.policy.write_text("[")
    assert shown(world) is None
    world.sync()
    assert shown(world) == KEPT


@pytest.mark.parametrize("name", ["v0", "v2"])
def test_the_store_of_another_version_carries_policy_and_bindings_over(
    world: World, source: Source, policy: Policy, name: str
) -> None:
    source.sends = {**source.sends, "acme": ["m"]}
    world.sync()
    world.store.folder.rename(world.store.place / name)
    assert shown(world) is None
    source.host = "moved"
    assert world.sync().ok
    assert shown(world) == {**KEPT, "acme": ("m",)}
    with pytest.raises(HostChangedError, match=r"bound to https://acme\.example"):
        world.registry().resolve("acme/m", {"ACME_API_KEY": "k"})


def test_an_older_store_that_was_put_back_is_not_served(world: World, policy: Policy) -> None:
    saved = world.tmp_path / "saved"
    shutil.copytree(world.store.folder, saved)
    policy.denied = ("bad", "openai/secret", "openai/gpt-5")
    world.sync(plugin_options={"test-1": {"deny": "gpt-5"}}, project=world.tmp_path)
    shutil.rmtree(world.store.folder)
    saved.rename(world.store.folder)  # as a downgrade finds the store of its version
    assert shown(world) is None


def test_the_store_of_another_version_is_not_adopted_if_its_policy_was_an_older_one(
    world: World, source: Source, policy: Policy
) -> None:
    shutil.copytree(world.store.folder, world.store.place / "v0")
    policy.denied = ("bad", "openai/secret", "openai/gpt-5")
    strict = {"plugin_options": {"test-1": {"deny": "gpt-5"}}, "project": world.tmp_path}
    world.sync(**strict)
    world.store.pointer.unlink()
    world.store.state.unlink()
    assert not world.sync().ok  # it finds no project, and is held
    assert shown(world) is None
    assert world.sync(**strict).ok
    assert shown(world) == {"openai": ("gpt-old",), "other": ("x",)}


def test_a_bundle_that_is_newer_serves_no_lookup(world: World, policy: Policy) -> None:
    later = dict.fromkeys(world.bundle.captured, world.now + 1000)
    world.bundle.captured = later
    assert shown(world) == KEPT


def test_what_lookups_fall_back_to_in_another_place_is_under_the_policy_too(
    world: World, policy: Policy
) -> None:
    """As the store of an environment that has become read-only, with a damaged snapshot."""
    damage_the_current(world)
    cache = world.tmp_path / "elsewhere"
    other = Store(cache)
    commit.create(other)
    commit.adopt(other, world.store)
    assert other.policies() == world.store.policies()


# Syncs that would lose it


def test_a_sync_that_finds_no_project_is_held_if_the_policy_had_its_options_there(
    world: World, policy: Policy
) -> None:
    options = {"test-1": {"deny": ["bad"]}}
    world.sync(plugin_options=options, project=world.tmp_path)
    report = world.sync()
    assert not report.ok
    assert any("--project" in one.error.hint for one in report.problems)
    assert shown(world) == KEPT
    assert world.sync(project=world.tmp_path).ok  # the table was removed: the user's own will


def test_options_of_a_policy_from_the_environment_are_not_lost_either(
    world: World, policy: Policy
) -> None:
    variables = {"REGISTRY_CORE_PLUGIN_TEST_1_LEVEL": "high"}
    project = world.tmp_path
    world.sync(plugin_variables=variables, project=project)
    assert not world.sync().ok
    assert shown(world) == KEPT
    assert world.sync(plugin_variables=variables).ok
    assert world.sync(project=project).ok  # the variable was removed: the user's own will


def policy_host(world: World, **settings: Any) -> ModelRegistry:
    """A registry with a policy that is an installed distribution."""
    made = Settings(store_dir=world.tmp_path / "store", **settings)
    secrets, site = Secrets(), world.tmp_path / "site"
    host = PluginHost(
        made,
        environ={},
        secrets=secrets,
        path=[str(site)],
        builtins=[*world.writers, ("main", *world.plugins)],
    )
    outside = RealWorld(
        made,
        host=host,
        environ={},
        places=world.places,
        bundle=world.bundle,
        clock=lambda: world.now,
    )
    return ModelRegistry(world=outside)


def install_policy(site: Path, version: str) -> None:
    code = """
        from registry_core import hookimpl
        @hookimpl
        def registry_overlay(snapshot):
            kept = {id: one for id, one in snapshot.get_providers().items() if id != "bad"}
            return snapshot.with_providers(kept)
        """
    write_distribution(
        site,
        "no-bad",
        version,
        entry_points={"no-bad": "no_bad"},
        modules={"no_bad.py": dedent(code)},
    )


def test_a_policy_that_is_gone_holds_until_it_is_given_up(
    world: World, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a moment it is gone in each upgrade of its package."""
    site = world.tmp_path / "site"
    install_policy(site, "1.0")
    monkeypatch.syspath_prepend(str(site))
    assert policy_host(world).sync_gateways().ok
    shutil.rmtree(site / "no_bad-1.0.dist-info")
    registry = policy_host(world)
    report = registry.sync_gateways()
    (problem,) = [one for one in report.problems if one.kind == "overlay"]
    assert "REGISTRY_CORE_DISABLE_PLUGINS=no-bad:no-bad" in problem.error.hint
    assert "bad" not in registry.get_models()
    given_up = policy_host(world, disable_plugins=("no-bad",))
    assert given_up.sync_gateways().ok
    assert "bad" in given_up.get_models()
    assert not Store(world.tmp_path / "store").policy.exists()


def test_a_sync_that_a_policy_holds_shows_observers_nothing_that_it_has_not_passed(
    world: World, source: Source
) -> None:
    seen: list[Snapshot] = []

    class Observer:
        @hookimpl
        def registry_refreshed(self, snapshot: Snapshot) -> None:
            seen.append(snapshot)

    world.plugins += [Policy("other"), Observer()]
    world.sync()
    for path in objects(world):
        spoil(path)
    world.plugins[1] = Overlay(lambda snapshot: 1 / 0)
    assert not world.sync().ok
    assert dict(seen[-1].get_models()) == {}


def write_as_before(store: Store) -> None:
    """As version 0.1 left it: it only said that there was a policy."""
    _, _, text = store.pointer.read_bytes().partition(b" ")
    raw = {**json.loads(text), "overlays": True}
    del raw["previous"]
    line = json.dumps(raw, sort_keys=True).encode()
    store.pointer.write_bytes(b"%08x %b" % (crc32(line), line))
    store.policy.unlink()


def test_a_policy_that_the_version_before_did_not_name_is_known_by_its_plugin(
    world: World, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = world.tmp_path / "site"
    install_policy(site, "1.0")
    monkeypatch.syspath_prepend(str(site))
    assert policy_host(world).sync_gateways().ok
    write_as_before(Store(world.tmp_path / "store"))
    shutil.rmtree(site / "no_bad-1.0.dist-info")
    registry = policy_host(world)
    assert not registry.sync_gateways().ok
    assert "bad" not in registry.get_models()
    monkeypatch.delitem(sys.modules, "no_bad")


# Other ways in


def test_a_gateway_of_this_process_offers_nothing_that_is_withheld(
    world: World, policy: Policy
) -> None:
    registry = world.registry()
    mine = Source("mine", good=["g"], bad=["b"])
    registry.register_gateway(mine)
    registry.sync_gateways()
    assert {*registry.get_models()} == {*KEPT, "good"}
    mine.sends = {"good": ["g"], "worse": ["w"], "bad": ["b"]}
    policy.denied = ("bad", "openai/secret", "worse")
    registry.sync_gateways()
    assert {*registry.get_models()} == {*KEPT, "good"}
    assert is_withheld(registry, "worse/w")
    assert is_withheld(registry, "bad/b")


def test_a_gateway_of_this_process_that_passed_other_policies_is_left_out_until_its_next_sync(
    world: World, policy: Policy, caplog: pytest.LogCaptureFixture
) -> None:
    strict = {"plugin_options": {"test-1": {"deny": "worse"}}, "project": world.tmp_path}
    registry = world.registry(**strict)
    registry.register_gateway(Source("mine", good=["g"], worse=["w"]))
    world.sync(**strict)
    assert "worse" not in registry.get_models()  # not asked yet
    registry.sync_gateways()
    assert {*registry.get_models()} == {*KEPT, "good", "worse"}
    policy.denied = (*policy.denied, "worse")
    strict["plugin_options"] = {"test-1": {"deny": "all of worse"}}
    world.sync(**strict)
    world.monotonic += 1000
    assert {*registry.get_models()} == {*KEPT}
    with pytest.raises(RegistryError):
        registry.resolve("worse/w", {"WORSE_API_KEY": "k"})
    world.monotonic += 1000
    registry.invalidate()
    assert {*registry.get_models()} == {*KEPT}
    assert len([one for one in caplog.messages if "mine is left out" in one]) == 1
    policy.denied = ("bad", "openai/secret")
    registry.sync_gateways()
    assert {*registry.get_models()} == {*KEPT, "good", "worse"}


def test_a_gateway_of_this_process_does_not_restore_a_part_of_a_provider(
    world: World, source: Source
) -> None:
    """What the policy took out of the stored data stays out even if it lets the gateway's pass."""

    def by_gateway(snapshot: Snapshot) -> Snapshot:
        kept = without(snapshot, "bad", "acme/m")
        mine = {id: one for id, one in snapshot.get_providers().items() if "g" in one.models}
        return snapshot.with_providers(mine or kept.get_providers())

    source.sends = {**source.sends, "acme": ["m", "n"]}
    world.plugins.append(Overlay(by_gateway))
    registry = world.registry()
    mine = Source("mine", bad=["b", "g"], acme=["m", "g"])
    registry.register_gateway(mine)
    registry.sync_gateways()
    assert "bad" not in registry.get_models()
    assert registry.get_models()["acme"] == ("n",)
    source.sends = {"openai": ["gpt-5", "gpt-old", "secret"], "bad": ["b"]}
    registry.sync_gateways()
    assert registry.get_models()["acme"] == ("g",)


def test_of_several_places_the_one_with_a_policy_is_served(world: World, policy: Policy) -> None:
    """A user synced into the cache while the environment could not be written; root syncs there
    later, without the policy."""
    places = list(world.places.stores(make=True))
    cache = Store(places[1])
    commit.create(cache)
    commit.adopt(cache, world.store)
    world.store.policy.unlink()
    plain = Snapshot.build(world.bundled.get_providers())
    commit.commit(world.store, Generation(plain.hash, FrozenDict(), ""), [plain])
    assert find_store(places)[0] == world.store  # it can be written, so nobody looks further
    with patch("os.access", lambda *_: False):
        assert find_store(places)[0] == cache


def test_the_mark_of_a_policy_counts_whoever_owns_the_pointer(world: World, policy: Policy) -> None:
    store = Store(world.store.place, lambda status: False)
    assert store.signature() is not None
    assert store.policies() == ()
    world.store.policy.unlink()
    assert store.signature() is None


def test_the_generation_before_is_kept_for_as_long_as_the_pointer_names_it(
    world: World, source: Source, policy: Policy
) -> None:
    source.sends = {**source.sends, "new": ["n"]}
    world.sync()
    world.sync()  # with no news: it clears what nobody needs
    damage_the_current(world)
    assert shown(world) == KEPT


def test_a_changed_policy_has_no_generation_before(
    world: World, source: Source, policy: Policy
) -> None:
    source.sends = {**source.sends, "new": ["n"]}
    world.sync(plugin_options={"test-1": {"deny": "x"}}, project=world.tmp_path)
    damage_the_current(world)
    assert shown(world) is None


def test_a_snapshot_file_carries_its_policy_and_one_without_it_is_not_published(
    world: World, policy: Policy, tmp_path: Path
) -> None:
    passed, plain = tmp_path / "passed", tmp_path / "plain"
    passed.write_bytes(world.registry().snapshot().to_bytes())
    plain.write_bytes(world.bundled.to_bytes())
    assert is_withheld(world.registry(snapshot=passed), "bad/b")
    assert world.sync(snapshot=passed, output=tmp_path / "out").ok
    assert '"bad"' not in (tmp_path / "out" / "provider-registry.json").read_text()
    assert is_withheld(world.registry(snapshot=plain), "openai/gpt-old")
    with pytest.raises(OverlayError, match="has not passed the snapshot") as synced:
        world.sync(snapshot=plain, output=tmp_path / "out")
    with pytest.raises(WithheldError) as resolved:
        world.registry(snapshot=plain).resolve("openai/gpt-old", KEYS)
    assert "export a snapshot" in resolved.value.hint
    assert resolved.value.hint == synced.value.hint


def test_a_denied_model_is_not_offered_as_a_suggestion(world: World, policy: Policy) -> None:
    policy.denied = ("bad",)
    world.sync()
    with pytest.raises(UnknownModelError) as caught:
        world.registry().resolve("badd/b", KEYS)
    assert "'bad" not in caught.value.hint


def test_a_store_of_the_version_before_keeps_what_its_policy_did(
    world: World, policy: Policy
) -> None:
    write_as_before(world.store)
    assert shown(world) == KEPT
    damage_the_current(world)
    assert shown(world) is None
    assert world.sync().ok
    assert shown(world) == KEPT


@pytest.mark.parametrize("first", [True, False])
def test_lookups_are_served_while_a_policy_comes_and_goes(
    world: World, source: Source, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    """Whatever step of the commit they meet: before it the old data, then the new."""
    if not first:
        world.sync()
    before = world.models()
    real, seen = commit.write_atomically, list[Mapping[str, tuple[str, ...]]]()

    def write(path: Path, data: bytes, *, durable: bool) -> object:
        made = real(path, data, durable=durable)
        seen.append(world.models())
        return made

    monkeypatch.setattr(commit, "write_atomically", write)
    policy = Policy("bad")
    world.plugins.append(policy)
    world.sync()
    after = world.models()
    assert [one for one in seen if one not in (before, after)] == []
    assert before in seen
    seen.clear()
    world.plugins.remove(policy)
    world.sync()
    assert [one for one in seen if one not in (after, world.models())] == []
    assert after in seen


def test_a_mark_that_was_removed_is_made_again_by_the_next_sync(
    world: World, policy: Policy
) -> None:
    """Cleaners of caches and temporary folders go by age, and it is the oldest file there."""
    world.store.policy.unlink()
    assert not world.sync().changed
    world.store.pointer.write_bytes(b"damaged")
    assert shown(world) is None


def test_what_was_loaded_before_a_policy_is_no_way_out_when_the_system_refuses(
    world: World, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = world.registry()
    assert "bad" in service.get_models()
    world.plugins.append(Policy("bad"))
    world.sync()
    world.monotonic += 1000

    def refuse(*_: Any) -> Any:
        raise OSError(errno.EMFILE, "no descriptor is left")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(StoreError):
            service.get_models()
    assert "bad" not in service.get_models()


def test_memory_that_runs_out_is_an_error_that_passes(
    world: World, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = world.registry()
    served = service.snapshot()

    def refuse(*_: Any, **__: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(json, "loads", refuse)
        world.store.pointer.touch()  # so that the service reads it anew
        world.monotonic += 1000
        assert service.snapshot() == served
        with pytest.raises(StoreError, match="MemoryError"):
            world.registry().snapshot()
        with pytest.raises(StoreError, match="the system stopped the sync: MemoryError"):
            world.sync()
    assert world.models() == KEPT
    assert world.sync().ok


def test_a_store_that_goes_away_takes_no_policy_with_it_while_a_service_runs(
    world: World, policy: Policy
) -> None:
    service = world.registry()
    service.snapshot()
    shutil.rmtree(world.store.place)
    world.monotonic += 1000
    assert service.get_models() == KEPT


def test_a_store_without_a_policy_is_not_adopted_by_one_that_has_one(
    world: World, policy: Policy
) -> None:
    """As root's own sync of an environment that the user can't write leaves it."""
    own = Store(world.tmp_path / "own")
    shutil.copytree(world.store.place, own.place)
    world.plugins.remove(policy)
    world.sync()
    assert world.store.policies() is None
    commit.adopt(own, world.store)
    assert own.policies() is not None
    generation = own.read_generation()
    assert generation is not None
    assert generation.overlays
