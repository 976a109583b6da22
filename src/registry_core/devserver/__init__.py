"""Start and stop registry-core in a dev server. The adapters call this.

Call `startup` where a process begins to serve, and `shutdown` where it ends. An application
does this itself if there is no adapter for its server.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._base.forks import after_fork

if TYPE_CHECKING:
    from ..registry import ModelRegistry

logger = logging.getLogger("registry_core")

_lock = threading.RLock()
_serving: ModelRegistry | None = None


def startup(registry: ModelRegistry | None = None) -> None:
    """Call when this process begins to serve an application in development.

    It calls the plugins' hooks, and starts to refresh in the background, unless
    `auto_refresh_providers` is false. (That is so under `registry-core dev`, which refreshes
    itself.) From now on a refresh also writes the project's files
    (`[tool.registry-core.output]`). `registry`: None for the registry of this process. Only the
    first call in a process counts; a forked worker calls it again. Errors are logged, not
    raised.
    """
    global _serving
    with _lock:
        if _serving is not None:
            return
        try:
            from .._sync.telling import show_lines
            from ..registry import ModelRegistry

            show_lines()  # before a refresh that the next line may start
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
    """Stop what `startup` began. Does nothing if that was not called, and raises nothing.

    Called automatically when the interpreter exits.
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
    """Whether this is a dev server: `REGISTRY_CORE_DEV` if it is set, else `framework`, what the
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
    from .._base.warning import warn_once

    warn_once(f"{what}: {error}")  # once: Flask's adapter tries again at the next request
    logger.debug("%s", what, exc_info=True)


def _after_fork() -> None:
    """Forget what the parent serves, and replace the lock, which another thread may have held."""
    global _lock, _serving
    _lock, _serving = threading.RLock(), None


after_fork(_after_fork)
