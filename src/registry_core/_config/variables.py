"""Variables that are not settings but options of plugins (see `_plugins.options`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .._base.defaults import PREFIX
from ..settings import VARIABLES

PLUGIN_PREFIX = f"{PREFIX}PLUGIN_"
#: Variables that Kubernetes sets in each container for a service, here one named registry-core-….
_SERVICE = (
    r"\w+(_SERVICE_HOST=.*|_SERVICE_PORT(_\w+)?=.*|_PORT=\w+://.*"
    r"|_PORT_[0-9]+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?=.*)"
)


def plugin_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str | int | bool]]:
    """The variables that may be options of plugins, and their values."""
    for variable, text in environ.items():
        if (
            variable.startswith(PREFIX)
            and variable not in VARIABLES
            and text.strip()
            and not re.fullmatch(_SERVICE, f"{variable}={text}")
        ):
            yield variable, _scalar(text.strip())


def _scalar(text: str) -> str | int | bool:
    """The value as TOML reads it. An integer only if `str` gives the same text back."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text) else text
