"""The host that keeps the list of LLM providers and models right.

Importing it does nothing: names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `as`: to type checkers, these are exports
    from ._base.version import __version__ as __version__
    from ._catalog.ids import parse_model_string as parse_model_string
    from ._catalog.snapshot import Snapshot as Snapshot
    from ._sync.changes import diff as diff
    from .endpoint import Endpoint as Endpoint
    from .errors import (
        ArgumentError as ArgumentError,
        DialectError as DialectError,
        ExchangeError as ExchangeError,
        GatewayError as GatewayError,
        GatewayTimeoutError as GatewayTimeoutError,
        HostChangedError as HostChangedError,
        MissingCredentialError as MissingCredentialError,
        OfflineError as OfflineError,
        OverlayError as OverlayError,
        PluginError as PluginError,
        RegistryError as RegistryError,
        ResolveError as ResolveError,
        SettingsError as SettingsError,
        ShrunkError as ShrunkError,
        SnapshotDamagedError as SnapshotDamagedError,
        StoreError as StoreError,
        SyncError as SyncError,
        TargetError as TargetError,
        UnknownModelError as UnknownModelError,
        UnreachableError as UnreachableError,
        UnroutableError as UnroutableError,
        WithheldError as WithheldError,
    )
    from .models import (
        Cost as Cost,
        Lifecycle as Lifecycle,
        Limit as Limit,
        Modalities as Modalities,
        ModelInfo as ModelInfo,
        ProviderConfig as ProviderConfig,
    )
    from .plugin import (
        Artifact as Artifact,
        Disabled as Disabled,
        Facts as Facts,
        FactSource as FactSource,
        GatewayClient as GatewayClient,
        ModelGateway as ModelGateway,
        PluginSettings as PluginSettings,
        hookimpl as hookimpl,
        hookspec as hookspec,
    )
    from .registry import ModelRegistry as ModelRegistry
    from .report import (
        Change as Change,
        Changes as Changes,
        FieldSources as FieldSources,
        GatewayReport as GatewayReport,
        Problem as Problem,
        Said as Said,
        SyncReport as SyncReport,
    )
    from .settings import Settings as Settings
    from .shortcuts import (
        PROVIDER_MODELS as PROVIDER_MODELS,
        PROVIDER_REGISTRY as PROVIDER_REGISTRY,
        changes as changes,
        estimate_cost as estimate_cost,
        find_models as find_models,
        get_model as get_model,
        get_provider_config as get_provider_config,
        get_registered_providers as get_registered_providers,
        is_provider_registered as is_provider_registered,
        is_valid_model_id as is_valid_model_id,
        model_supports as model_supports,
        resolve as resolve,
        suggest as suggest,
    )

_MODULES = {
    "_base.version": ("__version__",),
    "endpoint": ("Endpoint",),
    "errors": (
        "ArgumentError",
        "DialectError",
        "ExchangeError",
        "GatewayError",
        "GatewayTimeoutError",
        "HostChangedError",
        "MissingCredentialError",
        "OfflineError",
        "OverlayError",
        "PluginError",
        "RegistryError",
        "ResolveError",
        "SettingsError",
        "ShrunkError",
        "SnapshotDamagedError",
        "StoreError",
        "SyncError",
        "TargetError",
        "UnknownModelError",
        "UnreachableError",
        "UnroutableError",
        "WithheldError",
    ),
    "shortcuts": (
        "PROVIDER_MODELS",
        "PROVIDER_REGISTRY",
        "changes",
        "estimate_cost",
        "find_models",
        "get_model",
        "get_provider_config",
        "get_registered_providers",
        "is_provider_registered",
        "is_valid_model_id",
        "model_supports",
        "resolve",
        "suggest",
    ),
    "models": ("Cost", "Lifecycle", "Limit", "Modalities", "ModelInfo", "ProviderConfig"),
    "plugin": (
        "Artifact",
        "Disabled",
        "GatewayClient",
        "FactSource",
        "Facts",
        "ModelGateway",
        "PluginSettings",
        "hookimpl",
        "hookspec",
    ),
    "registry": ("ModelRegistry",),
    "report": (
        "Change",
        "Changes",
        "FieldSources",
        "GatewayReport",
        "Problem",
        "Said",
        "SyncReport",
    ),
    "settings": ("Settings",),
    "_catalog.ids": ("parse_model_string",),
    "_catalog.snapshot": ("Snapshot",),
    "_sync.changes": ("diff",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOMES.keys() - {"__version__"})  # pyright: ignore[reportUnsupportedDunderAll]  # one table, no second list


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
