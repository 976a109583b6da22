"""Whose data it is: one store, and accounts that take turns, or whose tokens rotate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from registry_core import (
    Disabled,
    GatewayClient,
    GatewayReport,
    ModelGateway,
    ProviderConfig,
    Snapshot,
)
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.state import State
from registry_core._sync.options import Options
from tests.loopback import Reply, Request
from tests.world import Overlay, Plugin, World

#: Token → what its account may use.
ACCOUNTS = {f"token-of-{who}-{n}": who for who in ("ann", "bob") for n in range(10)}
MODELS = {"ann": [f"m{n}" for n in range(10)], "bob": ["m0", "m1", "m2"]}


class Accounts(ModelGateway):
    """Each token sees the models of its account. `names` says whose it is, or leaves it to
    the host; `header` sends the token in a header of its own."""

    id = name = "main"
    namespaced = False

    def __init__(self, url: str, *, names: bool, header: str | None = None) -> None:
        self._url, self._names, self._header = url, names, header

    def should_enable(self, settings: Any) -> bool | Disabled:
        return settings.secret("TOKEN") is not None or Disabled("set TOKEN")

    def identity(self, client: GatewayClient) -> str | None:
        if not self._names:
            return None
        token = client.secret("TOKEN")
        assert token is not None
        return ACCOUNTS[token]

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        token = client.secret("TOKEN")
        given = {"headers": {self._header: token or ""}} if self._header else {"bearer": token}
        models = client.get_json(self._url, **given)  # type: ignore[arg-type]
        return {"mine": ProviderConfig(id="mine", models=models)}


@pytest.fixture
def accounts(world: World) -> World:
    """A world in which the plugin lets the host tell whose data it is."""
    return with_accounts(world, names=False)


def with_accounts(world: World, *, names: bool, header: str | None = None) -> World:
    def answer(request: Request) -> Reply:
        sent = request.headers[header or "Authorization"] or ""
        models = MODELS[ACCOUNTS[sent.removeprefix("Bearer ")]]
        etag = f'"{len(models)}"'
        if request.headers["If-None-Match"] == etag:
            return Reply(304, headers={"ETag": etag})
        return Reply(200, json.dumps(models).encode(), {"ETag": etag})

    world.server.route("/accounts", answer)
    url = world.server.url("/accounts")
    world.plugins[:] = [Plugin(Accounts(url, names=names, header=header))]
    return world


def sync_as(world: World, token: str, **settings: Any) -> GatewayReport:
    world.environ["TOKEN"] = token
    world.now += 3600
    return world.sync(**settings).gateways[0]


def payloads(world: World) -> list[Path]:
    return sorted((world.tmp_path / "cache" / "payloads").glob("*.payload"))


@pytest.mark.parametrize("names", [False, True])
def test_two_accounts_in_turn_see_their_own_and_leave_two_payloads(
    world: World, names: bool
) -> None:
    with_accounts(world, names=names)
    for _ in range(3):
        for who in ("ann", "bob"):
            found = sync_as(world, f"token-of-{who}-0")
            assert (found.status, found.quarantined) == ("fresh", False)
            assert world.models()["mine"] == tuple(MODELS[who])
    assert len(payloads(world)) == 2
    assert sync_as(world, "token-of-bob-0").status == "unchanged"


@pytest.mark.parametrize("header", [None, "X-Api-Key"])
def test_tokens_that_rotate_leave_one_payload_per_account(world: World, header: str | None) -> None:
    with_accounts(world, names=True, header=header)
    for n in range(10):
        for who in ("ann", "bob"):
            assert sync_as(world, f"token-of-{who}-{n}").ok
            assert world.models()["mine"] == tuple(MODELS[who])
    assert len(payloads(world)) == 2
    whole = [one for one in world.server.requests if one.headers["If-None-Match"] is None]
    assert len(whole) == 2


def test_a_token_that_rotates_is_revalidated(world: World) -> None:
    with_accounts(world, names=True)
    sync_as(world, "token-of-ann-0")
    assert sync_as(world, "token-of-ann-1").status == "unchanged"


@pytest.mark.parametrize("names", [False, True])
def test_what_another_account_got_is_not_served_when_this_one_fails(
    world: World, names: bool
) -> None:
    with_accounts(world, names=names)
    sync_as(world, "token-of-ann-0")
    world.server.route("/accounts", Reply(403))
    found = sync_as(world, "token-of-bob-0")
    assert (found.status, found.source) == ("failed", "bundled")
    assert "mine" not in world.models()
    # Nor does it come back: the state has forgotten it.
    assert sync_as(world, "token-of-ann-0").source == "bundled"


def test_a_sync_says_why_the_last_good_data_is_not_used(accounts: World) -> None:
    sync_as(accounts, "token-of-ann-0")
    accounts.server.route("/accounts", Reply(401))
    accounts.environ["TOKEN"] = "mistyped"
    accounts.now += 3600
    (warning,) = [
        one for one in accounts.sync().problems if one.culprit == "main" and not one.fatal
    ]
    assert "fetched with another token" in warning.message
    accounts.now += 3600
    assert not [one for one in accounts.sync().problems if not one.fatal]  # nothing is left to drop


@pytest.mark.parametrize("names", [False, True])
def test_nor_if_that_is_all_there_is(world: World, names: bool) -> None:
    """A gateway of one's own and no other: the generation from before is the other account's."""
    world.bundle = Bundle(lambda: Snapshot.build(()), {}, {}, {})
    with_accounts(world, names=names)
    sync_as(world, "token-of-ann-0")
    world.server.route("/accounts", Reply(403))
    found = sync_as(world, "token-of-bob-0")
    assert (found.status, found.source) == ("failed", "none")
    assert world.models() == {}
    with_accounts(world, names=names)
    assert sync_as(world, "token-of-bob-0").ok
    assert world.models()["mine"] == tuple(MODELS["bob"])


def test_while_a_policy_fails_the_report_says_whose_data_stays(accounts: World) -> None:
    def fail(snapshot: Snapshot) -> None:
        if accounts.environ["TOKEN"] == "token-of-bob-0":
            raise ValueError("not now")

    accounts.plugins.append(Overlay(fail))
    sync_as(accounts, "token-of-ann-0")
    found = sync_as(accounts, "token-of-bob-0")
    assert (found.source, found.models) == ("stored", len(MODELS["ann"]))
    assert accounts.models()["mine"] == tuple(MODELS["ann"])
    accounts.server.route("/accounts", Reply(403))
    assert sync_as(accounts, "token-of-bob-1").source == "bundled"  # it is still known as ann's


def test_nor_after_damage_under_a_policy(accounts: World) -> None:
    accounts.plugins.append(Overlay(lambda snapshot: snapshot))
    sync_as(accounts, "token-of-ann-0")
    sync_as(accounts, "token-of-bob-0")
    generation = accounts.store.read_generation()
    assert generation
    assert generation.previous is None


def test_nor_is_it_served_offline(accounts: World) -> None:
    sync_as(accounts, "token-of-ann-0")
    assert sync_as(accounts, "token-of-bob-0", offline=True).source == "bundled"
    assert "mine" not in accounts.models()


def test_nor_does_it_stand_for_another_one(accounts: World) -> None:
    """What a sync of the same store has just found is not asked again; but by somebody else."""
    sync_as(accounts, "token-of-ann-0")
    accounts.environ["TOKEN"] = "token-of-bob-0"
    found = accounts.sync(Options(fresh_for=7200.0)).gateways[0]
    assert (found.status, found.models) == ("fresh", 3)
    asked = len(accounts.server.requests)
    assert accounts.sync(Options(fresh_for=7200.0)).gateways[0].status == "unchanged"
    assert len(accounts.server.requests) == asked


def test_the_same_account_keeps_its_last_good_data_and_the_guard_against_shrinkage(
    world: World,
) -> None:
    with_accounts(world, names=True)
    sync_as(world, "token-of-ann-0")
    world.server.route("/accounts", Reply(503))
    assert sync_as(world, "token-of-ann-1", fetch_retries=0).source == "stored"
    world.server.route("/accounts", Reply(200, b'["m0"]'))
    assert sync_as(world, "token-of-ann-2").quarantined
    assert world.models()["mine"] == tuple(MODELS["ann"])


@pytest.mark.parametrize("names", [False, True])
def test_who_has_no_token_keeps_what_is_there(world: World, names: bool) -> None:
    with_accounts(world, names=names)
    sync_as(world, "token-of-ann-0")
    found = sync_as(world, "")
    assert (found.status, found.error, found.source) == ("disabled", "set TOKEN", "stored")


def test_a_first_token_is_no_other_account(accounts: World) -> None:
    """What was fetched without one is anybody's."""

    class Public(Accounts):
        def should_enable(self, settings: Any) -> bool:
            return True

    accounts.plugins[:] = [Plugin(Public(accounts.server.url("/accounts"), names=False))]
    accounts.server.route("/accounts", Reply(200, b'["m0"]'))
    accounts.sync()
    accounts.server.route("/accounts", Reply(503))
    assert sync_as(accounts, "token-of-ann-0", fetch_retries=0).source == "stored"


