"""Plugins that fail in every place, installed as real distributions, through the command line.

A malicious plugin can do everything (see docs/security.md); a broken one costs nobody else.
"""

from __future__ import annotations

import json
import pickle
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from registry_core import (
    ExchangeError,
    GatewayError,
    GatewayTimeoutError,
    MissingCredentialError,
    ModelRegistry,
    OfflineError,
    PluginError,
    RegistryError,
    ResolveError,
    Settings,
    SettingsError,
)
from registry_core.testing import write_distribution
from tests.reliability.shell import PRELUDE, Done, Shell, by_provider
from tests.world import Plugin, World

GOOD = """
@hookimpl
def registry_gateways():
    return [Gateway("good", ["a", "b"], needs_network=False)]

@hookimpl
def registry_emit(snapshot):
    return [Artifact("good", "good.txt", "\\n".join(snapshot.get_models()))]
"""

RAISES = {
    "raise RuntimeError('boom')": "RuntimeError: boom",
    "raise MemoryError": "MemoryError",
    "sys.exit(0)": "SystemExit: 0",
    "sys.exit('bye')": "SystemExit: bye",
    "raise BaseException('odd')": "BaseException: odd",
    "import asyncio; raise asyncio.CancelledError": "CancelledError",
    "raise GeneratorExit": "GeneratorExit",
    "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})": "Mute",
    "raise type('Quits', (Exception,), {'__str__': lambda self: sys.exit(0)})": "Quits",
    "raise type('Deep', (Exception,), {'__str__': lambda self: str(self)})": "Deep",
    "raise type('Bad', (GatewayError,), {'__str__': lambda self: sys.exit(0)})('no')": "Bad",
    "raise GatewayError(5)": "GatewayError",
    "raise GatewayError(type('T', (str,), {'__format__': lambda *_: sys.exit(0)})('t'))": "t",
    "(lambda f: f(f))(lambda f: f(f))": "RecursionError",
    "import acme_sdk_that_is_not_installed": "No module named 'acme_sdk_that_is_not_installed'",
}

#: What a hook, or the whole module, is instead of what it should be; and what is told of it.
BROKEN_MODULES = {
    "syntax": ("def (", "SyntaxError"),
    "no-hooks": ("", "has no function marked @hookimpl"),
    "misspelt": ("@hookimpl\ndef registry_gatways(): ...", "did you mean 'registry_gateways'"),
    "unmarked": ("def registry_gateways(): ...", "put @hookimpl above it"),
    "old-signature": (
        "@hookimpl\ndef registry_emit(registry, config): ...",
        "which the hook does not pass",
    ),
    "async": ("@hookimpl\nasync def registry_gateways(): ...", "drop async"),
    "ordered": ("@hookimpl(tryfirst=True)\ndef registry_gateways(): ...", "the host refuses"),
    "wrapper": ("@hookimpl(wrapper=True)\ndef registry_emit(): yield", "the host refuses"),
}
BROKEN_HOOKS = {
    "gateways-none": ("registry_gateways():\n    return None", "returned NoneType"),
    "gateways-text": ("registry_gateways():\n    return 'gateway'", "returned str"),
    "gateways-number": ("registry_gateways():\n    return 3", "returned int"),
    "gateways-class": ("registry_gateways():\n    return [Gateway]", "the class Gateway"),
    "gateways-garbage": ("registry_gateways():\n    return [None, 3]", "NoneType instead of"),
    "gateways-bad-id": ("registry_gateways():\n    return [Gateway('../x', ['m'])]", "has the id"),
    "gateways-bad-flag": (
        "registry_gateways():\n    return [Gateway('flag', ['m'], namespaced='yes')]",
        "neither True nor False",
    ),
    "gateways-midway": (
        "registry_gateways():\n    yield Gateway('half', ['m'])\n    raise RuntimeError('midway')",
        "RuntimeError: midway",
    ),
    "emit-none": ("registry_emit():\n    return None", "returned NoneType"),
    "emit-garbage": ("registry_emit():\n    return [None]", "NoneType instead of Artifact"),
    "emit-bytes": ("registry_emit():\n    return [Artifact('e', 'x', b'')]", "bytes as text"),
    "emit-outside": (
        "registry_emit():\n    return [Artifact('emit-outside', '../outside', '')]",
        "must stay in its folder",
    ),
    "emit-surrogate": (
        "registry_emit():\n    return [Artifact('emit-surrogate', 'a\\ud800', '')]",
        "can't be a file name",
    ),
    "emit-store": (
        "registry_emit():\n    return [Artifact('emit-store', 'v1/pointer', 'x')]",
        "belongs to the store",
    ),
    "emit-policy": (
        "registry_emit():\n    return [Artifact('emit-policy', 'Registry-Core.policy', 'x')]",
        "belongs to the store",
    ),
    "emit-stolen": (
        "registry_emit():\n    return [Artifact('emit-stolen', 'Provider-Registry.json', 'x')]",
        "only by case",
    ),
    "emit-below": (
        "registry_emit():\n    return [Artifact('emit-below', 'provider-registry.json/x', 'x')]",
        "would have to be a folder",
    ),
    "emit-above": (
        "registry_emit():\n    return [Artifact('emit-above', path, '') for path in ('x/y', 'x')]",
        "would have to be a folder",
    ),
}
BROKEN_FETCHES = {
    "fetch-none": ("return None", "expected a mapping"),
    "fetch-list": ("return [ProviderConfig('p', ['m'])]", "expected a mapping"),
    "fetch-empty": ("return {}", "no valid model"),
    "fetch-texts": ("return {'p': 'm'}", "no valid model"),
    "fetch-no-ids": ("return {3: ProviderConfig('p', ['m']), None: None}", "no valid model"),
    "fetch-no-json": ("return client.get_json('file:///etc/passwd')", "what is not JSON"),
    "fetch-subclass": (
        "return {'p': type('Sub', (ProviderConfig,), {'gateway': None})('p', ['m'])}",
        "no valid model",
    ),
}


