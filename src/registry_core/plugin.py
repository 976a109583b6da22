"""All that an author of plugins reads: hooks, and what they are given and return.

Prefix of the hooks: ``registry_``; project: ``registry_core``. `docs/plugins.md` is the guide.

A hook *registers*: it returns gateways, a changed snapshot or artifacts; the host
fetches, retries, merges and writes. Implementations are called one by one, so that
one that raises is named and the others' results survive. For the same reason there
are no hook wrappers, and ``tryfirst`` / ``trylast`` are refused: the order is the
host's (see `registry_overlay`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pluggy
from attrs import field, frozen

from ._base.fields import named, text
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

    Called once per load of the plugins, before the first sync. Does no I/O:
    fetching is `ModelGateway.fetch_providers`, which the host calls. An error in place of a
    gateway says what is wrong with that one; the others are used.
    """
    raise NotImplementedError


@hookspec
def registry_facts(settings: PluginSettings) -> Iterable[FactSource | RegistryError]:
    """Return the sources of facts that this plugin adds. Since 0.1.

    Called as `registry_gateways` is, and may return errors in place of sources; what it adds
    is asked, kept, reported and forgotten as gateways are.
    """
    raise NotImplementedError


@hookspec
def registry_overlay(snapshot: Snapshot, settings: PluginSettings) -> Snapshot | None:
    """Return a changed snapshot, or None to leave it as it is. Since 0.1.

    Called after the merge at every sync, after a 304 too. The host chains the
    implementations, each on the result of the one before, ordered by the integer
    `order` in the plugin's options (default 0), then distribution, then entry point.
    One that raises holds the whole generation: the old snapshot stays, the sync fails.
    """
    raise NotImplementedError


@hookspec
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    """Return the files to write for this snapshot. Since 0.1.

    Pure: snapshot in, artifacts out; the host alone touches disks. Called when the
    snapshot, the emitters, or what lies in a target differs from the last emission.
    Same snapshot and settings, same artifacts: put no timestamps in.
    """
    raise NotImplementedError


@hookspec
def registry_refreshed(
    report: SyncReport, snapshot: Snapshot, previous: Snapshot, settings: PluginSettings
) -> None:
    """Called after each sync, failed ones too, with what happened, what is served from now on
    and what was before; both are equal if there is no news. Since 0.1.
    """


@hookspec
def registry_dev_startup(registry: Any, settings: PluginSettings) -> None:
    """Called when a dev server begins to serve, with its `ModelRegistry`. Since 0.1.

    Once per serving process: each worker, and again after each reload; never in the
    process that only watches files. Before the first refresh in the background, so that
    a gateway registered here (`registry.register_gateway`) takes part in it. The server
    waits for it: start a thread for what takes time. Not called in production.
    """


@hookspec
def registry_dev_shutdown(registry: Any, settings: PluginSettings) -> None:
    """Called when a process in which `registry_dev_startup` was called ends. Since 0.1.

    No further refresh starts by then. Not called if the process is killed.
    """


