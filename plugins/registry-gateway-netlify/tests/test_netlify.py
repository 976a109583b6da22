"""Netlify's list becomes one provider; a site's token becomes a key, kept while it is good."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from registry_gateway_netlify import (
    API_URL,
    OPTION_VARIABLES,
    URL,
    NetlifyGateway,
    SiteKey,
    providers_from_payload,
    registry_gateways,
)

from registry_core import (
    Endpoint,
    GatewayError,
    MissingCredentialError,
    ModelGateway,
    ModelInfo,
    OfflineError,
    UnknownModelError,
)
from registry_core._base.secrets import Secrets
from registry_core._http.client import HttpClient
from registry_core._http.config import HttpConfig
from registry_core._http.tokens import Tokens
from registry_core.settings import Settings
from registry_core.testing import GatewayContract, plugin_settings

TOKEN = "nfp-secret-of-the-user"
NOW = 1_800_000_000
PAYLOAD: dict[str, Any] = {
    "providers": {
        "openai": {
            "token_env_var": "OPENAI_API_KEY",
            "url_env_var": "OPENAI_BASE_URL",
            "models": ["gpt-b", "gpt-a"],
        },
        "anthropic": {"models": ["claude"]},
    }
}
KEY: dict[str, Any] = {
    "token": "key-of-the-site",
    "url": "https://site.example/.netlify/ai/",
    "expires_at": NOW + 3600,
}
PROVIDER = providers_from_payload(PAYLOAD)["netlify"]
ROUTES = {URL: PAYLOAD, f"{API_URL}/api/v1/sites/my-site/ai-gateway/token": KEY}
SECRETS = {"NETLIFY_TOKEN": TOKEN, "NETLIFY_SITE_ID": "my-site"}


class TestContract(GatewayContract):
    routes = ROUTES
    secrets = SECRETS

    @pytest.fixture
    def gateway(self) -> ModelGateway:
        return NetlifyGateway()


class Netlify:
    """A loopback server that lists models and exchanges tokens; it notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.answer: Any = KEY
        netlify = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                netlify.asked.append((self.path, self.headers["Authorization"]))
                answer = PAYLOAD if self.path.endswith("/providers") else netlify.answer
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def netlify() -> Iterator[Netlify]:
    netlify = Netlify()
    thread = Thread(target=netlify.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield netlify
    netlify.server.shutdown()
    thread.join()
    netlify.server.server_close()


class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Resolve = Callable[..., Endpoint]


@pytest.fixture
def resolve(netlify: Netlify, clock: Clock) -> Resolve:
    """Ask one gateway for the endpoint of a model, with a client of the host."""
    gateway = NetlifyGateway(f"{netlify.url}/providers", netlify.url)
    tokens = Tokens(clock)

    def resolve(
        id: str = "openai/gpt-a", *, offline: bool = False, **environ: str | None
    ) -> Endpoint:
        variables = {**SECRETS, **environ}
        present = {name: value for name, value in variables.items() if value is not None}
        client = http_client(present, offline=offline, tokens=tokens)
        try:
            return gateway.endpoint(PROVIDER, ModelInfo(id, "netlify"), present, client)
        finally:
            client.close()

    return resolve


def http_client(
    environ: dict[str, str], *, offline: bool = False, tokens: Tokens | None = None
) -> HttpClient:
    config = HttpConfig(Settings(offline=offline), Secrets(), environ, tokens=tokens or Tokens())
    return HttpClient(config, {}, gateway="netlify")


def test_the_list_becomes_one_provider_and_needs_no_credential(netlify: Netlify) -> None:
    client = http_client({})
    providers = NetlifyGateway(f"{netlify.url}/providers").fetch_providers(client)
    client.close()

    assert list(providers) == ["netlify"]
    provider = providers["netlify"]
    assert list(provider.models) == ["anthropic/claude", "openai/gpt-a", "openai/gpt-b"]
    assert provider.name == "Netlify"
    assert provider.api_key_env_vars == ("NETLIFY_TOKEN",)  # the site is a place, not a key
    assert provider.api_key_header == "Authorization"
    assert provider.doc_url == "https://docs.netlify.com/build/ai-gateway/overview/"
    assert (provider.url, provider.npm, provider.unroutable) == (None, None, None)
    assert netlify.asked == [("/providers", None)]


def test_the_public_urls_are_asked_unless_the_settings_name_others() -> None:
    def gateway(options: dict[str, Any]) -> Any:
        (gateway,) = registry_gateways(plugin_settings(options))
        return gateway

    assert (gateway({}).url, gateway({}).api_url) == (URL, API_URL)
    assert URL == "https://api.netlify.com/api/v1/ai-gateway/providers"
    other = gateway({"url": "http://mirror.example", "api_url": "http://api.example"})
    assert (other.url, other.api_url) == ("http://mirror.example", "http://api.example")
    assert (other.id, other.namespaced) == ("netlify", True)
    assert OPTION_VARIABLES == {"url": "REGISTRY_CORE_NETLIFY_URL"}


def test_the_token_of_a_site_is_exchanged_for_a_key(resolve: Resolve, netlify: Netlify) -> None:
    endpoint = resolve("openai/gpt-a")

    assert endpoint.base_url == "https://site.example/.netlify/ai"
    assert endpoint.model == "gpt-a"
    assert endpoint.api_key == "key-of-the-site"
    assert endpoint.expires_at == datetime.fromtimestamp(NOW + 3600, UTC)
    assert netlify.asked == [("/api/v1/sites/my-site/ai-gateway/token", f"Bearer {TOKEN}")]


@pytest.mark.parametrize(
    ("id", "dialect", "base_url", "model"),
    [
        ("openai/gpt-a", "openai-responses", "https://site.example/.netlify/ai", "gpt-a"),
        ("anthropic/claude", "anthropic", "https://site.example/.netlify/ai/v1", "claude"),
        ("gemini/pro", "google", "https://site.example/.netlify/ai/v1beta", "pro"),
        ("other/vendor/model", "openai", "https://site.example/.netlify/ai", "vendor/model"),
    ],
)
def test_each_vendor_is_called_in_its_own_dialect(
    resolve: Resolve, id: str, dialect: str, base_url: str, model: str
) -> None:
    endpoint = resolve(id)

    assert (endpoint.dialect, endpoint.base_url, endpoint.model) == (dialect, base_url, model)


def test_a_key_is_kept_until_a_minute_before_it_expires(
    resolve: Resolve, netlify: Netlify, clock: Clock
) -> None:
    resolve("openai/gpt-a")
    clock.now = NOW + 3600 - 61
    resolve("anthropic/claude")
    assert len(netlify.asked) == 1

    netlify.answer = {**netlify.answer, "token": "second", "expires_at": NOW + 9000}
    clock.now = NOW + 3600 - 60
    assert resolve().api_key == "second"
    assert len(netlify.asked) == 2


def test_a_key_that_expires_at_once_is_used_and_not_kept(
    resolve: Resolve, netlify: Netlify
) -> None:
    netlify.answer = {**netlify.answer, "expires_at": NOW + 30}

    assert resolve().api_key == resolve().api_key == "key-of-the-site"
    assert len(netlify.asked) == 2


def test_each_site_and_each_token_has_its_own_key(resolve: Resolve, netlify: Netlify) -> None:
    for environ in ({}, {"NETLIFY_SITE_ID": "other"}, {"NETLIFY_TOKEN": "nfp-of-another"}):
        resolve(**environ)
        resolve(**environ)

    assert netlify.asked == [
        ("/api/v1/sites/my-site/ai-gateway/token", f"Bearer {TOKEN}"),
        ("/api/v1/sites/other/ai-gateway/token", f"Bearer {TOKEN}"),
        ("/api/v1/sites/my-site/ai-gateway/token", "Bearer nfp-of-another"),
    ]


def test_threads_that_ask_at_once_share_one_exchange(resolve: Resolve, netlify: Netlify) -> None:
    barrier = Barrier(8)

    def ask(_number: int) -> str | None:
        barrier.wait()
        return resolve().api_key

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {"key-of-the-site"}
    assert len(netlify.asked) == 1


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"NETLIFY_TOKEN": None}, "NETLIFY_TOKEN not set"),
        ({"NETLIFY_SITE_ID": ""}, "NETLIFY_SITE_ID not set"),
        (
            {"NETLIFY_TOKEN": "", "NETLIFY_SITE_ID": None},
            "NETLIFY_TOKEN and NETLIFY_SITE_ID not set",
        ),
    ],
)
def test_a_missing_variable_is_an_error_that_names_both(
    resolve: Resolve, netlify: Netlify, environ: dict[str, str | None], missing: str
) -> None:
    with pytest.raises(MissingCredentialError, match=missing) as caught:
        resolve(**environ)

    assert caught.value.hint == "set NETLIFY_TOKEN and NETLIFY_SITE_ID"
    assert netlify.asked == []


