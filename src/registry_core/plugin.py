"""Everything that an author of plugins needs: the hooks, with their arguments and results.

`docs/plugins.md` is the guide. Hooks have the prefix ``registry_``; the pluggy project is
``registry_core``.

A hook *registers*: it returns gateways, a changed snapshot or artifacts. The host fetches,
retries, merges and writes. It calls implementations one by one: if one raises, the report
names it, and the results of the others are used. Therefore hook wrappers, ``tryfirst`` and
``trylast`` are refused. For the order see `registry_overlay`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pluggy
from attrs import field, frozen

from ._base.fields import names_refused_field, text
from ._base.frozen import EMPTY, freeze

if TYPE_CHECKING:
    from datetime import datetime

    from ._base.secrets import Secrets
    from ._catalog.snapshot import Snapshot
    from .endpoint import Endpoint
    from .errors import RegistryError
    from .models import ModelInfo, ProviderConfig
    from .report import SyncReport

PROJECT = "registry_core"
T = TypeVar("T")

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def registry_gateways(settings: PluginSettings) -> Iterable[ModelGateway | RegistryError]:
    """Return the gateways that this plugin adds. Since 0.1.

    Called once per load of the plugins, before the first sync. Must do no I/O: the host
    calls `ModelGateway.fetch_providers` for that. If one gateway can't be made, return an
    error in its place; the others are used.
    """
    raise NotImplementedError


@hookspec
def registry_facts(settings: PluginSettings) -> Iterable[FactSource | RegistryError]:
    """Return the sources of facts that this plugin adds. Since 0.1.

    Called like `registry_gateways`, and may also return errors in place of sources. The host
    asks, stores, reports and forgets sources of facts in the same way as gateways.
    """
    raise NotImplementedError


@hookspec
def registry_overlay(snapshot: Snapshot, settings: PluginSettings) -> Snapshot | None:
    """Return a changed snapshot, or None for no change. Since 0.1.

    Called after the merge at every sync, also after a 304. Each implementation gets the
    result of the previous one. They are ordered by the integer option `order` of the plugin
    (default 0), then distribution, then entry point. If one raises, the generation is held:
    the old snapshot stays, and the sync fails.
    """
    raise NotImplementedError


@hookspec
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    """Return the files to write for this snapshot. Since 0.1.

    Must be pure: only the host writes files. The same snapshot and settings must give the
    same artifacts, so don't include timestamps. Called when the snapshot, the emitters, or
    the files in a target differ from the last emission.
    """
    raise NotImplementedError


@hookspec
def registry_refreshed(
    report: SyncReport, snapshot: Snapshot, previous: Snapshot, settings: PluginSettings
) -> None:
    """Called after each sync, also a failed one. Since 0.1.

    `snapshot` is served from now on, `previous` was served before. They are equal if there is
    no news.
    """


@hookspec
def registry_dev_startup(registry: Any, settings: PluginSettings) -> None:
    """Called when a dev server begins to serve, with its `ModelRegistry`. Since 0.1.

    Called once per serving process: in each worker, and again after each reload, but not in
    the process that only watches files, and not in production. It comes before the first
    refresh in the background, so a gateway registered here (`registry.register_gateway`)
    takes part in it. The server waits for this hook, so start a thread for anything slow.
    """


@hookspec
def registry_dev_shutdown(registry: Any, settings: PluginSettings) -> None:
    """Called when a process ends in which `registry_dev_startup` was called. Since 0.1.

    No refresh starts after it. Not called if the process is killed.
    """


def _names(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


@frozen
class PluginSettings:
    """A plugin's view of the settings. It replaces the environment and pyproject.toml."""

    options: Mapping[str, Any] = field(
        default=EMPTY, converter=freeze, repr=lambda options: repr(sorted(options))
    )
    """The table `[tool.registry-core.plugin.<entry point name>]`, and the variables that outrank
    it."""
    offline: bool = False
    dev: bool = False
    types_providers: tuple[str, ...] | None = None
    """Providers that generated types name; None is all."""
    outputs: frozenset[str] = field(default=frozenset(), converter=_names)
    """Emitters to which `[tool.registry-core.output]` gives a folder."""
    _environ: Mapping[str, str] = field(alias="environ", kw_only=True, repr=False, eq=False)
    _secrets: Secrets = field(alias="secrets", kw_only=True, repr=False, eq=False)
    consulted: set[str] = field(factory=set, kw_only=True, repr=False, eq=False)
    """Names that were passed to `secret`. The results of the plugin may depend on them."""
    warnings: list[tuple[str, str]] = field(factory=list, kw_only=True, repr=False, eq=False)
    """(culprit, message) of each call of `warn`, in order."""

    def wants(self, emitter: str) -> bool:
        """Whether the project gives this emitter a folder. Check it before making files that
        few people need."""
        return emitter in self.outputs

    def secret(self, name: str) -> str | None:
        """The environment variable `name`; None if it is unset or empty. From now on its value
        is masked in all messages."""
        self.consulted.add(name)
        return self._secrets.reveal(name, self._environ)

    def warn(self, culprit: str, message: str) -> None:
        """Report a problem that is not a failure, such as an option that names no model.

        The sync goes on. Its report shows up to 50 warnings for each call of a hook, under the
        name of this plugin. Since 0.1.
        """
        self.warnings.append((f"{culprit}", f"{message}"))


