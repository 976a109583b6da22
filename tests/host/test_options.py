"""Options of plugins from the environment: of any plugin, whoever wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from registry_core import Settings
from registry_core._config.load import load_settings
from registry_core._plugins.host import PluginHost
from registry_core._writers import BUILTINS

GOOD = """
@hookimpl
def registry_gateways(settings):
    return [Gateway("good")]
"""
DECLARES = 'OPTION_VARIABLES = {"url": "REGISTRY_CORE_ACME_URL"}\n' + GOOD
PLUGIN = "REGISTRY_CORE_PLUGIN_"


class Folder:
    """The settings of a folder with these tables, and this environment."""

    def __init__(self, make_host: Any, folder: Path) -> None:
        self._make_host = make_host
        self._folder = folder

    def host(self, tables: str = "", **environ: str) -> PluginHost:
        (self._folder / "registry-core.toml").write_text(tables, "utf-8")
        host: PluginHost = self._make_host(load_settings(environ, self._folder), environ=environ)
        host.load()
        return host

    def options(self, tables: str = "", **environ: str) -> dict[str, dict[str, Any]]:
        """Of each plugin, by its key."""
        host = self.host(tables, **environ)
        return {one.key: dict(host.settings_for(one).options) for one in host.plugins}


@pytest.fixture
def folder(make_host: Any, tmp_path: Path) -> Folder:
    return Folder(make_host, tmp_path)


def test_a_variable_gives_any_plugin_an_option_and_outranks_its_table(
    site: Any, folder: Folder
) -> None:
    site.install("acme", GOOD, entry="acme.my-plugin")
    table = '[tool.registry-core.plugin."acme.my-plugin"]\nurl = "https://file"\nnames = ["a"]'
    environ = {
        f"{PLUGIN}ACME_MY_PLUGIN_URL": " https://environment ",
        f"{PLUGIN}ACME_MY_PLUGIN_MAX_DEPTH": "2",
        f"{PLUGIN}ACME_MY_PLUGIN_STRICT": "true",
        f"{PLUGIN}ACME_MY_PLUGIN_names": "lower case is another variable",
    }
    assert folder.options(table, **environ) == {
        "acme:acme.my-plugin": {
            "url": "https://environment",
            "names": ("a",),
            "max_depth": 2,
            "strict": True,
        }
    }
    assert folder.options(table)["acme:acme.my-plugin"]["url"] == "https://file"


def test_the_longest_name_of_an_entry_that_fits_gets_the_option(site: Any, folder: Folder) -> None:
    for name in ("acme", "acme-policy"):
        site.install(name, GOOD.replace("good", name))
    environ = {f"{PLUGIN}ACME_POLICY_LEVEL": "high", f"{PLUGIN}ACME_POLICY": "one"}
    assert folder.options(**environ) == {
        "acme:acme": {"policy": "one"},
        "acme-policy:acme-policy": {"level": "high"},
    }
    # What is switched off is a name all the same.
    environ["REGISTRY_CORE_DISABLE_PLUGINS"] = "acme-policy"
    host = folder.host(**environ)
    assert [one.key for one in host.plugins] == ["acme:acme"]
    assert folder.options(**environ) == {"acme:acme": {"policy": "one"}}
    assert host.problems == ()


def test_a_plugin_declares_variables_of_its_own(site: Any, folder: Folder) -> None:
    site.install("acme", DECLARES, entry="its-own-name")
    site.install("zeta", GOOD.replace("good", "zeta"), entry="acme")
    table = '[tool.registry-core.plugin.its-own-name]\nurl = "https://file"'
    environ = {"REGISTRY_CORE_ACME_URL": "https://declared"}
    assert folder.options(table, **environ) == {
        "acme:its-own-name": {"url": "https://declared"},
        "zeta:acme": {},  # a name gives it nothing: it declares none
    }
    environ[f"{PLUGIN}ITS_OWN_NAME_URL"] = "https://spelt-out"
    assert folder.options(table, **environ)["acme:its-own-name"] == {"url": "https://spelt-out"}


def test_an_object_declares_variables_too(site: Any, folder: Folder) -> None:
    code = "class Plugin:\n    " + DECLARES.strip().replace("\n", "\n    ")
    site.install("acme", code.replace("(settings)", "(self, settings)"), value="acme:Plugin")
    environ = {"REGISTRY_CORE_ACME_URL": "https://declared"}
    assert folder.options(**environ) == {"acme:acme": {"url": "https://declared"}}


@pytest.mark.parametrize("name", ["netlify", "models-dev"])
def test_the_name_of_an_entry_gives_a_stranger_nothing(
    name: str, site: Any, folder: Folder
) -> None:
    site.install("stranger", GOOD, entry=name)
    environ = {
        "REGISTRY_CORE_NETLIFY_URL": "https://netlify.example",
        "REGISTRY_CORE_MODELS_DEV_URL": "https://models.example",
    }
    assert folder.options(**environ) == {f"stranger:{name}": {}}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("['url']", "OPTION_VARIABLES holds ['url']"),
        ("{'url': 'ACME_URL'}", "OPTION_VARIABLES holds 'ACME_URL'"),
        (
            "{'url': ['REGISTRY_CORE_ACME_URL']}",
            "OPTION_VARIABLES holds ['REGISTRY_CORE_ACME_URL']",
        ),
        ("{7: 'REGISTRY_CORE_ACME_URL'}", "OPTION_VARIABLES holds 'REGISTRY_CORE_ACME_URL'"),
        ("{'url': 'REGISTRY_CORE_OFFLINE'}", "REGISTRY_CORE_OFFLINE, a setting of registry-core"),
    ],
)
def test_what_can_not_be_declared_is_refused_when_the_plugin_loads(
    declared: str, message: str, site: Any, folder: Folder
) -> None:
    site.install("acme", f"OPTION_VARIABLES = {declared}\n{GOOD}")
    host = folder.host()
    (failed,) = host.failed
    assert message in (failed.failure or "")
    assert host.plugins == ()


def test_the_order_of_plugins_can_come_from_the_environment(site: Any, folder: Folder) -> None:
    for name in ("acme", "zeta"):
        site.install(name, GOOD.replace("good", name))
    host = folder.host(**{f"{PLUGIN}ZETA_ORDER": "-1"})
    assert [one.key for one in host.plugins] == ["zeta:zeta", "acme:acme"]


def test_options_of_a_package_that_is_not_installed_name_it(site: Any, folder: Folder) -> None:
    table = '[tool.registry-core.plugin.policy]\ndeny = ["a/*"]\n'
    variable = f"{PLUGIN}LITELLM_COST_MAP_URL"
    problems = folder.host(table, **{variable: "x"}).problems
    assert [(one.culprit, one.message.partition("; ")[2]) for one in problems] == [
        ("[tool.registry-core.plugin.policy]", "pip install registry-policy adds it"),
        (variable, "pip install registry-facts-litellm adds it"),
    ]
    assert not any(one.fatal for one in problems)
    site.install("registry-policy", GOOD, entry="policy")
    assert folder.host(table).problems == ()


def test_a_writer_of_that_name_is_not_taken_for_the_package(make_host: Any) -> None:
    settings = Settings(
        plugin_options={"litellm": {"url": "https://proxy.example"}},
        plugin_variables={f"{PLUGIN}LITELLM_URL": "https://proxy.example"},
    )
    host = make_host(settings, builtins=BUILTINS)
    host.load()
    assert [one.message.partition("; ")[2] for one in host.problems] == [
        "pip install registry-gateway-litellm adds it"
    ] * 2


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        (f"{PLUGIN}ACM_MAX_DEPTH", f"did you mean {PLUGIN}ACME_MAX_DEPTH?"),
        (f"{PLUGIN}ACME_POLICI_URL", None),  # an option of acme, as far as anybody knows
        (f"{PLUGIN}ACME-POLICY_URL", f"did you mean {PLUGIN}ACME_POLICY_URL?"),
        (f"{PLUGIN}ACME", "known are acme, acme-policy"),
        (f"{PLUGIN}", "known are acme, acme-policy"),
        (f"{PLUGIN}OTHER_URL", "known are acme, acme-policy"),
        pytest.param(f"{PLUGIN}{'A_' * 40_000}", "known are acme, acme-policy", id="long"),
        ("REGISTRY_CORE_ACM_URL", "did you mean REGISTRY_CORE_ACME_URL?"),
        ("REGISTRY_CORE_ACME_TOKEN", None),  # read as a secret
        ("REGISTRY_CORE_SERVICE_HOST", None),
        ("REGISTRY_CORE_PORT", None),
    ],
)
def test_a_variable_that_no_plugin_gets_is_told_with_the_nearest(
    variable: str, hint: str | None, site: Any, folder: Folder
) -> None:
    site.install("acme", DECLARES)
    site.install("acme-policy", GOOD.replace("good", "policy"))
    problems = folder.host(**{variable: "x"}).problems
    assert len(problems) == (0 if hint is None else 1)
    for problem in problems:
        assert variable[:200].startswith(problem.culprit[:200])
        assert hint is not None
        assert hint in problem.message
        assert not problem.fatal


def test_a_service_of_kubernetes_is_no_option_and_no_mistake(site: Any, folder: Folder) -> None:
    site.install("acme", GOOD)
    for name in ("", "_ACME", "_OTHER"):
        prefix = f"REGISTRY_CORE_PLUGIN{name}"
        environ = {f"{prefix}_SERVICE_HOST": "10.0.0.1", f"{prefix}_PORT": "tcp://10.0.0.1:80"}
        host = folder.host(**environ)
        assert host.problems == ()
        assert folder.options(**environ) == {"acme:acme": {}}


def test_fingerprints_see_what_the_environment_says(site: Any, folder: Folder) -> None:
    writes = "@hookimpl\ndef registry_emit(snapshot): return ()\n"
    denies = "@hookimpl\ndef registry_overlay(snapshot): return None\n"
    site.install("acme", DECLARES + writes + denies)

    def fingerprints(**environ: str) -> tuple[str, Any]:
        host = folder.host(**environ)
        return host.emitters_fingerprint(), host.overlays()

    seen = [
        fingerprints(**environ)
        for environ in (
            {},
            {"REGISTRY_CORE_ACME_URL": "a"},
            {f"{PLUGIN}ACME_URL": "b"},
            {f"{PLUGIN}ACME_LEVEL": "1"},
        )
    ]
    assert len({writers for writers, _ in seen}) == len(seen)
    assert len({overlays for _, overlays in seen}) == len(seen)
    assert fingerprints(**{f"{PLUGIN}OTHER_URL": "x"}) == seen[0]
