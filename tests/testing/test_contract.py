"""A good gateway passes the contract; each kind of bad one fails at the test that says why."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest

from registry_core import (
    Disabled,
    Endpoint,
    GatewayClient,
    GatewayError,
    ModelGateway,
    ModelInfo,
    PluginSettings,
    ProviderConfig,
)
from registry_core.records import provider_from_record
from registry_core.testing import GatewayContract

URL = "https://llm.acme.example/v1/models"
ROUTES = {URL: {"data": [{"id": "a"}, {"id": "b"}]}}
SECRETS = {"ACME_TOKEN": "acme-token-4711"}

TESTS = [name for name in vars(GatewayContract) if name.startswith("test_")]


class Good(ModelGateway):
    id = "acme"
    name = "Acme"

    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        return settings.secret("ACME_TOKEN") is not None or Disabled("set ACME_TOKEN")

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        return self.sorted_out(client.get_json(URL, bearer=client.secret("ACME_TOKEN")), client)

    def sorted_out(self, answer: Any, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        match answer:
            case {"data": [*entries]}:
                ids = [one["id"] for one in entries if isinstance(one, dict) and "id" in one]
            case _:
                raise GatewayError("sent no list", culprit=self.id)
        provider = provider_from_record("acme", {"models": ids}, client.warn)
        return {"acme": provider} if provider else {}


class TestAGoodGateway(GatewayContract):
    routes = ROUTES
    secrets = SECRETS

    @pytest.fixture
    def gateway(self) -> ModelGateway:
        return Good()


class ByOAuth(Good):
    """Exchanges the id and secret of a client for a token, by POST."""

    url = "https://login.acme.example/token"

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        def exchange() -> tuple[str, float]:
            secret = client.secret("ACME_TOKEN") or ""
            form = {"grant_type": "client_credentials", "client_secret": secret}
            match client.post_json(self.url, form=form):
                case {"access_token": str(token), "expires_in": int(seconds)}:
                    return token, seconds
                case _:
                    raise GatewayError("sent no token", culprit=self.id)

        token = client.token("", exchange)
        return self.sorted_out(client.get_json(URL, bearer=token), client)


class TestAGatewayThatExchangesATokenByPost(GatewayContract):
    routes: ClassVar = {**ROUTES, ByOAuth.url: {"access_token": "oauth-token", "expires_in": 3600}}
    secrets = SECRETS

    @pytest.fixture
    def gateway(self) -> ModelGateway:
        return ByOAuth()


class NoId(Good):
    id = "Acme Inc."


class NeverEnabled(Good):
    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        return False


class Curt(Good):
    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        return super().should_enable(settings) or Disabled("no")


class LooksAround(Good):
    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        return Path(__file__).exists() and bool(os.listdir()) and super().should_enable(settings)


class HalfUsable(Good):
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        return {**super().fetch_providers(client), "/": ProviderConfig("x", ["a"])}


class Misspelt(Good):
    def sorted_out(self, answer: Any, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        found = super().sorted_out(answer, client)
        record = {"models": {id: {"toolcall": True} for id in found["acme"].models}}
        provider = provider_from_record("acme", record, client.warn)
        return {"acme": provider} if provider else {}


class Ambiguous(Good):
    namespaced = False

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        super().fetch_providers(client)
        return {"x": ProviderConfig("x", ["y/z"]), "x/y": ProviderConfig("x/y", ["z"])}


class Growing(Good):
    count = 0

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        self.count += 1
        super().fetch_providers(client)
        return {"acme": ProviderConfig("acme", [f"model-{self.count}"])}


class Curious(Good):
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        with suppress(GatewayError):
            client.get_json(f"{URL}/more")
        return super().fetch_providers(client)


class SaysItNeedsNone(Good):
    needs_network = False


class ReadsTheEnvironment(Good):
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        os.environ.get("ACME_TOKEN")
        return super().fetch_providers(client)


class AsksByItself(Good):
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        socket.socket().close()
        return super().fetch_providers(client)


class Swallows(Good):
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        try:
            return super().fetch_providers(client)
        except GatewayError:
            return {}


class Wraps(Good):
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        try:
            return super().fetch_providers(client)
        except GatewayError as error:
            raise GatewayError("failed", culprit="acme") from error


class Trusts(Good):
    def sorted_out(self, answer: Any, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        return {"acme": ProviderConfig("acme", [one["id"] for one in answer["data"]])}


class AllOrNothing(Good):
    def sorted_out(self, answer: Any, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        try:
            return {"acme": ProviderConfig("acme", [one["id"] for one in answer["data"]])}
        except (TypeError, ValueError, KeyError) as error:
            raise GatewayError("sent what can't be used", culprit="acme") from error


class Chatty(Good):
    def sorted_out(self, answer: Any, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        try:
            return super().sorted_out(answer, client)
        except GatewayError:
            token = client.secret("ACME_TOKEN")
            raise GatewayError(f"sent no list to {token}", culprit="acme") from None


class Indiscreet(Good):
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        url = f"https://{client.secret('ACME_TOKEN')}.acme.example"
        found = super().fetch_providers(client)
        return {"acme": ProviderConfig("acme", found["acme"].models, url=url)} if found else {}


class WrongEndpoint(Good):
    def endpoint(
        self,
        provider: ProviderConfig,
        model: ModelInfo,
        environ: Mapping[str, str],
        client: GatewayClient,
    ) -> Endpoint | None:
        return {"base_url": URL}  # type: ignore[return-value]


class AsksWhoItIs(Good):
    def identity(self, client: GatewayClient) -> str | None:
        return str(client.get_json(URL))


class Anonymous(Good):
    def identity(self, client: GatewayClient) -> str | None:
        return object()  # type: ignore[return-value]


BAD: list[tuple[type[Good], str]] = [
    (NoId, "test_the_host_takes_its_id_and_name"),
    (NeverEnabled, "test_it_is_enabled_with_its_secrets"),
    (Curt, "test_without_its_secrets_it_says_what_to_set"),
    (LooksAround, "test_it_is_enabled_with_its_secrets"),
    (AsksWhoItIs, "test_its_identity_is_told_without_asking_anybody"),
    (Anonymous, "test_its_identity_is_told_without_asking_anybody"),
    (HalfUsable, "test_the_host_publishes_all_that_it_returns"),
    (Misspelt, "test_its_records_have_no_misspelt_field"),
    (Ambiguous, "test_every_model_can_be_looked_up"),
    (Growing, "test_the_same_answers_give_the_same_providers"),
    (Curious, "test_it_asks_its_routes_and_nothing_else"),
    (SaysItNeedsNone, "test_it_asks_its_routes_and_nothing_else"),
    (ReadsTheEnvironment, "test_it_acts_through_its_client_alone"),
    (AsksByItself, "test_it_acts_through_its_client_alone"),
    (Swallows, "test_it_passes_on_what_the_client_raises"),
    (Wraps, "test_it_passes_on_what_the_client_raises"),
    (Trusts, "test_any_answer_is_sorted_out_or_a_registry_error"),
    (AllOrNothing, "test_one_bad_record_does_not_cost_the_others"),
    (Chatty, "test_no_secret_shows"),
    (Indiscreet, "test_no_secret_shows"),
    (WrongEndpoint, "test_its_endpoint_is_whole_or_left_to_the_core"),
]


@pytest.mark.parametrize(("gateway", "failing"), BAD)
def test_a_bad_gateway_fails_where_it_is_bad(gateway: type[Good], failing: str) -> None:
    assert failing in failures(gateway)


def test_there_is_a_bad_gateway_for_each_test_of_the_contract() -> None:
    assert {failing for _, failing in BAD} == set(TESTS)


def test_a_good_gateway_fails_nowhere() -> None:
    assert failures(Good) == {}


def test_the_message_says_what_the_gateway_did() -> None:
    assert "ACME_TOKEN" in failures(ReadsTheEnvironment)["test_it_acts_through_its_client_alone"]
    message = failures(Trusts)["test_any_answer_is_sorted_out_or_a_registry_error"]
    assert "TypeError" in message
    assert "null" in message


def failures(gateway: type[Good]) -> dict[str, str]:
    """Test of the contract → why it fails."""
    failed: dict[str, str] = {}
    for name in TESTS:
        try:
            getattr(Acme(), name)(gateway())
        except (AssertionError, GatewayError) as error:
            failed[name] = str(error)
    return failed


class Acme(GatewayContract):
    routes = ROUTES
    secrets = SECRETS
