"""Rules for hooks: their form, checked when a plugin is loaded, and their results."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen
from pluggy import HookimplOpts, PluginManager

from .. import plugin as specs
from .._base.defaults import PREFIX
from .._base.frozen import EMPTY, FrozenDict
from .._base.suggesting import did_you_mean
from .._catalog.snapshot import Snapshot
from ..errors import GatewayError, OverlayError, PluginError, RegistryError, error_text
from ..plugin import Artifact, Disabled, FactSource, ModelGateway, RegistrySource
from ..settings import VARIABLES

#: Hook → names of its arguments.
HOOKS = {
    name: tuple(inspect.signature(value).parameters)
    for name, value in vars(specs).items()
    if hasattr(value, f"{specs.PROJECT}_spec")
}
_ORDERINGS = ("wrapper", "hookwrapper", "tryfirst", "trylast")

#: What is wrong with one item that a hook returned. It is an error if the plugin returned that.
Complaint = str | RegistryError


def implemented_hooks(manager: PluginManager, plugin: object) -> tuple[str, ...]:
    """The hooks that `plugin` implements, sorted.

    Raises PluginError if one breaks a rule. If that is an overlay, or probably meant to be one,
    it raises OverlayError, a PluginError.
    """
    for fault in hook_faults(manager, plugin):
        raise fault
    names = {
        options.get("specname") or attribute for attribute, options in _marked(manager, plugin)
    }
    return tuple(sorted(names & HOOKS.keys()))


def hook_faults(manager: PluginManager, plugin: object) -> Iterator[PluginError]:
    """An error for every rule that a hook of `plugin` breaks; see `implemented_hooks`."""
    try:
        hash(plugin)
    except TypeError:
        yield PluginError(
            f"{type(plugin).__name__} objects have no hash",
            hint="register a module, or an object of an @attrs.frozen class",
        )
    marked = dict(_marked(manager, plugin))
    for attribute in dir(plugin):
        if attribute not in marked:
            yield from _unmarked(plugin, attribute)
            continue
        options = marked[attribute]
        name = options.get("specname") or attribute
        if name in HOOKS:
            orderings = [mark for mark in _ORDERINGS if options.get(mark)]
            yield from _faults(name, getattr(plugin, attribute), orderings)
        elif not options.get("optionalhook"):
            hint = did_you_mean(name, HOOKS)
            error = OverlayError if "registry_overlay" in hint else PluginError
            yield error(f"{name} is not a hook of registry-core", hint=hint)
    if not marked:
        yield PluginError(
            "has no function marked @hookimpl", hint=f"name one of {', '.join(HOOKS)}"
        )


def _marked(manager: PluginManager, plugin: object) -> Iterator[tuple[str, HookimplOpts]]:
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            yield attribute, options


def option_variables(plugin: object) -> Mapping[str, str]:
    """`OPTION_VARIABLES` of the plugin: option → variable that it is also read from.

    Raises PluginError if it is not such a mapping, or if a variable is a setting or does not
    start with `REGISTRY_CORE_`.
    """
    declared: Any = getattr(plugin, "OPTION_VARIABLES", EMPTY)
    pairs = declared.items() if isinstance(declared, Mapping) else [(None, declared)]
    for option, variable in pairs:
        texts = isinstance(option, str) and isinstance(variable, str)
        if not (texts and re.fullmatch(f"{PREFIX}[A-Z0-9_]+", variable)):
            raise PluginError(
                f"OPTION_VARIABLES holds {variable!r:.200}",
                hint=f'write {{"url": "{PREFIX}…"}}: option, and a variable in that namespace',
            )
        if variable in VARIABLES:
            raise PluginError(f"OPTION_VARIABLES names {variable}, a setting of registry-core")
    return FrozenDict(declared)


def _unmarked(plugin: object, attribute: str) -> Iterator[PluginError]:
    function = inspect.getattr_static(plugin, attribute, None)
    is_spec = hasattr(function, f"{specs.PROJECT}_spec")  # the plugin imported the hookspec
    if attribute in HOOKS and inspect.isroutine(function) and not is_spec:
        yield _error(attribute, "is not marked as a hook", "put @hookimpl above it")


def _faults(name: str, function: Callable[..., Any], orderings: list[str]) -> Iterator[PluginError]:
    if orderings:
        yield _error(
            name,
            f"is marked {orderings[0]}, which the host refuses",
            "drop it; the integer option `order` says who comes first",
        )
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        yield _error(name, "is async, and the host calls plain functions", "drop async")
    for parameter in inspect.signature(function).parameters.values():
        required = parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        )
        if required and parameter.name not in HOOKS[name]:
            hint = did_you_mean(parameter.name, HOOKS[name])
            yield _error(name, f"takes {parameter.name!r}, which the hook does not pass", hint)
        elif required and parameter.kind is parameter.KEYWORD_ONLY:
            yield _error(name, f"takes {parameter.name!r} by keyword only", "drop the `*`")


def _error(name: str, message: str, hint: str) -> PluginError:
    error = OverlayError if name == "registry_overlay" else PluginError
    return error(f"{name} {message}", hint=hint)


@frozen(eq=False)
class Described:
    """A gateway or a source of facts, and its attributes. They are read once, since a property
    may return something else the next time."""

    itself: RegistrySource
    id: str
    name: str
    namespaced: bool
    needs_network: bool
    volatile: bool
    own: frozenset[str] = frozenset()


def returned_gateways(value: Any) -> tuple[tuple[Described, ...], tuple[Complaint, ...]]:
    """The gateways that can be used, and a complaint about each item that can't."""
    return _sorted_out(value, ModelGateway, _described)


