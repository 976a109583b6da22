"""What the options say is what the registry shows, and what can't be read holds it back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import registry_policy
from hypothesis import given, strategies as st
from registry_policy import registry_overlay

import registry_core
from registry_core import (
    ModelInfo,
    ModelRegistry,
    ProviderConfig,
    Settings,
    SettingsError,
    Snapshot,
)
from registry_core.testing import (
    OverlayContract,
    check_plugin,
    plugin_settings,
    write_distribution,
)

FOLDER = Path(__file__).parents[1]
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text("utf-8"))["project"]
README = (FOLDER / "README.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"^```toml\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("store")
    return ModelRegistry(Settings(store_dir=folder)).snapshot()


SMALL = Snapshot.build(
    [
        ProviderConfig("acme", ["large", "small", "team/large", "Large-preview"]),
        ProviderConfig("other", ["large"], model_overrides={"large": {"npm": "x"}}),
        ProviderConfig("none", []),
    ],
    {"acme": "acme-gateway:acme"},
)


RULES: Mapping[str, Any] = {
    "allow": ["acme/*", "openai/*"],
    "deny": ["*/small"],
    "roles": {"fast": "acme/large"},
    "overrides": {"acme/large": {"limit": {"context": 1}}},
}


class TestContract(OverlayContract):
    options = RULES

    @pytest.fixture
    def plugin(self) -> object:
        return registry_policy


def test_it_is_a_plugin() -> None:
    check_plugin(registry_policy, options=RULES)


def overlaid(snapshot: Snapshot = SMALL, /, **options: Any) -> Snapshot:
    return registry_overlay(snapshot, plugin_settings(options)) or snapshot


def ids(snapshot: Snapshot) -> list[str]:
    return [f"{id}/{model}" for id, models in snapshot.get_models().items() for model in models]


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"deny": ["other/*"]}, ["Large-preview", "large", "small", "team/large"]),
        ({"deny": ["*/large", "none/*"]}, ["Large-preview", "small"]),
        ({"deny": ["other/*", "acme/?arge"]}, ["Large-preview", "small", "team/large"]),
        ({"deny": ["*large", "*/Large*"]}, ["small"]),
        ({"allow": ["acme/*"]}, ["Large-preview", "large", "small", "team/large"]),
        ({"allow": ["acme/*"], "deny": ["acme/*large"]}, ["Large-preview", "small"]),
        ({"allow": ["acme/small", "other/nothing"]}, ["small"]),
        ({"allow": []}, []),
        ({"allow": ["*"], "deny": ["*"]}, []),
        ({"deny": " other/* ,acme/large,, "}, ["Large-preview", "small", "team/large"]),
    ],
)
def test_what_is_allowed_and_not_denied_is_left(options: dict[str, Any], left: list[str]) -> None:
    assert ids(overlaid(**options)) == [f"acme/{model}" for model in left]


def test_upper_and_lower_case_differ() -> None:
    assert ids(overlaid(deny=["ACME/*", "acme/LARGE"])) == ids(SMALL)


def test_a_provider_of_which_nothing_is_left_is_gone() -> None:
    assert list(overlaid(deny=["other/*"]).get_providers()) == ["acme", "none"]
    assert list(overlaid(allow=["other/*"]).get_providers()) == ["other"]


def test_the_route_of_a_denied_model_is_gone_too() -> None:
    routes = {"a": {"npm": "x"}, "b": {"npm": "y"}}
    snapshot = Snapshot.build([ProviderConfig("acme", ["a", "b"], model_overrides=routes)])
    (provider,) = overlaid(snapshot, deny=["acme/b"]).get_providers().values()
    assert provider.model_overrides == {"a": {"npm": "x"}}


@pytest.mark.parametrize("options", [{}, {"order": 7}])
def test_without_options_it_leaves_everything_as_it_is(options: dict[str, Any]) -> None:
    assert registry_overlay(SMALL, plugin_settings(options)) is None


def test_roles_are_added_to_those_of_others() -> None:
    before = SMALL.with_roles({"slow": "other/large", "fast": "other/large"})
    after = overlaid(before, roles={"fast": "acme/small"}, deny=["acme/small"])
    assert after.roles == {"slow": "other/large", "fast": "acme/small"}
    assert after.get_model("fast") is None


def test_an_override_changes_the_fields_that_it_names() -> None:
    model = ModelInfo("m", "acme", limit={"context": 8, "output": 4}, cost={"input": 1})
    snapshot = Snapshot.build([ProviderConfig("acme", {"m": model})])
    fields = tomllib.loads('limit.context = 9\ncost.output = 7.5\nmodalities.input = ["text"]')
    changed = overlaid(snapshot, overrides={"acme/m": fields}).get_model("acme/m")
    assert changed == model.replace(
        limit={"context": 9, "output": 4},
        cost={"input": 1, "output": 7.5},
        modalities={"input": ["text"]},
    )


def test_an_override_allows_nothing() -> None:
    after = overlaid(deny=["acme/*"], overrides={"acme/small": {"name": "S"}})
    assert "acme" not in after.get_providers()


@pytest.mark.parametrize(
    ("options", "culprit", "message"),
    [
        ({"denny": []}, "denny", "unknown option (did you mean 'deny'?)"),
        ({"x": 1}, "x", "(known are allow, deny, order, overrides, roles)"),
        ({"deny": 7}, "deny", "expected a list, got int"),
        ({"allow": True}, "allow", "expected a list, got bool"),
        ({"deny": {"a": 1}}, "deny", "expected a list"),
        ({"deny": ["a/*", 7]}, "deny", "expected patterns, got 7"),
        ({"allow": [""]}, "allow", "expected patterns, got ''"),
        ({"roles": ["a"]}, "roles", "expected a table, got"),
        ({"roles": {"a/b": "c/d"}}, "roles", "a/b: expected a role without a slash"),
        ({"roles": {"fast": "gpt"}}, "roles", "fast: expected a full id"),
        ({"roles": {"fast": 7}}, "roles", "fast: expected a full id"),
        ({"overrides": 7}, "overrides", "expected a table, got int"),
        ({"overrides": {"gpt": {}}}, 'overrides."gpt"', "expected a full id"),
        ({"overrides": {"/a/b": {}}}, 'overrides."/a/b"', "expected a full id"),
        (
            {"overrides": {"a/b": {"provider_id": "c"}}},
            'overrides."a/b"',
            "provider_id can't be changed",
        ),
        ({"overrides": {"a/b": 7}}, 'overrides."a/b"', "expected a table, got int"),
        ({"overrides": {"a/b": {"id": "c"}}}, 'overrides."a/b"', "id can't be changed"),
        ({"overrides": {"a/b": {"limits": 1}}}, 'overrides."a/b"', "did you mean 'limit'?"),
        (
            {"overrides": {"a/b": {"limit": {"contxt": 1}}}},
            'overrides."a/b"',
            "limit: Limit has no field 'contxt'; did you mean 'context'?",
        ),
        (
            {"overrides": {"a/b": {"limit": {"context": "1"}}}},
            'overrides."a/b"',
            "limit.context: expected a whole number, got str",
        ),
    ],
)
def test_what_can_not_be_read_raises_and_names_the_key(
    options: dict[str, Any], culprit: str, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        overlaid(**options)
    assert caught.value.culprit == culprit
    assert message in str(caught.value)
    assert caught.value.hint


def test_patterns_stand_for_models_in_allow_and_deny_alone() -> None:
    told = {
        "deny": ["acme/*", "acme/**l*rg", "acme/lrg*", "what/some/team/largee"],
        "roles": {"fast": "acme/*", "slow": "acme/zzz"},
        "overrides": {"acme/lar*": {"name": "x"}},
    }
    settings = plugin_settings(told)
    registry_overlay(SMALL, settings)
    assert settings.warnings == [
        ("deny", "'acme/**l*rg' stands for no model; did you mean 'acme/large'?"),
        ("deny", "'acme/lrg*' stands for no model; did you mean 'acme/large'?"),
        ("deny", "'what/some/team/largee' stands for no model; did you mean '*/large'?"),
        ("overrides", "'acme/lar*' stands for no model; did you mean 'acme/large'?"),
        ("roles", "'acme/*' stands for no model"),
        ("roles", "'acme/zzz' stands for no model"),
    ]


def test_what_stands_for_no_model_is_reported_with_the_nearest(bundled: Snapshot) -> None:
    settings = plugin_settings(
        {
            "allow": ["*", "openai", "OpenAI/GPT-4o"],
            "deny": ["deepsek/*", "gpt-4oo", "openai/gpt-4o", "\x1b/*"],
            "roles": {"fast": "openai/gpt-4o-minni", "good": "openai/gpt-4o"},
            "overrides": {"openai/gpt-4oo": {"name": "x"}},
        }
    )
    registry_overlay(bundled, settings)
    assert settings.warnings == [
        ("allow", "'OpenAI/GPT-4o' stands for no model; did you mean 'openai/gpt-4o'?"),
        ("allow", "'openai' stands for no model; did you mean 'openai/*'?"),
        ("deny", "'\\x1b/*' stands for no model"),
        ("deny", "'deepsek/*' stands for no model; did you mean 'deepseek/*'?"),
        ("deny", "'gpt-4oo' stands for no model; did you mean '*/gpt-4o'?"),
        ("overrides", "'openai/gpt-4oo' stands for no model; did you mean 'openai/gpt-4o'?"),
        (
            "roles",
            "'openai/gpt-4o-minni' stands for no model; did you mean 'openai/gpt-4o-mini'?",
        ),
    ]


def test_of_an_id_with_several_slashes_the_last_part_is_what_people_remember() -> None:
    settings = plugin_settings({"deny": ["hugee"]})
    registry_overlay(Snapshot.build([ProviderConfig("acme", ["team/huge"])]), settings)
    assert settings.warnings == [("deny", "'hugee' stands for no model; did you mean '*/huge'?")]


def test_the_example_of_the_readme_does_what_it_says(bundled: Snapshot) -> None:
    options = tomllib.loads(EXAMPLE)["tool"]["registry-core"]["plugin"]["policy"]
    after = overlaid(bundled, **options)
    assert list(after.get_providers()) == ["anthropic", "openai"]
    assert not [id for id in ids(after) if id.endswith("-preview")]
    assert after.get_model("fast") == bundled.get_model("openai/gpt-5-mini")
    before, model = bundled.get_model("openai/gpt-5"), after.get_model("openai/gpt-5")
    assert before and before.cost and model and model.cost
    assert (model.limit.context, model.cost.input) == (200_000, 1.0)
    assert (model.limit.output, model.cost.output) == (before.limit.output, before.cost.output)


PARTS = st.text("abAB.-/*?[]!é", max_size=4)
GLOBS = st.lists(st.builds("{}{}{}".format, PARTS, st.sampled_from(["/", "*", "/*"]), PARTS))
NAMES = st.text("abAB.-é", min_size=1, max_size=3)
CATALOGS = st.dictionaries(NAMES, st.lists(NAMES | st.just("a/b"), max_size=4), max_size=4)


@given(CATALOGS, st.none() | GLOBS, GLOBS)
def test_it_never_shows_what_is_denied_and_keeps_all_else(
    catalog: dict[str, list[str]], allow: list[str] | None, deny: list[str]
) -> None:
    routes = {id: {key: {"npm": "x"} for key in models} for id, models in catalog.items()}
    before = Snapshot.build(
        ProviderConfig(id, models, model_overrides=routes[id]) for id, models in catalog.items()
    )
    after = overlaid(before, deny=deny, **({} if allow is None else {"allow": allow}))

    def permitted(id: str) -> bool:
        allowed = allow is None or any(fnmatchcase(id, one) for one in allow)
        return allowed and not any(fnmatchcase(id, one) for one in deny)

    assert ids(after) == [*filter(permitted, ids(before))]
    for id, provider in after.get_providers().items():
        models = [one for one in before.get_models()[id] if permitted(f"{id}/{one}")]
        assert sorted(provider.model_overrides) == sorted(models)
        assert all(provider.models[one] == before.get_model(f"{id}/{one}") for one in models)


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `registry-core` where this plugin, and a gateway that needs no network, are installed."""
    site = tmp_path / "site"
    gateway = """
from registry_core import ModelGateway, ProviderConfig, hookimpl


class Acme(ModelGateway):
    id = name = "acme"
    needs_network = namespaced = False

    def fetch_providers(self, client):
        return {"acme": ProviderConfig("acme", ["large", "small"]),
                "other": ProviderConfig("other", ["large"])}


@hookimpl
def registry_gateways(settings):
    return [Acme()]
"""
    write_distribution(
        site,
        "acme-gateway",
        entry_points={"acme": "acme_gateway"},
        modules={"acme_gateway.py": gateway},
    )
    write_distribution(
        site,
        PROJECT["name"],
        registry_core.__version__,
        entry_points=PROJECT["entry-points"]["registry_core"],
        modules={
            "registry_policy/__init__.py": Path(registry_policy.__file__ or "").read_text("utf-8")
        },
    )
    (tmp_path / "app").mkdir()

    def run(*arguments: str, toml: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "app" / "registry-core.toml").write_text(toml, "utf-8")
        known = {name: value for name, value in os.environ.items() if "REGISTRY_CORE" not in name}
        environ = {
            **known,
            "PYTHONPATH": str(site),
            "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
            "REGISTRY_CORE_PLUGINS": "acme-gateway,registry-policy",
            **variables,
        }
        command = [sys.executable, "-m", "registry_core", *arguments]
        return subprocess.run(
            command, cwd=tmp_path / "app", env=environ, capture_output=True, encoding="utf-8"
        )

    return run


