"""Many machines, one catalog: each source is asked once, and everybody has what it said."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import subprocess
import sys
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, evolve

from registry_core import (
    FactSource,
    GatewayClient,
    HostChangedError,
    ProviderConfig,
    SyncReport,
    hookimpl,
)
from registry_core._plugins import loader
from registry_core._shared.engine import Fault, LostError
from registry_core._shared.pointer import Pointer, from_bytes, to_bytes
from registry_core._shared.results import decode, encode
from registry_core._sync import sharing
from tests.fleet.conftest import Hosts
from tests.fleet.engines import CREDENTIALS
from tests.fleet.proxy import Proxy
from tests.loopback import Loopback, Reply
from tests.world import JsonGateway, Overlay, Plugin

HOUR = 3600.0


def status(report: SyncReport) -> str:
    (found,) = [one for one in report.gateways if one.id == "main"]
    return found.status


def test_one_machine_fetches_and_the_others_take_it_over(hosts: Hosts) -> None:
    first, second = hosts.host("first"), hosts.host("second")
    report = first.sync()
    assert (report.ok, report.problems, status(report)) == (True, (), "fresh")
    report = second.sync()
    assert (report.ok, report.problems, status(report)) == (True, (), "fresh")
    assert first.models == second.models == ["gpt-1", "gpt-2"]
    assert hosts.fetches == 1
    one, other = (host.registry().snapshot().hash for host in (first, second))
    assert one == other
    for host in (first, second):
        host.let_pass(HOUR)
    hosts.offers("gpt-2", "gpt-3")
    assert status(second.sync()) == "fresh"
    assert status(first.sync()) == "fresh"
    assert first.models == second.models == ["gpt-2", "gpt-3"]
    assert hosts.fetches == 1


def test_what_has_not_changed_is_confirmed_without_moving_it(hosts: Hosts) -> None:
    first, second = hosts.host("first"), hosts.host("second")
    first.sync()
    second.sync()
    for host in (first, second):
        host.let_pass(HOUR)
    assert status(first.sync()) == "unchanged"
    report = second.sync()
    assert (status(report), report.changed) == ("unchanged", False)
    assert second.world.store.read_state().gateways["main"].checked_at == second.now
    second.let_pass(1.0)
    assert status(second.sync(fresh_for=HOUR)) == "unchanged"
    assert hosts.fetches == 2


def pointer(hosts: Hosts, key: str | None = None) -> Pointer:
    return from_bytes(hosts.read(), key, "")


@pytest.mark.parametrize("source", ["own", "taken"])
def test_an_object_that_somebody_removed_is_written_anew_within_a_day(
    hosts: Hosts, source: str
) -> None:
    """As a rule of the bucket does with what is old, where the source says the same for weeks."""
    publisher = hosts.host("publisher")
    (publisher if source == "own" else hosts.host("first")).sync()
    publisher.sync()
    hosts.engine.delete(*hosts.objects)
    for _ in range(2):
        publisher.let_pass(25 * HOUR)
        assert publisher.sync().problems == ()
    reader = hosts.host("reader", shared_mode="read")
    reader.let_pass(51 * HOUR)
    assert reader.sync().problems == ()
    assert reader.models == ["gpt-1", "gpt-2"]


def test_an_object_of_a_gateway_that_is_not_here_is_written_anew_by_who_has_it(
    on_moto: Hosts,
) -> None:
    on_moto.server.serve("/own.json", {"own": ["a"]})
    rich, poor = on_moto.host("rich"), on_moto.host("poor")
    rich.world.gateway("own")
    rich.sync()
    on_moto.engine.delete(*on_moto.objects)
    for host in (poor, rich):
        host.let_pass(25 * HOUR)
        assert host.sync().problems == ()
    reader = on_moto.host("reader", shared_mode="read")
    reader.world.gateway("own")
    reader.let_pass(25 * HOUR)
    assert reader.sync().problems == ()
    assert {*reader.world.models()} == {"openai", "other", "own"}


def test_syncs_within_the_interval_ask_nobody(on_moto: Hosts) -> None:
    """As cron does it every ten minutes, on each machine."""
    machines = [on_moto.host(f"{number}") for number in range(4)]
    for _ in range(13):
        for host in machines:
            assert status(host.sync()) in ("fresh", "unchanged")
            host.let_pass(600.0)
    assert on_moto.fetches == 3


# Which results


def test_another_version_of_a_plugin_is_taken_only_if_it_is_newer(
    on_moto: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, older = (on_moto.host(name) for name in ("old", "new", "older"))

    def sync(host: Any, version: str) -> str:
        monkeypatch.setattr(loader, "__version__", version)
        return status(host.sync())

    assert sync(old, "1.9") == "fresh"
    assert sync(new, "1.10") == "fresh"
    assert on_moto.fetches == 2  # the result of 1.9 is not good enough for 1.10
    assert sync(older, "1.2rc1") == "fresh"
    assert on_moto.fetches == 0
    assert [one.version for one in pointer(on_moto).entries.values()] == ["1.10", "1.9"]
    assert sync(on_moto.host("strange"), "yesterday") == "fresh"
    assert on_moto.fetches == 1  # what is no version is older and newer than nothing


def test_a_result_of_an_older_core_is_not_taken(
    on_moto: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may not know each field of a model; one of a newer core knows them all."""
    monkeypatch.setattr(loader, "__version__", "1.0")  # that of the plugin

    def sync(name: str, core: str) -> int:
        monkeypatch.setattr(sharing, "__version__", core)
        on_moto.server.requests.clear()
        assert status(on_moto.host(name).sync()) == "fresh"
        return on_moto.fetches

    assert sync("old", "1.9") == 1
    assert sync("new", "1.10") == 1
    assert sync("another old", "1.9") == 0
    assert sync("another new", "1.10") == 0
    assert [one.core for one in pointer(on_moto).entries.values()] == ["1.10", "1.9"]