def returned_facts(value: Any) -> tuple[tuple[Described, ...], tuple[Complaint, ...]]:
    """The sources of facts that can be used, and a complaint about each item that can't."""
    return _sorted_out(value, FactSource, _described)


def returned_artifacts(value: Any) -> tuple[tuple[Artifact, ...], tuple[Complaint, ...]]:
    """The artifacts, and a complaint about each item that is something else."""
    return _sorted_out(value, Artifact, _checked)


def returned_snapshot(value: Any) -> Snapshot | None:
    """The result of an overlay. Raises PluginError if it is neither a Snapshot nor None."""
    if value is not None and not isinstance(value, Snapshot):
        raise PluginError(f"returned {type(value).__name__}", hint="return a Snapshot or None")
    return value


def reason_disabled(gateway: Described, answer: Any) -> str | None:
    """Why `gateway` must not be asked, from the result of its `should_enable`; None to ask it.

    Raises GatewayError for any other result, such as a text or a class.
    """
    if isinstance(answer, bool):
        return None if answer else "it is not enabled"
    if isinstance(answer, Disabled):
        return answer.reason
    raise GatewayError(
        f"should_enable returned {_kind_of(answer)}",
        culprit=gateway.id,
        hint='return True, False or Disabled("set ACME_TOKEN")',
    )


def describe_gateway(gateway: object) -> Described:
    """`gateway` with its attributes, if it can be registered. Raises TypeError otherwise."""
    if not isinstance(gateway, ModelGateway):
        raise TypeError(f"expected a ModelGateway, got {_kind_of(gateway)}")
    result = _described(gateway)
    if isinstance(result, str):
        raise TypeError(result)
    return result


def _kind_of(value: Any) -> str:
    return f"the class {value.__name__}" if inspect.isclass(value) else type(value).__name__


def _sorted_out(
    value: Any, cls: type, check: Callable[[Any], object]
) -> tuple[tuple[Any, ...], tuple[Complaint, ...]]:
    if not issubclass(type(value), Iterable) or issubclass(type(value), (str, bytes, Mapping)):
        raise PluginError(
            f"returned {type(value).__name__}", hint=f"return a list of {cls.__name__}, or ()"
        )
    good: list[Any] = []
    complaints: list[Complaint] = []
    for item in value:
        if isinstance(item, cls):
            result = _read(item, cls, check)
        elif isinstance(item, RegistryError):
            result = item
        else:
            result = f"returned {_kind_of(item)} instead of {cls.__name__}"
        if isinstance(result, (str, RegistryError)):
            complaints.append(result)
        else:
            good.append(result)
    return tuple(good), tuple(complaints)


def _read(item: object, cls: type, check: Callable[[Any], object]) -> object:
    """The result of `check(item)`, or an error if a property of `item` raises."""
    try:
        return check(item)
    except KeyboardInterrupt:
        raise  # the user's
    except BaseException as error:
        return PluginError(f"a {cls.__name__} can't be read: {error_text(error)}")


def _described(gateway: RegistrySource) -> Described | str:
    """The gateway with its attributes, or what is wrong with it."""
    id, name = getattr(gateway, "id", None), getattr(gateway, "name", None)
    # A subclass of str, such as an Enum, may be shown, stored or compared differently.
    if type(id) is not str or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", id):
        return (
            f"a gateway has the id {id!r}; use a plain text, up to 64 of a-z 0-9 . _ -, "
            "a letter or digit first"
        )
    if not isinstance(name, str) or not name.strip():
        return f"gateway {id!r} has the name {name!r}; use a text"
    flags = {name: getattr(gateway, name) for name in ("namespaced", "needs_network", "volatile")}
    for flag, value in flags.items():
        if not isinstance(value, bool):
            return f"gateway {id!r} has a {flag} that is neither True nor False"
    own = gateway.own if isinstance(gateway, FactSource) else ()
    if isinstance(own, str) or not all(isinstance(one, str) for one in own):
        return f"source {id!r} has {own!r:.80} as own; use full ids"
    return Described(gateway, id, name, **flags, own=frozenset(own))


def _checked(artifact: Artifact) -> Artifact | str:
    """A plain copy of the artifact, or what is wrong with it."""
    artifact = Artifact(artifact.emitter, artifact.path, artifact.text)
    for field in ("emitter", "path", "text"):
        value = getattr(artifact, field)
        if not isinstance(value, str):
            return f"an Artifact has {type(value).__name__} as {field}; use a text"
        if not value and field != "text":
            return f"an Artifact has an empty {field}: {artifact.emitter!r}, {artifact.path!r}"
    return artifact
