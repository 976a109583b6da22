"""The host that keeps the list of LLM providers and models right.

Importing it does nothing: names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .artifacts import Artifact
    from .endpoint import Endpoint
    from .errors import (
        DialectError,
        GatewayError,
        GatewayTimeoutError,
        HostChangedError,
        MissingCredentialError,
        OfflineError,
        OverlayError,
        PluginError,
        RegistryError,
        ResolveError,
        SettingsError,
        ShrunkError,
        SnapshotDamagedError,
        StoreError,
        SyncError,
        TargetError,
        UnknownModelError,
        UnroutableError,
    )
    from .gateway import Disabled, GatewayClient, ModelGateway
    from .helpers import (
        PROVIDER_MODELS,
        PROVIDER_REGISTRY,
        get_model,
        get_provider_config,
        get_registered_providers,
        is_provider_registered,
        is_valid_model_id,
        model_supports,
        resolve,
    )
    from .hookspecs import hookimpl, hookspec
    from .models import Cost, Limit, Modalities, ModelInfo, ProviderConfig
    from .plugin_settings import PluginSettings
    from .registry import ModelRegistry
    from .report import GatewayReport, Problem, SyncReport
    from .settings import Settings
    from .snapshot import Snapshot, parse_model_string

_MODULES = {
    "artifacts": ("Artifact",),
    "endpoint": ("Endpoint",),
    "errors": (
        "DialectError",
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
        "UnroutableError",
    ),
    "gateway": ("Disabled", "GatewayClient", "ModelGateway"),
    "helpers": (
        "PROVIDER_MODELS",
        "PROVIDER_REGISTRY",
        "get_model",
        "get_provider_config",
        "get_registered_providers",
        "is_provider_registered",
        "is_valid_model_id",
        "model_supports",
        "resolve",
    ),
    "hookspecs": ("hookimpl", "hookspec"),
    "models": ("Cost", "Limit", "Modalities", "ModelInfo", "ProviderConfig"),
    "plugin_settings": ("PluginSettings",),
    "registry": ("ModelRegistry",),
    "report": ("GatewayReport", "Problem", "SyncReport"),
    "settings": ("Settings",),
    "snapshot": ("Snapshot", "parse_model_string"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]  # one table, no second list
__version__ = "0.1.0"


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
