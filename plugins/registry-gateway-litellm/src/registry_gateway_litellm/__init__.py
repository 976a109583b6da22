"""A LiteLLM proxy as a gateway of registry-core: the models that its key may call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from registry_core import (
    Disabled,
    Endpoint,
    GatewayError,
    ModelGateway,
    ProviderConfig,
    SettingsError,
    hookimpl,
)

from .rows import is_array, is_object, models_from_rows, names_in, row_of_name

if TYPE_CHECKING:
    from registry_core import GatewayClient, ModelInfo, PluginSettings

#: Variables for the proxy's key: the usual one, and the one of LiteLLM's own client.
KEY_VARIABLES = ("LITELLM_API_KEY", "LITELLM_PROXY_API_KEY")

#: Paths with the list of deployments. Some proxies allow a key only one of them.
INFO = ("/model/info", "/v1/model/info")
#: The path with the list of names, and little more.
NAMES = "/v1/models"
#: Statuses for a path that does not exist, or that the key may not use.
NOT_HERE = (401, 403, 404)

_VARIABLE = "REGISTRY_CORE_PLUGIN_LITELLM_"
_LOCAL = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")


class LiteLLMGateway(ModelGateway):
    """The proxy at `url`, a plain URL without `/v1` at its end; None disables the gateway.

    It publishes the provider `id`. `key_env`: variables, of which the first that is set holds
    the key. A proxy on this machine needs no key, and is volatile.
    """

    name = "LiteLLM"

    def __init__(
        self,
        url: str | None = None,
        key_env: Sequence[str] = KEY_VARIABLES,
        id: str = "litellm",
    ) -> None:
        self.url = url
        self.key_env = tuple(key_env)
        self.id = id
        self.volatile = bool(url and _LOCAL.fullmatch(urlsplit(url).hostname or ""))

    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        if self.url is None:
            return Disabled(
                "set url in [tool.registry-core.plugin.litellm],"
                f" or {_VARIABLE}URL, to that of your proxy"
            )
        if not self.volatile and not any(map(settings.secret, self.key_env)):
            return Disabled(f"set {' or '.join(self.key_env)}")
        return True

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        variable = self._key_variable(client)
        try:
            rows = self._read(client, client.secret(variable) if variable else None)
        except GatewayError as error:
            if variable is None and error.status in (400, 401, 403, 500):
                error.hint = f"set {' or '.join(self.key_env)}"
            elif error.status == 400:  # to a wrong key, if it has no database
                error.hint = f"check {variable}"
            raise
        models = models_from_rows(self.id, rows, client.warn)
        provider = ProviderConfig(
            self.id,
            models,
            name=self.name,
            url=self._api,
            api_key_env_vars=self.key_env,
            api_key_header="Authorization",
            doc_url="https://docs.litellm.ai",
            npm="@ai-sdk/openai-compatible",  # so that no id stands for another dialect
        )
        return {self.id: provider}

    def endpoint(
        self,
        provider: ProviderConfig,
        model: ModelInfo,
        environ: Mapping[str, str],
        client: GatewayClient,
    ) -> Endpoint | None:
        """Send the key to the URL that the user named beside it, whatever else it is bound to.

        None leaves it to the core: if there is no key, or if an overlay or a variable changes
        the route.
        """
        variable = self._key_variable(client)
        routed = provider.url != self._api or model.id in provider.model_overrides
        moved = environ.get(re.sub("[^A-Z0-9]", "_", self.id.upper()) + "_BASE_URL", "").strip()
        if variable is None or routed or moved or provider.unroutable:
            return None
        return Endpoint(self._api, model.id, "openai", api_key=client.secret(variable))

    @property
    def _api(self) -> str:
        """The base URL of the proxy's OpenAI API."""
        return f"{self.url}/v1"

    def _key_variable(self, client: GatewayClient) -> str | None:
        return next(filter(client.secret, self.key_env), None)

    def _read(self, client: GatewayClient, key: str | None) -> list[Any]:
        """A row for each deployment, and one for each model of which only the name is known."""

        def ask(path: str) -> list[Any]:
            answer = client.get_json(f"{self.url}{path}", bearer=key)
            rows = answer.get("data") if is_object(answer) else None
            if is_object(rows):  # of a proxy that was started for one model
                return [rows]
            if not is_array(rows):
                raise GatewayError(
                    f"expected an object with the list data from {path}",
                    culprit=self.id,
                    hint=f"check the option url ({_VARIABLE}URL)",
                )
            return rows

        refused: list[str] = []

        def may_ask(path: str) -> list[Any] | None:
            try:
                return ask(path)
            except GatewayError as error:
                if error.status not in NOT_HERE:
                    raise
                refused.append(f"{path} {error.message}")
                return None

        rows = next((rows for rows in map(may_ask, INFO) if rows is not None), None)
        if rows is None:
            names = ask(NAMES)
            client.warn(self.id, f"prices and capabilities are unknown: {', '.join(refused)}")
            return list(map(row_of_name, names))
        known = names_in(rows)
        if any("*" in name for name in known):  # older proxies list the covered names only there
            named = map(row_of_name, may_ask(NAMES) or ())
            rows += [row for row in named if row["model_name"] not in known]
        return rows


@hookimpl
def registry_gateways(settings: PluginSettings) -> Iterable[ModelGateway]:
    options = settings.options
    url, key_env = options.get("url"), options.get("key_env", KEY_VARIABLES)
    names = [key_env] if isinstance(key_env, str) else key_env
    if not is_array(names) or not names or not all(map(_is_variable, names)):
        raise _wrong("key_env", "the name of a variable, in capitals, or a list of names")
    return (LiteLLMGateway(_base(url) if url else None, names, options.get("id", "litellm")),)


def _is_variable(name: Any) -> bool:
    """Must be in capitals, to notice a key that was written here by mistake."""
    return isinstance(name, str) and bool(re.fullmatch("[A-Z_][A-Z0-9_]*", name))


def _wrong(option: str, expected: str) -> SettingsError:
    # The value is not shown: a URL may contain a password, and a wrong name may be the key.
    return SettingsError(
        f"expected {expected}",
        culprit=f"the option {option} of the plugin litellm",
        hint=f"it is in [tool.registry-core.plugin.litellm], or in {_VARIABLE}{option.upper()}",
    )


def _base(url: Any) -> str:
    """The base URL of the proxy, without `/v1`. Raises SettingsError if `url` is not plain."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        plain = parts.hostname and not (parts.query or parts.fragment or "@" in parts.netloc)
        if plain and parts.scheme in ("http", "https") and parts.port != 0:
            # LiteLLM prints 0.0.0.0 as its address, which can't be called.
            netloc = re.sub(r"^0\.0\.0\.0(?=:|$)", "127.0.0.1", parts.netloc)
            return f"{parts.scheme}://{netloc}{parts.path}".rstrip("/").removesuffix("/v1")
    except ValueError:
        pass
    raise _wrong("url", "the plain URL of a proxy, such as http://127.0.0.1:4000")
