"""What hurt the users of other registries, row by row of the table in docs/reliability.md.

A row that another test proves is not proven again here: the table names that test.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, get_args, get_type_hints

import pytest
from attrs import evolve, fields_dict
from registry_gateway_models_dev import ModelsDevGateway
from registry_gateway_netlify import NetlifyGateway

from registry_core import (
    Cost,
    Disabled,
    GatewayClient,
    Limit,
    ModelInfo,
    ModelRegistry,
    OfflineError,
    PluginSettings,
    ProviderConfig,
    Settings,
    Snapshot,
    UnroutableError,
)
from registry_core._catalog.places import Places
from registry_core.models import CAPABILITIES
from tests.emitters.samples import emit, snapshot_of
from tests.loopback import NOBODY, Loopback, Reply, Request
from tests.pytypes import CHECKERS, check, error_lines
from tests.reliability.shell import Shell
from tests.world import NOW, Overlay, Plugin, World

MODELS_DEV = "registry-gateway-models-dev"


def catalog(models: Mapping[str, Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """A models.dev payload with one provider."""
    about = {"env": ["ACME_API_KEY"], "api": "https://acme.example/v1"}
    return {"acme": {**about, "npm": "@ai-sdk/openai-compatible", "models": models, **more}}


def models_dev(world: World, payload: Mapping[str, Any], etag: str | None = None) -> None:
    if not world.plugins:
        world.plugins.append(Plugin(ModelsDevGateway(world.server.url("/api.json"))))
    world.serve("api", payload, etag=etag)


def served(shell: Shell) -> Mapping[str, tuple[str, ...]]:
    return ModelRegistry(Settings(store_dir=shell.store)).get_models()


def test_row_1_a_payload_that_shrank_is_quarantined_until_it_is_accepted(
    shell: Shell, server: Loopback
) -> None:
    shell.plugins.append(MODELS_DEV)
    del shell.environ["REGISTRY_CORE_SHRINK_LIMIT"]
    shell.environ["REGISTRY_CORE_MODELS_DEV_URL"] = server.url("/api.json")
    server.serve("/api.json", catalog({f"m{number}": {} for number in range(10)}))
    assert shell.run("sync").status == 0  # a URL of the user's: the bundle is no measure
    assert len(served(shell)["acme"]) == 10
    server.serve("/api.json", catalog({f"m{number}": {} for number in range(4)}))
    shrunk = shell.run("sync")
    assert shrunk.status == 1
    hint = "quarantined (if that is right, run: registry-core sync --accept models.dev)"
    assert hint in shrunk.err
    assert len(served(shell)["acme"]) == 10
    assert shell.run("sync", "--accept", "models.dev").status == 0
    assert len(served(shell)["acme"]) == 4


def test_row_3_without_network_and_without_a_cache_the_bundle_serves(shell: Shell) -> None:
    shell.plugins += [MODELS_DEV, "registry-gateway-netlify"]
    shell.environ |= {
        f"REGISTRY_CORE_{name}_URL": "http://127.0.0.1:1/" for name in ("MODELS_DEV", "NETLIFY")
    }
    assert shell.run("show", "openai/gpt-4o").status == 0
    assert not shell.store.exists()
    done = shell.run("sync")
    assert done.status == 1
    assert re.search(r"^models.dev +failed +\d+ +[\d,]+ +bundled, of 20", done.out, re.MULTILINE)
    assert len(re.findall(r"^error: ", done.err, re.MULTILINE)) == 2  # one for each gateway
    assert shell.run("show", "openai/gpt-4o").status == 0


def test_row_5_processes_that_sync_at_once_leave_one_whole_store(
    shell: Shell, server: Loopback
) -> None:
    shell.plugins.append(MODELS_DEV)
    server.serve("/api.json", catalog({"m": {}}), etag='"1"')
    command = [sys.executable, "-m", "registry_core", "sync"]
    environ = {
        **shell.environ,
        "REGISTRY_CORE_PLUGINS": MODELS_DEV,
        "REGISTRY_CORE_MODELS_DEV_URL": server.url("/api.json"),
    }
    running = [
        subprocess.Popen(command, env=environ, cwd=shell.project, stdout=subprocess.DEVNULL)
        for _ in range(4)
    ]
    assert [process.wait(60) for process in running] == [0] * 4
    whole = [one for one in server.requests if one.headers["If-None-Match"] is None]
    assert len(whole) == 1
    registry = ModelRegistry(Settings(store_dir=shell.store))
    registry.snapshot().verify()
    assert registry.get_models() == {"acme": ("m",)}
    for artifact in ("provider-registry.json", "v1/state.json", "v1/emitted.json"):
        json.loads((shell.store / artifact).read_text())


def test_row_6_a_broken_plugin_leaves_every_command_usable(shell: Shell) -> None:
    shell.install("broken", "raise RuntimeError('boom')")
    shell.install("hangs", "threading.Event().wait()")  # at import: nothing can fence that
    shell.plugins[:] = ["broken", "hangs"]
    for command in (["--help"], ["show", "openai/gpt-4o"], ["plugins"]):
        assert shell.run(*command).status == 0
    done = shell.run("sync", "--offline", REGISTRY_CORE_DISABLE_PLUGINS="hangs")
    assert "error: broken 1.0 (entry broken): can't be loaded: RuntimeError: boom" in done.err
    script = "from registry_core import ModelRegistry; ModelRegistry.get_instance().sync_gateways()"
    variables = {"REGISTRY_CORE_OFFLINE": "1", "REGISTRY_CORE_PLUGINS": "broken"}
    assert shell.python("-c", script, **variables).status == 0
    strict = shell.python("-c", script, **variables, REGISTRY_CORE_STRICT="1")
    assert "ExceptionGroup" in strict.err
    assert "RuntimeError: boom" in strict.err


@pytest.mark.slow
@pytest.mark.parametrize("version", ["5.9.3", "7.0.2"])
def test_row_7_ten_times_todays_ids_are_not_too_complex_for_typescript(
    version: str, tmp_path: Path
) -> None:
    from registry_core._writers import typescript
    from tests.nodetools import tsc

    (types,) = emit(typescript, tenfold()).values()
    (tmp_path / "types.d.ts").write_text(types)
    user = tmp_path / "user.ts"
    user.write_text(
        'import type { ModelForProvider, ModelRouterModelId } from "./types";\n'
        'export const any: ModelRouterModelId = "any/thing";\n'
        'export const known: ModelForProvider<"provider-7"> = "model-9";\n'
        'export const wrong: ModelForProvider<"provider-7"> = "model-none";\n'
    )
    started = spent()
    (error,) = [line for line in tsc(version, [user, tmp_path / "types.d.ts"]) if "error" in line]
    assert "user.ts(4," in error
    assert spent() - started < 60


def spent() -> float:
    """Seconds of the processor that children have used: whatever else the machine does, what they
    do costs about the same."""
    times = os.times()
    return times.children_user + times.children_system


def tenfold(per_provider: int = 400) -> Snapshot:
    """80,000 models; the bundle has 8,000."""
    models = [f"model-{number}" for number in range(per_provider)]
    return snapshot_of({f"provider-{number}": models for number in range(200)})


OFFLINE = """
import sys
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise SystemExit(f"the network was touched: {event} {arguments}")
sys.addaudithook(hook)
"""


def test_row_8_one_switch_covers_all_traffic(shell: Shell, tmp_path: Path) -> None:
    (shell.site / "sitecustomize.py").write_text(OFFLINE)
    shell.plugins += [MODELS_DEV, "registry-gateway-netlify"]
    shell.environ["REGISTRY_CORE_OFFLINE"] = "1"
    commands = (["sync", "--force"], ["doctor"], ["plugins", "--load"])
    for command in commands:
        done = shell.run(*command)
        assert (done.status, "touched" in done.err) == (0, False), done.err
    assert "touched" in shell.run("sync", REGISTRY_CORE_OFFLINE="0").err  # the watch works
    environ = {"NETLIFY_TOKEN": "token", "NETLIFY_SITE_ID": "site"}
    world = World(tmp_path / "world", Loopback())
    world.plugins.append(Plugin(NetlifyGateway()))
    world.bundled = Snapshot.build([ProviderConfig("netlify", ["openai/m"], gateway="netlify")])
    with world.server, pytest.raises(OfflineError, match="REGISTRY_CORE_OFFLINE"):
        world.registry(offline=True).resolve("netlify/openai/m", environ)


def test_row_9_a_bad_entry_is_dropped_alone_and_the_unknown_is_tolerated(world: World) -> None:
    news = {
        "status": "sunset",
        "modalities": {"input": ["smell"], "output": ["text"]},
        "cost": {"input": 1, "per_minute": 2},
        "limit": {"context": 9, "thinking": 8},
        "pricing_v2": {"any": ["thing"]},
    }
    models_dev(world, {**catalog({"new": news, "bad": None, "good": {}}), "bad": {"models": 3}})
    report = world.sync()
    assert report.ok
    assert world.models()["acme"] == ("good", "new")
    assert {one.culprit for one in report.problems} == {"models.dev: acme/bad", "models.dev: bad"}
    found = world.registry().get_model("acme/new")
    assert found is not None
    assert (found.status, found.modalities.input) == ("sunset", ("smell",))
    assert found.extra["cost"] == {"per_minute": 2}


def test_row_11_deprecated_models_stay_and_capabilities_have_three_values(world: World) -> None:
    flags = {"tool_call": True, "reasoning": False}
    override = {"provider": {"api": "https://old.example/v1"}}
    models_dev(world, catalog({"old": {"status": "deprecated", **flags, **override}, "new": {}}))
    world.sync()
    registry = world.registry()
    old = registry.get_model("acme/old")
    assert old is not None
    assert (old.tool_call, old.reasoning, old.temperature) == (True, False, None)
    provider = registry.get_provider_config("acme")
    assert provider is not None
    assert provider.deprecated_models == ("old",)
    assert provider.model_overrides["old"]["api"] == "https://old.example/v1"
    published = json.loads((world.store.place / "provider-registry.json").read_text())
    assert published["models"]["acme"] == ["new", "old"]
    assert published["providers"]["acme"]["deprecatedModels"] == ["old"]
    assert {*CAPABILITIES} <= {*fields_dict(ModelInfo)}


def test_row_12_overlays_outlive_every_refresh_and_requests_keep_their_snapshot(
    world: World,
) -> None:
    def priced(snapshot: Snapshot) -> Snapshot:
        acme = snapshot.get_providers()["acme"]
        models = {id: evolve(one, cost={"input": 7}) for id, one in acme.models.items()}
        return snapshot.with_providers(
            {**snapshot.get_providers(), "acme": evolve(acme, models=models)}
        )

    def price(snapshot: Any) -> float | None:
        cost = snapshot.get_model("acme/m").cost
        return cost and cost.input

    models_dev(world, catalog({"m": {"cost": {"input": 1}}}), etag='"1"')
    world.plugins.append(Overlay(priced))
    world.sync()
    pinned = world.registry().snapshot()
    for etag in ('"1"', '"2"', '"2"'):  # 304, 200, 304
        models_dev(world, catalog({"m": {"cost": {"input": 2}}, etag: {}}), etag=etag)
        assert world.sync().ok
        assert price(world.registry()) == 7
    assert price(pinned) == 7
    world.plugins.pop()
    world.sync()
    assert price(world.registry()) == 2
    assert price(pinned) == 7


def test_row_13_what_is_not_known_is_none_through_every_layer(world: World) -> None:
    zeros = {"limit": {"context": 0, "output": 0}, "cost": {"input": 0}}
    models_dev(world, catalog({"silent": {}, "zeros": zeros}))
    world.sync()
    silent = world.registry().get_model("acme/silent")
    zero = world.registry().get_model("acme/zeros")
    assert silent is not None
    assert zero is not None
    assert silent.cost is None
    assert (silent.limit, zero.limit) == (Limit(None, None, None), Limit(None, None, None))
    assert zero.cost == Cost(input=0)  # free is a price
    parts = {"id", "provider_id", "limit", "modalities", "lifecycle", "extra"}
    for cls, others in ((ModelInfo, parts), (Limit, set()), (Cost, {"tiers"})):
        hints = get_type_hints(cls)
        optional = {name for name, hint in hints.items() if type(None) in get_args(hint)}
        assert optional == {*fields_dict(cls)} - others  # in the types, too


def test_row_14_a_failure_is_called_one_with_the_age_of_what_is_used(
    shell: Shell, server: Loopback
) -> None:
    shell.plugins.append(MODELS_DEV)
    shell.environ["REGISTRY_CORE_MODELS_DEV_URL"] = server.url("/api.json")
    server.serve("/api.json", catalog({"m": {}}))
    assert shell.run("sync").status == 0
    before = json.loads(shell.run("doctor", "--json").out)
    server.route("/api.json", Reply(500))
    done = shell.run("sync")
    assert done.status == 1
    assert re.search(r"^models.dev +failed +1 +1 +stored, of 20.*old\)$", done.out, re.MULTILINE)
    assert "error: models.dev: " in done.err
    assert "answered 500" in done.err
    doctor = shell.run("doctor", "--json")
    after = json.loads(doctor.out)
    assert doctor.status == 1
    assert after["last_refresh"] == before["last_refresh"]
    known = after["gateways"]["models.dev"]
    assert known["retrieved_at"] == before["gateways"]["models.dev"]["retrieved_at"]
    assert (known["status"], "answered 500" in known["error"]) == ("failed", True)


def test_row_18_models_are_called_where_they_live_and_the_others_say_why_not(world: World) -> None:
    elsewhere = {"provider": {"api": "https://elsewhere.example/v1"}}
    payload = catalog({"here": {}, "there": elsewhere}) | {
        "nowhere": {"env": ["A", "B"], "npm": "@ai-sdk/azure", "models": {"m": {}}}
    }
    models_dev(world, payload)
    world.sync()
    registry, environ = world.registry(), {"ACME_API_KEY": "key", "A": "a", "B": "b"}
    assert registry.resolve("acme/here", environ).base_url == "https://acme.example/v1"
    assert registry.resolve("acme/there", environ).base_url == "https://elsewhere.example/v1"
    assert "nowhere" in registry.get_models()
    with pytest.raises(UnroutableError, match="gives no URL for it, and it takes A, B together"):
        registry.resolve("nowhere/m", environ)


@pytest.mark.parametrize("asked", ["in the fetch", "before it"])
def test_row_19_each_credential_gets_its_own_answer(world: World, asked: str) -> None:
    """And none gets its own, too: to log in changes what is published."""

    def answer(request: Request) -> Reply:
        mine = {"Bearer one": ["mine"], "Bearer two": ["yours"]}
        ids = ["public", *mine.get(request.headers["Authorization"] or "", [])]
        headers = {"ETag": f'"{ids}"'}
        if request.headers["If-None-Match"] == headers["ETag"]:
            return Reply(304, headers=headers)
        return Reply(200, json.dumps({"openai": ids}).encode(), headers)

    tokens: list[str | None] = []

    def enable(settings: PluginSettings) -> bool:
        tokens.append(settings.secret("TOKEN") if asked == "before it" else None)
        return True

    def fetch(client: GatewayClient) -> Mapping[str, ProviderConfig]:
        token = tokens[-1] if asked == "before it" else client.secret("TOKEN")
        payload = client.get_json(world.server.url("/main.json"), bearer=token)
        return {id: ProviderConfig(id, models) for id, models in payload.items()}

    world.gateway("main", should_enable=enable, fetch_providers=fetch)
    world.server.route("/main.json", answer)
    expected = {"": ("public",), "one": ("mine", "public"), "two": ("public", "yours")}
    for token in ("", "one", "two", "one", "", "two"):
        world.environ = {"TOKEN": token}
        world.now += 60
        assert world.sync(shrink_limit=0).ok
        assert world.models()["openai"] == expected[token]
    world.now += 60
    assert world.sync().gateways[0].status == "unchanged"  # and the same one costs no fetch


@pytest.mark.slow
def test_row_23_ten_times_todays_ids_stay_cheap_in_type_checkers(tmp_path: Path) -> None:
    from registry_core._writers import python_types

    def seconds(folder: Path, stub: str | None) -> float:
        (folder / "typings").mkdir(parents=True)
        if stub is not None:
            (folder / "typings" / "registry_core_types.pyi").write_text(stub)
        user = folder / "user.py"
        used = "from registry_core_types import Model_provider_7\nx: Model_provider_7 = 'model-9'\n"
        user.write_text("x = 1\n" if stub is None else used)
        started = spent()
        assert error_lines(check("basedpyright", user)) == []
        return spent() - started

    (stub,) = emit(python_types, tenfold()).values()
    assert seconds(tmp_path / "types", stub) < 5 * seconds(tmp_path / "bare", None) + 5


DEAR = """\
from registry_core_types import KnownModelId, ModelId, ProviderId
from registry_core_types import model_id, provider_id, takes_model_id


