"""From a full model id to an endpoint, by the model's gateway or else by the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._base.fields import as_object, asked_id
from .._base.secrets import Secrets
from .._base.suggesting import hint
from .._http.client import HttpClient
from .._http.config import HttpConfig
from .._http.masking import masked
from ..endpoint import Endpoint
from ..errors import (
    ExchangeError,
    GatewayTimeoutError,
    OfflineError,
    RegistryError,
    ResolveError,
    UnknownModelError,
    WithheldError,
    as_error,
)
from ..models import ModelInfo, ProviderConfig, valid_id
from ..plugin import ModelGateway, RegistrySource
from . import routing
from .bindings import Bindings, bindings_of, remember

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from .._plugins.host import PluginHost
    from .._world import World


class OfflineExchangeError(ExchangeError, OfflineError):
    """An ExchangeError that `except OfflineError` also catches."""


class ExchangeTimeoutError(ExchangeError, GatewayTimeoutError):
    """An ExchangeError that `except GatewayTimeoutError` also catches."""


_KINDS: tuple[type[ExchangeError], ...] = (OfflineExchangeError, ExchangeTimeoutError)


def resolve(
    id: str,
    snapshot: Snapshot,
    world: World,
    environ: Mapping[str, str],
    registered: Mapping[str, RegistrySource],
) -> Endpoint:
    """See `ModelRegistry.resolve`. `registered`: the gateways of run time, by id."""
    culprit, role = id, snapshot.roles.get(asked_id(id))
    if environ is not world.environ:
        for name, value in as_object(environ).items():
            if not isinstance(value, str):  # as `os.environ.get` gives for what is not set
                raise TypeError(f"environ: {name}: expected text, got {type(value).__name__}")
    if role is not None:
        culprit, id = f"{id} ({role})", role
    _obey_policies(id, snapshot, world.host, culprit)
    if role is not None and snapshot.get_model(id) is None:
        raise UnknownModelError(
            "no gateway lists the model that this role stands for",
            culprit=culprit,
            hint=_hint(id, snapshot),
        )
    provider_id, model_id = snapshot.split(id)
    provider = snapshot.get_provider_config(provider_id) if provider_id else None
    if provider is None or not _may_be_id(model_id):
        raise UnknownModelError(
            "no provider has this model", culprit=culprit, hint=_hint(id, snapshot)
        )
    # The model may be newer than the registry, and no registry has fine-tuned models.
    model = provider.models.get(model_id) or ModelInfo(model_id, provider.id)
    endpoint = _taken_over(provider, model, world, environ, registered)
    if endpoint is not None:
        return endpoint
    bound = bindings_of(world)
    if bound.remembered is not None and provider.gateway in registered:
        # The application registered this gateway itself, so its present data is bound.
        remembered = remember([provider], bound.bundle, bound.remembered)
        bound = Bindings(bound.bundle, remembered)
    return routing.resolve(
        provider,
        model,
        environ=environ,
        bound=bound,
        trusted_hosts=world.settings.trusted_hosts,
    )


def _obey_policies(id: str, snapshot: Snapshot, host: PluginHost, culprit: str) -> None:
    """Raise WithheldError if a policy took this model out, or has not passed this data.

    An id that no gateway lists is passed on, unless anything of its provider was taken out:
    a dated id of a denied model would slip through.
    """
    unseen = host.unseen_by(snapshot)
    if unseen is not None:
        raise WithheldError(
            f"the policy {unseen} has not passed the data that is served",
            culprit=culprit,
            hint=host.policy_hint(unseen),
        )
    if snapshot.get_model(id) is not None:
        return
    provider = snapshot.split(id)[0]
    for taken, key in snapshot.withheld.items():
        if taken == id or id.startswith(f"{taken}/"):
            raise WithheldError(f"is withheld by the policy {key}", culprit=culprit)
        if provider and taken.startswith(f"{provider}/"):
            raise WithheldError(
                f"the policy {key} withholds models of {provider}, and no gateway lists this one",
                culprit=culprit,
                hint=f"registry-core list {provider} shows what there is",
            )


def _taken_over(
    provider: ProviderConfig,
    model: ModelInfo,
    world: World,
    environ: Mapping[str, str],
    registered: Mapping[str, RegistrySource],
) -> Endpoint | None:
    """The endpoint of the provider's gateway; None if it leaves it to the core."""
    by_id = {loaded.gateway.id: loaded for loaded in world.host.gateways()}
    id = provider.gateway or ""
    installed = by_id.get(id)
    gateway = installed.gateway.itself if installed else registered.get(id)
    if not isinstance(gateway, ModelGateway):
        return None
    # Separate secrets, since a server that resolves for many tenants must not collect theirs.
    # No payloads, since an exchanged key must not be stored.
    secrets = Secrets()
    config = HttpConfig(world.settings, secrets, environ, world.clock, tokens=world.tokens)
    client = HttpClient(
        config,
        installed.settings.options if installed else {},
        gateway=id,
        consulted=set(provider.api_key_env_vars),  # as a plugin may read them from `environ`
    )
    for name in provider.api_key_env_vars:
        secrets.reveal(name, environ)
    cause: BaseException | None = None
    try:
        with masked(secrets.mask):
            endpoint: Any = gateway.endpoint(provider, model, environ, client)
        if endpoint is None or isinstance(endpoint, Endpoint):
            return endpoint
        failure = ExchangeError(f"its endpoint returned {type(endpoint).__name__}, not an Endpoint")
    except (ResolveError, KeyboardInterrupt):
        raise
    except RegistryError as error:  # masked already
        kind = next(
            (kind for kind in _KINDS if isinstance(error, kind.__bases__[1])), ExchangeError
        )
        failure, cause = kind(error.message, culprit=error.culprit, hint=error.hint), error
    except BaseException as error:  # of a plugin, also SystemExit
        safe = as_error(error, ExchangeError, "", secrets.mask, type(gateway).__module__)
        failure = ExchangeError(f"its endpoint failed: {safe.message}")
        cause = None if _shows_secret(error, secrets) else error
    finally:
        client.close()
    failure.culprit = failure.culprit or id
    raise failure from cause


def _shows_secret(error: BaseException, secrets: Secrets) -> bool:
    """Whether a traceback of this error would show a secret. Foreign errors can't be masked."""
    from traceback import format_exception

    shown = "".join(format_exception(error))
    return secrets.mask(shown) != shown


def _may_be_id(text: str) -> bool:
    try:
        return bool(valid_id(text))
    except ValueError:
        return False


def _hint(id: str, snapshot: Snapshot) -> str:
    return (
        hint(id, snapshot.get_models(), snapshot.roles) or "registry-core list shows what there is"
    )
