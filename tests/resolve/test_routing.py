from __future__ import annotations

import contextlib
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry_core import MissingCredentialError, ProviderConfig, ResolveError, UnroutableError
from registry_core._base.variable_names import base_url_variable
from registry_core._base.warning import warn_once
from registry_core._catalog.bundle import Bundle
from registry_core._resolve.dialects import dialect_of
from registry_core.known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN
from tests.resolve.make import endpoint, provider

KEYS = {"ACME_API_KEY": "sk-acme"}


def test_a_model_is_called_at_the_url_of_its_provider() -> None:
    found = endpoint(provider(), KEYS)
    assert (found.base_url, found.model, found.dialect, found.api_key, found.expires_at) == (
        "https://api.acme.example/v1",
        "m",
        "openai",
        "sk-acme",
        None,
    )


def test_the_sources_of_the_base_url_outrank_one_another() -> None:
    overridden = provider(
        "openai", url="https://p.example", model_overrides={"m": {"api": "https://o.example/"}}
    )
    plain = provider("openai", url="https://p.example")
    default = provider("openai", url=None)
    own = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://own.example:8000/v1/"}
    keys = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": " "}
    assert endpoint(overridden, own).base_url == "http://own.example:8000/v1"
    assert endpoint(overridden, keys).base_url == "https://o.example"
    assert endpoint(overridden, keys, model="other").base_url == "https://p.example"
    assert endpoint(plain, keys).base_url == "https://p.example"
    assert endpoint(default, keys).base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("id", "variable"),
    [
        ("openai", "OPENAI_BASE_URL"),
        ("my-ai.v2", "MY_AI_V2_BASE_URL"),
        ("acme/open_ai", "ACME_OPEN_AI_BASE_URL"),
        ("302ai", "302AI_BASE_URL"),
        ("openaı", "OPENA__BASE_URL"),  # dotless i, whose upper case is I
    ],
)
def test_the_base_url_variable_is_named_after_the_provider(id: str, variable: str) -> None:
    assert base_url_variable(id) == variable


DEFAULTS = {id: one for id, one in KNOWN_PROVIDERS.items() if one.url}


@pytest.mark.parametrize("id", DEFAULTS)
def test_a_provider_without_a_url_has_a_default(id: str) -> None:
    config = provider(id, url=None, api_key_env_vars="K")
    assert endpoint(config, {"K": "k"}).base_url == DEFAULTS[id].url


def test_the_docs_list_the_same_defaults() -> None:
    text = (Path(__file__).parents[2] / "docs" / "resolve.md").read_text("utf-8")
    rows = re.findall(
        r"^\| `([a-z]+)` \| `(https://[^`]+)` \| ([a-z-]+) \| `([A-Za-z-]+)` \| \S+ \|$", text, re.M
    )
    assert rows == [(id, one.url, one.dialect, one.key_header) for id, one in DEFAULTS.items()]


def test_the_docs_list_the_same_providers_that_take_more_than_a_key() -> None:
    text = (Path(__file__).parents[2] / "docs" / "resolve.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (it[^|]+) \| \S+ \|$", text, re.M)
    known = [(id, one.unroutable) for id, one in KNOWN_PROVIDERS.items() if one.unroutable]
    assert rows == known
    assert all(KNOWN_PROVIDERS[id].url is None for id, _ in rows)


@pytest.mark.parametrize(
    ("id", "npm", "shape", "dialect"),
    [
        ("acme", None, None, "openai"),
        ("acme", "@ai-sdk/openai-compatible", None, "openai"),
        ("acme", "some-unknown-package", None, "openai"),
        ("acme", "@ai-sdk/openai", None, "openai-responses"),
        ("acme", "@ai-sdk/openai", "completions", "openai"),
        ("acme", "@ai-sdk/openai-compatible", "responses", "openai-responses"),
        ("acme", "@ai-sdk/openai-compatible", "octagon", "openai"),
        ("acme", "@ai-sdk/anthropic", None, "anthropic"),
        ("acme", "@ai-sdk/google", None, "google"),
        ("anthropic", None, None, "anthropic"),
        ("google", None, None, "google"),
        ("openai", None, None, "openai-responses"),
        ("openai", "@ai-sdk/openai-compatible", None, "openai"),
    ],
)
def test_the_dialect_follows_shape_then_package_then_provider(
    id: str, npm: str | None, shape: str | None, dialect: str
) -> None:
    assert dialect_of(id, npm, shape) == dialect