@dataclass(frozen=True)
class Case:
    name: str
    code: str
    told: str


def cases() -> Iterator[Case]:
    """Every broken plugin: its code, and what must be told of it."""
    for name, (code, told) in BROKEN_MODULES.items():
        yield Case(name, code, told)
    for name, (code, told) in BROKEN_HOOKS.items():
        yield Case(name, f"@hookimpl\ndef {code}", told)
    fetches = dict(BROKEN_FETCHES)
    for number, (code, told) in enumerate(RAISES.items()):
        yield Case(f"import-{number}", code, told)
        for hook in ("registry_gateways", "registry_emit", "registry_refreshed"):
            name = f"{hook.removeprefix('registry_')}-{number}"
            yield Case(name, f"@hookimpl\ndef {hook}():\n    {code}", told)
        fetches[f"fetch-{number}"] = (code, told)
    for name, (code, told) in fetches.items():
        head = "    def fetch_providers(self, client):\n        "
        yield Case(name, _gateway(name, head + code), told)
    for number, (code, told) in enumerate(RAISES.items()):
        name = f"enable-{number}"
        head = "    def should_enable(self, settings):\n        "
        yield Case(name, _gateway(name, head + code), told)


def _gateway(name: str, method: str) -> str:
    return (
        f"class Broken(Gateway):\n    needs_network = False\n{method}\n\n"
        f"@hookimpl\ndef registry_gateways():\n    return [Broken('{name}', ['m'])]"
    )


CASES = tuple(cases())


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, Done]:
    """All of them in one environment, with one that works, after one sync."""
    shell = Shell(tmp_path_factory.mktemp("zoo"))
    shell.install("good", GOOD)
    for case in CASES:
        shell.install(case.name, case.code)
    return shell, shell.run("sync")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_plugin_is_named_with_its_reason(zoo: tuple[Shell, Done], case: Case) -> None:
    _, done = zoo
    heads = (f"error: {case.name} 1.0 (entry", f"error: {case.name}: ", f"warning: {case.name}: ")
    lines = [line for line in done.err.splitlines() if line.startswith(heads)]
    assert any(case.told in line for line in lines), lines


def test_no_broken_plugin_costs_another_anything(zoo: tuple[Shell, Done]) -> None:
    shell, done = zoo
    assert done.status == 1
    assert "Traceback" not in done.err
    assert re.search(r"^good +fresh +1 +2 +current", done.out, re.MULTILINE)
    models = by_provider(shell.run("list", "--json").out)
    assert models == {"good": ["a", "b"]}
    assert (shell.store / "good.txt").read_text() == "good"
    assert json.loads((shell.store / "provider-registry.json").read_text())["models"] == models


def test_plugins_and_doctor_show_the_failures(zoo: tuple[Shell, Done]) -> None:
    shell, _ = zoo
    plugins = shell.run("plugins", "--json")
    assert plugins.status == 0
    failed = {row["plugin"] for row in json.loads(plugins.out) if row.get("failure")}
    broken = {*BROKEN_MODULES, *(f"import-{number}" for number in range(len(RAISES)))}
    assert failed == {f"{name}:{name}" for name in broken}
    doctor = json.loads(shell.run("doctor", "--json").out)
    assert doctor["plugin_failures"].keys() == failed