def test_offline_nothing_is_exchanged_but_a_kept_key_serves(
    resolve: Resolve, netlify: Netlify
) -> None:
    with pytest.raises(OfflineError):
        resolve(offline=True)
    assert netlify.asked == []

    resolve()
    assert resolve(offline=True).api_key == "key-of-the-site"


@pytest.mark.parametrize(
    "fields",
    [{"token": None}, {"url": 7}, {"expires_at": "soon"}, {"expires_at": 10**18}],
)
def test_an_answer_without_a_key_is_an_error(
    resolve: Resolve, netlify: Netlify, fields: dict[str, Any]
) -> None:
    netlify.answer = {**netlify.answer, **fields}

    with pytest.raises(GatewayError, match="no token, url and expires_at") as caught:
        resolve()
    assert caught.value.culprit == "netlify"


def test_a_model_without_a_vendor_is_unknown(resolve: Resolve) -> None:
    with pytest.raises(UnknownModelError, match="netlify/gpt-a"):
        resolve("gpt-a")


def test_a_site_id_can_not_leave_its_place_in_the_url(resolve: Resolve, netlify: Netlify) -> None:
    resolve(NETLIFY_SITE_ID="../accounts/x?y")

    path, _ = netlify.asked[0]
    assert path == "/api/v1/sites/..%2Faccounts%2Fx%3Fy/ai-gateway/token"