def test_a_sync_obeys_the_table_and_the_environment_outranks_it(run: Run) -> None:
    table = (
        'tool.registry-core.plugin.policy.deny = ["othr/*", "acme/large"]\n'
        'tool.registry-core.plugin.policy.roles.fast = "acme/small"\n'
        'tool.registry-core.plugin.policy.overrides."acme/small".limit.context = 8\n'
    )
    done = run("sync", toml=table)
    assert done.returncode == 0, done.stderr
    warning = "warning: policy: deny: 'othr/*' stands for no model; did you mean 'other/*'?\n"
    assert done.stderr == warning
    assert run("sync", toml=table).stderr == warning
    assert warning.removeprefix("warning: ") in run("doctor", toml=table).stdout
    assert run("list", toml=table).stdout.split() == ["acme/small", "other/large"]
    shown = json.loads(run("show", "fast", "--json", toml=table).stdout)
    assert shown["limit"]["context"] == 8

    variable = {"REGISTRY_CORE_PLUGIN_POLICY_DENY": "other/*,acme/small"}
    assert run("sync", toml=table, **variable).returncode == 0
    assert run("list", toml=table).stdout.split() == ["acme/large"]


def test_a_sync_with_a_policy_that_can_not_be_read_keeps_the_last_generation(run: Run) -> None:
    assert run("sync", toml='tool.registry-core.plugin.policy.deny = ["other/*"]').returncode == 0
    done = run("sync", toml="tool.registry-core.plugin.policy.deny = 7")
    assert done.returncode == 1
    assert "registry_overlay: deny: expected a list, got int" in done.stderr
    assert run("list").stdout.split() == ["acme/large", "acme/small"]


def test_without_options_a_sync_shows_everything(run: Run) -> None:
    done = run("sync")
    assert (done.returncode, done.stderr) == (0, "")
    assert run("list").stdout.split() == ["acme/large", "acme/small", "other/large"]


def test_the_table_of_options_is_complete() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", README, flags=re.MULTILINE))
    assert named - {name for name in named if name.startswith("REGISTRY_CORE")} == {
        "allow",
        "deny",
        "order",
        "overrides",
        "roles",
    }
