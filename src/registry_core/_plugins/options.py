"""Options of plugins, from the project's table and from the environment."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._base.defaults import PREFIX
from .._base.frozen import EMPTY
from .._base.suggesting import did_you_mean, nearest
from .._base.variable_names import as_variable
from .._config.variables import PLUGIN_PREFIX
from .known import OWNERS, install_hint

if TYPE_CHECKING:
    from ..settings import Settings

#: Maximum number of characters of a variable that are compared with names of plugins.
_LONGEST = 100


def options_of(
    settings: Settings, entry: str, entries: Collection[str], declared: Mapping[str, str]
) -> Mapping[str, Any]:
    """The options of the plugins with the entry-point name `entry`.

    `REGISTRY_CORE_PLUGIN_<ENTRY>_<OPTION>` outranks the variables that the plugin has `declared`
    (option → variable), and these outrank the table. `entries`: the names of all entry points,
    since the longest name that fits a variable wins.
    """
    options = dict(settings.plugin_options.get(entry, EMPTY))
    variables = settings.plugin_variables
    options |= {
        option: variables[variable]
        for option, variable in declared.items()
        if variable in variables
    }
    for variable, value in variables.items():
        owner, option = _split(variable, entries)
        if owner == as_variable(entry):
            options[option] = value
    return options


def variables_in_vain(
    settings: Settings, entries: Collection[str], declared: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The variables that no plugin gets, each with what is wrong with it.

    A variable outside the namespace of plugins is reported only if it looks like a misspelt
    `declared` one, since a plugin may read it as a secret.
    """
    for variable in sorted({*settings.plugin_variables} - {*declared}):
        if variable.startswith(PLUGIN_PREFIX):
            if not _split(variable, entries)[0]:
                hint = _missing(variable) or _nearest_option(variable, entries)
                hint = hint or did_you_mean("", entries)
                yield variable, f"names no option of an installed plugin; {hint}"
        else:
            names = [name.removeprefix(PREFIX) for name in declared]
            near = nearest(variable.removeprefix(PREFIX), names, 0.8)
            if near:
                yield variable, f"is read by no plugin; did you mean {PREFIX}{near}?"


def _split(variable: str, entries: Collection[str]) -> tuple[str, str]:
    """The entry, in the form of variables, and the option; two empty texts if no entry fits."""
    names = "|".join(sorted(map(as_variable, entries), key=len, reverse=True))
    match = re.fullmatch(rf"{PLUGIN_PREFIX}({names})_([A-Z0-9_]+)", variable)
    return (match[1], match[2].lower()) if match else ("", "")


def _missing(variable: str) -> str:
    owner, _ = _split(variable, OWNERS)
    return next((install_hint(entry) for entry in OWNERS if as_variable(entry) == owner), "")


def _nearest_option(variable: str, entries: Collection[str]) -> str:
    name = variable.removeprefix(PLUGIN_PREFIX)
    parts = name[:_LONGEST].split("_")
    names = {as_variable(entry) for entry in entries}
    for count in range(len(parts) - 1, 0, -1):
        owner = "_".join(parts[:count])
        near = nearest(owner, names)
        if near:
            return f"did you mean {PLUGIN_PREFIX}{near}{name[len(owner) :]}?"
    return ""