def test_an_override_changes_the_dialect_of_one_model() -> None:
    config = provider(
        models=["claude", "gpt", "m"],
        model_overrides={
            "claude": {"npm": "@ai-sdk/anthropic"},
            "gpt": {"shape": "responses", "api": "https://alt.example/v1"},
        },
    )
    assert endpoint(config, KEYS, model="claude").dialect == "anthropic"
    assert endpoint(config, KEYS, model="gpt").dialect == "openai-responses"
    assert endpoint(config, KEYS, model="gpt").base_url == "https://alt.example/v1"
    assert endpoint(config, KEYS).dialect == "openai"


def test_an_anthropic_base_url_with_or_without_the_version_is_the_same() -> None:
    config = provider("anthropic", url=None)
    for own in ("http://127.0.0.1:1", "http://127.0.0.1:1/v1"):
        found = endpoint(config, {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": own})
        assert found.base_url == "http://127.0.0.1:1/v1"
        assert found.anthropic_kwargs()["base_url"] == "http://127.0.0.1:1"


def test_the_first_key_variable_that_is_set_wins() -> None:
    config = provider(api_key_env_vars=["A_KEY", "B_KEY", "C_KEY"])
    assert endpoint(config, {"A_KEY": "  ", "B_KEY": "b\n", "C_KEY": "c"}).api_key == "b"


def test_a_missing_key_names_all_its_variables() -> None:
    config = provider(api_key_env_vars=["A_KEY", "B_KEY"])
    with pytest.raises(MissingCredentialError, match="A_KEY or B_KEY is not set") as caught:
        endpoint(config, {"A_KEY": ""})
    assert caught.value.culprit == "acme"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_only_key_that_is_missing_is_the_one_to_set() -> None:
    with pytest.raises(MissingCredentialError, match="ACME_API_KEY is not set") as caught:
        endpoint(provider(), {})
    assert caught.value.hint == "set ACME_API_KEY"


def test_a_provider_without_key_variables_needs_none() -> None:
    found = endpoint(provider(api_key_env_vars=()), {"OPENAI_API_KEY": "sk"})
    assert found.api_key is None
    assert found.headers == {}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1234/v1", "http://localhost:8080", "https://[::1]:8443/v1"]
)
def test_a_server_on_this_machine_needs_no_key_and_gets_one_that_is_set(url: str) -> None:
    config = provider(url=url)
    for unset in ({}, {"ACME_API_KEY": " "}):
        found = endpoint(config, unset)
        assert (found.base_url, found.api_key, found.headers) == (url, None, {})
        # Without one, the client would send OPENAI_API_KEY there.
        assert found.openai_kwargs() == {"base_url": url, "api_key": "no-key"}
    assert endpoint(config, KEYS).api_key == "sk-acme"


def test_so_does_one_that_the_user_or_a_variable_puts_there() -> None:
    own = {"ACME_BASE_URL": "http://localhost:4000/v1"}
    assert endpoint(provider(), own).api_key is None
    assert endpoint(provider(), own | KEYS).api_key == "sk-acme"
    template = provider(url="${ACME_HOST_URL}/v1")
    there = {"ACME_HOST_URL": "http://127.0.0.1:4000"}
    assert endpoint(template, there).base_url == "http://127.0.0.1:4000/v1"
    with pytest.raises(MissingCredentialError, match="set ACME_API_KEY"):
        endpoint(template, {"ACME_HOST_URL": "https://acme.example"})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1.acme.example/v1", "http://localhost.acme.example", "http://10.0.0.1"]
)
def test_a_name_that_begins_like_this_machine_needs_a_key(url: str) -> None:
    with pytest.raises(MissingCredentialError):
        endpoint(provider(url=url), {})