HANGS = {
    "on an event": "threading.Event().wait()",
    "in the system": "time.sleep(3600)",
    "in a loop": "while True: pass",
    "in an endless answer": "return (lambda: (yield from iter(int, 1)))()",
    "without an end of providers": """
        class Endless(dict):
            def items(self):
                while True:
                    yield None, None
        return Endless()""",
}


def test_a_fetch_that_hangs_is_abandoned_and_does_not_hold_the_exit(shell: Shell) -> None:
    shell.install("good", GOOD)
    for number, code in enumerate(HANGS.values()):
        method = f"    def fetch_providers(self, client):\n        {code.strip()}"
        shell.install(f"hangs-{number}", _gateway(f"hangs-{number}", method))
    started = time.monotonic()
    done = shell.run("sync", REGISTRY_CORE_FETCH_DEADLINE_MS="3000")
    assert time.monotonic() - started < 30  # else: 3600
    assert done.status == 1
    assert re.search(r"^good +fresh", done.out, re.MULTILINE)
    hung = re.findall(r"^error: (hangs-\d): gave no result within 3 s", done.err, re.MULTILINE)
    assert len(hung) >= len(HANGS) - 1  # the endless answer is no mapping, and told as that


def test_a_thread_of_a_plugin_that_raises_harms_no_sync(shell: Shell) -> None:
    shell.install(
        "threads",
        """
        class Threaded(Gateway):
            needs_network = False
            def fetch_providers(self, client):
                thread = threading.Thread(target=sys.exit, args=(3,))
                other = threading.Thread(target=lambda: 1 / 0)
                for one in (thread, other):
                    one.start()
                    one.join()
                return super().fetch_providers(client)
        @hookimpl
        def registry_gateways():
            return [Threaded("threaded", ["m"])]
        """,
    )
    done = shell.run("sync")
    assert done.status == 0
    assert re.search(r"^threaded +fresh", done.out, re.MULTILINE)


DENY = """
@hookimpl
def registry_overlay(snapshot):
    {}
    return snapshot.with_providers(
        {{id: one for id, one in snapshot.get_providers().items() if id != "denied"}}
    )
"""
BROKEN_OVERLAYS = {
    "raises": DENY.format("raise RuntimeError('boom')"),
    "exits": DENY.format("sys.exit(0)"),
    "is cancelled": DENY.format("import asyncio; raise asyncio.CancelledError"),
    "returns garbage": DENY.format("return {}"),
    "lacks a dependency": "import acme_policy_sdk\n" + DENY.format(""),
    "has a syntax error": "def (\n" + DENY.format(""),
    "has an old signature": DENY.format("").replace("(snapshot)", "(registry)"),
    "is misspelt": DENY.format("").replace("registry_overlay", "registry_overlays"),
    "is gone": None,
}


def assert_held(shell: Shell, kinds: Iterable[str]) -> None:
    """Nobody sees what the policy denies, however it broke; the old data stays."""
    feed = shell.install("good", GOOD)
    policy = shell.install("policy", DENY.format(""))
    assert shell.run("sync").status == 0
    works = policy.read_text()
    denied = 'Gateway("denied", ["x"], needs_network=False)'
    text = feed.read_text().replace('"b"]', '"b", "c"]')
    feed.write_text(text.replace("return [G", f"return [{denied}, G"))

    def served() -> dict[str, tuple[str, ...]]:
        return dict(ModelRegistry(Settings(store_dir=shell.store)).get_models())

    for kind in kinds:
        broken = BROKEN_OVERLAYS[kind]
        policy.unlink()
        if broken is not None:
            policy.write_text(PRELUDE + broken)
        done = shell.run("sync")
        assert done.status == 1, kind
        assert "the last generation stays" in done.err, kind
        assert "policy 1.0" in done.err, kind
        assert served() == {"good": ("a", "b")}, kind
        policy.write_text(works)
    assert shell.run("sync").status == 0
    assert served() == {"good": ("a", "b", "c")}


def test_a_policy_that_fails_holds_the_generation(shell: Shell) -> None:
    assert_held(shell, ["raises", "lacks a dependency", "is gone"])


@pytest.mark.slow
def test_a_policy_that_fails_in_any_way_holds_the_generation(shell: Shell) -> None:
    assert_held(shell, BROKEN_OVERLAYS)


def test_names_that_clash_are_reported_and_the_first_keeps_its_own(shell: Shell) -> None:
    for name in ("twin-a", "twin-b"):
        code = f"""
            @hookimpl
            def registry_gateways():
                return [Gateway("twin", ["of {name}"], needs_network=False)]
            @hookimpl
            def registry_emit(snapshot):
                return [Artifact("twin", "twin.txt", "{name}")]
            """
        shell.install(name, code, entry="twin")
    done = shell.run("sync")
    assert done.status == 1
    assert (
        "twin-a 1.0 (entry twin) and twin-b 1.0 (entry twin) share one entry-point name" in done.err
    )
    assert "twin-b 1.0 (entry twin): gateway 'twin' is taken by twin-a 1.0" in done.err
    assert "twin-b 1.0 (entry twin): 'twin.txt' of 'twin' is taken by twin-a" in done.err
    assert shell.run("list").out == "twin/of twin-a\n"
    assert (shell.store / "twin.txt").read_text() == "twin-a"


