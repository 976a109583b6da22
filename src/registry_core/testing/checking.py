"""`check_plugin`: finds the mistakes of a plugin that can be found without a service."""

from __future__ import annotations

import inspect
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from pluggy import PluginManager

from .. import plugin as specs
from .._base.frozen import EMPTY
from .._base.secrets import Secrets
from .._base.suggesting import did_you_mean, nearest
from .._plugins.hook_rules import HOOKS, Described, hook_faults, option_variables, reason_disabled
from .._plugins.host import PluginHost
from .._plugins.installed import COMMANDS, GROUP
from ..errors import PluginError, RegistryError, error_text
from ..plugin import FactSource, ModelGateway, RegistrySource
from ..settings import Settings
from .canned import plugin_settings
from .samples import SAMPLE
from .watch import watch_acts

_GROUPS = (GROUP, COMMANDS)
_FLAGS = tuple(name for name, value in vars(RegistrySource).items() if isinstance(value, bool))
#: How similar a name must be to count as misspelt. Names of helpers must not.
_LIKE = 0.8


def check_plugin(
    plugin: Any, *, options: Mapping[str, Any] = EMPTY, secrets: Mapping[str, str] = EMPTY
) -> None:
    """Raise AssertionError that lists every mistake that can be found without a service.

    `plugin` is what the entry point names: a module, an object or a class. `options` and
    `secrets` (variables) are those with which the plugin works. Checks

    - the names, marks and arguments of its hooks;
    - its gateways: their names, methods and results of `should_enable`;
    - the results of its overlay and emitter for a sample;
    - its `OPTION_VARIABLES`;
    - the entry points in the pyproject.toml beside its source, if there is one.

        def test_it_is_a_plugin() -> None:
            check_plugin(acme_gateway)
    """
    owner = plugin if isinstance(plugin, type) else type(plugin)
    name = plugin.__name__ if isinstance(plugin, ModuleType) else owner.__module__
    mistakes = dict.fromkeys([*_entry_points(name), *_misspelt_hooks(plugin)])
    if isinstance(plugin, type):
        plugin = plugin()
    manager = PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    faults = [fault.text for fault in hook_faults(manager, plugin)]
    try:
        option_variables(plugin)
    except PluginError as error:
        faults.append(error.text)
    mistakes |= dict.fromkeys(faults or _behaviour(name, plugin, options, secrets))
    if mistakes:
        raise AssertionError("\n".join([f"{name}: {len(mistakes)} mistakes to fix", *mistakes]))


def _behaviour(
    name: str, plugin: object, options: Mapping[str, Any], secrets: Mapping[str, str]
) -> Iterator[str]:
    """Mistakes that show when its hooks are called as the host does."""
    settings = Settings(plugin_options={name: options})
    host = PluginHost(
        settings, environ=secrets, secrets=Secrets(), path=[], builtins=[(name, plugin)]
    )
    host.load()
    with watch_acts() as acts:
        gateways = [loaded.gateway for loaded in host.gateways()]
    if acts:
        yield f"registry_gateways must go by `settings` alone, but did: {acts[0]}"
    yield from (problem.message for problem in host.problems)
    for gateway in gateways:
        yield from _source(gateway, options, secrets)
    try:
        host.overlay(SAMPLE)
    except RegistryError as error:
        yield error.message
    yield from (problem.message for problem in host.emit(SAMPLE, None)[1] if problem.fatal)