def test_the_header_that_a_provider_names_carries_the_key() -> None:
    assert endpoint(provider(api_key_header="api-key")).headers == {"api-key": "sk-test"}
    for usual in (None, "Authorization", "authorization"):
        found = endpoint(provider(api_key_header=usual, npm="@ai-sdk/anthropic"))
        assert found.headers == {"x-api-key": "sk-test", "anthropic-version": "2023-06-01"}
    with pytest.raises(UnroutableError, match="key header"):
        endpoint(provider(api_key_header="X: y\r\nHost"))


def test_templates_are_filled_from_the_environment() -> None:
    config = provider(url="https://api.acme.example/${ACME_ACCOUNT}/v1")
    found = endpoint(config, {**KEYS, "ACME_ACCOUNT": "acc-1"})
    assert found.base_url == "https://api.acme.example/acc-1/v1"


def test_a_template_variable_that_is_not_set_is_named() -> None:
    config = provider(url="https://${ACME_HOST}/${ACME_ACCOUNT}/v1")
    with pytest.raises(MissingCredentialError, match="set ACME_HOST and ACME_ACCOUNT"):
        endpoint(config, KEYS)


def test_a_value_that_does_not_fit_is_named_but_not_shown() -> None:
    config = provider(url="https://api.acme.example/${ACME_ACCOUNT}/v1")
    with pytest.raises(ResolveError, match="ACME_ACCOUNT: holds a value") as caught:
        endpoint(config, {**KEYS, "ACME_ACCOUNT": "../@evil.example"})
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    "own",
    ["api.example", "https://u:p@h.example", "https://h.example?k=1", "https://${HOST}/v1"],
)
def test_a_base_url_variable_that_is_not_plain_is_named_but_not_shown(own: str) -> None:
    with pytest.raises(ResolveError, match="ACME_BASE_URL: is not a plain base URL") as caught:
        endpoint(provider(), {**KEYS, "ACME_BASE_URL": own, "HOST": "h"})
    assert own not in str(caught.value)