def test_a_reader_that_is_updated_first_takes_what_there_is_until_there_is_more(
    on_moto: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a container whose image is new, while the publisher's job has not run yet."""
    old, new = on_moto.host("old"), on_moto.host("new")
    reader = on_moto.host("reader", shared_mode="read")
    monkeypatch.setattr(sharing, "__version__", "1.9")
    old.sync()
    monkeypatch.setattr(sharing, "__version__", "1.10")
    assert status(reader.sync()) == "fresh"
    assert reader.models == ["gpt-1", "gpt-2"]
    on_moto.offers("gpt-2", "gpt-3")
    new.let_pass(60.0)
    assert status(new.sync()) == "fresh"
    monkeypatch.setattr(sharing, "__version__", "1.9")
    on_moto.offers("gpt-4", "gpt-5")
    old.let_pass(120.0)
    old.sync(force=True)  # which is younger, but no match for what is there then
    monkeypatch.setattr(sharing, "__version__", "1.10")
    other = on_moto.host("other", shared_mode="read")
    for host in (reader, other):
        host.let_pass(180.0)
        assert status(host.sync()) == "fresh"
        assert host.models == ["gpt-2", "gpt-3"]


def test_what_a_newer_core_says_of_models_is_taken_as_far_as_it_is_known(on_moto: Hosts) -> None:
    on_moto.host("first").sync()
    (entry,) = pointer(on_moto).entries.values()
    model = {"limit": {"context": 9, "galaxies": 1}, "quantum": True}
    record = {"id": "openai", "name": "OpenAI", "planets": [1], "models": {"gpt-9": model}}
    text = json.dumps(record).encode()
    name = hashlib.sha256(text).hexdigest()
    on_moto.engine.put(f"objects/{name}", zlib.compress(text))
    old = pointer(on_moto)
    newer = {**asdict(evolve(entry, object=name, core="99.0")), "colour": "blue"}
    about = {"serial": old.serial + 1, "entries": [newer], "objects": {name: 1.0}, "cleaned_at": 0}
    body = json.dumps({**about, "colours": ["blue"]}).encode()
    seal = hashlib.sha256(b"registry-core/1 " + body).hexdigest()
    on_moto.overwrite("pointer", f"registry-core/1 sha256:{seal} ".encode() + body)
    host = on_moto.host("one")
    report = host.sync()
    assert (report.problems, status(report), host.models) == ((), "fresh", ["gpt-9"])
    found = host.registry().get_model("openai/gpt-9")
    assert found and found.limit and found.limit.context == 9
    assert found.extra["quantum"] is True


def test_machines_with_other_options_have_results_of_their_own(on_moto: Hosts) -> None:
    for name, mirror in (("one", "a"), ("two", "b"), ("three", "a")):
        on_moto.host(name, plugin_options={"test-0": {"mirror": mirror}}).sync()
    assert on_moto.fetches == 2


class Private(JsonGateway):
    """Sends a credential, in one way or another."""

    def __init__(self, id: str, url: str, how: str) -> None:
        super().__init__(id, url)
        self.how = how

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        more: dict[str, Any] = {}
        url = self._url
        if self.how == "secret":
            client.secret("ACME_TOKEN")
        elif self.how == "header":
            more = {"headers": {"X-Api-Key": "0123456789abcdef0"}}
        elif self.how == "user":
            url = url.replace("//", "//me:hunter2hunter2@")
        elif self.how == "query":
            url = f"{url}?token=hunter2hunter2"
        elif self.how == "exchanged":
            client.token("t", lambda: ("x" * 20, 3600.0))
        payload = client.get_json(url, **more)
        return {id: ProviderConfig(id=id, models=models) for id, models in payload.items()}


@pytest.mark.parametrize("how", ["secret", "header", "user", "query", "exchanged"])
def test_what_a_credential_was_sent_for_is_shared_only_if_it_is_named(
    on_moto: Hosts, how: str
) -> None:
    on_moto.server.serve("/acme.json", {"acme": ["large"]})
    machines = {}
    for name, named in (("one", ()), ("two", ()), ("three", ("acme",)), ("four", ("acme",))):
        host = machines[name] = on_moto.host(name, shared_gateways=named)
        host.world.environ["ACME_TOKEN"] = "0123456789abcdef"
        host.world.plugins.append(Plugin(Private("acme", on_moto.server.url("/acme.json"), how)))
        assert host.sync().ok
        shared = {one.gateway for one in pointer(on_moto).entries.values()}
        assert shared == ({"main", "acme"} if named else {"main"})
    assert on_moto.server.paths.count("/acme.json") == 3
    # One that does not name it takes nothing that another may have got for another account.
    machines["two"].let_pass(1.0)
    machines["two"].sync()
    assert on_moto.server.paths.count("/acme.json") == 4
    assert "a credential was sent" in json.loads(machines["two"].memory)["unpublished"]["acme"]


def test_what_was_got_without_a_token_is_not_taken_by_who_has_one(on_moto: Hosts) -> None:
    on_moto.server.serve("/acme.json", {"acme": ["large"]})
    fetches = []
    for name, token in (("without", ""), ("with", "0123456789abcdef"), ("other without", "")):
        host = on_moto.host(name)
        host.world.environ["ACME_TOKEN"] = token
        gateway = Private("acme", on_moto.server.url("/acme.json"), "secret")
        host.world.plugins.append(Plugin(gateway))
        for _ in range(2):
            assert host.sync().problems == ()
            host.let_pass(1.0)
        fetches.append(on_moto.server.paths.count("/acme.json"))
    assert fetches == [1, 3, 3]  # who has one asks each time, as without a fleet


def test_what_netrc_sent_a_password_for_stays_here(
    on_moto: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2hunter2")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    host = on_moto.host("one")
    for _ in range(2):  # fetched, then revalidated
        assert host.sync().ok
        assert on_moto.objects == []
        host.let_pass(HOUR)


def test_what_comes_and_goes_or_belongs_to_a_process_is_never_shared(on_moto: Hosts) -> None:
    on_moto.server.serve("/local.json", {"local": ["tiny"]})
    host = on_moto.host("one", shared_gateways=("local", "own"))
    host.world.gateway("local", volatile=True)
    registry = host.registry()
    on_moto.server.serve("/own.json", {"own": ["mine"]})
    registry.register_gateway(JsonGateway("own", on_moto.server.url("/own.json")))
    assert registry.sync_gateways().ok
    assert {*registry.get_models()} == {"openai", "other", "local", "own"}
    assert {one.gateway for one in pointer(on_moto).entries.values()} == {"main"}
    text = b"".join(map(on_moto.read, on_moto.objects))
    assert len(on_moto.objects) == 1
    assert b"tiny" not in text


class Disabled(JsonGateway):
    def should_enable(self, settings: Any) -> bool:
        return False


def test_a_gateway_that_is_disabled_here_stays_so(on_moto: Hosts) -> None:
    first, second = on_moto.host("first"), on_moto.host("second")
    first.sync()
    second.world.plugins = [Plugin(Disabled("main", on_moto.server.url("/main.json")))]
    assert status(second.sync()) == "disabled"
    assert "gpt-1" not in second.models


class Facts(FactSource):
    id, name = "facts", "Facts"

    def __init__(self, url: str) -> None:
        self.url = url

    def fetch_facts(self, client: GatewayClient) -> Mapping[str, Mapping[str, Any]]:
        facts: Mapping[str, Mapping[str, Any]] = client.get_json(self.url)
        return facts


class FactsPlugin:
    def __init__(self, url: str) -> None:
        self.source = Facts(url)

    @hookimpl
    def registry_facts(self) -> tuple[FactSource, ...]:
        return (self.source,)


def test_facts_go_the_same_way_as_gateways(hosts: Hosts) -> None:
    hosts.server.serve("/facts.json", {"openai/gpt-1": {"limit": {"context": 4096}}})
    for name in ("first", "second"):
        host = hosts.host(name)
        host.world.plugins.append(FactsPlugin(hosts.server.url("/facts.json")))
        report = host.sync()
        assert report.ok, report.problems
        model = host.registry().get_model("openai/gpt-1")
        assert model and model.limit and model.limit.context == 4096
    assert sorted(hosts.server.paths) == ["/facts.json", "/main.json"]


def test_each_machine_has_its_own_policy(on_moto: Hosts) -> None:
    strict, free = on_moto.host("strict"), on_moto.host("free")

    def deny(snapshot: Any) -> Any:
        providers = snapshot.get_providers()
        models = {id: one for id, one in providers["openai"].models.items() if id != "gpt-1"}
        return snapshot.with_providers([providers["openai"].replace(models=models)])

    strict.world.plugins.append(Overlay(deny))
    strict.sync()
    free.sync()
    assert (strict.models, free.models) == (["gpt-2"], ["gpt-1", "gpt-2"])
    assert on_moto.fetches == 1


def test_a_namespaced_gateway_publishes_below_its_name_only(on_moto: Hosts) -> None:
    on_moto.server.serve("/acme.json", {"team": ["large"], "acme": ["own"]})
    for name in ("first", "second"):
        host = on_moto.host(name)
        host.world.gateway("acme", namespaced=True)
        assert host.sync().ok
        assert {*host.world.models()} == {"openai", "other", "acme", "acme/team"}
    assert on_moto.server.paths.count("/acme.json") == 1
    (entry,) = [one for one in pointer(on_moto).entries.values() if one.gateway == "acme"]
    foreign = {"openai": ProviderConfig(id="openai", models=["gpt-evil"])}
    put_result(on_moto, entry.key, foreign)
    third = on_moto.host("third")
    third.world.gateway("acme", namespaced=True)
    assert not any("evil" in id for ids in third.world.models().values() for id in ids)
    third.sync()
    assert not any("evil" in id for ids in third.world.models().values() for id in ids)


def put_result(
    hosts: Hosts, key: str, providers: Mapping[str, ProviderConfig], **more: Any
) -> None:
    """What somebody does who can write the bucket, or has the fleet's key `seal`."""
    seal = more.pop("seal", None)
    name, data = encode(providers)
    with suppress(LostError):
        hosts.engine.put(f"objects/{name}", data)
    old = pointer(hosts, seal)
    entry = evolve(old.entries[key], object=name, **more)
    changed = evolve(old, serial=old.serial + 1, entries={**old.entries, key: entry})
    hosts.overwrite("pointer", to_bytes(changed, seal))


# What a stranger can do who writes the bucket


def test_far_fewer_models_are_refused_unless_one_with_the_key_has_accepted_them(
    on_moto: Hosts,
) -> None:
    on_moto.offers(*(f"gpt-{number}" for number in range(10)))
    for key in (None, "of the fleet"):
        one, other = (on_moto.host(f"{name} {key}", shared_key=key) for name in ("one", "other"))
        one.sync(force=True)
        other.sync()
        (entry,) = pointer(on_moto, key).entries.values()
        few = {"openai": ProviderConfig(id="openai", models=["gpt-1"])}
        later = entry.checked_at + 1
        put_result(on_moto, entry.key, few, accepted=True, checked_at=later, seal=key)
        other.let_pass(2.0)
        report = other.sync()
        assert report.ok is (key is not None)
        assert len(other.models) == (10 if key is None else 1)


def test_what_was_accepted_stays_so_while_it_is_confirmed(on_moto: Hosts) -> None:
    on_moto.offers(*(f"gpt-{number}" for number in range(10)))
    one, late = (on_moto.host(name, shared_key="of the fleet") for name in ("one", "late"))
    one.sync()
    late.sync()
    on_moto.offers("gpt-1")
    one.let_pass(HOUR)
    one.sync(accept=("main",))
    one.let_pass(HOUR)
    assert status(one.sync()) == "unchanged"
    late.let_pass(2 * HOUR)
    assert late.sync().ok
    assert late.models == ["gpt-1"]


def test_a_result_is_checked_as_what_a_strangers_gateway_sends(on_moto: Hosts) -> None:
    first = on_moto.host("first")
    first.sync()
    (entry,) = pointer(on_moto).entries.values()
    whole = b'{"id": "openai", "models": {"a": {}}}'
    for content in (
        *(b"", b"[]", b"{", b"null", b"3", b'"id"', b"\n"),
        *(b'{"id": 3, "models": {"a": {}}}', b'{"models": {"a": {}}}'),
        *(b'{"id": "openai", "models": {"a": 1}}', whole + b"\n[]", b"\n" + whole),
    ):
        name = hashlib.sha256(content).hexdigest()
        on_moto.engine.put(f"objects/{name}", zlib.compress(content))
        old = pointer(on_moto)
        bad = evolve(entry, object=name)
        changed = evolve(old, serial=old.serial + 1, entries={entry.key: bad})
        on_moto.overwrite("pointer", to_bytes(changed, None))
        host = on_moto.host(f"after {content!r}".replace("/", ""))
        report = host.sync()
        assert report.ok
        assert host.models == ["gpt-1", "gpt-2"]
        assert [one.kind for one in report.problems if one.kind == "shared"]


class Routed(JsonGateway):
    """A provider that the bundle does not have, with a URL and a key."""

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        url = client.get_json(self._url)["url"]
        return {"acme": routed(url)}


def routed(url: str) -> ProviderConfig:
    return ProviderConfig(id="acme", models=["m"], url=url, api_key_env_vars=["ACME_API_KEY"])


def test_without_the_fleets_key_the_bucket_binds_no_key_to_a_host(on_moto: Hosts) -> None:
    on_moto.server.serve("/acme.json", {"url": "https://acme.example/v1"})
    environ = {"ACME_API_KEY": "sk-test"}

    def host(name: str, key: str | None) -> Any:
        made = on_moto.host(name, shared_key=key)
        made.world.plugins = [Plugin(Routed("acme", on_moto.server.url("/acme.json")))]
        return made

    for key in (None, "of the fleet"):
        first, second = host(f"first {key}", key), host(f"second {key}", key)
        first.sync(force=True)
        assert first.registry().resolve("acme/m", environ).api_key == "sk-test"
        if key is None:
            (entry,) = pointer(on_moto).entries.values()
            evil = {"acme": routed("https://evil.example/v1")}
            put_result(on_moto, entry.key, evil, checked_at=entry.checked_at + 1)
            for one in (first, second):
                one.let_pass(2.0)
                one.sync()
                assert one.registry().get_provider_config("acme").url == "https://evil.example/v1"
                with pytest.raises(HostChangedError):
                    one.registry().resolve("acme/m", environ)
            assert dict(second.world.store.read_state().bindings) == {}
            second.sync(force=True)  # what it has fetched itself is bound at first use, as ever
        else:
            second.sync()
        assert second.registry().resolve("acme/m", environ).api_key == "sk-test"
        origin = (("ACME_API_KEY", "https://acme.example"),)
        assert second.world.store.read_state().bindings["acme"] == origin


# The key


def test_what_is_not_sealed_with_the_key_is_refused_and_replaced(on_moto: Hosts) -> None:
    on_moto.host("stranger").sync()
    (name, other) = (on_moto.host(one, shared_key="of the fleet") for one in ("one", "other"))
    report = name.sync()
    assert "not sealed with the key" in str(report.problems)
    assert report.ok
    assert on_moto.fetches == 2
    assert pointer(on_moto, "of the fleet").entries
    assert other.sync().problems == ()
    assert on_moto.fetches == 0
    wrong = on_moto.host("wrong", shared_key="another")
    assert "does not fit" in str(wrong.sync().problems)


def test_what_is_sealed_is_not_replaced_by_one_without_the_key(on_moto: Hosts) -> None:
    on_moto.host("one", shared_key="of the fleet").sync()
    before = on_moto.read()
    report = on_moto.host("keyless").sync()
    assert not report.ok
    assert "REGISTRY_CORE_SHARED_KEY" in str(report.problems)
    assert on_moto.read() == before


# Reading only


def test_a_machine_that_only_reads_fetches_nothing_and_writes_nothing(
    proxy: Proxy, on_moto: Hosts
) -> None:
    reader = on_moto.host("reader", shared_mode="read")
    assert (status(reader.sync()), on_moto.fetches) == ("waiting", 0)
    first = on_moto.host("first")
    first.sync()
    assert on_moto.fetches == 1
    proxy.asked.clear()
    assert status(reader.sync()) == "fresh"
    assert reader.models == ["gpt-1", "gpt-2"]
    reader.let_pass(30 * 24 * HOUR)
    assert status(reader.sync()) in ("waiting", "unchanged")
    assert on_moto.fetches == 0
    assert {one.method for one in proxy.asked} == {"GET"}
    fresh = on_moto.host("fresh", shared_mode="read")
    fresh.let_pass(30 * 24 * HOUR)  # old data is better than that of the wheel
    fresh.sync()
    assert fresh.models == ["gpt-1", "gpt-2"]


def test_a_copy_of_the_objects_on_a_web_server_or_a_disk_serves_readers(
    on_moto: Hosts, tmp_path: Path
) -> None:
    on_moto.host("first").sync()
    copy = tmp_path / "copy"
    (copy / "objects").mkdir(parents=True)
    for name in ("pointer", *on_moto.objects):
        (copy / name).write_bytes(on_moto.read(name))
    with Loopback() as web:
        for name in ("pointer", *on_moto.objects):
            body = (copy / name).read_bytes()
            headers = {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "ETag": '"1"'}
            web.route(f"/fleet/{name}", Reply(200, body, headers))
        for number, url in enumerate((web.url("/fleet"), copy.as_uri())):
            reader = on_moto.host(f"reader {number}", shared=url)
            report = reader.sync()
            assert (report.problems, status(report)) == ((), "fresh")
            assert reader.models == ["gpt-1", "gpt-2"]
    assert on_moto.fetches == 1
    shutil.rmtree(copy)
    reader.let_pass(2 * HOUR)
    report = reader.sync()
    assert not report.ok
    assert reader.models == ["gpt-1", "gpt-2"]


@pytest.mark.parametrize("where", ["a prefix", "a folder", "a web server"])
def test_who_only_reads_is_told_that_nothing_is_published_there(
    on_moto: Hosts, tmp_path: Path, where: str
) -> None:
    on_moto.host("first").sync()
    with Loopback() as web:
        urls = {
            "a prefix": f"{on_moto.url}/of-a-tpyo",
            "a folder": tmp_path.as_uri(),
            "a web server": web.url("/fleet"),
        }
        reader = on_moto.host("reader", shared=urls[where], shared_mode="read")
        report = reader.sync()
    (problem,) = report.problems
    assert problem.fatal
    assert (problem.culprit, status(report)) == (urls[where], "waiting")
    assert "has no pointer" in problem.message
    assert "has no pointer" in reader.memory  # what doctor shows


# What it costs, and what is seen


def test_a_look_costs_one_conditional_request(proxy: Proxy, on_moto: Hosts) -> None:
    first, second = on_moto.host("first"), on_moto.host("second")
    first.sync()
    assert proxy.verbs == [
        *("GET pointer", "GET lease", "PUT lease"),
        *(*["PUT probe"] * 4, "POST"),  # the first of a machine tries whether conditions count
        *("PUT objects", "PUT pointer"),
        "PUT lease",
    ]
    second.sync()
    assert proxy.verbs == ["GET pointer", "GET objects"]
    second.let_pass(60.0)
    second.sync(fresh_for=HOUR)
    (asked,) = proxy.asked
    assert asked.headers["if-none-match"]
    proxy.asked.clear()
    first.let_pass(HOUR)
    first.sync()
    assert proxy.verbs == ["GET pointer", "GET lease", "PUT lease", "PUT pointer", "PUT lease"]


def test_no_credential_is_shown_or_stored(
    proxy: Proxy, on_moto: Hosts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    for number, answer in enumerate((None, 403, 500)):
        if answer:
            proxy.fails(answer)
        host = on_moto.host(f"{number}", shared_key="the key of the fleet")
        report = host.sync()
        told += [str(report), repr(report), repr(host.registry().world.settings)]
        told += [json.dumps(report.to_dict())]
        told += [
            path.read_text("utf-8", "replace")
            for path in (host.world.tmp_path).rglob("*")
            if path.is_file()
        ]
    proxy.reset()
    told += [caplog.text, on_moto.read().decode(), on_moto.read("lease").decode()]
    for secret in (CREDENTIALS["AWS_SECRET_ACCESS_KEY"], "the key of the fleet", "an-access-key"):
        assert not any(secret in text for text in told), secret
    assert "refuses pointer to these credentials" in "".join(told)


def test_a_lookup_knows_nothing_of_it_and_neither_does_a_sync_that_shares_nothing() -> None:
    program = """
import sys
from registry_core import get_model, Settings
assert Settings.for_lookups({"REGISTRY_CORE_SHARED": "s3://b"}).shared
assert get_model("openai/gpt-4o")
import registry_core._sync.sync
print([one for one in sys.modules if "obstore" in one or "_shared" in one or "packaging" in one])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={"REGISTRY_CORE_SHARED": "s3://b", "REGISTRY_CORE_AUTO_REFRESH_PROVIDERS": "0"},
    )
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_equal_results_have_one_name_and_come_back_equal() -> None:
    from registry_core._catalog.bundle import Bundle

    providers = Bundle.of_wheel().load().get_providers()
    name, data = encode(providers)
    again = decode(name, data, most=2**28, culprit="")
    assert again == dict(providers)
    assert encode(dict(reversed([*again.items()])))[0] == name
    assert len(data) < 1_500_000


def test_a_result_above_the_limit_of_this_machine_says_which_limit() -> None:
    from registry_core._catalog.bundle import Bundle

    name, data = encode(Bundle.of_wheel().load().get_providers())
    with pytest.raises(Fault, match=r"more than 0\.5 MiB .*raise fetch_max_bytes"):
        decode(name, data, most=2**19, culprit="s3://b")