@takes_model_id
def are_same(a: ModelId, b: ModelId) -> bool:
    return a == b or a in (b, "x")


@takes_model_id
def are_known(a: KnownModelId, b: KnownModelId) -> bool:
    return a == b or a in (b, model_id("{id}"))


def are_providers(a: ProviderId, b: ProviderId) -> bool:
    return a == b or a in (b, provider_id("provider-7"))


are_same("{id}", "x")
are_known("{id}", model_id("{id}"))
are_providers(provider_id("provider-8"), provider_id("provider-7"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["basedpyright", "pyright", "mypy"])
@pytest.mark.parametrize("size", ["today", "ten times"])
def test_comparing_two_ids_hangs_no_type_checker(size: str, checker: str, tmp_path: Path) -> None:
    """With all ids in one union it took more than a minute; by the square of their number."""
    from registry_core._writers import python_types

    def seconds(folder: Path, stub: str, code: str) -> float:
        write_user(folder, stub, code)
        started = spent()
        output = check(checker, folder / "user.py")
        assert error_lines(output) == [], output
        return spent() - started

    (stub,) = emit(python_types, tenfold(40 if size == "today" else 400)).values()
    dear = seconds(tmp_path / "types", stub, DEAR.format(id="provider-199/model-1"))
    assert dear < 5 * seconds(tmp_path / "bare", "", "x = 1\n") + 10


def write_user(folder: Path, stub: str, code: str) -> Path:
    (folder / "typings").mkdir(parents=True)
    (folder / "typings" / "registry_core_types.pyi").write_text(stub)
    user = folder / "user.py"
    user.write_text(code)
    return user


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("per_provider", [40, 400])
def test_a_typo_is_an_error_in_every_type_checker_at_any_size(
    per_provider: int, checker: str, tmp_path: Path
) -> None:
    """Of every part that a parameter is divided into: the first id, the last one, and neither."""
    from registry_core._writers import python_types

    snapshot = tenfold(per_provider)
    ids = [f"{id}/{model}" for id, models in snapshot.get_models().items() for model in models]
    good = [ids[0], *(id for end in range(4096, len(ids), 4096) for id in ids[end - 1 : end + 1])]
    good.append(ids[-1])
    lines = ["from registry_core_types import KnownModelId, model_id, takes_model_id"]
    lines += ["@takes_model_id", "def ask(model: KnownModelId) -> None: ..."]
    lines += [f'{function}("{id}")' for id in good for function in ("model_id", "ask")]
    lines += [
        f'{function}("{id}x")' for id in (good[0], good[-1]) for function in ("model_id", "ask")
    ]
    lines += ['known: KnownModelId = "provider-1/model-1x"']
    (stub,) = emit(python_types, snapshot).values()
    user = write_user(tmp_path, stub, "\n".join([*lines, ""]))
    assert error_lines(check(checker, user)) == list(range(len(lines) - 4, len(lines) + 1))


def test_row_27_proxies_are_honoured_and_named_when_they_fail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = world.gateway("main")
    gateway._url = "http://models.invalid/main.json"
    monkeypatch.setenv("HTTP_PROXY", world.server.url()[:-1])
    world.server.route("/main.json", Reply(200, b'{"openai": ["gpt-old", "proxied"]}'))
    assert world.sync().gateways[0].status == "fresh"
    assert world.server.requests[-1].headers["Host"] == "models.invalid"
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    failed = world.sync(fetch_retries=0).gateways[0]
    assert "HTTP_PROXY" in (failed.error or "")


def test_row_28_plugins_cost_help_nothing_and_their_load_time_is_shown(shell: Shell) -> None:
    mark = shell.home / "imported"
    code = f"open({str(mark)!r}, 'w').close()\ntime.sleep(0.02)\n"
    hook = "def registry_gateways():\n    return [Gateway('slow', ['m'], needs_network=False)]"
    shell.install("slow", f"{code}@hookimpl\n{hook}")
    for command in (["sync", "--help"], ["plugins"]):
        assert shell.run(*command).status == 0
        assert not mark.exists(), command
    measured = json.loads(shell.run("plugins", "--load", "--json").out)
    assert mark.exists()
    assert [row["load_ms"] >= 20 for row in measured if row["plugin"] == "slow:slow"] == [True]
    shell.run("sync", "--offline")
    mark.unlink()
    recorded = json.loads(shell.run("plugins", "--json").out)
    assert [row["load_ms"] >= 20 for row in recorded if row["plugin"] == "slow:slow"] == [True]
    assert not mark.exists()


def test_row_29_a_plugin_that_failed_to_load_is_tried_at_the_next_sync(
    shell: Shell,
) -> None:
    """In one process: a worker that started before the dependency was installed."""
    shell.install(
        "late",
        """
        import late_sdk
        @hookimpl
        def registry_gateways():
            return [Gateway("late", ["m"], needs_network=False)]
        """,
    )
    script = """
        import pathlib, sys
        from registry_core import ModelRegistry
        registry = ModelRegistry.get_instance()
        assert not registry.sync_gateways().ok
        pathlib.Path(sys.argv[1], "late_sdk.py").write_text("")
        assert registry.sync_gateways().ok
        assert registry.get_models() == {"late": ("m",)}
        """
    done = shell.python("-c", dedent(script), str(shell.site))
    assert done.status == 0, done.err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_row_30_the_refresher_lives_on_after_a_fork_and_a_second_start_does_nothing(
    shell: Shell,
) -> None:
    script = """
        import os, threading
        from registry_core import ModelRegistry
        def refreshers():
            names = [one.name for one in threading.enumerate() if one.is_alive()]
            return names.count("registry-core refresh")
        registry = ModelRegistry.get_instance()
        assert refreshers() == 1
        registry.start_auto_refresh()
        assert refreshers() == 1
        child = os.fork()
        if not child:
            works = refreshers() == 1 and registry.get_model("openai/gpt-4o") is not None
            os._exit(0 if works else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """
    variables = {"REGISTRY_CORE_OFFLINE": "1", "REGISTRY_CORE_AUTO_REFRESH_PROVIDERS": "1"}
    done = shell.python("-W", "ignore", "-c", dedent(script), **variables)
    assert done.status == 0, done.err


def test_row_32_the_gateway_decides_how_it_authenticates(world: World) -> None:
    """By a file, a metadata server, nothing at all: no variable is demanded of it."""
    world.gateway("main")
    gateway = world.gateway("second", should_enable=lambda settings: Disabled("log in to acme"))
    world.serve("main", {"openai": ["gpt-old", "new"]})
    world.serve("second", {"other": ["x", "y"]})
    report = world.sync()
    assert report.ok
    assert [(one.status, one.error) for one in report.gateways] == [
        ("fresh", None),
        ("disabled", "log in to acme"),
    ]
    vars(gateway)["should_enable"] = lambda settings: True
    assert [one.status for one in world.sync().gateways] == ["fresh", "fresh"]
    assert world.models() == {"openai": ("gpt-old", "new"), "other": ("x", "y")}


def test_mastra_1_what_one_project_sees_is_not_served_to_the_next(
    world: World, tmp_path: Path
) -> None:
    """Two environments of one user share raw payloads, never providers nor refresh times."""
    world.gateway("main")
    world.gateway("private")
    world.serve("main", {"openai": ["gpt-old", "new"]}, etag='"1"')
    world.serve("private", {"secret": ["m"]})
    assert world.sync().ok
    other = World(tmp_path, world.server)
    other.places = Places(
        tmp_path / "venv2", tmp_path / "python", tmp_path / "cache", tmp_path / "tmp"
    )
    other.gateway("main")
    assert "secret" not in other.models()
    assert other.registry().get_last_refresh_time() is None
    other.now = NOW + 60
    assert other.sync().ok
    assert "secret" not in other.models()
    assert other.models()["openai"] == ("gpt-old", "new")
    assert "secret" in world.models()


def test_mastra_2_a_refresh_of_one_project_does_not_hold_the_next_ones_up(
    world: World, tmp_path: Path
) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-old", "new"]})
    world.sync()
    other = World(tmp_path, world.server)
    other.places = Places(
        tmp_path / "venv2", tmp_path / "python", tmp_path / "cache", tmp_path / "tmp"
    )
    gateway = other.gateway("main")
    registry = other.registry()
    assert registry.get_last_refresh_time() is None
    assert registry.sync_gateways().ok
    assert gateway.fetches == 1
    assert registry.get_models()["openai"] == ("gpt-old", "new")


def test_mastra_11_a_valid_model_id_is_one_whose_model_is_known(
    shell: Shell,
) -> None:
    script = (
        "from registry_core import is_valid_model_id as valid; "
        "print(valid('openai/gpt-4o'), valid('openai/no-such-model'), valid('openai'), valid(''))"
    )
    assert shell.python("-c", script).out.split() == ["True", "False", "False", "False"]


ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| (M?\d+) \| .* \| `(tests/[^`]+)::(\w+)`( \(slow\))? \|$",
    PAGE.partition("\n## Files and processes\n")[0],  # the tables below number other things
    re.MULTILINE,
)


def test_each_row_of_the_table_names_one_test_that_is_there() -> None:
    expected = [*map(str, range(1, 33)), *(f"M{number}" for number in range(1, 12))]
    assert [row for row, *_ in ROWS] == expected
    for row, file, name, slow in ROWS:
        text = (ROOT / file).read_text("utf-8")
        found = re.search(rf"((?:^[@ )].*\n)*)^def {name}\(", text, re.MULTILINE)
        assert found, f"row {row}: there is no {name} in {file}"
        marked = "mark.slow" in found[1] or re.search(r"^pytestmark = .*slow", text, re.MULTILINE)
        assert bool(marked) == bool(slow), f"row {row}: is it slow?"
    own = re.findall(r"^def (test_(?:row|mastra)_\w+)", Path(__file__).read_text(), re.MULTILINE)
    assert {*own} <= {name for _, _, name, _ in ROWS}


def test_the_page_counts_what_the_tests_try() -> None:
    from tests.reliability import test_gateway_faults, test_hostile_ids, test_hostile_plugins
    from tests.reliability.test_secrets import ATTACKS, SECRETS
    from tests.resolve.test_attacks import ATTACKS as ALONE

    ids, plugins = test_hostile_ids, test_hostile_plugins
    counts = [int(count) for count in re.findall(r"^\| [^|]+ \| (\d+)", PAGE, re.MULTILINE)]
    assert counts[:14] == [
        len(test_gateway_faults.FAULTS),
        520,  # counted where they are tried
        len(test_gateway_faults.BAD_PROVIDERS),
        len(test_gateway_faults.PAYLOADS) * 15,
        len({*ids.MODELS}),
        len({*ids.PROVIDERS}),
        len(ids.DROPPED) + len(ids.DROPPED_PROVIDERS),
        len(ids.COMMANDS) + len(ids.MORE_COMMANDS) + 1,
        len(plugins.CASES),
        len(plugins.HANGS),
        len(plugins.BROKEN_OVERLAYS),
        len(SECRETS),
        len(ATTACKS),
        len(ALONE),
    ]
