"""Tests to inherit, with what the host expects of every gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from .._base.frozen import EMPTY
from .._catalog.snapshot import Snapshot
from .._plugins.hook_rules import returned_facts, returned_gateways
from .._sync.facts import as_providers
from ..endpoint import Endpoint
from ..errors import GatewayError, GatewayTimeoutError, OfflineError, RegistryError
from ..models import ProviderConfig
from ..plugin import Disabled, FactSource, ModelGateway
from ..records import clean_providers
from .canned import CannedClient, plugin_settings
from .variants import BODIES, with_part_replaced, with_stray
from .watch import watch_acts

Providers = Mapping[str, ProviderConfig]


class GatewayContract:
    """Tests of a gateway. Inherit them, and define the answers of its service.

        class TestAcme(GatewayContract):
            routes = {"https://llm.acme.example/v1/models": {"data": [{"id": "a"}, {"id": "b"}]}}
            secrets = {"ACME_TOKEN": "acme-token-4711"}

            @pytest.fixture
            def gateway(self):
                return AcmeGateway()

    `routes`: URL → JSON value, as for `CannedClient`. Use a small, good answer with two models
    or more. `options` and `secrets` (variables) are those with which the gateway is enabled.
    The fixture `gateway` makes a new gateway each time.
    """

    routes: ClassVar[Mapping[str, Any]] = EMPTY
    options: ClassVar[Mapping[str, Any]] = EMPTY
    secrets: ClassVar[Mapping[str, str]] = EMPTY

    def test_the_host_takes_its_id_and_name(self, gateway: Any) -> None:
        _, complaints = self._returned([gateway])
        assert not complaints, complaints[0]

    def test_it_is_enabled_with_its_secrets(self, gateway: Any) -> None:
        with watch_acts() as acts:
            enabled = gateway.should_enable(plugin_settings(self.options, secrets=self.secrets))
        assert enabled is True, f"should_enable gave {enabled!r}; give its `secrets` and `options`"
        assert not acts, f"should_enable must decide by `settings` alone, but did: {acts[0]}"

    def test_without_its_secrets_it_says_what_to_set(self, gateway: Any) -> None:
        enabled = gateway.should_enable(plugin_settings(self.options))
        if isinstance(enabled, Disabled):
            named = any(name in enabled.reason for name in self.secrets)
            assert named, f"{enabled.reason!r} names none of {', '.join(self.secrets) or 'secrets'}"
        else:
            assert isinstance(enabled, bool), f"should_enable gave {enabled!r}"

    def test_its_identity_is_told_without_asking_anybody(self, gateway: Any) -> None:
        client = self._client()
        with watch_acts() as acts:
            identity: Any = gateway.identity(client)
        asked = [*client.urls, *acts]
        assert not asked, f"identity must go by client.secret and client.options; it did: {asked}"
        assert identity is None or isinstance(identity, str), f"identity gave {identity!r}"
        assert gateway.identity(self._client()) == identity, "the second identity differs"

    def test_the_host_publishes_all_that_it_returns(self, gateway: Any) -> None:
        returned = self._fetch(gateway, self._client())
        _, problems = clean_providers(gateway.id, gateway.namespaced, returned)
        assert not problems, f"{problems[0].culprit}: {problems[0].message}"

    def test_its_records_have_no_misspelt_field(self, gateway: Any) -> None:
        client = self._client()
        self._fetch(gateway, client)
        misspelt = [
            str(warning) for warning in client.warnings if "did you mean" in warning.message
        ]
        assert not misspelt, misspelt[0]

    def test_every_model_can_be_looked_up(self, gateway: Any) -> None:
        published = self._published(gateway, self._client())
        snapshot = Snapshot.build(published)
        for id, provider in published.items():
            for model in provider.models:
                found = snapshot.get_model(f"{id}/{model}")
                assert found is not None, f"{id}/{model} can't be looked up"
                assert found.provider_id == id, f"{id}/{model} is hidden by {found.provider_id}"

    def test_the_same_answers_give_the_same_providers(self, gateway: Any) -> None:
        first = self._published(gateway, self._client())
        assert self._published(gateway, self._client()) == first, "the second fetch differs"

    def test_it_asks_its_routes_and_nothing_else(self, gateway: Any) -> None:
        client = self._client()
        self._fetch(gateway, client)
        if not gateway.needs_network:
            assert not client.urls, "needs_network is False, but it asked for a URL"
        strange = [url for url in client.urls if url not in self.routes]
        assert not strange, f"no canned route for {strange[0]}"

    def test_it_acts_through_its_client_alone(self, gateway: Any) -> None:
        client = self._client()
        with watch_acts() as acts:
            self._fetch(gateway, client)
        assert not acts, f"use client.get_json and client.secret; it did: {acts[0]}"

    def test_it_passes_on_what_the_client_raises(self, gateway: Any) -> None:
        for kind in (GatewayError, GatewayTimeoutError, OfflineError):
            client = self._client(dict.fromkeys(self.routes, kind("canned failure")))
            error: Exception | None = None
            try:
                self._fetch(gateway, client)
            except Exception as raised:
                error = raised
            if client.urls:
                assert isinstance(error, kind), f"turned a {kind.__name__} into {error!r}"

    def test_any_answer_is_sorted_out_or_a_registry_error(self, gateway: Any) -> None:
        for answer, routes in self._answers():
            self._try(gateway, self._client(routes), answer)

    def test_one_bad_record_does_not_cost_the_others(self, gateway: Any) -> None:
        providers = self._published(gateway, self._client()).values()
        if sum(len(provider.models) for provider in providers) < 2:
            return  # the bad record may be the only one
        for url, payload in self._payloads():
            for stray in with_stray(payload):
                answer = f"{stray!r:.500}"
                published = self._try(gateway, self._client({**self.routes, url: stray}), answer)
                assert published, f"one stray null, and all models are lost: {answer}"

    def test_no_secret_shows(self, gateway: Any) -> None:
        values = {name: value for name, value in self.secrets.items() if value}
        for answer, routes in [("its routes", self.routes), *self._answers()]:
            client = self._client(routes)
            try:
                shown = repr(dict(self._fetch(gateway, client)))
            except Exception as error:
                shown = f"{error} {error!r} {getattr(error, '__notes__', '')}"
            shown += repr(client.warnings)
            for name, value in values.items():
                assert value not in shown, f"the value of {name} shows after {answer}"

    def test_its_endpoint_is_whole_or_left_to_the_core(self, gateway: Any) -> None:
        if not isinstance(gateway, ModelGateway):
            return
        for provider in self._published(gateway, self._client()).values():
            model = next(iter(provider.models.values()))
            for secrets in (self.secrets, EMPTY):
                try:
                    endpoint = gateway.endpoint(
                        provider, model, secrets, self._client(secrets=secrets)
                    )
                except RegistryError:
                    continue
                assert endpoint is None or isinstance(endpoint, Endpoint), repr(endpoint)

    def _returned(self, gateways: list[Any]) -> tuple[Any, tuple[Any, ...]]:
        return returned_gateways(gateways)

    def _fetch(self, gateway: Any, client: CannedClient) -> Any:
        return gateway.fetch_providers(client)

    def _client(
        self, routes: Mapping[str, Any] | None = None, secrets: Mapping[str, str] | None = None
    ) -> CannedClient:
        return CannedClient(
            self.routes if routes is None else routes,
            options=self.options,
            secrets=self.secrets if secrets is None else secrets,
        )

    def _published(self, gateway: Any, client: CannedClient) -> Providers:
        returned = self._fetch(gateway, client)
        return clean_providers(gateway.id, gateway.namespaced, returned)[0]

    def _payloads(self) -> Iterator[tuple[str, Any]]:
        for url, payload in self.routes.items():
            if not isinstance(payload, (bytes, BaseException)):
                yield url, payload

    def _answers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """A text for messages, and routes with one bad answer."""
        for url in self.routes:
            for body in BODIES:
                yield repr(body), {**self.routes, url: body}
        for url, payload in self._payloads():
            for bad in with_part_replaced(payload):
                yield f"{bad!r:.500}", {**self.routes, url: bad}

    def _try(self, gateway: Any, client: CannedClient, answer: str) -> Providers:
        """The providers that the host would publish; empty if it would report a RegistryError."""
        try:
            return self._published(gateway, client)
        except RegistryError:
            return {}
        except Exception as error:
            raise AssertionError(
                f"raise a GatewayError, or drop what is bad and `warn`; {error!r} after {answer}"
            ) from error


class FactsContract(GatewayContract):
    """As `GatewayContract`, for a source of facts; the fixture `gateway` makes it."""

    def test_what_it_holds_can_be_used(self, gateway: FactSource) -> None:
        bundled = gateway.bundled()
        if bundled is None:
            return
        facts, captured = bundled
        assert captured.tzinfo is not None, "bundled says when by an aware datetime"
        client = self._client()
        _, problems = clean_providers(
            gateway.id, False, as_providers(gateway.id, facts, client.warn), client.warnings
        )
        assert not problems, f"{problems[0].culprit}: {problems[0].message}"

    def _returned(self, gateways: list[Any]) -> tuple[Any, tuple[Any, ...]]:
        return returned_facts(gateways)

    def _fetch(self, gateway: Any, client: CannedClient) -> Any:
        return as_providers(gateway.id, gateway.fetch_facts(client), client.warn)
