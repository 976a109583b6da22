"""What a gateway plugin implements. `client` is the host's; see `docs/plugins.md`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from attrs import frozen

from .models import ProviderConfig

if TYPE_CHECKING:
    from .endpoints.endpoint import Endpoint
    from .models import ModelInfo
    from .plugins.settings import PluginSettings


@frozen
class Disabled:
    """Returned by `ModelGateway.should_enable`: not an error, and this is what to do about it."""

    reason: str

    def __bool__(self) -> bool:
        return False


class GatewayClient(Protocol):
    """The host's HTTP session, as `fetch_providers` and `endpoint` get it."""

    @property
    def options(self) -> Mapping[str, Any]:
        """The plugin's table `[tool.registry-core.plugin.<entry point name>]`."""
        raise NotImplementedError

    def warn(self, culprit: str, message: str) -> None:
        """Report a record that was dropped, or a field that can't be used.

        `culprit` is the provider or model, such as "openai/gpt-x"; the sync goes on, and
        its report names both under this gateway.
        """

    def secret(self, name: str) -> str | None:
        """The environment variable `name`; its value is masked in every report and log."""

    def get_json(
        self,
        url: str,
        *,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        """GET `url` and return the parsed JSON: always the whole payload, never a 304.

        `bearer` and `headers` are credentials: they never follow a redirect to another
        origin. Raises GatewayError (with the hint), OfflineError or GatewayTimeoutError.
        """


class ModelGateway(ABC):
    """A source of providers and models.

    Providers of a namespaced gateway are published as ``<gateway id>/<provider id>``,
    or as the gateway id itself when both are equal.
    """

    id: str
    name: str
    namespaced: bool = True
    #: False for a gateway that reads no network; it is then asked offline too.
    needs_network: bool = True

    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        """Whether to ask this gateway now. `Disabled("set ACME_TOKEN")` tells the user why not."""
        return True

    @abstractmethod
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        """Providers by their id, without the gateway's prefix.

        Runs in a thread that is abandoned at its deadline (30 s by default).
        Whatever it raises is reported under the gateway's name, and the last
        good data stays.
        """

    def endpoint(
        self,
        provider: ProviderConfig,
        model: ModelInfo,
        environ: Mapping[str, str],
        client: GatewayClient,
    ) -> Endpoint | None:
        """Take over `resolve` for a model of this gateway; None leaves it to the core."""
        return None
