"""What a hostile payload tries to get a key. `BUNDLE` is what came with the package."""

from __future__ import annotations

import pickle
import re

import pytest

from registry_core import (
    HostChangedError,
    MissingCredentialError,
    ProviderConfig,
    ResolveError,
    UnroutableError,
)
from registry_core._catalog.bundle import Bundle
from registry_core._resolve.bindings import Memory, remember
from tests.resolve.make import BUNDLE, OPENAI, endpoint, provider

SECRETS = {
    "OPENAI_API_KEY": "sk-openai-0123456789",
    "GROQ_API_KEY": "gsk-0123456789",
    "GITLAB_TOKEN": "glpat-0123456789",
    "ACME_API_KEY": "acme-0123456789",
    "AWS_SECRET_ACCESS_KEY": "aws-0123456789",
    "CLOUD_ACCOUNT": "account-0123456789",
}
EVIL = "https://evil.example/v1"
#: Secrets whose names are in nobody's list of words.
UNLISTED = ("PGPASSWORD", "DB_PASS", "GITHUBTOKEN", "MYSQL_PWD", "ODDLY", "SENTRY_DSN")
SECRETS |= dict.fromkeys(UNLISTED, "hunter2-0123456789")

#: All in one: what a payload may say of a provider, and how it is refused.
ATTACKS: dict[str, tuple[ProviderConfig, type[ResolveError]]] = {
    "moves a provider to another host": (provider("openai", url=EVIL), HostChangedError),
    "moves one model to another host": (
        provider("openai", url=None, model_overrides={"m": {"api": EVIL}}),
        HostChangedError,
    ),
    "renames the key variable": (
        provider("openai", url=None, api_key_env_vars="AWS_SECRET_ACCESS_KEY"),
        HostChangedError,
    ),
    "takes the key of another provider": (
        provider("openai", url=None, api_key_env_vars="GROQ_API_KEY"),
        HostChangedError,
    ),
    "swaps hosts between two providers of the bundle": (
        provider("openai", url="https://api.groq.example/v1"),
        HostChangedError,
    ),
    "takes a token whose provider has no URL": (
        provider("evil", url=EVIL, api_key_env_vars="GITLAB_TOKEN"),
        HostChangedError,
    ),
    "appears as a new provider with a known variable": (
        provider("evil", url=EVIL, api_key_env_vars="OPENAI_API_KEY"),
        HostChangedError,
    ),
    "appears under a name that looks the same": (
        provider("OpenAI", url=EVIL, api_key_env_vars="OPENAI_API_KEY"),
        HostChangedError,
    ),
    "plants a secret in the path of its own host": (
        provider("evil", url="https://evil.example/${OPENAI_API_KEY}", api_key_env_vars=()),
        UnroutableError,
    ),
    "plants a secret in the host": (
        provider("evil", url="https://${OPENAI_API_KEY}.evil.example", api_key_env_vars=()),
        UnroutableError,
    ),
    "plants a secret in the path of the right host": (
        provider("openai", url="https://api.openai.com/${OPENAI_API_KEY}"),
        UnroutableError,
    ),
    "plants a template variable of another provider": (
        provider("evil", url="https://evil.example/${CLOUD_ACCOUNT}", api_key_env_vars=()),
        HostChangedError,
    ),
    "plants a template variable in another model's host": (
        provider("cloud", url="https://evil.example/${CLOUD_ACCOUNT}", api_key_env_vars=()),
        HostChangedError,
    ),
    **{
        f"plants {name}, which no list knows, in its URL": (
            provider("evil", url=f"https://evil.example/${{{name}}}/v1"),
            UnroutableError,
        )
        for name in UNLISTED
    },
    "plants such a one in its host": (
        provider("evil", url="https://${PGPASSWORD}.evil.example", api_key_env_vars=()),
        UnroutableError,
    ),
    "plants such a one in a provider of the bundle": (
        provider("openai", url="https://api.openai.com/${PGPASSWORD}"),
        UnroutableError,
    ),
    "plants the place of one provider of the bundle in another's URL": (
        provider("openai", url="https://api.openai.com/${CLOUD_ACCOUNT}"),
        HostChangedError,
    ),
    "plants a key as if it were a place": (
        provider(
            "oddkeys", url="https://api.oddkeys.example/${ODDLY_NAMED}/v1", api_key_env_vars=()
        ),
        UnroutableError,
    ),
    "lets a variable be the host": (
        provider("openai", url="https://${AWS_REGION}"),
        HostChangedError,
    ),
    "lets a variable be the base URL": (
        provider("openai", url="${AWS_REGION}/v1"),
        HostChangedError,
    ),
    "drops the encryption": (provider("openai", url="http://api.openai.com/v1"), HostChangedError),
    "changes the port": (
        provider("openai", url="https://api.openai.com:8443/v1"),
        HostChangedError,
    ),
    "uses a host below": (provider("openai", url="https://x.api.openai.com"), HostChangedError),
    "uses the host as a prefix": (
        provider("openai", url="https://api.openai.com.evil.example"),
        HostChangedError,
    ),
    "uses an address": (provider("openai", url="https://2130706433/v1"), HostChangedError),
    "names a header that smuggles one": (
        provider("openai", url=None, api_key_header="X:\r\nHost: evil.example\r\nY"),
        UnroutableError,
    ),
}
for _url in (
    "https://api.openai.com@evil.example/v1",
    "https://evil.example\\@api.openai.com/v1",
    "https://api.openai.com\\.evil.example/v1",
    "https://evil.example#@api.openai.com/v1",
    "https://api.openai.com./v1",
    "https://api.openai.com%2f@evil.example/v1",
    "https://api.open\u0430i.com/v1",  # a Cyrillic a
    "https://api.openai.com\u3002evil.example/v1",
    "https://api.openai.com/v1\r\nHost: evil.example",
    "//evil.example/v1",
    "\x1b]0;evil\x07https://evil.example",
):
    ATTACKS[f"confuses parsers with {_url!r}"] = (provider("openai", url=_url), UnroutableError)


