"""From a full model id to an endpoint: the gateway's own way first, else the core's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import GatewayError, RegistryError, UnknownModelError, WithheldError, told
from ..http.client import HttpClient
from ..models import ModelInfo, ProviderConfig, valid_id
from ..suggesting import hint
from . import routing
from .bindings import Bindings, Memory, remember
from .endpoint import Endpoint

if TYPE_CHECKING:
    from ..snapshot import Snapshot
    from ..syncing.context import Context


def resolve(
    id: str,
    environ: Mapping[str, str],
    snapshot: Snapshot,
    context: Context,
    remembered: Memory | None,
) -> Endpoint:
    """See `ModelRegistry.resolve`. `remembered`: the bindings that syncs kept; None for a
    registry that is frozen from a file of the user's choice."""
    _obey_policies(id, snapshot, context)
    provider_id, model_id = snapshot.split(id)
    provider = snapshot.get_provider_config(provider_id) if provider_id else None
    if provider is None or not _may_be_id(model_id):
        raise UnknownModelError("no provider has this model", culprit=id, hint=_hint(id, snapshot))
    # The registry may be older than the model, and fine-tuned models are in no registry.
    model = provider.models.get(model_id) or ModelInfo(model_id, provider.id)
    endpoint = _taken_over(provider, model, environ, context)
    if endpoint is not None:
        return endpoint
    bundle = context.bundle.load().get_providers()
    if remembered is not None and provider.gateway in {one.gateway.id for one in context.runtime}:
        # The application itself registered this gateway: what it says now is what is bound.
        remembered = remember([provider], bundle, remembered)
    return routing.resolve(
        provider,
        model,
        environ=environ,
        bound=Bindings(bundle, remembered),
        trusted_hosts=context.settings.trusted_hosts,
    )


def _obey_policies(id: str, snapshot: Snapshot, context: Context) -> None:
    """Raise WithheldError if a policy took this model out, or never saw this data.

    An id that no gateway lists is passed on, but not if anything of its provider was taken
    out: a dated id of a denied model would slip through.
    """
    unseen = context.host.unseen_by(snapshot)
    if unseen is not None:
        raise WithheldError(
            f"the policy {unseen} has not passed the data that is served",
            culprit=id,
            hint="run registry-core sync",
        )
    if snapshot.get_model(id) is not None:
        return
    provider = snapshot.split(id)[0]
    for taken, key in snapshot.withheld.items():
        if taken == id or id.startswith(f"{taken}/"):
            raise WithheldError(f"is withheld by the policy {key}", culprit=id)
        if provider and taken.startswith(f"{provider}/"):
            raise WithheldError(
                f"the policy {key} withholds models of {provider}, and no gateway lists this one",
                culprit=id,
                hint=f"registry-core list {provider} shows what there is",
            )


def _taken_over(
    provider: ProviderConfig, model: ModelInfo, environ: Mapping[str, str], context: Context
) -> Endpoint | None:
    installed = {one.gateway.id: one for one in context.host.gateways()}
    runtime = {one.gateway.id: one.gateway for one in context.runtime}
    found = installed.get(provider.gateway or "")
    gateway = found.gateway if found else runtime.get(provider.gateway or "")
    if gateway is None:
        return None
    settings = context.settings
    client = HttpClient(
        options=found.settings.options if found else {},
        environ=environ,
        secrets=context.secrets,
        payloads=None,  # what is exchanged here is a key: it is never stored
        offline=settings.offline,
        deadline=time.monotonic() + settings.fetch_deadline_ms / 1000,
        retries=settings.fetch_retries,
        max_bytes=settings.fetch_max_bytes,
    )
    for name in provider.api_key_env_vars:  # a plugin may read them from `environ` itself
        context.secrets.reveal(name, environ)
    try:
        with client.masked():
            endpoint: Any = gateway.endpoint(provider, model, environ, client)
        if endpoint is None or isinstance(endpoint, Endpoint):
            return endpoint
        text = f"returned {type(endpoint).__name__}, not an Endpoint"
    except (RegistryError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a plugin's own; SystemExit is not its to raise
        text = context.secrets.mask(f"failed: {told(error)}")
    finally:
        client.close()
    raise GatewayError(f"its endpoint {text}", culprit=gateway.id)


def _may_be_id(text: str) -> bool:
    try:
        return bool(valid_id(text))
    except ValueError:
        return False


def _hint(id: str, snapshot: Snapshot) -> str:
    return hint(id, snapshot.get_models()) or "registry-core list shows what there is"