@names_refused_field
@frozen
class Disabled:
    """Returned by `ModelGateway.should_enable` to disable the gateway, which is not an error.
    `reason` says what to do about it."""

    reason: str = field(converter=text)

    def __bool__(self) -> bool:
        return False


class GatewayClient(Protocol):
    """The HTTP client that the host passes to `fetch_providers` and `endpoint`."""

    @property
    def options(self) -> Mapping[str, Any]:
        """The plugin's table `[tool.registry-core.plugin.<entry point name>]`."""
        raise NotImplementedError

    def warn(self, culprit: str, message: str) -> None:
        """Report a record that was dropped, or a field that can't be used.

        `culprit` is the provider or model, such as "openai/gpt-x". The sync goes on, and
        its report shows the warning under this gateway.
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
        text_at: str | None = None,
    ) -> Any:
        """GET `url` and return the parsed JSON. A 304 is handled: you always get the payload.

        With `text_at`, the objects at that path ("*/models/*": every model of every provider)
        stay JSON text, as bytes. `registry_core.records` takes such a text as a record, and does
        not parse or check again what is the same as before. If the payload is not quite JSON,
        the objects arrive parsed.

        `file:///absolute/path` reads that file. `bearer` and `headers` count as credentials:
        they never follow a redirect to another origin. Raises GatewayError, OfflineError or
        GatewayTimeoutError.
        """

    def post_json(
        self,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """POST a JSON value, or a form, and return the parsed JSON. Raises as `get_json`.

        The answer is never cached, so the gateway is fetched at every sync. Follows no
        redirect, and is retried only if the server can't have acted on the request.
        """

    def token(
        self, key: Hashable, exchange: Callable[[], tuple[T, datetime | float]], margin: float = 60
    ) -> T:
        """The token of `exchange()`, kept in memory until `margin` seconds before it expires.

        `exchange` returns the token and its expiry: an aware datetime, or seconds from now. It
        is called once, however many threads wait. `key` separates the tokens of this gateway.
        A token is used only with the same values of all variables that were read with
        `secret`. Answers that `exchange` gets from this client are not stored.
        """
        raise NotImplementedError


class RegistrySource(ABC):
    """What the host asks at a sync: a gateway, or a source of facts. Its `id` must be unique."""

    id: str
    name: str
    #: See `ModelGateway`. Facts have no prefix.
    namespaced: bool = False
    #: False if it needs no network. It is then also asked offline.
    needs_network: bool = True
    #: True for a server that comes and goes, as on a laptop. It is tried once, with a deadline of
    #: 5 seconds. Any result counts, also one without a model. If no server answers, it is absent,
    #: which is not a failure: its models are gone until it is back, as they are while it is
    #: disabled. Only lookups on this machine see its models, not files of a project or exports.
    volatile: bool = False

    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        """Whether to ask it now. `Disabled("set ACME_TOKEN")` tells the user why not."""
        return True

    def identity(self, client: GatewayClient) -> str | None:
        """Whose data a fetch gets, such as the name of an account or a tenant.

        Needed if credentials rotate while the account stays the same. Read it from
        `client.secret` or `client.options`, and request no URL, since this runs in the thread
        of the sync. With None or "", the secrets that the fetch uses are the identity.
        Since 0.1.
        """
        return None


class ModelGateway(RegistrySource):
    """A source of providers and models.

    Providers of a namespaced gateway are published as ``<gateway id>/<provider id>``,
    or as the gateway id itself when both are equal.
    """

    namespaced: bool = True

    @abstractmethod
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        """Return providers by id, without the gateway's prefix.

        Runs in a thread that is abandoned at its deadline (30 s by default). An
        exception is reported under the gateway's name, and the last good data stays.
        """

    def endpoint(
        self,
        provider: ProviderConfig,
        model: ModelInfo,
        environ: Mapping[str, str],
        client: GatewayClient,
    ) -> Endpoint | None:
        """Take over `resolve` for a model of this gateway. None leaves it to the core."""
        return None


Facts = Mapping[str, Mapping[str, Any]]
"""Full model id → fields of a record (see `records.model_from_record`), and, if known,
`source_url` (a page that says so) and `as_of` (an ISO date on which it was true)."""


class FactSource(RegistrySource):
    """Adds facts to models that gateways offer: date of retirement, successor, price.

    A fact fills what is unknown. It replaces a known value only if the setting
    `facts_priority` says so. It never adds a model.
    """

    #: Full ids of which the package itself knows something. It may add them to each result, so the
    #: guard against a result that shrinks does not count them.
    own: Collection[str] = frozenset()

    @abstractmethod
    def fetch_facts(self, client: GatewayClient) -> Facts:
        """Return the current facts. Called like `ModelGateway.fetch_providers`."""

    def bundled(self) -> tuple[Facts, datetime] | None:
        """Facts in the package itself, and when they were retrieved (an aware datetime). Syncs
        use them until something newer was fetched."""
        return None


@names_refused_field
@frozen
class Artifact:
    """A file to write to every target that wants this emitter's files.

    `emitter` is the name that `[tool.registry-core.output]` maps to a folder
    ("json", "typescript", "capabilities", "python", or a plugin's own). `path` is
    relative to that folder, with forward slashes. `text` is the whole content; it is
    written as UTF-8, with its newlines unchanged.
    """

    emitter: str
    path: str
    text: str
