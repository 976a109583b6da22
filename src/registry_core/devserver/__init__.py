"""What happens when a dev server starts and ends; the adapters beside it call this.

`startup` belongs where a process begins to serve, `shutdown` where it ends. For a server
without an adapter an application calls both itself.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..registry import ModelRegistry

logger = logging.getLogger("registry_core")

_lock = threading.RLock()
_serving: ModelRegistry | None = None


def startup(registry: ModelRegistry | None = None) -> None:
    """This process serves an application in development: tell the plugins, and refresh.

    From now on a refresh also writes the project's files (`[tool.registry-core.output]`).
    It runs in the background, unless `auto_refresh_providers` is false: beneath
    `registry-core dev`, which refreshes itself, that is so. None means the registry of
    this process. Only the first call in a process counts; a forked worker starts its own.
    What goes wrong is logged; raises nothing.
    """
    global _serving
    with _lock:
        if _serving is not None:
            return
        try:
            from .._sync.telling import show_lines
            from ..registry import ModelRegistry

            show_lines()  # before a refresh that the environment may start
            registry = registry or ModelRegistry.get_instance()
            settings = registry.world.settings
            registry.world.in_dev, _serving = True, registry
            _tell_plugins(registry, "registry_dev_startup")
            if settings.auto_refresh_providers is False:
                registry.stop_auto_refresh()  # REGISTRY_CORE_DEV alone may have started it
                logger.debug(
                    "dev server: auto_refresh_providers is false, no refresh in this process"
                )
            else:
                if settings.unasked:
                    logger.info("%s", settings.unasked)
                registry.start_auto_refresh()
            atexit.register(shutdown)
        except Exception as error:
            _serving = None
            _warn("the dev server runs without registry-core", error)


def shutdown() -> None:
    """The end of what `startup` began; nothing if it was not called. Raises nothing.

    Called by itself when the interpreter exits.
    """
    global _serving
    with _lock:
        registry, _serving = _serving, None
        if registry is None:
            return
        from .._sync.telling import hide_lines

        atexit.unregister(shutdown)
        try:
            registry.stop_auto_refresh()
            _tell_plugins(registry, "registry_dev_shutdown")
        except Exception as error:
            _warn("the end of the dev server", error)
        hide_lines()
        registry.world.in_dev = False


def is_dev(framework: bool, environ: Mapping[str, str] | None = None) -> bool:
    """Whether this is a dev server: `REGISTRY_CORE_DEV` if it is set, else what the
    framework says."""
    from ..settings import SETTINGS, Settings

    environ = os.environ if environ is None else environ
    given = any(setting.name == "dev" and setting.variable_set(environ) for setting in SETTINGS)
    return Settings.for_lookups(environ).dev if given else framework


def _tell_plugins(registry: ModelRegistry, hook: str) -> None:
    for outcome in registry.world.host.call_each(hook, registry=registry):
        for problem in outcome.problems:
            logger.warning("%s", problem)
        if outcome.problem is None:
            logger.debug("%s: %s called", outcome.plugin.source.title, hook)


def _warn(what: str, error: Exception) -> None:
    from ..settings import warn_once

    warn_once(f"{what}: {error}")  # once: Flask's adapter tries again at the next request
    logger.debug("%s", what, exc_info=True)


def _after_fork() -> None:
    """What the parent serves is the parent's; its lock may be held by a thread that is gone."""
    global _lock, _serving
    _lock, _serving = threading.RLock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