OPERATIONS = [
    "/chat/completions",
    "/completions",
    "/messages",
    "/responses",
    "/embeddings",
    "/models/m:generateContent",
    "/models/m:streamGenerateContent",
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("npm", ["@ai-sdk/openai-compatible", "@ai-sdk/anthropic"])
def test_a_base_url_that_ends_in_an_operation_is_refused_by_name(operation: str, npm: str) -> None:
    config, kept = provider(npm=npm), f"/v1{operation}"
    for own in (f"https://proxy.example{kept}", f"https://proxy.example{kept}/"):
        with pytest.raises(ResolveError) as caught:
            endpoint(config, {**KEYS, "ACME_BASE_URL": own})
        assert str(caught.value) == (
            f"ACME_BASE_URL: ends in {operation}, which the client adds by itself"
            f" (write only what stands before {operation})"
        )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_so_is_the_value_of_a_variable_and_the_url_of_a_catalog(operation: str) -> None:
    environ = {**KEYS, "ACME_URL": f"https://acme.example/v1{operation}"}
    for template in ("${ACME_URL}", "${ACME_URL}/v1"):
        with pytest.raises(ResolveError, match=f"ACME_URL: ends in {operation}"):
            endpoint(provider(url=template), environ)
    elsewhere = {"m": {"api": f"https://acme.example/v1{operation}"}}
    for config in (
        provider(url=f"https://a.example/v1{operation}"),
        provider(model_overrides=elsewhere),
    ):
        with pytest.raises(UnroutableError, match=f"acme: .* ends in {operation}.*ACME_BASE_URL"):
            endpoint(config, KEYS)


def test_what_only_looks_like_an_operation_passes() -> None:
    for url in (
        "https://h.example/messages/v1",
        "https://h.example/my-responses",
        "https://completions",
    ):
        assert endpoint(provider(), {**KEYS, "ACME_BASE_URL": url}).base_url == url


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What this process was warned of, as if for the first time."""
    warn_once.cache_clear()
    yield caplog
    warn_once.cache_clear()


def test_a_base_url_without_the_version_that_the_providers_has_is_pointed_out(
    told: pytest.LogCaptureFixture,
) -> None:
    environ = {**KEYS, "ACME_BASE_URL": "http://proxy.example:4000"}
    for _ in range(2):
        assert endpoint(provider(), environ).base_url == "http://proxy.example:4000"
    assert told.messages == [
        "ACME_BASE_URL: its URL has no version such as /v1, which acme's own has; where calls end"
        " in 404, add it"
    ]


@pytest.mark.parametrize(
    ("config", "own"),
    [
        (provider(), "http://proxy.example/v2"),
        (provider(), "http://proxy.example/v1beta/openai"),
        (provider(url="https://api.acme.example"), "http://proxy.example"),
        (provider(npm="@ai-sdk/anthropic"), "http://proxy.example"),
        (provider(url=None), "http://proxy.example"),
    ],
    ids=["another", "inside", "the provider has none", "anthropic's is added", "nothing known"],
)
def test_nothing_is_pointed_out_where(
    config: ProviderConfig, own: str, told: pytest.LogCaptureFixture
) -> None:
    endpoint(config, {**KEYS, "ACME_BASE_URL": own})
    assert told.messages == []


def test_a_key_that_no_header_can_carry_is_named_but_not_shown() -> None:
    for key in ("sk-1\nsk-2", "“sk-1”", "sk\x7f", "sk-\udcff"):
        with pytest.raises(ResolveError, match="ACME_API_KEY: holds characters") as caught:
            endpoint(provider(), {"ACME_API_KEY": key})
        assert "sk" not in str(caught.value)


def test_an_unroutable_provider_gives_its_reason_whatever_is_set() -> None:
    config = provider(unroutable="needs a request signature")
    environ = {**KEYS, "ACME_BASE_URL": "http://localhost:1"}
    with pytest.raises(UnroutableError, match=r"acme: .*needs a request signature"):
        endpoint(config, environ)


def test_a_model_with_a_url_of_its_own_is_called_there_though_its_provider_has_none() -> None:
    bundle = Bundle.of_wheel().load().get_providers()
    environ = {"AZURE_RESOURCE_NAME": "mine", "AZURE_API_KEY": "k"}
    found = endpoint(bundle["azure"], environ, model="claude-opus-4-5", bundle=bundle)
    assert (found.base_url, found.dialect, found.api_key) == (
        "https://mine.services.ai.azure.com/anthropic/v1",
        "anthropic",
        "k",
    )
    for missing in environ:
        given = {name: text for name, text in environ.items() if name != missing}
        with pytest.raises(MissingCredentialError, match=missing):
            endpoint(bundle["azure"], given, model="claude-opus-4-5", bundle=bundle)
    with pytest.raises(UnroutableError, match=r"no known base URL for gpt-4o.*AZURE_BASE_URL"):
        endpoint(bundle["azure"], environ, model="gpt-4o", bundle=bundle)


def test_the_models_of_the_bundle_that_only_their_own_urls_make_routable() -> None:
    bundle = Bundle.of_wheel().load().get_providers()
    routed: dict[str, int] = {}
    for id, config in bundle.items():
        if config.url or KNOWN_PROVIDERS.get(id, NOTHING_KNOWN).url:
            continue
        for model in config.models:
            environ = dict.fromkeys(config.api_key_env_vars, "k")
            environ |= {f"{id.upper().replace('-', '_')}_RESOURCE_NAME": "r"}
            with contextlib.suppress(UnroutableError):
                endpoint(config, environ, model=model, bundle=bundle)
                routed[id] = routed.get(id, 0) + 1
    assert routed == {"azure": 19, "azure-cognitive-services": 16, "cohere": 1}


def test_a_policy_that_makes_a_provider_unroutable_holds_for_models_with_their_own_url() -> None:
    elsewhere = {"m": {"api": "https://acme.example/v1"}}
    with pytest.raises(UnroutableError, match="ask the platform team"):
        endpoint(provider(model_overrides=elsewhere, unroutable="ask the platform team"), KEYS)


def test_a_provider_without_any_url_says_which_variable_would_help() -> None:
    config: ProviderConfig = provider(url=None)
    with pytest.raises(UnroutableError, match="set ACME_BASE_URL"):
        endpoint(config, KEYS)
    assert endpoint(config, {**KEYS, "ACME_BASE_URL": "http://h/v1"}).base_url == "http://h/v1"
