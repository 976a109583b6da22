"""The command line, as a person or a CI job runs it: real plugins, a loopback server."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from registry_core import ProviderConfig, Snapshot
from registry_core._base.frozen import FrozenDict
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.store import Store, pointer_line
from registry_core._sync.commit import save_state
from registry_core.cli import main
from registry_core.testing import write_distribution
from tests.loopback import Loopback, Reply

MODEL = {
    "name": "GPT-5",
    "attachment": True,
    "reasoning": True,
    "tool_call": True,
    "limit": {"context": 400_000, "output": 0},
    "cost": {"input": 1.25, "output": 10},
}
PAYLOAD: dict[str, Any] = {
    "openai": {
        "name": "OpenAI",
        "env": ["OPENAI_API_KEY"],
        "npm": "@ai-sdk/openai",
        "doc": "https://platform.openai.com/docs",
        "models": {"gpt-5": MODEL, "gpt-5-mini": MODEL},
    },
    "acme": {
        "name": "Acme",
        "env": ["ACME_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://acme.example/v1",
        "models": {"large": MODEL},
    },
}
NETLIFY = {
    "providers": {
        "openai": {
            "token_env_var": "OPENAI_API_KEY",
            "url_env_var": "OPENAI_BASE_URL",
            "models": ["gpt-5"],
        }
    }
}

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run `registry-core ARGUMENTS` in an empty project, against the loopback server."""
    server.serve("/api.json", PAYLOAD, etag='"1"')
    server.serve("/netlify.json", NETLIFY, etag='"1"')
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    environ = {
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
        "REGISTRY_CORE_MODELS_DEV_URL": server.url("/api.json"),
        "REGISTRY_CORE_NETLIFY_URL": server.url("/netlify.json"),
        "REGISTRY_CORE_FETCH_RETRIES": "0",
        "REGISTRY_CORE_PLUGINS": "registry-gateway-models-dev,registry-gateway-netlify",
        "REGISTRY_CORE_SHRINK_LIMIT": "0",
    }

    def invoke(*arguments: str, **variables: str) -> Result:
        return CliRunner().invoke(main, list(arguments), env={**environ, **variables})

    yield invoke


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_sync_counts_what_the_payloads_hold(run: Run) -> None:
    done = run("sync", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["ok"]
    assert {
        one["id"]: (one["status"], one["providers"], one["models"]) for one in report["gateways"]
    } == {
        "models.dev": ("fresh", 2, 3),
        "netlify": ("fresh", 1, 1),
    }
    assert (report["providers"], report["models"]) == (3, 4)


def test_a_second_sync_asks_conditionally_and_rewrites_nothing(
    run: Run, server: Loopback, tmp_path: Path
) -> None:
    run("sync")
    before = tree(tmp_path)
    done = run("sync")
    assert done.exit_code == 0
    assert "unchanged" in done.stdout
    after = tree(tmp_path)
    changed = {Path(name).name for name in after if after[name] != before.get(name)}
    assert {name for name in changed if not name.endswith((".lock", ".payload"))} <= {"state.json"}
    assert [one.headers["If-None-Match"] for one in server.requests] == [None, None, '"1"', '"1"']
    assert run("sync", "--force").exit_code == 0
    assert [one.headers["If-None-Match"] for one in server.requests[4:]] == [None, None]


def test_failures_are_told_with_their_culprit_and_exit_1(run: Run, server: Loopback) -> None:
    run("sync")
    server.route("/api.json", Reply(500))
    done = run("sync")
    assert done.exit_code == 1
    assert "models.dev  failed" in done.stdout
    assert "error: models.dev" in done.stderr
    assert "500" in done.stderr
    tolerant = run("sync", "--max-age", "1h")
    assert tolerant.exit_code == 0
    assert "models.dev  failed, tolerated" in tolerant.stdout
    assert run("doctor").exit_code == 1


def test_what_changed_is_listed(run: Run, server: Loopback) -> None:
    run("sync")
    changed = {**PAYLOAD, "acme": {**PAYLOAD["acme"], "models": {"new": MODEL}}}
    server.serve("/api.json", changed, etag='"2"')
    done = run("sync")
    offer = "$1.25 in, $10 out per 1M tokens, context 400k"
    assert done.stdout.endswith(
        f"\n1 new, 1 removed:\nacme\n  - large  was {offer}\n  + new    {offer}\n"
    )


def test_fields_that_changed_are_listed_with_both_values(run: Run, server: Loopback) -> None:
    run("sync")
    large = {**MODEL, "cost": {"input": 2, "output": 10}, "family": "x" * 50}
    changed = {**PAYLOAD, "acme": {**PAYLOAD["acme"], "models": {"large": large}}}
    server.serve("/api.json", changed, etag='"2"')
    done = run("sync")
    price = "input $1.25 → $2 (+60%) per 1M tokens"
    assert f"1 changed:\nacme\n  ~ large  {price}, 1 more field\n" in done.stdout
    family = f"family unknown → {'x' * 40}…"
    assert f"  ~ large  {price}, {family}\n" in run("changes", "--all").stdout
    server.serve("/api.json", PAYLOAD, etag='"3"')
    report = json.loads(run("sync", "--json").stdout)
    fields = {one["field"]: (one["before"], one["after"]) for one in report["updated"]}
    assert fields == {"cost.input": (2, 1.25), "family": ("x" * 50, None)}


def test_what_is_newly_deprecated_is_listed_once(run: Run, server: Loopback) -> None:
    run("sync")
    models = {"large": {**MODEL, "status": "deprecated"}}
    changed = {**PAYLOAD, "acme": {**PAYLOAD["acme"], "models": models}}
    server.serve("/api.json", changed, etag='"2"')
    assert "1 deprecated:\nacme\n  ! large  deprecated\n" in run("sync").stdout
    assert "1 deprecated" not in run("sync", "--force").stdout


def test_offline_says_what_it_works_from(run: Run, server: Loopback) -> None:
    done = run("sync", "--offline")
    assert done.exit_code == 0
    assert "offline: the network is not touched" in done.stdout
    assert "bundled, of 2026-" in done.stdout
    assert "MIT" in done.stdout
    assert not server.requests


def test_what_a_source_of_facts_brings_itself_is_called_its_own(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
from datetime import UTC, datetime
from registry_core import FactSource, hookimpl

class Acme(FactSource):
    id = name = "acme-facts"

    def fetch_facts(self, client):
        return client.get_json("http://unused.example")

    def bundled(self):
        facts = {"openai/gpt-5": {"lifecycle": {"retires_on": "2031-01-31"}}}
        return facts, datetime(2026, 1, 1, tzinfo=UTC)

@hookimpl
def registry_facts():
    return [Acme()]
"""
    site = write_distribution(
        tmp_path / "site",
        "acme-facts",
        entry_points={"acme-facts": "acme_own_facts"},
        modules={"acme_own_facts.py": code},
    )
    monkeypatch.syspath_prepend(str(site))
    plugins = {"REGISTRY_CORE_PLUGINS": "registry-gateway-models-dev,acme-facts"}
    result = run("sync", "--offline", **plugins)
    assert result.exit_code == 0
    assert "acme-facts: bundled data: of acme-facts 1.0\n" in result.stdout
    found = json.loads(run("doctor", "--json", **plugins).stdout)["gateways"]["acme-facts"]
    assert (found["data"], found["retrieved_at"][:10]) == ("stored", "2026-01-01")


def test_a_plugin_that_breaks_is_told_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
from registry_core import ModelGateway, ProviderConfig, hookimpl

class Acme(ModelGateway):
    id = name = "acme-own"

    def fetch_providers(self, client):
        return {"acme-own": ProviderConfig("acme-own", ["large"])}

@hookimpl
def registry_gateways():
    return [Acme()]
"""
    plugins = {"REGISTRY_CORE_PLUGINS": "registry-gateway-models-dev,acme-own"}
    for module, text in (("acme_own_whole", code), ("acme_own_broken", "raise KeyError('no')")):
        site = write_distribution(
            tmp_path / module,
            "acme-own",
            entry_points={"acme-own": module},
            modules={f"{module}.py": text},
        )
        monkeypatch.syspath_prepend(str(site))
        done = run("sync", **plugins)
    assert done.exit_code == 1
    assert "acme-own    failed" in done.stdout
    assert done.stderr.count("can't be loaded") == 1


def test_list_finds_providers_and_models(run: Run) -> None:
    run("sync")
    assert run("list").stdout.splitlines() == [
        "acme/large",
        "netlify/openai/gpt-5",
        "openai/gpt-5",
        "openai/gpt-5-mini",
    ]
    assert run("list", "ACME").stdout == "acme/large\n"
    listed = json.loads(run("list", "mini", "--json").stdout)
    assert (listed["schema"], listed["count"]) == (1, 1)
    assert [one["full_id"] for one in listed["models"]] == ["openai/gpt-5-mini"]
    nothing = run("list", "nope")
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert "nope" in nothing.stderr
    assert "did you mean 'openai/gpt-5' or" in run("list", "gpt5").stderr


def test_show_tells_unknown_from_none_and_suggests(run: Run) -> None:
    run("sync")
    shown = run("show", "openai/gpt-5").stdout
    assert "input: 1.25" in shown
    assert "output: unknown" in shown  # the limit that the source gives as 0
    assert "temperature: unknown" in shown
    assert not {"status", "extra"} & {*re.findall(r"^\w+", shown, re.MULTILINE)}
    assert "lifecycle:\n  retires_on: unknown\n" in shown  # which is not never
    assert "models: large" in run("show", "acme").stdout
    provider = json.loads(run("show", "acme", "--json").stdout)
    assert (provider["id"], provider["deprecated_models"]) == ("acme", [])
    model = json.loads(run("show", "acme/large", "--json").stdout)
    beside = {name: model[name] for name in ("schema", "full_id", "kind", "call")}
    assert {**provider["models"]["large"], **beside} == model
    assert (model["kind"], model["limit"]["output"], model["cost"]["tiers"]) == ("chat", None, [])
    missing = run("show", "openai/gpt-6")
    assert missing.exit_code == 1
    assert "did you mean 'openai/gpt-5'" in missing.stderr


def test_show_says_where_resolve_refuses_to_call(run: Run, server: Loopback) -> None:
    key = {"ACME_API_KEY": "s3cret"}
    run("sync")
    call = json.loads(run("show", "acme/large", "--json", **key).stdout)["call"]
    assert (call["usable"], call["refused"]) == (True, None)
    moved = {"acme": {**PAYLOAD["acme"], "api": "https://elsewhere.example/v1"}}
    server.serve("/api.json", {**PAYLOAD, **moved}, etag='"2"')
    run("sync", "--force")
    refused = "ACME_API_KEY is bound to https://acme.example, but would go to https://elsewhere"
    for arguments in (["acme/large"], ["acme"], ["acme/large", "--color", "always"]):
        shown = " ".join(run("show", *arguments, **key, COLUMNS="300").stdout.split())
        assert refused in shown, arguments
        assert "s3cret" not in shown
    call = json.loads(run("show", "acme/large", "--json", **key).stdout)["call"]
    assert (call["usable"], refused in call["refused"]) == (False, True)
    assert refused not in run("show", "acme/large").stdout  # there is no key to send
    trusts = key | {"REGISTRY_CORE_TRUSTED_HOSTS": "elsewhere.example"}
    assert refused not in run("show", "acme/large", **trusts).stdout


def test_show_leaves_out_what_is_not_set_of_a_provider_and_says_where_it_is_called(
    run: Run,
) -> None:
    run("sync")
    shown = run("show", "openai").stdout
    assert "unknown" not in shown
    assert "none" not in shown.replace("names none", "")
    assert "url: https://api.openai.com/v1 (its gateway names none; this is well known)" in shown
    assert "unroutable" not in shown
    assert "url: https://acme.example/v1\n" in run("show", "acme").stdout
    assert "url" in json.loads(run("show", "openai", "--json").stdout)


def test_a_role_is_shown_with_what_it_stands_for(run: Run, tmp_path: Path) -> None:
    roles = {"fast": "openai/gpt-5", "gone": "openai/gpt-4"}
    declared = Snapshot.build([ProviderConfig("openai", ["gpt-5", "gpt-5-mini"])], roles=roles)
    file = tmp_path / "declared"
    file.write_bytes(declared.to_bytes())
    served = {"REGISTRY_CORE_SNAPSHOT": str(file)}
    assert run("show", "fast", **served).stdout.startswith(
        "role: fast\nfull_id: openai/gpt-5\nid: gpt-5\nprovider_id: openai\n"
    )
    model = json.loads(run("show", "openai/gpt-5", "--json", **served).stdout)
    shown = json.loads(run("show", "fast", "--json", **served).stdout)
    assert shown == {"role": "fast", "full_id": "openai/gpt-5", **model}
    gone = run("show", "gone", **served)
    assert gone.exit_code == 1
    assert "'gone' is a role, and its model 'openai/gpt-4' is not served" in gone.stderr
    assert "did you mean 'openai/gpt-5'" in gone.stderr
    assert "did you mean 'fast'" in run("show", "fats", **served).stderr
    assert "role fast: openai/gpt-5\nrole gone: openai/gpt-4\n" in run("doctor", **served).stdout
    # Each model once, by its own id: a role is another name for one.
    assert run("list", **served).stdout == "openai/gpt-5\nopenai/gpt-5-mini\n"


def test_what_mastra_reads_knows_no_roles(run: Run, tmp_path: Path) -> None:
    plain = Snapshot.build([ProviderConfig("openai", ["gpt-5"])])
    written = []
    for name, snapshot in {"a": plain, "b": plain.with_roles({"fast": "openai/gpt-5"})}.items():
        (tmp_path / f"{name}.snapshot").write_bytes(snapshot.to_bytes())
        served = {"REGISTRY_CORE_SNAPSHOT": str(tmp_path / f"{name}.snapshot")}
        folder = tmp_path / name
        assert run("export", "--format", "mastra", str(folder), **served).exit_code == 0
        written.append({one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()})
    assert written[0] == written[1] != {}


def test_plugins_shows_what_would_load(run: Run) -> None:
    rows = json.loads(run("plugins", "--json").stdout)
    assert {"registry-gateway-models-dev:models-dev", "registry-gateway-netlify:netlify"} <= {
        row["plugin"] for row in rows
    }
    measured = json.loads(run("plugins", "--load", "--json").stdout)
    assert all(row["load_ms"] >= 0 for row in measured if not row["excluded"])
    none = run("plugins", REGISTRY_CORE_PLUGINS="")
    assert "no: it is not in plugins" in none.stdout


def test_an_empty_allow_list_is_named_and_empties_nothing(run: Run, tmp_path: Path) -> None:
    run("sync")
    before = (tmp_path / "store" / "provider-registry.json").read_text()
    done = run("sync", REGISTRY_CORE_PLUGINS="")
    assert done.exit_code == 1
    assert "every gateway is switched off" in done.stderr
    assert "REGISTRY_CORE_PLUGINS" in done.stderr
    assert (tmp_path / "store" / "provider-registry.json").read_text() == before
    assert run("show", "openai/gpt-5").exit_code == 0


def test_doctor_knows_ages_and_places(run: Run, tmp_path: Path) -> None:
    before = json.loads(run("doctor", "--json").stdout)
    assert (before["serves"], before["last_refresh"]) == ("bundled", None)
    run("sync")
    after = json.loads(run("doctor", "--json").stdout)
    assert after["serves"] == "stored"
    assert after["store"] == str(tmp_path / "store")
    assert after["gateways"]["models.dev"]["status"] == "fresh"
    assert "models.dev  fresh" in run("doctor").stdout


def test_times_in_the_future_are_no_ages(run: Run, server: Loopback, tmp_path: Path) -> None:
    run("sync")
    store = Store(tmp_path / "store")
    generation, state, wrong = store.read_generation(), store.load_state(), 4e9
    assert generation is not None
    generation = evolve(
        generation,
        gateways=FrozenDict(
            {id: evolve(one, retrieved_at=wrong) for id, one in generation.gateways.items()}
        ),
    )
    gateways = {
        id: evolve(one, retrieved_at=wrong, checked_at=wrong) for id, one in state.gateways.items()
    }
    state = evolve(state, last_refresh=wrong, gateways=FrozenDict(gateways))
    store.pointer.write_bytes(pointer_line(generation))
    save_state(store, state, generation)
    doctor = json.loads(run("doctor", "--json").stdout)
    times = {one[key] for one in doctor["gateways"].values() for key in one if key.endswith("_at")}
    assert times == {None}
    assert doctor["last_refresh"] is None
    assert "unknown" in run("doctor").stdout
    server.route("/api.json", lambda _: Reply(500))
    done = run("sync", "--max-age", "2w")
    assert done.exit_code == 1
    assert "stored, of unknown age" in done.stdout


def test_doctor_names_what_is_switched_off_and_by_which_setting(run: Run) -> None:
    off = {"REGISTRY_CORE_DISABLE_PLUGINS": "registry-gateway-netlify"}
    partly = run("doctor", **off)
    assert partly.exit_code == 0
    reason = "it is in disable_plugins (REGISTRY_CORE_DISABLE_PLUGINS)"
    assert f"plugin registry-gateway-netlify:netlify: switched off: {reason}" in partly.stdout
    wholly = run("doctor", REGISTRY_CORE_PLUGINS="")
    assert "models-dev: switched off: it is not in plugins (REGISTRY_CORE_PLUGINS)" in wholly.stdout
    assert "pip install" not in wholly.stdout


def test_doctor_says_how_to_install_a_gateway_when_there_is_none(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "pip install" not in run("doctor").stdout  # and imports all that it needs
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert "no gateway is installed: pip install registry-gateway" in run("doctor").stdout


def test_doctor_says_which_data_nothing_refreshes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("sync", REGISTRY_CORE_PLUGINS="registry-gateway-models-dev")
    assert "nothing refreshes it" not in run("doctor").stdout
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    lines = run("doctor").stdout.splitlines()
    missing = "nothing refreshes it: registry-gateway-models-dev:models-dev is not installed"
    hint = "to drop its data: registry-core sync --forget models.dev"
    assert f"models.dev: {missing}; {hint}" in lines
    missing = "nothing refreshes it: registry-gateway-netlify:netlify is not installed"
    assert f"netlify: {missing}" in lines  # of the wheel: there is nothing to drop


def test_doctor_tells_the_age_of_what_is_served_and_not_of_what_lies_in_the_store(
    run: Run, tmp_path: Path
) -> None:
    def told() -> set[tuple[str, str]]:
        gateways = json.loads(run("doctor", "--json").stdout)["gateways"].values()
        return {(one["data"], one["retrieved_at"][:10]) for one in gateways}

    captured = Bundle.of_wheel().captured.values()
    bundled = {("bundled", datetime.fromtimestamp(one, UTC).date().isoformat()) for one in captured}
    assert told() == bundled
    run("sync")
    assert {data for data, _ in told()} == {"stored"}
    for path in (tmp_path / "store" / "v1" / "objects").iterdir():
        path.write_bytes(b"damaged")
    assert told() == bundled


def test_plugins_says_which_data_nothing_refreshes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("sync")
    assert "nothing refreshes" not in run("plugins").stderr
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    missing = "registry-gateway-netlify:netlify is not installed: nothing refreshes its gateway"
    for _ in range(2):
        assert f"warning: {missing} netlify" in run("plugins").stderr
    gone = run("plugins", REGISTRY_CORE_SNAPSHOT=str(tmp_path / "gone"))
    assert gone.exit_code == 0
    assert "REGISTRY_CORE_SNAPSHOT names it" in gone.stderr


def test_doctor_says_of_a_gateway_whose_plugin_is_switched_off_what_becomes_of_its_data(
    run: Run,
) -> None:
    run("sync")
    off = {"REGISTRY_CORE_DISABLE_PLUGINS": "registry-gateway-netlify"}
    said = "netlify: nothing refreshes it: registry-gateway-netlify:netlify is switched off"
    for _ in range(2):
        assert f"{said}; the next sync drops its data" in run("doctor", **off).stdout
    all = run("doctor", REGISTRY_CORE_PLUGINS="").stdout  # then a sync is held
    assert said in all
    assert "drops its data" not in all
    run("sync", **off)
    doctor = run("doctor", **off).stdout
    assert said not in doctor
    assert re.search(r"^netlify +\S.* none *$", doctor, re.MULTILINE)  # and no age
    assert "plugin registry-gateway-netlify:netlify: switched off" in doctor
    served = json.loads(run("doctor", "--json", **off).stdout)["gateways"]["netlify"]
    # The bundle has some, and nobody serves it.
    assert (served["data"], served["retrieved_at"]) == ("none", None)


@pytest.mark.parametrize("how", ["uninstalled", "switched off"])
def test_doctor_forgets_the_failure_of_a_gateway_that_nothing_refreshes(
    run: Run, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    run("sync")
    server.route("/api.json", Reply(500))
    assert run("sync").exit_code == 1
    assert "error: models.dev: " in run("doctor").stdout
    off = {}
    if how == "uninstalled":
        monkeypatch.setattr("sys.path", [str(tmp_path)])
    else:
        off["REGISTRY_CORE_DISABLE_PLUGINS"] = "registry-gateway-models-dev"
    doctor = run("doctor", **off)
    assert "models.dev: nothing refreshes it" in doctor.stdout
    assert ("error: " in doctor.stdout, doctor.exit_code) == (False, 0)
    assert (
        json.loads(run("doctor", "--json", **off).stdout)["gateways"]["models.dev"]["error"] is None
    )


def test_doctor_repeats_what_the_last_sync_of_the_project_met(run: Run, tmp_path: Path) -> None:
    path = Path("pyproject.toml")
    path.write_text('[tool.registry-core.output]\npyhton = "typings"\n')
    run("sync")
    said = "the last sync failed: [tool.registry-core.output] pyhton: no installed plugin"
    for _ in range(2):
        doctor = run("doctor")
        assert said in doctor.stdout
        assert doctor.exit_code == 1
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "pyproject.toml").write_text("[tool.registry-core]\n")
    assert said not in run("doctor", "--project", str(tmp_path / "other")).stdout
    path.write_text('[tool.registry-core.output]\npython = "typings"\n')
    run("sync")
    doctor = run("doctor")
    assert "the last sync failed" not in doctor.stdout
    assert doctor.exit_code == 0


def test_sync_and_doctor_say_how_much_a_policy_keeps_from_view(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = {
        "small_policy.py": """
from registry_core import hookimpl

@hookimpl
def registry_overlay(snapshot):
    return snapshot.with_providers({"openai": snapshot.get_provider_config("openai")})
"""
    }
    others = len(json.loads(run("providers", "--json").stdout)["providers"]) - 1
    site = tmp_path / "policies"
    write_distribution(site, "policy", entry_points={"policy": "small_policy"}, modules=code)
    monkeypatch.syspath_prepend(str(site))
    plugins = "registry-gateway-models-dev,registry-gateway-netlify,policy"
    variables = {"REGISTRY_CORE_PLUGINS": plugins}
    line = f"policy policy:policy: withholds {others} providers and models\n"
    assert line in run("sync", "--offline", **variables).stdout
    assert line in run("doctor", **variables).stdout
    assert json.loads(run("doctor", "--json", **variables).stdout)["withheld"] == {
        "policy:policy": others
    }


def test_doctor_says_that_a_policy_holds_each_time(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("sync")
    code = {
        "broken_policy.py": """
from registry_core import hookimpl

@hookimpl
def registry_overlay(snapshot):
    raise RuntimeError("no list of what is allowed")
"""
    }
    site = tmp_path / "policies"
    write_distribution(site, "policy", entry_points={"policy": "broken_policy"}, modules=code)
    monkeypatch.syspath_prepend(str(site))
    plugins = "registry-gateway-models-dev,registry-gateway-netlify,policy"
    variables = {"REGISTRY_CORE_PLUGINS": plugins}
    for _ in range(2):
        assert "no list of what is allowed" in run("sync", **variables).stderr
        doctor = run("doctor", **variables)
        assert "no list of what is allowed" in doctor.stdout
        unseen = "plugin policy:policy: its policy has not passed what is served"
        assert unseen in doctor.stdout
        assert doctor.exit_code == 1


def test_sync_drops_the_data_of_a_gateway_by_hand(run: Run, server: Loopback) -> None:
    run("sync")
    server.route("/netlify.json", Reply(404))
    assert ", of " not in run("sync", "--offline").stdout.replace("stored, of", "")
    assert "bundled, of" in run("sync", "--forget", "netlify").stdout


def test_a_plugin_that_can_not_be_loaded_is_named_beside_the_gateways_that_are_switched_off(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"broken_gateway.py": "raise RuntimeError('half installed')"}
    site = tmp_path / "broken"
    points = {"broken": "broken_gateway"}
    write_distribution(site, "broken-gateway", entry_points=points, modules=broken)
    monkeypatch.syspath_prepend(str(site))
    run("sync")  # without it there is no store that doctor could read
    only = {"REGISTRY_CORE_PLUGINS": "broken-gateway"}
    done = run("sync", **only)
    assert done.exit_code == 1
    assert "models-dev: it is not in plugins (REGISTRY_CORE_PLUGINS)" in done.stderr
    assert "broken-gateway:broken adds none" in done.stderr
    found = run("doctor", **only).stdout
    assert "plugin broken-gateway:broken: can't be loaded: RuntimeError: half installed" in found
    assert "no gateway is installed" not in found


def test_an_exported_snapshot_gives_the_same_answers_elsewhere(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "frozen.snapshot"
    assert "1 file written, bundled data" in run("export", "--format", "snapshot", str(path)).stdout
    run("sync")
    done = run("export", "--format", "snapshot", str(path))
    assert done.exit_code == 0
    assert "1 file written, stored data" in done.stdout
    elsewhere = {
        "REGISTRY_CORE_SNAPSHOT": str(path),
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "none"),
    }
    again = run("export", "--format", "snapshot", str(tmp_path / "again"), "--json", **elsewhere)
    assert json.loads(again.stdout)["serves"] == "explicit"
    assert run("list", **elsewhere).stdout == run("list").stdout
    assert run("show", "openai/gpt-5", **elsewhere).stdout == run("show", "openai/gpt-5").stdout
    Snapshot.open(path).verify()


def test_check_says_of_one_file_and_of_several_to_commit_them(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("sync", "--output", str(out))
    (out / "provider-registry.json").write_text("mine")
    done = run("sync", "--check", "--output", str(out))
    assert done.stderr.endswith("1 file differs: run registry-core sync, and commit it\n")
    (out / "registry_core_types.pyi").write_text("mine")
    done = run("sync", "--check", "--output", str(out))
    assert done.stderr.endswith("2 files differ: run registry-core sync, and commit them\n")


@pytest.mark.skipif(not Path(os.devnull).is_char_device(), reason="there is no such file")
def test_where_nothing_can_be_exported_to_the_path_is_named_and_what_to_do(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "none" / "x.snapshot"
    done = run("export", "--format", "snapshot", str(path))
    hint = f"make the folder {path.parent}"
    assert done.stderr == f"error: {path}: No such file or directory ({hint})\n"
    done = run("export", "--format", "snapshot", os.devnull)
    assert f"error: {os.devnull}: is a device, " in done.stderr
    assert done.stderr.endswith("(name a regular file)\n")


def test_what_is_exported_from_a_damaged_store_is_said(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run("sync")
    store = Store(tmp_path / "store")
    generation = store.read_generation()
    assert generation
    stored = store.object(generation.snapshot)
    whole = stored.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1  # in some record
    stored.write_bytes(damaged)
    for kind in ("snapshot", "mastra"):
        done = run("export", "--format", kind, str(tmp_path / "out"))
        assert (done.exit_code, done.stdout) == (1, "")
        assert re.match(r"error: \w+: does not match .* \(run registry-core sync", done.stderr)
        assert not (tmp_path / "out").exists()
    stored.write_bytes(whole[:100])  # what a lookup sees when it opens it
    done = run("export", "--format", "snapshot", str(tmp_path / "out"))
    assert "1 file written, bundled data" in done.stdout
    assert "the bundled data is served until the next sync" in caplog.text


def test_a_damaged_snapshot_file_is_published_by_no_sync(run: Run, tmp_path: Path) -> None:
    pinned, out = tmp_path / "pinned", tmp_path / "out"
    run("export", "--format", "snapshot", str(pinned))
    damaged = bytearray(pinned.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    pinned.write_bytes(damaged)
    elsewhere = {"REGISTRY_CORE_SNAPSHOT": str(pinned)}
    for more in ([], ["--check"]):
        done = run("sync", "--output", str(out), *more, **elsewhere)
        assert done.exit_code == 1
        assert f"error: {pinned}: does not match its content hash" in done.stderr
        assert not out.exists()


def test_export_for_mastra_makes_its_cache(run: Run, tmp_path: Path) -> None:
    run("sync")
    folder = tmp_path / "mastra"
    assert run("export", "--format", "mastra", str(folder)).exit_code == 0
    assert {path.name for path in folder.iterdir()} == {
        "capabilities",
        "gateway-refresh-time",
        "provider-registry.json",
        "provider-types.generated.d.ts",
    }
    assert int((folder / "gateway-refresh-time").read_text()) > 1_700_000_000_000


def test_check_fails_after_one_id_is_edited(run: Run, tmp_path: Path) -> None:
    Path("pyproject.toml").write_text(
        '[tool.registry-core.output]\npython = "typings"\n'
        '[tool.registry-core.types]\nproviders = ["openai"]\n'
    )
    assert run("sync").exit_code == 0
    committed = Path("typings/registry_core_types.pyi")
    text = committed.read_text()
    assert "acme" not in text
    path = tmp_path / "frozen.snapshot"
    run("export", "--format", "snapshot", str(path))
    assert run("sync", "--check", REGISTRY_CORE_SNAPSHOT=str(path)).exit_code == 0
    committed.write_text(text.replace("gpt-5-mini", "gpt-5-mimi"))
    done = run("sync", "--check", REGISTRY_CORE_SNAPSHOT=str(path))
    assert done.exit_code == 1
    assert str(committed) in done.stdout
    assert "gpt-5-mimi" in committed.read_text()


def test_help_says_in_whole_sentences_what_each_command_is_for(run: Run) -> None:
    sections = run("--help").stdout.partition("Find models:")[2].partition("Examples:")[0]
    lines = [line for line in sections.splitlines() if line.startswith("  ") and line.strip()]
    assert sorted(line.split()[0] for line in lines) == sorted(main.commands)
    assert [line for line in lines if not line.endswith(".") or line.endswith("..")] == []
    assert len({line.index(line.split("  ")[-1].strip()) for line in lines}) == 1  # aligned


def test_every_help_fits_eighty_columns(run: Run) -> None:
    helps = [run(*command, "--help").stdout for command in ((), *([one] for one in main.commands))]
    assert [line for help in helps for line in help.splitlines() if len(line) > 80] == []


def test_a_projects_own_mistakes_are_said_by_each_command_until_they_are_mended(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "project" / "pyproject.toml"
    output = '[tool.registry-core.output]\npython = "typings"\n'
    file.write_text(
        f'{output}pyhton = "other"\n[tool.registry-core.types]\nproviders = ["openai", "opnai"]\n'
    )
    commands = (("sync",), ("sync", "--check"), ("doctor",))
    run("sync")
    for command in commands:
        done = run(*command)
        assert done.exit_code == 1
        assert "'opnai' is not a provider; did you mean 'openai'?" in done.output
        assert "[tool.registry-core.output] pyhton: no installed plugin writes it" in done.output
    file.write_text(output)
    for command in commands:
        done = run(*command)
        assert done.exit_code == 0
        assert "opnai" not in done.output
        assert "pyhton" not in done.output


def test_wrong_settings_exit_2_and_name_the_variable(run: Run) -> None:
    done = run("sync", REGISTRY_CORE_OFFLINE="perhaps")
    assert done.exit_code == 2
    assert "REGISTRY_CORE_OFFLINE" in done.stderr
    assert run("sync", "--check").exit_code == 2
    assert run("sync", "--max-age", "soon").exit_code == 2
    assert run("sync", "--project", "/nowhere").exit_code == 2
    assert run("frobnicate").exit_code == 2


def test_output_is_utf_8_without_control_characters(run: Run, server: Loopback) -> None:
    hostile = {**PAYLOAD, "acme": {**PAYLOAD["acme"], "models": {"é\x1b[31m\u202e\n": MODEL}}}
    server.serve("/api.json", hostile)
    run("sync")
    raw = run("list", "acme").stdout_bytes
    assert raw == "acme/é\\x1b[31m\\u202e\\n\n".encode()


def test_a_lookup_command_works_without_plugins_or_network(run: Run, server: Loopback) -> None:
    assert run("show", "openai/gpt-4o").exit_code == 0  # from the bundle
    assert not server.requests


def test_every_command_that_would_refresh_says_that_a_snapshot_is_pinned(
    run: Run, server: Loopback, tmp_path: Path
) -> None:
    """And nothing of a store and of gateways that have no say in it."""
    run("sync")
    path = tmp_path / "pinned"
    run("export", "--format", "snapshot", str(path))
    asked = len(server.requests)
    pinned = {"REGISTRY_CORE_SNAPSHOT": str(path)}
    said = f"pinned to {path} (REGISTRY_CORE_SNAPSHOT): no gateway is asked"
    synced = run("sync", **pinned)
    assert said in synced.stdout
    assert json.loads(run("sync", "--json", **pinned).stdout)["pinned"] == str(path)
    assert said in run("sync", "--check", "--output", str(tmp_path), **pinned).stderr
    doctor = run("doctor", **pinned).stdout
    assert said in doctor
    assert f"serves: {path} " in doctor
    assert "3 providers, 4 models" in doctor
    assert "models.dev  not asked   pinned  unknown" in doctor
    for untrue in ("never", "bundled", "store:"):
        assert untrue not in doctor
    found = json.loads(run("doctor", "--json", **pinned).stdout)
    assert (found["serves"], found["pinned"]) == ("explicit", str(path))
    assert found["gateways"].keys() == {"models.dev", "netlify"}
    assert len(server.requests) == asked


def test_every_command_that_would_refresh_says_that_it_is_offline(run: Run, tmp_path: Path) -> None:
    off = {"REGISTRY_CORE_OFFLINE": "true"}
    said = "offline: the network is not touched"
    assert said in run("sync", **off).stdout
    assert said in run("sync", "--check", "--output", str(tmp_path), **off).stderr
    assert said in run("doctor", **off).stdout
    assert json.loads(run("doctor", "--json", **off).stdout)["offline"] is True
    assert said not in run("doctor").stdout
