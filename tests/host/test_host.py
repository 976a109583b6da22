"""Calling hooks: one by one, each isolated, in one order; policy fails closed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registry_core._catalog.snapshot import Snapshot
from registry_core._plugins.host import PluginHost
from registry_core._writers import ALWAYS
from registry_core.errors import OverlayError
from registry_core.models import ProviderConfig
from registry_core.plugin import Artifact
from registry_core.report import Problem, SyncReport
from registry_core.settings import Settings

RAISES = ["raise ValueError('boom')", "import sys; sys.exit(4)"]


def culprits(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.culprit for problem in problems]


def ids(host: PluginHost) -> list[str]:
    return [one.gateway.id for one in host.gateways()]


# Gateways


def gateways(body: str) -> str:
    return f"@hookimpl\ndef registry_gateways(settings):\n    {body}\n"


def test_a_gateway_comes_with_its_plugin_and_that_plugins_settings(
    site: Any, make_host: Any
) -> None:
    site.install("acme", gateways("return [Gateway('acme', settings.options['title'])]"))
    host = make_host(Settings(plugin_options={"acme": {"title": "Acme Inc."}}))
    (one,) = host.gateways()
    assert (one.gateway.id, one.gateway.name) == ("acme", "Acme Inc.")
    assert one.plugin.key == "acme:acme"
    assert one.settings.options == {"title": "Acme Inc."}


@pytest.mark.parametrize("body", RAISES)
def test_a_gateway_hook_that_raises_costs_nobody_else(site: Any, make_host: Any, body: str) -> None:
    site.install("bad", gateways(body))
    site.install("good", gateways("return [Gateway('good')]"))
    host = make_host()
    assert ids(host) == ["good"]
    assert culprits(host.problems) == ["bad 1.0 (entry bad)"]
    assert "registry_gateways: " in host.problems[0].message


@pytest.mark.parametrize(
    ("body", "kept", "part"),
    [
        ("return None", [], "returned NoneType"),
        ("return 7", [], "returned int"),
        ("return 'acme'", [], "returned str"),
        ("return {'acme': Gateway('acme')}", [], "returned dict"),
        ("return Gateway('acme')", [], "returned Gateway"),
        ("yield Gateway('acme'); raise ValueError('late')", [], "late"),
        ("return [Gateway('acme'), None, 3]", ["acme"], "NoneType instead of ModelGateway"),
        ("return [Gateway('acme'), Gateway]", ["acme"], "the class Gateway"),
        ("return [Gateway('Acme Inc')]", [], "'Acme Inc'"),
        ("return [Gateway('')]", [], "''"),
        ("return [Gateway('../etc')]", [], "'../etc'"),
        ("return [Gateway('a' * 65), Gateway('a' * 64)]", ["a" * 64], "'aaa"),
        ("return [Gateway('acme\\n')]", [], "'acme\\n'"),
        ("return [Gateway(None)]", [], "None"),
        ("return [Gateway('acme', None)]", [], "the name None"),
        ("return [Gateway('acme', ' ')]", [], "the name ' '"),
        ("return [Gateway('models.dev'), Gateway('a-b_c.9')]", ["models.dev", "a-b_c.9"], None),
        ("return (Gateway(id) for id in ('a', 'b'))", ["a", "b"], None),
        ("return ()", [], None),
    ],
)
def test_gateways_that_cannot_be_used_are_dropped_alone(
    site: Any, make_host: Any, body: str, kept: list[str], part: str | None
) -> None:
    site.install("acme", gateways(body))
    host = make_host()
    assert ids(host) == kept
    if part is None:
        assert host.problems == ()
    else:
        assert part in host.problems[0].message
        assert set(culprits(host.problems)) == {"acme 1.0 (entry acme)"}


def test_an_error_in_place_of_a_gateway_is_reported_as_if_it_was_raised_and_costs_no_other(
    site: Any, make_host: Any
) -> None:
    error = "SettingsError('has no url', culprit='endpoint 2', hint='add it ' + token)"
    body = f"token = settings.secret('ACME_TOKEN'); return [Gateway('a'), {error}, Gateway('b')]"
    site.install("acme", gateways("from registry_core import SettingsError; " + body))
    host = make_host(environ={"ACME_TOKEN": "acme-token-4711"})
    assert ids(host) == ["a", "b"]
    (problem,) = host.problems
    assert (problem.kind, problem.culprit) == ("plugin", "acme 1.0 (entry acme)")
    assert problem.message.startswith("registry_gateways: endpoint 2: has no url (add it ")
    assert problem.fatal
    assert problem.error.hint.startswith("add it ")
    assert "4711" not in f"{problem.message} {problem.error.hint}"
    assert "endpoint 2: has no url" in str(host.failure_of("acme:acme"))  # what is stored stays


def test_a_gateway_whose_property_raises_costs_no_other(site: Any, make_host: Any) -> None:
    odd = "type('Odd', (Gateway,), {'volatile': property(lambda one: int(token))})('odd')"
    body = f"token = settings.secret('ACME_TOKEN'); return [Gateway('a'), {odd}, Gateway('b')]"
    site.install("acme", gateways(body))
    host = make_host(environ={"ACME_TOKEN": "acme-token-4711"})
    assert ids(host) == ["a", "b"]
    (problem,) = host.problems
    assert "a ModelGateway can't be read: ValueError: invalid literal" in problem.message
    assert "4711" not in problem.message
    failure = host.failure_of("acme:acme")  # what is stored stays
    assert failure and "4711" not in str(failure)


def test_of_two_gateways_with_one_id_the_first_plugin_keeps_it(site: Any, make_host: Any) -> None:
    for name in ("alpha", "zeta"):
        site.install(name, gateways(f"return [Gateway('same', '{name}'), Gateway('{name}')]"))
    host = make_host()
    assert [(one.gateway.id, one.plugin.key) for one in host.gateways()] == [
        ("same", "alpha:alpha"),
        ("alpha", "alpha:alpha"),
        ("zeta", "zeta:zeta"),
    ]
    (problem,) = host.problems
    assert problem.culprit.startswith("zeta")
    assert "alpha 1.0 (entry alpha)" in problem.message
    turned = make_host(Settings(plugin_options={"zeta": {"order": -1}}))
    names = {one.gateway.id: one.gateway.name for one in turned.gateways()}
    assert names["same"] == "zeta"


def test_gateways_keep_their_state_and_failed_hooks_are_asked_again_after_a_load(
    site: Any, make_host: Any
) -> None:
    site.install("good", gateways("return [Gateway('good')]"))
    site.install(
        "flaky",
        """
        calls = []
        @hookimpl
        def registry_gateways():
            calls.append(1)
            if len(calls) == 1:
                raise ValueError("not yet")
            return [Gateway("flaky")]
        """,
    )
    host = make_host()
    (first,) = host.gateways()
    assert ids(host) == ["good"]  # not asked twice within one load
    assert len(host.problems) == 1
    host.load()
    assert host.problems == ()
    assert ids(host) == ["flaky", "good"]
    assert host.gateways()[1].gateway is first.gateway


def test_gateways_of_many_threads_are_the_same_objects(site: Any, make_host: Any) -> None:
    site.install("good", gateways("return [Gateway('good')]"))
    host = make_host()
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(host.gateways()[0].gateway)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(gateway) for gateway in found}) == 1


# Old and new signatures


@pytest.mark.parametrize(
    "signature", ["", "settings", "settings=None", "settings, depth=3", "*rest, **more"]
)
def test_a_hook_may_take_fewer_arguments_than_there_are(
    site: Any, make_host: Any, signature: str
) -> None:
    check = "assert settings is not None; " if "settings" in signature else ""
    code = f"@hookimpl\ndef registry_gateways({signature}):\n    {check}return [Gateway('acme')]\n"
    site.install("acme", code)
    host = make_host()
    assert ids(host) == ["acme"]
    assert host.problems == ()


# Overlays


def overlay(body: str) -> str:
    return f"@hookimpl\ndef registry_overlay(snapshot, settings):\n    {body}\n"


ADD = (
    "ids = '+'.join(snapshot.get_providers())\n"
    "    return with_provider(snapshot, f'{settings.options[\"as\"]}<{ids}>')"
)


def test_overlays_are_chained_in_the_order_of_the_settings(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    for name in ("alpha", "mid", "zeta"):
        site.install(name, overlay(ADD))
    options = {"alpha": {"as": "A", "order": 5}, "mid": {"as": "M"}, "zeta": {"as": "Z"}}
    host = make_host(Settings(plugin_options=options))
    assert list(host.overlay(snapshot).get_providers()) == [
        "A<M<openai>+Z<M<openai>+openai>+openai>",
        "M<openai>",
        "Z<M<openai>+openai>",
        "openai",
    ]
    assert host.overlays()


def test_none_leaves_the_snapshot_as_it_is(site: Any, make_host: Any, snapshot: Snapshot) -> None:
    site.install("acme", overlay("return None"))
    host = make_host()
    seen = host.overlay(snapshot)
    assert seen.get_providers() == snapshot.get_providers()
    assert (dict(seen.overlays), dict(seen.withheld)) == (
        {"acme:acme": {"version": "1.0", "options": ""}},
        {},
    )
    assert host.overlays() == seen.overlays


def test_roles_pass_all_overlays(site: Any, make_host: Any, snapshot: Snapshot) -> None:
    site.install("alpha", overlay("return snapshot.with_roles({'fast': 'openai/gpt'})"))
    site.install("mid", overlay("return snapshot.with_roles({'best': 'openai/gpt'})"))
    site.install("zeta", overlay("return with_provider(snapshot, 'zeta')"))
    seen = make_host().overlay(snapshot)
    assert seen.roles == {"best": "openai/gpt", "fast": "openai/gpt"}
    assert seen.get_model("fast") == snapshot.get_model("openai/gpt")


def test_a_role_that_cannot_be_holds_the_generation(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    site.install("acme", overlay("return snapshot.with_roles({'fast': 'gpt-4o'})"))
    with pytest.raises(OverlayError, match="fast: expected a full id"):
        make_host().overlay(snapshot)


def test_a_role_with_the_id_of_a_withheld_provider_does_not_hide_that_it_is_withheld(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    more = Snapshot.build([*snapshot.get_providers().values(), ProviderConfig("bad", ["b"])])
    deny = (
        "left = {id: it for id, it in snapshot.get_providers().items() if id != 'bad'}\n"
        "    return snapshot.with_providers(left).with_roles({'bad': 'openai/gpt'})"
    )
    site.install("acme", overlay(deny))
    seen = make_host().overlay(more)
    assert seen.get_model("bad")
    assert seen.withheld == {"bad": "acme:acme"}


def test_without_plugins_there_is_no_policy(make_host: Any, snapshot: Snapshot) -> None:
    host = make_host()
    assert host.overlay(snapshot) is snapshot
    assert not host.overlays()


@pytest.mark.parametrize(
    ("body", "part"),
    [
        *((body, "registry_overlay: ") for body in RAISES),
        ("return 7", "returned int"),
        ("return snapshot.get_providers()", "return a Snapshot or None"),
    ],
)
def test_an_overlay_that_fails_holds_the_generation(
    site: Any, make_host: Any, snapshot: Snapshot, body: str, part: str
) -> None:
    site.install("bad", overlay(body))
    site.install("good", overlay("return with_provider(snapshot, 'good')"))
    with pytest.raises(OverlayError, match=r"^bad 1\.0 \(entry bad\): ") as caught:
        make_host().overlay(snapshot)
    assert part in str(caught.value)
    assert "REGISTRY_CORE_DISABLE_PLUGINS=bad:bad" in caught.value.hint
    # The plugin's own exception may hold secrets.
    assert caught.value.__cause__ is caught.value.__context__ is None


HOLDING = {
    "at import": "def registry_overlay(): ...\n1 / 0",
    "exits": "import sys; sys.exit('registry_overlay')",
    "wrapper": "@hookimpl(wrapper=True)\ndef registry_overlay(snapshot): yield",
    "misspelt": "@hookimpl\ndef registry_overley(snapshot): ...",
    "unmarked": "def registry_overlay(snapshot): ...",
    "argument": "@hookimpl\ndef registry_overlay(snap): ...",
    "other hook": overlay("return None") + "@hookimpl\ndef registry_emti(): ...",
}


@pytest.mark.parametrize("code", HOLDING.values(), ids=HOLDING.keys())
def test_a_plugin_that_may_hold_a_policy_and_cannot_be_loaded_holds_the_generation(
    site: Any, make_host: Any, snapshot: Snapshot, code: str
) -> None:
    site.install("bad", code)
    site.install("good", gateways("return [Gateway('good')]"))
    host = make_host()
    assert host.overlays()
    with pytest.raises(OverlayError, match=r"bad 1\.0"):
        host.overlay(snapshot)
    assert ids(host) == ["good"]
    assert make_host(Settings(disable_plugins=("bad",))).overlay(snapshot) is snapshot


def test_a_broken_plugin_without_a_policy_does_not_hold_the_generation(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    site.install("bad", gateways("return ()") + "1 / 0")
    host = make_host()
    assert host.overlay(snapshot) is snapshot
    assert not host.overlays()


def test_a_policy_whose_code_is_gone_is_known_from_the_last_time(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    site.install("acme", modules={})
    assert make_host().overlay(snapshot) is snapshot
    known = {"acme:acme": ["registry_overlay"], "gone:gone": ["registry_overlay"]}
    host = make_host(known_hooks=known)
    with pytest.raises(OverlayError, match=r"acme 1\.0"):
        host.overlay(snapshot)
    # What could not be loaded keeps its hooks in the record.
    assert host.known_plugins()["acme:acme"]["hooks"] == ("registry_overlay",)
    assert make_host(known_hooks={"gone:gone": ["registry_overlay"]}).overlay(snapshot) is snapshot


def test_the_generation_goes_on_when_the_policy_loads_again(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    module = site.install("acme", overlay("return None") + "1 / 0")
    host = make_host()
    with pytest.raises(OverlayError):
        host.overlay(snapshot)
    site.rewrite(module, overlay("return with_provider(snapshot, 'acme')"))
    host.load()
    assert list(host.overlay(snapshot).get_providers()) == ["acme", "openai"]


# Writers


def emit(body: str) -> str:
    return f"@hookimpl\ndef registry_emit(snapshot, settings):\n    {body}\n"


@pytest.mark.parametrize("body", [*RAISES, "yield Artifact('x', 'x', 'x'); 1 / 0", "return 'x'"])
def test_a_writer_that_fails_loses_only_its_own_artifacts(
    site: Any, make_host: Any, snapshot: Snapshot, body: str
) -> None:
    site.install("bad", emit(body))
    site.install("good", emit("return [Artifact('good', 'file.txt', snapshot.hash)]"))
    artifacts, problems = make_host().emit(snapshot, None)
    assert artifacts == (Artifact("good", "file.txt", snapshot.hash),)
    assert [(one.kind, one.culprit, one.fatal) for one in problems] == [
        ("emitter", "bad 1.0 (entry bad)", True)
    ]


def test_a_hook_of_another_name_is_reported_as_what_it_implements(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    site.install("bad", "@hookimpl(specname='registry_emit')\ndef write(): raise ValueError('no')")
    (problem,) = make_host().emit(snapshot, None)[1]
    assert (problem.kind, problem.culprit) == ("emitter", "bad 1.0 (entry bad)")
    assert problem.message.startswith("registry_emit: ")


def test_what_is_no_artifact_is_reported_and_the_rest_is_kept(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    body = "return [Artifact('x', 'a', 'text'), 'b', Artifact('x', 'c', b''), Artifact(1, 'd', '')"
    body += ", Artifact('', 'e', ''), Artifact('x', '', '')]"
    site.install("acme", emit(body))
    artifacts, problems = make_host().emit(snapshot, None)
    assert [one.path for one in artifacts] == ["a"]
    assert [one.message for one in problems] == [
        "returned str instead of Artifact",
        "an Artifact has bytes as text; use a text",
        "an Artifact has int as emitter; use a text",
        "an Artifact has an empty emitter: '', 'e'",
        "an Artifact has an empty path: 'x', ''",
    ]


def test_of_two_writers_that_claim_one_file_the_first_keeps_it(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    for name in ("alpha", "zeta"):
        own = f"Artifact('{name}', 'file', '')"
        site.install(name, emit(f"return [Artifact('x', 'file', '{name}'), {own}]"))
    artifacts, problems = make_host().emit(snapshot, None)
    assert [(one.emitter, one.text) for one in artifacts] == [
        ("x", "alpha"),
        ("alpha", ""),
        ("zeta", ""),
    ]
    assert culprits(problems) == ["zeta 1.0 (entry zeta)"]
    assert "alpha 1.0 (entry alpha)" in problems[0].message


def test_a_writer_sees_the_scope_of_the_types(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    site.install("acme", emit("return [Artifact('x', 'x', repr(settings.types_providers))]"))
    host = make_host(Settings(types_providers=("openai",)))
    assert host.emit(snapshot, None)[0][0].text == "None"
    assert host.emit(snapshot, ("groq",))[0][0].text == "('groq',)"


def test_a_writer_sees_whether_the_project_wants_its_files(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    site.install("acme", emit("return [Artifact('x', 'x', repr(settings.wants('x')))]"))
    host = make_host()
    asked = make_host(Settings(outputs={"x": Path("/project")}))
    assert host.emit(snapshot, None)[0][0].text == "False"
    assert asked.emit(snapshot, None)[0][0].text == "True"
    assert host.emitters_fingerprint() != asked.emitters_fingerprint()


def test_a_folder_for_what_is_always_written_leaves_the_fingerprint_as_it_is(
    make_host: Any,
) -> None:
    asked = make_host(Settings(outputs=dict.fromkeys(ALWAYS, Path("/project"))))
    assert asked.emitters_fingerprint() == make_host().emitters_fingerprint()


def test_the_fingerprint_of_the_writers_follows_version_options_and_presence(
    site: Any, make_host: Any
) -> None:
    seen = [make_host().emitters_fingerprint()]
    site.install("gate", gateways("return ()"))
    assert make_host().emitters_fingerprint() == seen[0]
    site.install("acme", emit("return ()"), version="1.0")
    seen.append(make_host().emitters_fingerprint())
    assert make_host().emitters_fingerprint() == seen[-1]
    options = {"acme": {"depth": 2}, "gate": {"depth": 3}}
    seen.append(make_host(Settings(plugin_options=options)).emitters_fingerprint())
    newer = (site.folder / "acme-1.0.dist-info").rename(site.folder / "acme-1.1.dist-info")
    (newer / "METADATA").write_text("Name: acme\nVersion: 1.1\n")
    seen.append(make_host().emitters_fingerprint())
    assert len(set(seen)) == 4


# Observers, and hooks to come


REPORT = SyncReport(started_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_observers_take_what_they_need_of_a_sync_and_their_failures_are_named(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    module = site.install(
        "good",
        """
        heard = []
        @hookimpl
        def registry_refreshed(previous, settings, report):
            heard.append((report, previous, settings.options["channel"]))
        """,
    )
    site.install("bad", "@hookimpl\ndef registry_refreshed(report): raise ValueError('deaf')")
    before = Snapshot.build([])
    options = {"good": {"channel": "#models"}}
    host = make_host(Settings(plugin_options=options))
    problems = host.refreshed(REPORT, snapshot, before)
    assert culprits(problems) == ["bad 1.0 (entry bad)"]
    assert "deaf" in problems[0].message
    import sys

    assert sys.modules[module].heard == [(REPORT, before, "#models")]


def test_any_hook_can_be_called_one_by_one_with_each_plugins_own_settings(
    site: Any, make_host: Any
) -> None:
    for name in ("alpha", "zeta"):
        site.install(name, gateways("return settings.options['n'] / (2 - settings.options['n'])"))
    host = make_host(Settings(plugin_options={"alpha": {"n": 1}, "zeta": {"n": 2}}))
    good, bad = host.call_each("registry_gateways")
    assert (good.plugin.key, good.value, good.problem) == ("alpha:alpha", 1.0, None)
    assert (bad.plugin.key, bad.value) == ("zeta:zeta", None)
    assert "ZeroDivisionError" in bad.problem.message


def test_ctrl_c_in_a_hook_is_the_users(site: Any, make_host: Any) -> None:
    site.install("bad", gateways("raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        make_host().gateways()


WARNS = "settings.warn('deny', f'{secret(settings)} names nothing'); "


def test_what_a_hook_warns_of_is_told_under_its_plugin_without_secrets(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    site.install(
        "acme",
        "def secret(settings): return settings.secret('ACME_TOKEN')\n"
        + gateways(WARNS + "return [Gateway('acme')]")
        + overlay(WARNS + "return None")
        + f"@hookimpl\ndef registry_emit(settings):\n    {WARNS}1 / 0\n",
    )
    host = make_host(environ={"ACME_TOKEN": "acme-token-4711"})
    told: list[Problem] = []
    assert ids(host) == ["acme"]
    host.overlay(snapshot, tell=told.append)
    told += [*host.problems, *host.emit(snapshot, None)[1]]
    *warnings, failure = told
    assert {str(one) for one in warnings} == {"acme: deny: ***ACME_TOKEN*** names nothing"}
    assert [one.kind for one in warnings] == ["overlay", "plugin", "emitter"]
    assert not any(one.fatal for one in warnings)
    assert "ZeroDivisionError" in failure.message


def test_of_many_warnings_the_first_are_told_and_the_rest_is_counted(
    site: Any, make_host: Any, snapshot: Snapshot
) -> None:
    site.install("acme", overlay("[settings.warn('x', str(i)) for i in range(60)]"))
    told: list[Problem] = []
    make_host().overlay(snapshot, tell=told.append)
    assert [str(one) for one in told[-2:]] == ["acme: x: 49", "acme: and 10 more"]