def test_no_credential_shows_in_what_is_printed(resolve: Resolve) -> None:
    held = SiteKey("key-of-the-site", "https://site.example", datetime.fromtimestamp(NOW, UTC))

    assert "key-of-the-site" not in repr((resolve(), held))


def test_broken_entries_are_dropped_alone_and_named() -> None:
    losses: list[str] = []
    vendors = {
        "openai": {"models": ["gpt-a", 7, "", "a\0b"]},
        "none": None,
        "text": {"models": "gpt"},
        "": {"models": ["x"]},
    }
    providers = providers_from_payload(
        {"providers": vendors}, lambda culprit, message: losses.append(culprit)
    )

    assert list(providers["netlify"].models) == ["openai/gpt-a"]
    assert losses == [
        "netlify/openai",
        "netlify/openai",
        "netlify/none",
        "netlify/text",
        "netlify/",
        "netlify/openai/a\0b",
    ]


@pytest.mark.parametrize("payload", [None, [], {}, {"providers": None}, {"providers": []}])
def test_a_payload_of_another_shape_is_refused(payload: Any) -> None:
    with pytest.raises(GatewayError, match="expected an object with providers"):
        providers_from_payload(payload)


def test_the_entry_point_names_this_module() -> None:
    pyproject = Path(__file__).parent.parent / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]

    assert project["entry-points"]["registry_core"] == {"netlify": registry_gateways.__module__}
