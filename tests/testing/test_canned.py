"""The canned client behaves as the host's does, save that it asks nobody."""

from __future__ import annotations

from typing import Any

import pytest

from registry_core import GatewayClient, GatewayError, OfflineError
from registry_core.testing import CannedClient, CannedRequest, plugin_settings
from tests.clients import http_client
from tests.loopback import Loopback, Reply

URL = "https://llm.acme.example/v1/models"


def test_it_is_a_client_for_the_type_checker_and_answers_from_its_routes() -> None:
    canned = CannedClient({URL: {"data": [1, "x"]}}, options={"team": "a"})
    client: GatewayClient = canned
    assert client.get_json(URL) == {"data": [1, "x"]}
    assert client.options == {"team": "a"}
    client.warn("acme/x", "has no price")
    assert [(one.culprit, one.message) for one in canned.warnings] == [("acme/x", "has no price")]


def test_each_answer_is_a_copy() -> None:
    client = CannedClient({URL: {"data": []}})
    client.get_json(URL)["data"].append("changed")
    assert client.get_json(URL) == {"data": []}


def test_it_keeps_what_it_was_asked() -> None:
    client = CannedClient({f"{URL}?page=2": []})
    client.get_json(URL, bearer="t", headers={"X-Team": "a"}, params={"page": "2"})
    assert client.requests == [CannedRequest(f"{URL}?page=2", "t", {"X-Team": "a"})]
    assert "'t'" not in repr(client.requests)


def test_a_post_is_answered_from_the_routes_and_kept_with_what_it_sent() -> None:
    canned = CannedClient({URL: {"token": "t"}})
    client: GatewayClient = canned
    assert client.post_json(URL, form={"a": "hidden"}, bearer="b") == {"token": "t"}
    assert client.post_json(URL, json=["hidden"], headers={"X-Team": "a"}) == {"token": "t"}
    assert canned.requests == [
        CannedRequest(URL, "b", method="POST", form={"a": "hidden"}),
        CannedRequest(URL, headers={"X-Team": "a"}, method="POST", json=["hidden"]),
    ]
    assert "hidden" not in repr(canned.requests)


def test_a_token_is_exchanged_once_and_checked_as_the_host_does() -> None:
    client = CannedClient({URL: {"token": "t"}}, secrets={"A": "a-token"})

    def exchange() -> tuple[str, float]:
        client.secret("A")
        return client.post_json(URL)["token"], 3600

    assert [client.token("", exchange) for _ in range(2)] == ["t", "t"]
    assert client.urls == [URL]
    with pytest.raises(GatewayError, match="aware datetime or seconds from now"):
        client.token("other", lambda: ("t", None))  # type: ignore[arg-type, return-value]


def test_a_url_without_a_route_is_an_error_that_names_it() -> None:
    client = CannedClient()
    with pytest.raises(GatewayError, match=URL):
        client.get_json(URL)
    assert client.urls == [URL]


def test_a_route_can_raise() -> None:
    with pytest.raises(OfflineError):
        CannedClient({URL: OfflineError("no network")}).get_json(URL)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"a": [1,', b"[NaN, 1e999]", b"\xef\xbb\xbf[1]", b'"\\ud800"']
)
def test_a_body_is_read_as_the_hosts_client_reads_it(body: bytes, server: Loopback) -> None:
    server.route("/models", Reply(200, body))
    real, url = http_client(), server.url("/models")

    def outcome(client: GatewayClient) -> Any:
        try:
            return client.get_json(url)
        except GatewayError as error:
            return str(error)

    expected = outcome(real)
    real.close()
    assert outcome(CannedClient({url: body})) == expected


def test_options_are_frozen_and_secrets_are_read_as_the_host_reads_them() -> None:
    client = CannedClient(options={"url": URL}, secrets={"A": " a-token\n", "EMPTY": ""})
    assert dict(client.options) == {"url": URL}
    with pytest.raises(TypeError):
        client.options["url"] = "other"  # type: ignore[index]
    assert (client.secret("A"), client.secret("EMPTY"), client.secret("B")) == (
        "a-token",
        None,
        None,
    )


def test_warnings_are_kept_as_they_are() -> None:
    client = CannedClient()
    client.warn("acme/x", "dropped")
    assert [(one.culprit, one.message, one.fatal) for one in client.warnings] == [
        ("acme/x", "dropped", False)
    ]


def test_plugin_settings_are_what_a_hook_is_given() -> None:
    view = plugin_settings({"order": 1}, secrets={"ACME_TOKEN": "x"}, types_providers=("openai",))
    assert view.options == {"order": 1}
    assert (view.secret("ACME_TOKEN"), view.secret("OTHER")) == ("x", None)
    assert (view.offline, view.dev, view.types_providers) == (False, False, ("openai",))