def _source(
    described: Described, options: Mapping[str, Any], secrets: Mapping[str, str]
) -> Iterator[str]:
    source, title = described.itself, f"gateway {described.id!r}"
    kind = FactSource if isinstance(source, FactSource) else ModelGateway
    given = {
        name: [*inspect.signature(method).parameters][1:]
        for name, method in inspect.getmembers(kind, inspect.isfunction)
    }
    for method, wanted in given.items():
        signature = inspect.signature(getattr(source, method))
        try:
            signature.bind(*wanted)
        except TypeError:
            yield f"{title}: {method} takes {signature}, and is given ({', '.join(wanted)})"
    for name, value in _own(source).items():
        known = given if inspect.isroutine(value) else _FLAGS
        if meant := _meant(name, known):
            yield f"{title}: {name} is not an attribute of {kind.__name__}; did you mean {meant!r}?"
    for given_secrets in (secrets, EMPTY):
        with watch_acts() as acts:
            try:
                answer = source.should_enable(plugin_settings(options, secrets=given_secrets))
                reason_disabled(described, answer)
            except Exception as error:
                yield f"{title}: {error_text(error)}"
        if acts:
            yield f"{title}: should_enable must go by `settings` alone, but did: {acts[0]}"


def _own(source: RegistrySource) -> Mapping[str, Any]:
    """The attributes that its author defined."""
    classes = [cls for cls in type(source).__mro__ if issubclass(cls, RegistrySource)]
    own: dict[str, Any] = {}
    for cls in reversed(classes):
        own |= {} if cls in (RegistrySource, ModelGateway, FactSource) else vars(cls)
    return own | getattr(source, "__dict__", {})


def _meant(name: str, known: Collection[str]) -> str | None:
    """The word of `known` that `name` is probably a misspelling of; None if it is correct."""
    return None if name in known else nearest(name, known, _LIKE)


def _misspelt_hooks(plugin: object) -> Iterator[str]:
    """Names that look like misspelt hooks, which the host ignores because they may be right."""
    for name in dir(plugin):
        value = inspect.getattr_static(plugin, name, None)
        if not inspect.isfunction(value):
            continue
        if not hasattr(value, f"{specs.PROJECT}_impl") and (meant := _meant(name, HOOKS)):
            yield f"{name} is not a hook of registry-core; did you mean {meant!r}?"
        for parameter in inspect.signature(value).parameters.values() if name in HOOKS else ():
            has_default = parameter.default is not parameter.empty
            if has_default and (meant := _meant(parameter.name, HOOKS[name])):
                yield f"{name} is never given {parameter.name!r}; did you mean {meant!r}?"


def _entry_points(module: str) -> Iterator[str]:
    """Mistakes in the entry points of the pyproject.toml beside the plugin's source."""
    groups = _declared(module)
    if groups is None:
        return
    misspelt = {group: meant for group in groups if (meant := _meant(group, _GROUPS))}
    for group, meant in misspelt.items():
        yield f"entry points of the group {group!r} are ignored; did you mean {meant!r}?"
    entries: Mapping[str, str] = groups.get(GROUP, {})
    named = {entry: value.partition(":")[::2] for entry, value in entries.items()}
    modules = {where for where, _ in named.values()}
    # A package may name what one of its modules defines.
    if not misspelt and not any(f"{module}.".startswith(f"{where}.") for where in modules):
        hint = did_you_mean(module, modules)
        yield f"no entry point of the group {GROUP!r} names {module}" + (
            f"; {hint}" if hint else ""
        )
    for entry, (where, attribute) in named.items():
        target: Any = sys.modules[module]
        for part in filter(None, attribute.split(".") if where == module else ()):
            target = getattr(target, part, None)
        if target is None:
            yield f"entry point {entry!r}: {module} has no {attribute!r}"


def _declared(module: str) -> Mapping[str, Mapping[str, str]] | None:
    """Group → name → value; None if no pyproject.toml is near, or its entry points are dynamic."""
    file = Path(getattr(sys.modules.get(module), "__file__", None) or "none")
    folders = () if "site-packages" in file.parts else file.parents[: module.count(".") + 3]
    for folder in folders:
        if (folder / "pyproject.toml").is_file():
            project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("project")
            if project is not None and "entry-points" not in project.get("dynamic", ()):
                groups: Mapping[str, Mapping[str, str]] = project.get("entry-points", {})
                return groups
    return None