def _remembered(config: ProviderConfig) -> Memory:
    """The attacker is even in the first sync of this machine."""
    return remember([config, provider("acme")], BUNDLE, {})


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("frozen", [False, True], ids=["synced", "frozen"])
def test_no_key_goes_to_a_payload_that(name: str, frozen: bool) -> None:
    config, refusal = ATTACKS[name]
    environ = {**SECRETS, "AWS_REGION": "evil.example"}
    with pytest.raises(refusal) as caught:
        endpoint(config, environ, bundle=BUNDLE, remembered=_remembered(config), frozen=frozen)
    error = caught.value
    for text in (str(error), repr(error), repr(pickle.loads(pickle.dumps(error)).__dict__)):
        assert not any(secret in text for secret in SECRETS.values())
        assert text.isprintable()


def test_the_untouched_provider_gets_its_key() -> None:
    found = endpoint(OPENAI, SECRETS, bundle=BUNDLE)
    assert (found.base_url, found.api_key) == (
        "https://api.openai.com/v1",
        SECRETS["OPENAI_API_KEY"],
    )


@pytest.mark.parametrize(
    "url",
    ["https://API.OpenAI.com/v1", "https://api.openai.com:443/v1", "https://api.openai.com/v1/"],
)
def test_another_spelling_of_the_same_origin_is_the_same(url: str) -> None:
    found = endpoint(provider("openai", url=url), SECRETS, bundle=BUNDLE)
    assert found.base_url == "https://api.openai.com/v1"


def test_a_provider_that_was_remembered_cannot_move_or_rename() -> None:
    memory = _remembered(provider("acme"))
    assert endpoint(provider("acme"), SECRETS, bundle=BUNDLE, remembered=memory).api_key
    for changed in (
        provider("acme", url=EVIL),
        provider("acme", api_key_env_vars="AWS_SECRET_ACCESS_KEY"),
        provider("acme", url="https://${ACME_HOST}/v1"),
    ):
        again = remember([changed], BUNDLE, memory)
        with pytest.raises(HostChangedError):
            endpoint(changed, {**SECRETS, "ACME_HOST": "h"}, bundle=BUNDLE, remembered=again)


def test_a_new_provider_cannot_take_the_key_of_one_that_was_remembered() -> None:
    memory = _remembered(provider("acme"))
    thief = provider("evil", url=EVIL, api_key_env_vars="ACME_API_KEY")
    again = remember([thief], BUNDLE, memory)
    with pytest.raises(
        HostChangedError, match=r"https://api\.acme\.example.*https://evil\.example"
    ):
        endpoint(thief, SECRETS, bundle=BUNDLE, remembered=again)


def test_a_bound_key_is_preferred_to_one_that_a_payload_puts_before_it() -> None:
    config = provider(
        "openai", url=None, api_key_env_vars=["AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY"]
    )
    assert endpoint(config, SECRETS, bundle=BUNDLE).api_key == SECRETS["OPENAI_API_KEY"]


