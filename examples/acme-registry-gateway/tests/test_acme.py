from __future__ import annotations

import acme_registry_gateway
import pytest
from acme_registry_gateway import URL, AcmeGateway, registry_gateways

from registry_core import ModelGateway
from registry_core.testing import CannedClient, GatewayContract, check_plugin, plugin_settings

MODELS = f"{URL}/models"
ANSWER = {
    "object": "list",
    "data": [
        {"id": "acme-large", "object": "model", "owned_by": "acme", "context_window": 200_000},
        {"id": "acme-small", "object": "model", "owned_by": "acme"},
    ],
}
ROUTES = {MODELS: ANSWER}
SECRETS = {"ACME_TOKEN": "acme-token-4711"}


class TestContract(GatewayContract):
    routes = ROUTES
    secrets = SECRETS

    @pytest.fixture
    def gateway(self) -> ModelGateway:
        return AcmeGateway()


def test_it_is_a_plugin() -> None:
    check_plugin(acme_registry_gateway, secrets=SECRETS)


def test_the_models_are_acmes_own_and_need_its_token() -> None:
    client = CannedClient(ROUTES, secrets=SECRETS)

    providers = AcmeGateway().fetch_providers(client)

    acme = providers["acme"]
    assert list(acme.models) == ["acme-large", "acme-small"]
    assert acme.models["acme-large"].limit.context == 200_000
    assert acme.models["acme-small"].limit.context is None
    assert (acme.url, acme.api_key_env_vars) == (URL, ("ACME_TOKEN",))
    assert [request.bearer for request in client.requests] == ["acme-token-4711"]


def test_a_model_without_an_id_is_dropped_and_named() -> None:
    client = CannedClient({MODELS: {"data": [{"id": "a"}, {}]}}, secrets=SECRETS)

    assert list(AcmeGateway().fetch_providers(client)["acme"].models) == ["a"]
    assert [warning.culprit for warning in client.warnings] == ["acme"]


def test_another_server_can_be_named_in_pyproject() -> None:
    (gateway,) = registry_gateways(plugin_settings({"url": "https://llm.test.example/v1"}))
    client = CannedClient({"https://llm.test.example/v1/models": ANSWER}, secrets=SECRETS)

    assert gateway.fetch_providers(client)