@pytest.mark.parametrize("names", [False, True])
def test_without_a_home_the_store_tells_accounts_apart(world: World, names: bool) -> None:
    """Where the user's cache can't be written, the store holds the payloads, and their key."""
    with_accounts(world, names=names)
    (world.tmp_path / "cache").mkdir()
    (world.tmp_path / "cache" / "payloads").write_text("no folder")
    sync_as(world, "token-of-ann-0")
    assert sync_as(world, "token-of-ann-0").status == "unchanged"
    world.server.route("/accounts", Reply(503))
    assert sync_as(world, "token-of-ann-0", fetch_retries=0).source == "stored"
    assert sync_as(world, "token-of-bob-0", fetch_retries=0).source == "bundled"
    assert "mine" not in world.models()


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("names", [False, True])
def test_what_a_gateway_of_run_time_got_for_another_account_is_not_served(
    world: World, names: bool, again: bool
) -> None:
    """Also if the application registers one for each account, under one id."""
    with_accounts(world, names=names)
    (gateway,) = world.plugins[0].registry_gateways()
    world.plugins.clear()
    registry = world.registry(fetch_retries=0)
    registry.register_gateway(gateway)
    world.environ["TOKEN"] = "token-of-ann-0"
    registry.sync_gateways()
    assert tuple(registry.get_models()["mine"]) == tuple(MODELS["ann"])
    world.server.route("/accounts", Reply(503))
    registry.sync_gateways()
    assert tuple(registry.get_models()["mine"]) == tuple(MODELS["ann"])
    world.environ["TOKEN"] = "token-of-bob-0"
    if again:
        registry.register_gateway(Accounts(world.server.url("/accounts"), names=names))
    registry.sync_gateways()
    assert "mine" not in registry.get_models()
    assert not list(world.tmp_path.rglob("*.payload"))