@pytest.mark.parametrize("frozen", [False, True], ids=["synced", "frozen"])
def test_a_new_provider_cannot_fish_for_keys_with_a_list_of_them(frozen: bool) -> None:
    names = ["EVIL_API_KEY", *SECRETS]
    fisher = provider("evil", url=EVIL, api_key_env_vars=names)
    memory = remember([fisher], BUNDLE, {})
    for name, secret in SECRETS.items():
        with pytest.raises(HostChangedError, match=name):
            endpoint(fisher, {name: secret}, bundle=BUNDLE, remembered=memory, frozen=frozen)
    own = {**SECRETS, "EVIL_API_KEY": "sk-evil"}
    found = endpoint(fisher, own, bundle=BUNDLE, remembered=memory, frozen=frozen)
    assert found.api_key == "sk-evil"


@pytest.mark.parametrize("added", ["GROQ_API_KEY", "ACME_API_KEY", "OPENAI_ADMIN_KEY", "NPM_TOKEN"])
def test_a_variable_that_a_payload_adds_to_a_provider_of_the_bundle_is_not_sent(added: str) -> None:
    config = provider("openai", url=None, api_key_env_vars=["OPENAI_API_KEY", added])
    with pytest.raises(HostChangedError, match=added):
        endpoint(config, {added: "secret-0123456789"}, bundle=BUNDLE)


def test_nor_is_it_preferred_where_the_user_says_where_to_go() -> None:
    names = ["AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY"]
    config = provider("openai", url="https://new.example/v1", api_key_env_vars=names)
    own = {**SECRETS, "OPENAI_BASE_URL": "https://proxy.example/v1"}
    for found in (
        endpoint(config, own, bundle=BUNDLE),
        endpoint(config, SECRETS, bundle=BUNDLE, trusted_hosts=["new.example"]),
    ):
        assert found.api_key == SECRETS["OPENAI_API_KEY"]


def test_what_the_bundle_has_for_one_provider_goes_to_no_other() -> None:
    """Each of several variables, such as GEMINI_API_KEY beside GOOGLE_API_KEY."""
    bundle = Bundle.of_wheel().load().get_providers()
    assert "GEMINI_API_KEY" in bundle["google"].api_key_env_vars
    for name in sorted({name for one in bundle.values() for name in one.api_key_env_vars}):
        thief = provider("evil", url=EVIL, api_key_env_vars=name)
        memory = remember([thief], bundle, {})
        assert memory == {"evil": ()}
        with pytest.raises(HostChangedError):
            endpoint(thief, {name: "secret-0123456789"}, bundle=bundle, remembered=memory)


@pytest.mark.parametrize(
    "name", ["GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY"]
)
def test_the_bundle_sends_each_of_googles_variables_to_google(name: str) -> None:
    bundle = Bundle.of_wheel().load().get_providers()
    found = endpoint(bundle["google"], {name: "k"}, model="gemini-2.5-pro", bundle=bundle)
    assert (found.api_key, found.base_url) == (
        "k",
        "https://generativelanguage.googleapis.com/v1beta",
    )


def test_the_error_names_both_hosts_and_the_line_to_add() -> None:
    with pytest.raises(HostChangedError) as caught:
        endpoint(provider("openai", url="https://new.example:8443/v1"), SECRETS, bundle=BUNDLE)
    assert str(caught.value) == (
        "openai: OPENAI_API_KEY is bound to https://api.openai.com, but would go to "
        "https://new.example:8443 (if you trust that host: "
        'trusted_hosts = ["new.example:8443"] under [tool.registry-core] in pyproject.toml, '
        "or REGISTRY_CORE_TRUSTED_HOSTS=new.example:8443)"
    )


@pytest.mark.parametrize("host", ["new.example", "new.example:8443", " New.Example "])
def test_a_trusted_host_gets_the_key(host: str) -> None:
    moved = provider("openai", url="https://NEW.example:8443/v1")
    found = endpoint(moved, SECRETS, bundle=BUNDLE, trusted_hosts=[host])
    assert found.api_key == SECRETS["OPENAI_API_KEY"]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://new.example:8443/v1", "new.example:443"),
        ("https://new.example.evil.example/v1", "new.example"),
        ("https://x.new.example/v1", "new.example"),
        ("http://new.example/v1", "new.example"),
        ("https://127.0.0.1.evil.example/v1", "127.0.0.1"),
        ("https://${AWS_REGION}/v1", "new.example"),
        ("https://${AWS_REGION}/v1", "${AWS_REGION}"),
    ],
)
def test_trusting_one_host_trusts_no_other(url: str, host: str) -> None:
    environ = {**SECRETS, "AWS_REGION": "new.example"}
    with pytest.raises(HostChangedError):
        endpoint(provider("openai", url=url), environ, bundle=BUNDLE, trusted_hosts=[host])


