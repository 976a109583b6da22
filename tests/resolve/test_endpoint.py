from __future__ import annotations

import copy
import logging
import pickle
from datetime import UTC, datetime
from typing import get_args

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from registry_core import DialectError
from registry_core.endpoint import Endpoint
from registry_core.known_providers import Dialect

KEY = "sk-very-secret-0123456789"


@pytest.mark.parametrize(
    ("dialect", "headers"),
    [
        ("openai", {"Authorization": f"Bearer {KEY}"}),
        ("openai-responses", {"Authorization": f"Bearer {KEY}"}),
        ("anthropic", {"x-api-key": KEY, "anthropic-version": "2023-06-01"}),
        ("google", {"x-goog-api-key": KEY}),
    ],
)
def test_the_key_goes_into_the_header_of_the_dialect(
    dialect: Dialect, headers: dict[str, str]
) -> None:
    endpoint = Endpoint("https://a.example/v1", "m", dialect, KEY)
    assert endpoint.headers == headers
    assert endpoint.httpx_kwargs() == {"base_url": "https://a.example/v1", "headers": headers}


def test_a_given_header_that_carries_the_key_replaces_that_of_the_dialect() -> None:
    for given in ({"api-key": KEY}, {"authorization": f"Token {KEY}"}):
        assert Endpoint("https://a.example", "m", "openai", KEY, given).headers == given


def test_other_given_headers_are_added() -> None:
    endpoint = Endpoint("https://a.example", "m", "openai", KEY, {"X-Team": "llm"})
    assert endpoint.headers == {"X-Team": "llm", "Authorization": f"Bearer {KEY}"}
    assert endpoint.openai_kwargs()["default_headers"] == {"X-Team": "llm"}


def test_a_new_key_replaces_the_old_one_in_the_headers() -> None:
    renewed = evolve(Endpoint("https://a.example", "m", "openai", KEY), api_key="sk-new")
    assert renewed.headers == {"Authorization": "Bearer sk-new"}


def test_nothing_printable_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    for dialect in get_args(Dialect):
        endpoint = Endpoint("https://a.example", "m", dialect, KEY, {"X-Other": f"Basic {KEY}"})
        logging.getLogger().warning("%s %r", endpoint, [endpoint])
        for text in (repr(endpoint), str(endpoint), f"{endpoint}", caplog.text):
            assert KEY not in text
            assert "'X-Other': '***'" in text
        with pytest.raises(DialectError) as caught:
            _wrong_helper(endpoint)
        assert KEY not in str(caught.value)


def test_without_a_key_none_is_shown() -> None:
    assert "api_key=None" in repr(Endpoint("https://a.example", "m", "openai"))


def _wrong_helper(endpoint: Endpoint) -> object:
    if endpoint.dialect == "anthropic":
        return endpoint.openai_kwargs()
    return endpoint.anthropic_kwargs()


@pytest.mark.parametrize(
    ("dialect", "wrong", "right"),
    [
        ("anthropic", "openai_kwargs", "anthropic_kwargs"),
        ("openai", "anthropic_kwargs", "openai_kwargs"),
        ("openai-responses", "anthropic_kwargs", "openai_kwargs"),
        ("google", "openai_kwargs", "httpx_kwargs"),
        ("google", "anthropic_kwargs", "httpx_kwargs"),
    ],
)
def test_a_helper_for_another_dialect_names_the_right_one(
    dialect: Dialect, wrong: str, right: str
) -> None:
    endpoint = Endpoint("https://a.example", "m", dialect, KEY)
    with pytest.raises(DialectError, match=rf"speaks the {dialect} dialect.*use {right}\(\)"):
        getattr(endpoint, wrong)()


def test_anthropics_client_gets_a_base_url_without_the_version() -> None:
    for given in ("https://a.example/anthropic/v1/", "https://a.example/anthropic"):
        kwargs = Endpoint(given, "m", "anthropic", KEY).anthropic_kwargs()
        assert kwargs["base_url"] == "https://a.example/anthropic"


def test_a_dialect_that_nobody_speaks_is_refused() -> None:
    with pytest.raises(ValueError, match="dialect"):
        Endpoint("https://a.example", "m", "klingon")  # type: ignore[arg-type]  # that is the test


def test_an_endpoint_is_immutable_and_survives_pickle_and_copy_with_its_key() -> None:
    expires_at = datetime(2026, 1, 1, tzinfo=UTC)
    endpoint = Endpoint("https://a.example/", "m", "openai", KEY, expires_at=expires_at)
    with pytest.raises(FrozenInstanceError):
        endpoint.api_key = "other"  # type: ignore[misc]  # that is the test
    with pytest.raises(TypeError, match="read-only"):
        endpoint.headers["X"] = "y"  # type: ignore[index]  # that is the test
    for same in (pickle.loads(pickle.dumps(endpoint)), copy.deepcopy(endpoint)):
        assert same == endpoint
        assert same.api_key == KEY
    assert hash(endpoint) == hash(copy.copy(endpoint))
