"""Keeps a policy in force from one generation to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import OverlayError

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from .._plugins.host import PluginHost
    from .before import Before

_OWN = "registry-core:"  # a part of the core can't be missing


def refuse_lost(host: PluginHost, before: Before) -> None:
    """Raise OverlayError if a policy that was in force would end, or lose its options, though the
    user has not asked for that.

    While a package is upgraded, it is missing for a moment. A sync that is started elsewhere finds
    no project.
    """
    project, overlays = host.settings.project, host.overlays()
    if before.overlays is None and project is None:
        raise OverlayError(
            "was in force, and no project was found",
            culprit="a policy whose name is lost",
            hint="sync in the project, or name it: registry-core sync --project DIR; "
            "if there is no project, remove the file `registry-core.policy` of the store",
        )
    outdated = host.outdated_overlay()
    if outdated is not None:
        raise outdated
    for key, about in (before.overlays or {}).items():
        if not key or host.is_excluded(key):
            continue
        if key not in overlays:
            if key.startswith(_OWN):
                continue
            raise OverlayError(
                "was in force, and is no longer installed",
                culprit=key,
                hint=f"install it again, or give it up: REGISTRY_CORE_DISABLE_PLUGINS={key}",
            )
        known = about.get("options", overlays[key]["options"])  # older versions stored none
        if project is None and overlays[key]["options"] != known:
            raise OverlayError(
                "was in force with other options, and no project was found",
                culprit=key,
                hint="sync in the project, or name it: registry-core sync --project DIR; "
                "if all its options are variables, put an empty registry-core.toml here",
            )


def fallback(before: Before, final: Snapshot) -> str | None:
    """The hash of the snapshot to serve if `final` is damaged and a policy is in force: the
    previous one, if it has passed the same policy and shows nothing that is withheld now.
    """
    old = before.snapshot
    if not final.overlays or before.generation is None or old.overlays != final.overlays:
        return None
    if old == final:
        return before.generation.previous
    return old.hash if all(_keeps_back(old, id) for id in final.withheld) else None


def _keeps_back(old: Snapshot, id: str) -> bool:
    """Whether `old` neither shows the withheld provider or model, nor resolves it as an id that no
    gateway lists."""
    if old.offers(id):
        return False
    provider, _ = old.split(id)
    return (
        provider is None
        or not old.is_provider_registered(provider)
        or any(taken.startswith(f"{provider}/") for taken in old.withheld)
    )