@pytest.mark.parametrize("address", ["localhost:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"])
def test_loopback_can_be_trusted_without_encryption(address: str) -> None:
    moved = provider("openai", url=f"http://{address}/v1")
    found = endpoint(moved, SECRETS, bundle=BUNDLE, trusted_hosts=[address])
    assert found.base_url == f"http://{address}/v1"


def test_a_provider_that_moves_to_this_machine_still_gets_no_key_unasked() -> None:
    moved = provider("openai", url="http://127.0.0.1:8080/v1")
    with pytest.raises(HostChangedError):
        endpoint(moved, SECRETS, bundle=BUNDLE)


def test_a_trusted_host_never_gets_a_secret_in_the_url() -> None:
    config = provider("evil", url="https://ok.example/${GITLAB_TOKEN}", api_key_env_vars=())
    with pytest.raises(UnroutableError, match="needs GITLAB_TOKEN"):
        endpoint(config, SECRETS, bundle=BUNDLE, trusted_hosts=["ok.example"])


def test_a_key_that_was_remembered_never_becomes_a_place() -> None:
    first = provider("evil", url=EVIL, api_key_env_vars="ODDLY")
    memory = remember([first], BUNDLE, {})
    assert endpoint(first, SECRETS, bundle=BUNDLE, remembered=memory).api_key  # as any key
    later = provider("evil", url="https://evil.example/${ODDLY}", api_key_env_vars=())
    with pytest.raises(UnroutableError, match="whose name does not mean a place"):
        endpoint(later, SECRETS, bundle=BUNDLE, remembered=remember([later], BUNDLE, memory))


def test_what_an_older_version_remembered_of_a_secret_is_not_filled_in() -> None:
    later = provider("evil", url="https://evil.example/${PGPASSWORD}", api_key_env_vars=())
    memory = {"evil": (("PGPASSWORD", "https://evil.example"),)}
    with pytest.raises(UnroutableError):
        endpoint(later, SECRETS, bundle=BUNDLE, remembered=memory)


def test_a_host_that_is_trusted_gets_places_and_no_more() -> None:
    def at(name: str) -> str:
        config = provider("evil", url=f"https://ok.example/${{{name}}}", api_key_env_vars=())
        environ = {**SECRETS, "EVIL_REGION": "eu"}
        return endpoint(config, environ, bundle=BUNDLE, trusted_hosts=["ok.example"]).base_url

    assert at("EVIL_REGION") == "https://ok.example/eu"
    for name in UNLISTED:
        with pytest.raises(UnroutableError, match=f"needs {name}.*set EVIL_BASE_URL"):
            at(name)


def test_the_bundle_may_name_a_place_by_any_name() -> None:
    odd = provider("odd", url="https://api.odd.example/${ODD_SLUG}/v1")
    environ = {"ODD_API_KEY": "k", "ODD_SLUG": "s"}
    assert endpoint(odd, environ).base_url == "https://api.odd.example/s/v1"
    with pytest.raises(UnroutableError, match="needs ODD_SLUG"):
        endpoint(odd, environ, bundle=BUNDLE, remembered=remember([odd], BUNDLE, {}))


def test_every_place_of_the_wheels_own_bundle_is_filled_in() -> None:
    asked: set[str] = set()
    bundle = Bundle.of_wheel().load().get_providers()
    for config in bundle.values():
        routes = {id: route for id, route in config.model_overrides.items() if "api" in route}
        for model in (*routes, "m"):
            try:
                endpoint(config, {}, model=model, bundle=bundle)
            except MissingCredentialError as error:
                asked |= set(re.findall(r"[A-Z_]+", error.hint.removeprefix("set ")))
            except ResolveError as error:
                assert "its base URL needs" not in str(error)
    assert {"DATABRICKS_HOST", "CLOUDFLARE_ACCOUNT_ID", "NEON_AI_GATEWAY_BASE_URL"} <= asked


def test_what_cannot_be_trusted_by_name_says_what_else_to_do() -> None:
    for url in ("https://${AWS_REGION}/v1", "http://new.example/v1"):
        with pytest.raises(HostChangedError, match="set OPENAI_BASE_URL") as caught:
            endpoint(provider("openai", url=url), SECRETS, bundle=BUNDLE)
        assert "trusted_hosts" not in str(caught.value)


def test_the_users_own_base_url_outranks_a_payload_that_moves_the_provider() -> None:
    environ = {**SECRETS, "OPENAI_BASE_URL": "http://proxy.corp.example:8000/v1"}
    found = endpoint(provider("openai", url=EVIL), environ, bundle=BUNDLE)
    assert found.base_url == "http://proxy.corp.example:8000/v1"
