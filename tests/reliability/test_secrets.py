"""Recognizable secrets are planted wherever one can be; then everything is searched for them.

What holds a secret because its owner put it there is no finding: pyproject.toml, netrc.
"""

from __future__ import annotations

import base64
import json
import logging
import pickle
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from registry_gateway_models_dev import ModelsDevGateway
from registry_gateway_netlify import NetlifyGateway

from registry_core import (
    Endpoint,
    GatewayError,
    HostChangedError,
    MissingCredentialError,
    ProviderConfig,
    RegistryError,
    SettingsError,
    Snapshot,
)
from registry_core._config.load import load_settings
from tests.loopback import Loopback, Reply, Request
from tests.reliability.shell import Done, Shell
from tests.world import Plugin, World

#: Where it is planted → the value. None is part of another.
SECRETS = {
    "bearer": "tok-BEARER/0123+456789==",
    "asked for by a hook": "tok-HOOKED-0123456789abc",
    "option": "tok-OPTION-0123456789abc",
    "user of a URL": "tok-USERINFO-0123456789a",
    "query of a URL": "tok-QUERY-0123456789abcd",
    "netrc": "tok-NETRC-0123456789abcd",
    "proxy": "tok-PROXY-0123456789abcd",
    "key of a provider": "tok-KEY-0123456789abcdef",
    "exchanged": "tok-EXCHANGED-0123456789",
}


def forms(secret: str) -> Iterator[bytes]:
    """`secret` as it may be written: plain, for a URL, in JSON, as HTTP's basic auth."""
    yield secret.encode()
    yield quote(secret, safe="").encode()
    yield json.dumps(secret).encode()[1:-1]
    for head in ("", "user:", "x:"):
        for end in ("", ":"):
            yield base64.b64encode(f"{head}{secret}{end}".encode())


def found(data: bytes) -> set[str]:
    return {where for where, secret in SECRETS.items() if any(one in data for one in forms(secret))}


def found_below(folder: Path) -> dict[str, set[str]]:
    """File → the secrets in its content or its name."""
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {
        str(path): hits
        for path, data in files.items()
        if (hits := found(data + str(path.relative_to(folder)).encode()))
    }


SPY = '''
class Spy(Gateway):
    """Asks with a secret in every place, then fails with all of them in its error, if told to."""
    def __init__(self, settings):
        super().__init__("spy")
        self.hooked = settings.secret("SPY_HOOKED")
    def should_enable(self, settings):
        return bool(settings.secret("SPY_TOKEN")) or Disabled("set SPY_TOKEN")
    def fetch_providers(self, client):
        token, options = client.secret("SPY_TOKEN"), client.options
        base = options["base"]
        payload = client.get_json(f"{base}/spy", bearer=token)
        client.get_json(f"{base}/spy", headers={"X-Key": options["key"]})
        client.get_json(f"{base}/spy?key={options['query']}")
        client.get_json(f"{base}/spy", params={"token": token})
        client.get_json(base.replace("//", f"//user:{options['user']}@") + "/spy")
        client.get_json(base.replace("127.0.0.1", "localhost") + "/netrc")
        client.warn("spy", f"a warning with {token}")
        mode = options["mode"]
        if mode == "raises":
            try:
                raise ValueError(token)
            except ValueError as error:
                raise RuntimeError(f"{token} {self.hooked!r}") from error
        if mode != "ok":
            client.get_json(f"{base}/{mode}?key={options['query']}", bearer=token)
        return {"spied": ProviderConfig("spied", payload, url="https://spied.example/v1")}

@hookimpl
def registry_gateways(settings):
    global view
    view = settings
    return [Spy(settings)]

@hookimpl
def registry_emit(settings):
    if settings.options["mode"] == "raises":
        raise RuntimeError(settings.secret("SPY_TOKEN"))
    return []

@hookimpl
def registry_refreshed():
    if view.options["mode"] == "raises":
        sys.exit(view.secret("SPY_HOOKED"))
'''
LOGGING = "import logging; logging.basicConfig(level=logging.DEBUG)"
FAILING = ("raises", "401", "500", "echo", "echo-page", "loop", "cut", "away")


