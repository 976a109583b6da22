"""Import entry points of plugins and commands, and describe their failures."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

from ..errors import PluginError, as_error
from .discovery import PluginSource

logger = logging.getLogger("registry_core")


def import_entry(source: PluginSource) -> Any:
    """The object that the entry point names. Raises whatever its code raises."""
    if not EntryPoint.pattern.match(source.value):
        raise PluginError(f"{source.value!r} is neither a module nor module:object")
    return EntryPoint(source.entry, source.value, source.group).load()


def failure(
    source: PluginSource, what: str, error: BaseException, mask: Callable[[str], str] = str
) -> PluginError:
    """The error for an exception of a plugin, without secrets. Logs the traceback."""
    if logger.isEnabledFor(logging.DEBUG):
        trace = "".join(traceback.format_exception(error))
        logger.debug("%s: %s\n%s", source.title, what, mask(trace))
    cause = as_error(error, PluginError, "", mask, source.value.partition(":")[0])
    text = f"{cause.culprit}: {cause.message}" if cause.culprit else cause.message
    kind = type(cause) if isinstance(cause, PluginError) else PluginError
    return kind(f"{what}: {text}", culprit=source.title, hint=cause.hint)