@pytest.mark.parametrize("names", [False, True])
def test_without_the_key_of_then_nobody_is_another(world: World, names: bool) -> None:
    """Raw answers may go at any time, and another user of the store has a key of their own."""
    with_accounts(world, names=names)
    sync_as(world, "token-of-ann-0")
    (world.tmp_path / "cache" / "payloads" / "key").unlink()
    world.server.route("/accounts", Reply(503))
    assert sync_as(world, "token-of-ann-0", fetch_retries=0).source == "stored"
    assert world.models()["mine"] == tuple(MODELS["ann"])


@pytest.mark.parametrize("nobody", ["", "  "])
def test_an_empty_identity_is_none(world: World, nobody: str) -> None:
    """Else two accounts would share one raw answer, and the second would not even ask."""

    class Unnamed(Accounts):
        def identity(self, client: GatewayClient) -> str:
            return nobody

    with_accounts(world, names=True)
    world.plugins[:] = [Plugin(Unnamed(world.server.url("/accounts"), names=False))]
    for who in ("ann", "bob"):
        world.environ["TOKEN"] = f"token-of-{who}-0"
        world.sync(Options(fresh_for=3600.0))
        assert world.models()["mine"] == tuple(MODELS[who])


@pytest.mark.parametrize("wrong", [7, b"ann", RuntimeError("no account")])
def test_an_identity_that_can_not_be_told_is_a_failure(accounts: World, wrong: Any) -> None:
    sync_as(accounts, "token-of-ann-0")

    class Wrong(Accounts):
        def identity(self, client: GatewayClient) -> Any:
            if isinstance(wrong, Exception):
                raise wrong
            return wrong

    accounts.plugins[:] = [Plugin(Wrong("", names=False))]
    found = sync_as(accounts, "token-of-ann-0")
    assert (found.status, found.source) == ("failed", "stored")
    assert "no account" in (found.error or "") or "not a text" in (found.error or "")


def test_the_bundle_is_no_measure_of_what_an_account_may_use(accounts: World) -> None:
    few = {"openai": ProviderConfig(id="openai", models=["a", "b"], gateway="main")}
    accounts.bundled = type(accounts.bundled).build(few)
    accounts.server.route("/accounts", Reply(200, b'["m0"]'))
    assert sync_as(accounts, "token-of-ann-0", shrink_limit=0.9).status == "fresh"


def test_the_state_names_nobody(world: World) -> None:
    with_accounts(world, names=True)
    sync_as(world, "token-of-ann-0")
    text = world.store.state.read_text()
    assert State.from_json(text).gateways["main"].identity
    assert "ann" not in text
    assert all(b"ann" not in path.read_bytes() for path in payloads(world))


def test_a_check_compares_with_nobody_elses_data_and_writes_nothing(
    accounts: World, tmp_path: Path
) -> None:
    settings = {"output": tmp_path / "out"}
    sync_as(accounts, "token-of-bob-0", **settings)
    sync_as(accounts, "token-of-ann-0")
    accounts.environ["TOKEN"] = "token-of-bob-0"

    def everything() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in accounts.tmp_path.rglob("*")}

    before = everything()
    report, differing = accounts.check(**settings)
    assert (report.gateways[0].status, differing) == ("fresh", ())
    assert everything() == before
    accounts.server.route("/accounts", Reply(403))
    report, differing = accounts.check(**settings)
    assert report.gateways[0].source == "bundled"