AUDIT = """
import atexit, os, sys
seen = []
def hook(event, arguments):
    if event == "open" and str(arguments[0]).startswith({site!r}):
        seen.append(arguments[0])
    if event in ("import", "exec", "compile"):
        seen.append(f"{{event}} {{arguments[0]}}"[:200])
sys.addaudithook(hook)
atexit.register(lambda: open({log!r}, "a").write("".join(f"{{one}}\\n" for one in seen)))
"""


DISABLED = {"REGISTRY_CORE_DISABLE_PLUGINS": "UnWanted"}


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["plugins"], {"REGISTRY_CORE_PLUGINS": "good,unwanted,broken"}),
        (["plugins", "--load"], {}),
        (["list"], {"REGISTRY_CORE_PLUGINS": "good,unwanted,broken"}),
        (["--help"], {"REGISTRY_CORE_PLUGINS": "good,unwanted,broken"}),
        (["sync"], {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else ",".join(value.values()),
)
def test_what_is_not_wanted_is_not_even_opened(
    shell: Shell, arguments: list[str], variables: dict[str, str]
) -> None:
    """Audited: no file of the plugin but its metadata, no import of its module."""
    shell.install("good", GOOD)
    shell.plugins.clear()
    shell.install("unwanted", "raise SystemExit('it ran')")
    write_distribution(shell.site, "broken", entry_points={"broken": "broken"})
    shell.plugins[:] = ["good"]
    log = shell.home / "audit"
    site = str(shell.site)
    (shell.site / "sitecustomize.py").write_text(AUDIT.format(site=site, log=str(log)))
    done = shell.run(*arguments, **variables)
    assert "it ran" not in done.text
    seen = log.read_text()
    assert ("entry_points.txt" in seen) == (arguments[0] != "list")
    assert "unwanted.py" not in seen
    assert "import unwanted" not in seen


class Endpoints(Plugin):
    """A gateway whose `endpoint` does what a test wants."""


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), SystemExit(3), GeneratorExit(), ValueError()]
)
def test_an_endpoint_that_fails_is_an_error_of_ours(world: World, error: BaseException) -> None:
    def endpoint(*arguments: object) -> None:
        raise error

    gateway = world.gateway("main", endpoint=endpoint)
    world.serve("main", {"openai": ["gpt-old"]})
    world.sync()
    with pytest.raises(
        ExchangeError, match=f"main: its endpoint failed: {type(error).__name__}"
    ) as caught:
        world.registry().resolve("openai/gpt-old", {})
    assert caught.value.__cause__ is error
    vars(gateway)["endpoint"] = lambda *arguments: "https://x.example"
    with pytest.raises(ExchangeError, match="its endpoint returned str, not an Endpoint"):
        world.registry().resolve("openai/gpt-old", {})


@pytest.mark.parametrize(
    "kind", [GatewayError, GatewayTimeoutError, OfflineError, PluginError, SettingsError]
)
def test_whatever_an_endpoint_raises_is_a_resolve_error_with_its_hint(
    world: World, kind: type[RegistryError]
) -> None:
    def endpoint(*arguments: object) -> None:
        raise kind("gave no token", culprit=culprit, hint="check TOKEN")

    world.gateway("main", endpoint=endpoint)
    world.serve("main", {"openai": ["gpt-old"]})
    world.sync()
    for culprit in ("tokens.example", ""):
        with pytest.raises(ResolveError) as caught:
            world.registry().resolve("openai/gpt-old", {})
        assert isinstance(caught.value, ExchangeError)
        assert isinstance(caught.value, kind) == issubclass(kind, GatewayError)
        assert str(caught.value) == f"{culprit or 'main'}: gave no token (check TOKEN)"
        assert type(caught.value.__cause__) is kind
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_resolve_error_of_an_endpoint_passes_as_it_is(world: World) -> None:
    def endpoint(*arguments: object) -> None:
        raise MissingCredentialError("needs TOKEN", culprit="main")

    world.gateway("main", endpoint=endpoint)
    world.serve("main", {"openai": ["gpt-old"]})
    world.sync()
    with pytest.raises(MissingCredentialError, match="main: needs TOKEN") as caught:
        world.registry().resolve("openai/gpt-old", {})
    assert not isinstance(caught.value, GatewayError)