@pytest.fixture
def spied(shell: Shell, server: Loopback) -> Shell:
    """An environment whose one plugin uses every secret, with all of logging on stderr."""

    def echo(request: Request) -> Reply:
        return Reply(200, json.dumps({"you": [*request.headers.values(), request.query]}).encode())

    def page(request: Request) -> Reply:
        return Reply(200, f"<html>{request.headers['Authorization']}".encode())

    for path in ("/spy", "/netrc"):
        server.serve(path, ["m"], etag='"1"')
    server.route("/401", Reply(401, SECRETS["bearer"].encode()))
    server.route("/500", Reply(500, SECRETS["bearer"].encode()))
    server.route("/echo", echo)
    server.route("/echo-page", page)
    server.route("/loop", lambda request: Reply(302, headers={"Location": "/loop?x=1"}))
    server.route("/cut", Reply(raw=[b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"]))
    server.route("/away", Reply(302, headers={"Location": f"ftp://x:{SECRETS['bearer']}@h/"}))
    shell.install("spy", SPY)
    (shell.site / "sitecustomize.py").write_text(LOGGING)
    (shell.home / ".netrc").write_text(f"machine localhost login x password {SECRETS['netrc']}\n")
    shell.environ |= {
        "SPY_TOKEN": SECRETS["bearer"],
        "SPY_HOOKED": SECRETS["asked for by a hook"],
        "SPIED_API_KEY": SECRETS["key of a provider"],
        "NO_PROXY": "127.0.0.1,localhost",
        "HTTPS_PROXY": f"http://user:{SECRETS['proxy']}@127.0.0.1:1",
    }
    return shell


def spy(shell: Shell, server: Loopback, mode: str) -> Done:
    lines = {
        "base": server.url()[:-1],
        "mode": mode,
        "key": SECRETS["option"],
        "query": SECRETS["query of a URL"],
        "user": SECRETS["user of a URL"],
    }
    table = "\n".join(f'{name} = "{value}"' for name, value in lines.items())
    shell.options({"spy": table}, 'output = {json = "out", python = "out", typescript = "out"}')
    return shell.run("sync")


def assert_clean(shell: Shell, *done: Done) -> None:
    for one in done:
        assert found(one.text.encode()) == set()
    owned = {str(shell.project / "pyproject.toml"), str(shell.home / ".netrc")}
    assert found_below(shell.site.parent).keys() <= owned


def test_nothing_that_a_sync_leaves_or_says_holds_a_secret(spied: Shell, server: Loopback) -> None:
    """All of logging at debug level, the store, the artifacts, the raw payloads, the output."""
    done = spy(spied, server, "ok")
    assert done.status == 0, done.err
    sent = {value for request in server.requests for value in request.headers.values()}
    assert f"Bearer {SECRETS['bearer']}" in sent  # they were really used
    assert SECRETS["option"] in sent
    assert {"key": SECRETS["query of a URL"]} in [request.query for request in server.requests]
    assert sum(one.startswith("Basic ") for one in sent) == 2
    assert "DEBUG:urllib3" in done.err
    assert "a warning with ***SPY_TOKEN***" in done.err
    assert json.loads((spied.project / "out" / "provider-registry.json").read_text())["models"]
    commands = (["doctor"], ["plugins", "--load"], ["show", "spied/m"])
    assert_clean(spied, done, *(spied.run(*command) for command in commands))


def assert_failures_show_nothing(shell: Shell, server: Loopback, modes: Iterable[str]) -> None:
    spy(shell, server, "ok")
    for mode in modes:
        done = spy(shell, server, mode)
        assert done.status == 1, mode
        assert "error: spy: " in done.err, mode
        assert_clean(shell, done)
    assert_clean(shell, shell.run("doctor", "--json"), shell.run("sync", "--json"))


@pytest.mark.slow
def test_nor_does_a_sync_that_fails(spied: Shell, server: Loopback) -> None:
    assert_failures_show_nothing(spied, server, ["raises", "echo"])


@pytest.mark.slow
def test_nor_does_a_sync_that_fails_in_any_way(spied: Shell, server: Loopback) -> None:
    assert_failures_show_nothing(spied, server, FAILING)
    exported = spied.run("export", "--format", "snapshot", "x")
    assert_clean(spied, exported, spied.run("list", "--json"), spied.run("plugins", "--json"))


def test_a_server_that_sends_a_credential_back_is_not_believed(
    world: World, server: Loopback
) -> None:
    """What it sends is data, and data is published: so nothing of that answer is kept."""
    world.environ["TOKEN"] = SECRETS["bearer"]
    gateway = world.gateway("main")

    def fetch(client: Any) -> Mapping[str, ProviderConfig]:
        client.get_json(server.url("/main.json"), bearer=client.secret("TOKEN"))
        return {"openai": ProviderConfig("openai", ["gpt-old", "new"])}

    gateway.fetch_providers = fetch  # type: ignore[method-assign]
    server.route(
        "/main.json",
        lambda request: Reply(200, json.dumps({"got": request.headers["Authorization"]}).encode()),
    )
    report = world.sync()
    assert "sent the value of TOKEN back" in (report.gateways[0].error or "")
    assert found_below(world.tmp_path) == {}
    assert world.models()["openai"] == ("gpt-old",)


def test_no_report_error_or_object_shows_a_secret(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """As text, `repr`, plain JSON values, pickle and traceback; with debug logging."""
    caplog.set_level(logging.DEBUG)
    secret = SECRETS["bearer"]
    world.environ |= {"TOKEN": secret, "OTHER": SECRETS["asked for by a hook"]}
    options = {"test-0": {"key": SECRETS["option"], "url": f"https://u:{secret}@h/"}}
    gateway = world.gateway("main")

    def fetch(client: Any) -> Mapping[str, ProviderConfig]:
        error = GatewayError(f"refused {client.secret('TOKEN')}", culprit=secret, hint=secret)
        error.__cause__ = ValueError(secret)
        raise error

    gateway.fetch_providers = fetch  # type: ignore[method-assign]
    url = f"https://user:{SECRETS['user of a URL']}@models.invalid/api.json"
    variables = {"REGISTRY_CORE_MODELS_DEV_URL": url}
    registry = world.registry(plugin_options=options, plugin_variables=variables, strict=True)
    with pytest.raises(ExceptionGroup) as caught:
        registry.sync_gateways()
    report = world.sync(plugin_options=options)
    outside = registry.world
    loaded = outside.host.gateways()
    seen: list[Any] = [caught.value, *caught.value.exceptions, report, *report.gateways, outside]
    seen += [*report.problems, *loaded, registry, outside.settings, world.store.read_state()]
    seen += [loaded[0].settings, outside.secrets, outside.host.plugins, outside.load()]
    for one in seen:
        assert found(f"{one!s} {one!r}".encode()) == set(), type(one)
    assert found(json.dumps(report.to_dict()).encode() + pickle.dumps(report)) == set()
    assert found("".join(traceback.format_exception(caught.value)).encode()) == set()
    assert found(pickle.dumps(caught.value)) == set()
    assert found(caplog.text.encode()) == set()
    assert "refused ***TOKEN***" in caplog.text
    assert found_below(world.tmp_path) == {}


@pytest.mark.parametrize(
    "error",
    [
        lambda secret: RuntimeError(f"no {secret}"),
        lambda secret: GatewayError(f"no {secret}", culprit=secret, hint=secret),
        lambda secret: SystemExit(secret),
        lambda secret: KeyError(secret),
    ],
    ids=["RuntimeError", "GatewayError", "SystemExit", "KeyError"],
)
def test_no_error_of_an_endpoint_shows_a_secret(world: World, error: Any) -> None:
    """Whether the plugin asked for it by name, or read it from the environment it is given."""
    key, token = SECRETS["key of a provider"], SECRETS["bearer"]
    environ = {"OPENAI_API_KEY": key, "TOKEN": token}

    def endpoint(provider: Any, model: Any, given: Mapping[str, str], client: Any) -> Endpoint:
        try:
            raise ValueError(given["OPENAI_API_KEY"])
        except ValueError as cause:
            raise error(f"{given['OPENAI_API_KEY']} {client.secret('TOKEN')}") from cause

    gateway = world.gateway("main", endpoint=endpoint)
    provider = ProviderConfig("openai", ["gpt-old"], api_key_env_vars="OPENAI_API_KEY")
    gateway.fetch_providers = lambda client: {"openai": provider}  # type: ignore[method-assign]
    world.sync()
    with pytest.raises(RegistryError) as caught:
        world.registry().resolve("openai/gpt-old", environ)
    raised = caught.value
    texts = [str(raised), repr(raised), *traceback.format_exception(raised)]
    assert found("".join(texts).encode() + pickle.dumps(raised)) == set()
    led_to = raised.__cause__ or raised  # of what is not ours, nothing that holds one is kept
    assert isinstance(led_to, GatewayError)
    assert (led_to.__cause__, led_to.__context__) == (None, None)


def test_a_setting_that_cannot_be_read_is_shown_without_its_password(tmp_path: Path) -> None:
    secret = SECRETS["user of a URL"]
    with pytest.raises(SettingsError) as caught:
        load_settings({"REGISTRY_CORE_TRUSTED_HOSTS": f"https://user:{secret}@host/"}, tmp_path)
    assert found(str(caught.value).encode()) == set()
    assert "REGISTRY_CORE_TRUSTED_HOSTS" in str(caught.value)


def test_a_credential_does_not_follow_a_redirect_to_another_host(
    world: World, server: Loopback
) -> None:
    world.environ["TOKEN"] = SECRETS["bearer"]
    gateway = world.gateway("main")

    def fetch(client: Any) -> Mapping[str, ProviderConfig]:
        token = client.secret("TOKEN")
        url = server.url("/main.json").replace("//", f"//user:{SECRETS['user of a URL']}@")
        ids: list[str] = []
        for arguments in ({"bearer": token}, {"headers": {"X-Api-Key": token, "Cookie": token}}):
            ids += client.get_json(server.url("/main.json"), **arguments)
        return {"openai": ProviderConfig("openai", [*ids, *client.get_json(url)])}

    gateway.fetch_providers = fetch  # type: ignore[method-assign]
    with Loopback() as other:
        other.serve("/ids", ["gpt-old", "moved"])
        server.route("/main.json", Reply(302, headers={"Location": other.url("/ids")}))
        assert world.sync().gateways[0].status == "fresh"  # the data is welcome, without a key
        sent = [f"{value}" for request in other.requests for value in request.headers.values()]
    assert world.models()["openai"] == ("gpt-old", "moved")
    assert len(other.requests) == 3
    assert found(" ".join(sent).encode()) == set()
    assert found(" ".join(str(one.headers) for one in server.requests).encode()) >= {"bearer"}


def test_a_key_that_was_exchanged_is_never_stored(world: World, server: Loopback) -> None:
    """Netlify's: neither the token nor the key that it is exchanged for."""
    world.environ |= {"NETLIFY_TOKEN": SECRETS["bearer"], "NETLIFY_SITE_ID": "site"}
    base = server.url()[:-1]
    world.plugins.append(Plugin(NetlifyGateway(f"{base}/list", base)))
    server.serve("/list", {"providers": {"openai": {"models": ["gpt-5"]}}})
    answer = {"token": SECRETS["exchanged"], "url": "https://site.example", "expires_at": 2**32}
    server.serve("/api/v1/sites/site/ai-gateway/token", answer)
    assert world.sync().gateways[1].status == "fresh"
    endpoint = world.registry().resolve("netlify/openai/gpt-5", world.environ)
    assert endpoint.api_key == SECRETS["exchanged"]
    assert found(f"{endpoint} {endpoint!r}".encode()) == set()
    assert found_below(world.tmp_path) == {}


def test_the_store_is_for_all_to_read_and_the_raw_payloads_are_not(
    spied: Shell, server: Loopback
) -> None:
    """Whoever may use an environment may read its registry; what a server sent is the user's."""
    assert spy(spied, server, "ok").status == 0
    payloads = [*(spied.store / "payloads").iterdir()]
    assert payloads
    assert {path.stat().st_mode & 0o777 for path in payloads} == {0o600}
    assert (spied.store / "payloads").stat().st_mode & 0o777 == 0o700


BUNDLE = {
    "openai": ("https://api.openai.example/v1", "OPENAI_API_KEY"),
    "other": ("https://api.other.example/v1", "OTHER_API_KEY"),
}
KEYS = {
    "OPENAI_API_KEY": SECRETS["key of a provider"],
    "OTHER_API_KEY": SECRETS["bearer"],
    "ACME_API_KEY": SECRETS["option"],
    "AWS_SECRET_ACCESS_KEY": SECRETS["asked for by a hook"],
    "ODDLY": SECRETS["asked for by a hook"],
}
EVIL = "https://evil.example/v1"
HOME = "https://api.openai.example/v1"
#: What a payload says, hoping for a key: of which provider, and its record.
ATTACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "moves a provider": ("openai", {"api": EVIL, "env": ["OPENAI_API_KEY"]}),
    "moves it to a host of another": (
        "openai",
        {"api": BUNDLE["other"][0], "env": ["OTHER_API_KEY"]},
    ),
    "moves one model": ("openai", {"models": {"m": {"provider": {"api": EVIL}}}}),
    "renames the variable": ("openai", {"api": HOME, "env": ["AWS_SECRET_ACCESS_KEY"]}),
    "plants a secret in the path": ("openai", {"api": HOME + "/${OPENAI_API_KEY}"}),
    "plants a secret in the host": ("fresh", {"api": "https://${OPENAI_API_KEY}.evil.example"}),
    "plants another's secret": ("fresh", {"api": "https://evil.example/${AWS_SECRET_ACCESS_KEY}"}),
    "is new, with a known variable": ("fresh", {"api": EVIL, "env": ["OPENAI_API_KEY"]}),
    "is new, beside its look-alike": ("OpenAI", {"api": EVIL, "env": ["OPENAI_API_KEY"]}),
    "moves what was new once": ("acme", {"api": EVIL, "env": ["ACME_API_KEY"]}),
    "takes the key of what was new once": ("fresh", {"api": EVIL, "env": ["ACME_API_KEY"]}),
    "drops the encryption": ("openai", {"api": "http://api.openai.example/v1"}),
    "hides behind a user name": ("openai", {"api": "https://api.openai.example@evil.example/v1"}),
    "plants a secret of any name": ("fresh", {"api": "https://evil.example/${ODDLY}/v1"}),
    "adds a variable to what it knows": ("openai", {"api": HOME, "env": ["ODDLY", "X_KEY"]}),
    "asks for a shell": ("openai", {"api": "https://$(env).evil.example", "env": ["$(env)"]}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_synced_payload_gets_a_key_that(world: World, name: str) -> None:
    """From the payload on the wire to what a client would be given."""
    providers = [
        ProviderConfig(id, ["m"], gateway="models.dev", url=url, api_key_env_vars=variable)
        for id, (url, variable) in BUNDLE.items()
    ]
    world.bundled = Snapshot.build(providers)
    world.plugins.append(Plugin(ModelsDevGateway(world.server.url("/api.json"))))
    new = {"acme": ("https://acme.example", "ACME_API_KEY")}
    known = {
        id: {"api": url, "env": [variable], "npm": "@ai-sdk/openai-compatible", "models": {"m": {}}}
        for id, (url, variable) in {**BUNDLE, **new}.items()
    }
    world.serve("api", known)
    assert world.sync().ok
    before = world.registry().resolve("acme/m", KEYS)
    assert (before.base_url, before.api_key) == ("https://acme.example", KEYS["ACME_API_KEY"])
    target, record = ATTACKS[name]
    world.serve(
        "api", {**known, target: {"env": ["OPENAI_API_KEY"], "models": {"m": {}}, **record}}
    )
    assert world.sync().ok
    for id in world.models():
        try:
            endpoint = world.registry().resolve(f"{id}/m", KEYS)
        except RegistryError as error:
            assert found(f"{error!s} {error!r}".encode() + pickle.dumps(error)) == set()
            if id != target:
                raise
            if isinstance(error, HostChangedError):
                assert error.hint
        else:
            home = known[id]["api"]
            assert endpoint.base_url == home, id
            assert endpoint.api_key == KEYS[known[id]["env"][0]]


def test_a_new_provider_takes_each_key_variable_that_a_catalog_names_for_it(world: World) -> None:
    world.plugins.append(Plugin(ModelsDevGateway(world.server.url("/api.json"))))
    env = ["MULTI_REGION", "MULTI_TOKEN", "MULTI_API_KEY", "AWS_SECRET_ACCESS_KEY"]
    about = {"api": "https://multi.example/v1", "env": env, "models": {"m": {}}}
    world.serve("api", {"multi": about})
    assert world.sync().ok

    def key(**environ: str) -> str | None:
        return world.registry().resolve("multi/m", environ).api_key

    assert key(MULTI_TOKEN="t") == "t"
    assert key(MULTI_TOKEN="t", MULTI_API_KEY="k") == "k"
    with pytest.raises(MissingCredentialError, match="MULTI_API_KEY or MULTI_TOKEN"):
        key(MULTI_REGION="eu")
    with pytest.raises(HostChangedError):
        key(AWS_SECRET_ACCESS_KEY="secret")
