"""Loading plugins: isolated, once, retried, and refused with a reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from registry_core._base.secrets import Secrets
from registry_core._plugins.hook_rules import HOOKS
from registry_core._plugins.host import PluginHost
from registry_core.errors import SettingsError
from registry_core.plugin import Artifact, hookimpl
from registry_core.report import Problem
from registry_core.settings import Settings

GOOD = """
@hookimpl
def registry_gateways(settings):
    return [Gateway("good")]
"""


def loaded(host: PluginHost) -> list[str]:
    host.load()
    return [plugin.key for plugin in host.plugins]


def only_failure(host: PluginHost) -> str:
    """The one failure, which cost nobody else, named its plugin, and is fatal."""
    assert "good:good" in loaded(host)
    (failed,) = host.failed
    (problem,) = [one for one in host.problems if one.fatal]
    assert problem == Problem("plugin", failed.source.title, failed.failure or "")
    return problem.message


def test_what_is_switched_off_is_not_imported(site: Any, make_host: Any) -> None:
    off = site.install("off", "raise AssertionError('imported')")
    site.install("good", GOOD)
    assert loaded(make_host(Settings(disable_plugins=("off",)))) == ["good:good"]
    assert loaded(make_host(Settings(plugins=("good",)))) == ["good:good"]
    assert loaded(make_host(Settings(plugins=()))) == []
    assert not site.loaded(off)


class Writer:
    """A built-in; the host needs no more than an object with marked functions."""

    @hookimpl
    def registry_emit(self, snapshot: Any) -> list[Artifact]:
        return [Artifact("own", "file", snapshot.hash)]


def test_no_filter_touches_the_builtins_and_they_come_first(site: Any, make_host: Any) -> None:
    site.install("acme", GOOD)
    off = Settings(plugins=(), disable_plugins=("registry-core",))
    host = make_host(off, builtins=[("own", Writer())])
    assert loaded(host) == ["registry-core:own"]
    first = Settings(plugin_options={"acme": {"order": -5}})
    assert loaded(make_host(first, builtins=[("own", Writer())])) == [
        "registry-core:own",
        "acme:acme",
    ]


def test_the_builtins_are_by_default_the_writers_of_the_core(make_host: Any) -> None:
    host = make_host(builtins=None)
    host.load()
    assert {plugin.source.entry for plugin in host.plugins if plugin.builtin} == {
        "capabilities",
        "json",
        "litellm",
        "models-dev",
        "python",
        "schema",
        "typescript",
    }
    assert all(plugin.hooks == ("registry_emit",) for plugin in host.plugins)


def test_each_plugin_is_recorded_with_its_hooks_and_load_time(site: Any, make_host: Any) -> None:
    site.install(
        "acme",
        """
        @hookimpl
        def registry_refreshed(report): ...
        @hookimpl(specname="registry_emit")
        def write(snapshot): return ()
        """,
        version="3.1",
    )
    site.install("broken", "1 / 0")
    ticks: Iterator[float] = iter([1.0, 1.25, 2.0, 2.5])
    host = make_host(timer=lambda: next(ticks), known_hooks={"broken:broken": ["registry_emit"]})
    host.load()
    failure = "can't be loaded: ZeroDivisionError: division by zero, in broken.py, line 11"
    assert host.known_plugins() == {
        "acme:acme": {
            "version": "3.1",
            "hooks": ("registry_emit", "registry_refreshed"),
            "load_ms": 250.0,
            "failure": None,
        },
        "broken:broken": {
            "version": "1.0",
            "hooks": ("registry_emit",),
            "load_ms": 500.0,
            "failure": failure,
        },
    }


def test_the_builtins_are_not_recorded(make_host: Any) -> None:
    host = make_host(builtins=[("own", Writer())])
    host.load()
    assert host.known_plugins() == {}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import module_that_is_not_there", "module_that_is_not_there"),
        ("def broken(:", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("raise SystemExit", "SystemExit"),
        ("class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd", "Odd"),
        ("", "no function marked @hookimpl"),
    ],
)
def test_a_failed_import_is_one_report_and_nobody_elses_loss(
    site: Any, make_host: Any, code: str, reason: str
) -> None:
    site.install("bad", code, version="1.2", entry="acme")
    site.install("good", GOOD)
    host = make_host()
    assert reason in only_failure(host)
    assert host.failed[0].source.title == "bad 1.2 (entry acme)"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nowhere_to_be_found", "nowhere_to_be_found"),
        ("bad:missing", "missing"),
        ("not a module", "neither a module nor module:object"),
        ("bad:nothing", "no function marked @hookimpl"),
        ("bad:number", "no function marked @hookimpl"),
        ("bad:unhashable", "no hash"),
        ("bad:Unmade", "TypeError"),
    ],
)
def test_an_entry_point_that_names_no_plugin_is_reported(
    site: Any, make_host: Any, value: str, reason: str
) -> None:
    site.install(
        "bad",
        """
        nothing, number = None, 7
        class Unhashable:
            __hash__ = None
            @hookimpl
            def registry_gateways(self): return ()
        unhashable = Unhashable()
        class Unmade:
            def __init__(self, argument): ...
        """,
        value=value,
    )
    site.install("good", GOOD)
    assert reason in only_failure(make_host())


def test_ctrl_c_during_an_import_is_the_users(site: Any, make_host: Any) -> None:
    site.install("bad", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        make_host().load()


def test_the_traceback_goes_to_the_debug_log_with_secrets_masked(
    site: Any, make_host: Any, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = Secrets()
    secrets.reveal("ACME_TOKEN", {"ACME_TOKEN": "s3cret-value"})
    site.install("bad", "raise ValueError('token is s3cret-value')")
    host = make_host(secrets=secrets)
    with caplog.at_level(logging.DEBUG, "registry_core"):
        host.load()
    assert "Traceback" in caplog.text
    assert "***ACME_TOKEN***" in caplog.text
    assert "s3cret-value" not in caplog.text + repr(host.problems) + repr(host.failed)


def test_a_failure_is_tried_again_at_the_next_load(site: Any, make_host: Any) -> None:
    module = site.install("bad", "import module_that_comes_later")
    host = make_host()
    assert loaded(host) == []
    site.install_file("module_that_comes_later.py", "")
    site.rewrite(module, GOOD)
    assert loaded(host) == ["bad:bad"]
    assert host.failed == ()
    assert host.problems == ()


def test_a_success_is_never_imported_twice(site: Any, make_host: Any) -> None:
    import sys

    module = site.install("acme", GOOD)
    host = make_host()
    assert loaded(host) == ["acme:acme"]
    del sys.modules[module]
    assert loaded(host) == ["acme:acme"]
    assert not site.loaded(module)


def test_a_plugin_installed_meanwhile_is_found_by_the_next_load(site: Any, make_host: Any) -> None:
    host = make_host()
    assert loaded(host) == []
    site.install("good", GOOD)
    assert loaded(host) == ["good:good"]


@pytest.mark.parametrize(
    "value", ["acme", "acme:plugin", "acme:Plugin", "acme:Nested.plugin", "acme:Static"]
)
def test_a_plugin_is_a_module_an_object_or_a_class(site: Any, make_host: Any, value: str) -> None:
    site.install(
        "acme",
        """
        @hookimpl
        def registry_gateways(settings): return [Gateway("one")]

        class Plugin:
            @hookimpl
            def registry_gateways(self, settings): return [Gateway("one")]
        plugin = Plugin()

        class Nested:
            plugin = Plugin()

        class Static:
            @staticmethod
            @hookimpl
            def registry_gateways(settings): return [Gateway("one")]
        """,
        value=value,
    )
    host = make_host()
    assert loaded(host) == ["acme:acme"]
    assert [one.gateway.id for one in host.gateways()] == ["one"]


def test_two_entry_points_of_one_object_are_reported(site: Any, make_host: Any) -> None:
    site.install("good", GOOD, entry_points={"good": "good", "twin": "good"})
    assert "good:good" in only_failure(make_host())


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        (
            "@hookimpl\ndef registry_gatways(settings): return ()",
            ["registry_gatways", "'registry_gateways'"],
        ),
        (
            "@hookimpl(specname='registry_emti')\ndef write(): return ()",
            ["registry_emti", "'registry_emit'"],
        ),
        ("@hookimpl\ndef something(): ...", ["something", "registry_emit"]),
        (
            "@hookimpl\ndef registry_emit(snapshto): ...",
            ["registry_emit", "'snapshto'", "'snapshot'"],
        ),
        ("@hookimpl\ndef registry_emit(*, snapshot): ...", ["by keyword only"]),
        ("def registry_emit(snapshot): ...", ["registry_emit", "@hookimpl"]),
        ("@hookimpl\nasync def registry_emit(snapshot): ...", ["async"]),
        ("@hookimpl\nasync def registry_emit(snapshot): yield", ["async"]),
        ("@hookimpl(tryfirst=True)\ndef registry_emit(snapshot): ...", ["tryfirst", "`order`"]),
        ("@hookimpl(trylast=True)\ndef registry_emit(snapshot): ...", ["trylast"]),
        ("@hookimpl(wrapper=True)\ndef registry_emit(snapshot): yield", ["wrapper"]),
        ("@hookimpl(hookwrapper=True)\ndef registry_emit(snapshot): yield", ["hookwrapper"]),
    ],
)
def test_a_hook_that_breaks_a_rule_is_refused_with_the_mend(
    site: Any, make_host: Any, code: str, parts: list[str]
) -> None:
    site.install("bad", code)
    site.install("good", GOOD)
    message = only_failure(make_host())
    assert [part for part in parts if part not in message] == []


def test_what_is_refused_is_not_called_in_part(site: Any, make_host: Any) -> None:
    site.install("bad", GOOD + "@hookimpl\ndef registry_emti(): ...\n")
    host = make_host()
    assert loaded(host) == []
    assert host.gateways() == ()


def test_a_hook_of_a_newer_core_can_be_marked_optional(site: Any, make_host: Any) -> None:
    code = "@hookimpl(optionalhook=True)\ndef registry_hologram(beam): ...\n"
    site.install("acme", GOOD + code)
    host = make_host()
    assert loaded(host) == ["acme:acme"]
    assert host.plugins[0].hooks == ("registry_gateways",)


def test_importing_a_hook_specification_is_no_implementation(site: Any, make_host: Any) -> None:
    site.install("acme", "from registry_core.plugin import registry_emit\n" + GOOD)
    assert loaded(make_host()) == ["acme:acme"]


def test_the_rules_know_every_hook_of_the_specification() -> None:
    assert HOOKS["registry_overlay"] == ("snapshot", "settings")
    assert all(name.startswith("registry_") for name in HOOKS)


def test_the_order_is_the_option_then_distribution_then_entry(site: Any, make_host: Any) -> None:
    for name in ("zeta", "alpha", "mid"):
        site.install(name, GOOD)
    options = {"zeta": {"order": -1}, "alpha": {"order": 7}}
    assert loaded(make_host(Settings(plugin_options=options))) == [
        "zeta:zeta",
        "mid:mid",
        "alpha:alpha",
    ]


@pytest.mark.parametrize("order", ["first", True, 1.5])
def test_an_order_that_is_no_integer_is_an_error_of_the_settings(
    site: Any, make_host: Any, order: Any
) -> None:
    site.install("acme", GOOD)
    with pytest.raises(SettingsError, match=r"plugin\.acme\].*order"):
        make_host(Settings(plugin_options={"acme": {"order": order}})).load()


def test_load_can_be_called_again_after_the_settings_were_refused(
    site: Any, make_host: Any
) -> None:
    site.install("acme", GOOD)
    host = make_host(
        Settings(plugin_options={"acme": {"order": "first"}}), builtins=[("own", Writer())]
    )
    for _ in range(2):
        with pytest.raises(SettingsError):
            host.load()


def test_options_of_a_plugin_that_is_not_there_are_told(site: Any, make_host: Any) -> None:
    site.install("acme", GOOD, entry="acme-policy")
    site.install("off", GOOD)
    options: dict[str, Any] = {"acme-polcy": {}, "off": {}}
    host = make_host(Settings(plugin_options=options, disable_plugins=("off",)))
    host.load()
    (problem,) = host.problems
    assert not problem.fatal
    assert "acme-polcy" in problem.culprit
    assert "'acme-policy'" in problem.message


def test_options_of_a_builtin_are_not_in_vain(site: Any, make_host: Any) -> None:
    host = make_host(Settings(plugin_options={"own": {"order": 1}}), builtins=[("own", Writer())])
    host.load()
    assert host.problems == ()


def test_a_plugin_sees_its_own_settings_and_no_others(site: Any, make_host: Any) -> None:
    site.install("acme", GOOD)
    settings = Settings(
        offline=True,
        types_providers=("openai",),
        plugin_options={
            "acme": {"url": "http://localhost/api.json", "depth": 2},
            "other": {"a": 1},
        },
    )
    host = make_host(settings, environ={"ACME_TOKEN": "s3cret-value", "EMPTY": ""})
    host.load()
    view = host.settings_for(host.plugins[0])
    assert view.options == {"url": "http://localhost/api.json", "depth": 2}
    assert (view.offline, view.dev, view.types_providers) == (True, False, ("openai",))
    assert view.secret("ACME_TOKEN") == "s3cret-value"
    assert view.secret("EMPTY") is view.secret("ABSENT") is None
    assert "s3cret-value" not in repr(view)
    assert host.view({"own": True}).options == {"own": True}


def test_exclusion_is_asked_by_key(make_host: Any) -> None:
    host = make_host(Settings(disable_plugins=("Acme_Gateway",)))
    assert host.is_excluded("acme-gateway:acme")
    assert not host.is_excluded("other:acme")
