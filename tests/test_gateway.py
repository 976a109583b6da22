"""What a gateway need not say, and what it sees of the settings."""

from __future__ import annotations

from registry_core import Disabled, ModelGateway, ModelInfo, PluginSettings, ProviderConfig
from registry_core._base.secrets import Secrets
from registry_core.testing import CannedClient, plugin_settings
from tests.world import JsonGateway


def test_a_gateway_is_enabled_and_leaves_its_endpoints_to_the_core() -> None:
    gateway = JsonGateway("acme", "")
    assert gateway.should_enable(plugin_settings()) is True
    provider = ProviderConfig("acme", ["m"])
    assert gateway.identity(CannedClient()) is None
    assert gateway.endpoint(provider, ModelInfo("m", "acme"), {}, CannedClient()) is None


def test_a_gateway_asks_through_its_client() -> None:
    gateway: ModelGateway = JsonGateway("acme", "https://acme.example/")
    client = CannedClient({"https://acme.example/": {"acme": ["m"]}})
    assert gateway.fetch_providers(client) == {"acme": ProviderConfig("acme", ["m"])}


def test_what_disables_is_false_and_says_why() -> None:
    disabled = Disabled("set ACME_TOKEN")
    assert not disabled
    assert disabled.reason == "set ACME_TOKEN"


def test_a_plugin_sees_its_own_options_and_what_it_asks_for() -> None:
    secrets = Secrets()
    environ = {"ACME_TOKEN": "secret-of-acme", "EMPTY": ""}
    view = PluginSettings(
        {"url": "u"}, offline=True, outputs=["json"], environ=environ, secrets=secrets
    )
    assert (view.options, view.types_providers) == ({"url": "u"}, None)
    assert (view.offline, view.dev) == (True, False)
    assert (view.wants("json"), view.wants("acme")) == (True, False)
    assert view.consulted == set()
    assert (view.secret("ACME_TOKEN"), view.secret("EMPTY"), view.secret("NONE")) == (
        "secret-of-acme",
        None,
        None,
    )
    assert view.consulted == {"ACME_TOKEN", "EMPTY", "NONE"}
    assert secrets.mask("secret-of-acme") == "***ACME_TOKEN***"
    assert "secret-of-acme" not in repr(view)