def _names(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


@frozen
class PluginSettings:
    """What a plugin is given instead of the environment and pyproject.toml."""

    options: Mapping[str, Any] = field(
        default=EMPTY, converter=freeze, repr=lambda options: repr(sorted(options))
    )
    """The table `[tool.registry-core.plugin.<entry point name>]`, and what the environment
    says instead."""
    offline: bool = False
    dev: bool = False
    types_providers: tuple[str, ...] | None = None
    """Providers that generated types name; None is all."""
    outputs: frozenset[str] = field(default=frozenset(), converter=_names)
    """Emitters to which `[tool.registry-core.output]` gives a folder."""
    _environ: Mapping[str, str] = field(alias="environ", kw_only=True, repr=False, eq=False)
    _secrets: Secrets = field(alias="secrets", kw_only=True, repr=False, eq=False)
    consulted: set[str] = field(factory=set, kw_only=True, repr=False, eq=False)
    """Names that `secret` was asked for: what the plugin publishes may hang on them."""
    warnings: list[tuple[str, str]] = field(factory=list, kw_only=True, repr=False, eq=False)
    """What `warn` was told, in order."""

    def wants(self, emitter: str) -> bool:
        """Whether the project gives this emitter a folder: what few need is made only then."""
        return emitter in self.outputs

    def secret(self, name: str) -> str | None:
        """The environment variable `name`, None if unset or empty; masked wherever it is shown."""
        self.consulted.add(name)
        return self._secrets.reveal(name, self._environ)

    def warn(self, culprit: str, message: str) -> None:
        """Report what is wrong and fails nothing, such as an option that names no model.

        The sync goes on, and its report names both under this plugin. Up to 50 for each call
        of a hook. Since 0.1.
        """
        self.warnings.append((f"{culprit}", f"{message}"))


@named
@frozen
class Disabled:
    """Returned by `ModelGateway.should_enable`: not an error, and this is what to do about it."""

    reason: str = field(converter=text)

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
        text_at: str | None = None,
    ) -> Any:
        """GET `url` and return the parsed JSON: always the whole payload, never a 304.

        The objects at the path `text_at` ("*/models/*": every model of every provider) stay
        JSON text, as bytes, which `registry_core.records` takes in their place: of those that
        are as they were, nothing is parsed or checked again. Where the payload is not quite
        JSON, they are objects.

        `file:///absolute/path` reads that file. `bearer` and `headers` are credentials: they
        never follow a redirect to another origin. Raises GatewayError (with the hint),
        OfflineError or GatewayTimeoutError.
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

        Never cached, so the gateway is fetched at every sync. Follows no redirect, and is
        tried again only if the server can't have acted on it.
        """

    def token(
        self, key: Hashable, exchange: Callable[[], tuple[T, datetime | float]], margin: float = 60
    ) -> T:
        """What `exchange()` returned, kept in memory until `margin` seconds before it expires.

        `exchange` returns the token, and when that expires: an aware datetime, or seconds
        from now. It is called once, however many threads ask. `key` tells the tokens of this
        gateway apart; who has other values of the variables that were asked for by `secret`
        never gets them. What `exchange` gets from this client is stored nowhere.
        """
        raise NotImplementedError


class RegistrySource(ABC):
    """What the host asks at a sync: a gateway, or a source of facts. Its id is one of a kind."""

    id: str
    name: str
    #: See `ModelGateway`; facts are published under no prefix.
    namespaced: bool = False
    #: False for one that reads no network; it is then asked offline too.
    needs_network: bool = True
    #: True for a server that comes and goes, as on a laptop. It is tried once, with a deadline of
    #: 5 seconds. Any result counts, one without a model too; if nobody answers, it is absent: no
    #: failure, and its models are gone until it is back, as they are while it is disabled. They
    #: are for lookups on this machine alone: no file of a project, no export names them.
    volatile: bool = False

    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        """Whether to ask it now. `Disabled("set ACME_TOKEN")` tells the user why not."""
        return True

    def identity(self, client: GatewayClient) -> str | None:
        """Whose data a fetch gets: the name of an account or a tenant, say.

        For credentials that rotate while the account stays the same; it may come from
        `client.secret` or `client.options`. Asks no URL: it is called in the thread of the sync.
        None, or an empty text: the secrets that a fetch uses tell it. Since 0.1.
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


Facts = Mapping[str, Mapping[str, Any]]
"""Full model id → what is known of it: fields of a record (see `records.model_from_record`), and,
where known, `source_url` (a page that says so) and `as_of` (an ISO date: when it was true)."""


class FactSource(RegistrySource):
    """Says more about models that gateways offer: when one retires, what follows it, its price.

    A fact fills what is unknown; what is known it replaces only if the setting `facts_priority`
    says so. It never adds a model.
    """

    @abstractmethod
    def fetch_facts(self, client: GatewayClient) -> Facts:
        """What the source says now. Called as `ModelGateway.fetch_providers` is."""

    def bundled(self) -> tuple[Facts, datetime] | None:
        """What the package itself holds, and when that was retrieved (an aware datetime): used
        at syncs, for as long as nothing newer was fetched."""
        return None


@named
@frozen
class Artifact:
    """A file to be written to every target that wants this emitter's files.

    `emitter` is the name that `[tool.registry-core.output]` maps to a folder
    ("json", "typescript", "capabilities", "python", or a plugin's own); `path` is
    relative to that folder, with forward slashes; `text` is the whole content,
    written as UTF-8 with its newlines as they are.
    """

    emitter: str
    path: str
    text: str
