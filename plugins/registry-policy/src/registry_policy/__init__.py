"""Policy by configuration: which models may be used, roles for them, and corrections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import translate
from typing import TYPE_CHECKING, Any

from registry_core import ModelInfo, ProviderConfig, SettingsError, Snapshot, hookimpl

if TYPE_CHECKING:
    from registry_core import PluginSettings

#: `order` is read by the host.
_OPTIONS = ("allow", "deny", "order", "overrides", "roles")
_LIST = 'write ["deepseek/*"], or "deepseek/*, xai/*" in a variable'


@dataclass(frozen=True)
class Rules:
    """The options, checked."""

    allow: tuple[str, ...] | None
    """None allows everything; an empty tuple allows nothing."""
    deny: tuple[str, ...]
    roles: Mapping[str, str]
    overrides: Mapping[str, Mapping[str, Any]]
    """Full id → changes, as for `ModelInfo.replace`."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Rules:
        """Check the options. Raises SettingsError that names the key."""
        for key in options:
            if key not in _OPTIONS:
                near = get_close_matches(key, _OPTIONS, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_OPTIONS)}"
                raise _refused(key, "unknown option", hint)
        allow = options.get("allow")
        return cls(
            None if allow is None else _patterns("allow", allow),
            _patterns("deny", options.get("deny", ())),
            _roles(options.get("roles", {})),
            _overrides(options.get("overrides", {})),
        )

    def matcher(self) -> Callable[[str], bool]:
        """A function that says whether a full id is allowed."""
        denied = _matcher(self.deny)
        allowed = _matcher(("*",) if self.allow is None else self.allow)
        return lambda id: allowed(id) is not None and denied(id) is None

    def apply(self, snapshot: Snapshot) -> Snapshot:
        permitted = self.matcher()
        corrected: dict[str, dict[str, ModelInfo]] = {}
        for id, fields in self.overrides.items():
            model = snapshot.get_model(id)
            if model is not None:
                own = corrected.setdefault(model.provider_id, {})
                own[model.id] = model.replace(**fields)
        providers: dict[str, ProviderConfig] = {}
        for id, provider in snapshot.get_providers().items():
            models, routes = provider.models, provider.model_overrides
            allowed = [model for model in models if permitted(f"{id}/{model}")]
            if not allowed and (models or not permitted(f"{id}/")):
                continue
            own = corrected.get(id, {})
            if own or len(allowed) < len(models):
                provider = provider.replace(models={m: own.get(m) or models[m] for m in allowed})
            if not all(permitted(f"{id}/{model}") for model in routes):  # writers show these, too
                routes = {m: route for m, route in routes.items() if permitted(f"{id}/{m}")}
                provider = provider.replace(model_overrides=routes)
            providers[id] = provider
        return snapshot.replace(providers=providers, roles={**snapshot.roles, **self.roles})

    def named(self) -> set[tuple[str, str]]:
        """(option, text) of all texts that should match models."""
        texts = {
            "allow": self.allow or (),
            "deny": self.deny,
            "roles": self.roles.values(),
            "overrides": self.overrides,
        }
        return {(key, text) for key, named in texts.items() for text in named}


@hookimpl
def registry_overlay(snapshot: Snapshot, settings: PluginSettings) -> Snapshot | None:
    rules = Rules.of(settings.options)
    if not settings.options.keys() - {"order"}:
        return None
    ids = _ids(snapshot)
    for key, text in sorted(rules.named()):
        is_glob = key in ("allow", "deny")
        if not (any(map(_matcher([text]), ids)) if is_glob else snapshot.get_model(text)):
            near = _nearest(text, snapshot)
            fits = near and (is_glob or snapshot.get_model(near))
            hint = f"; did you mean {near!r}?" if fits else ""
            settings.warn(key, f"{text!r} stands for no model{hint}")
    return rules.apply(snapshot)


def _matcher(patterns: Iterable[str]) -> Callable[[str], object]:
    """One regular expression for all patterns, case-sensitive on every system."""
    return re.compile("|".join(map(translate, patterns)) or "(?!)").match


def _ids(snapshot: Snapshot) -> list[str]:
    return [f"{id}/{model}" for id, models in snapshot.get_models().items() for model in models]


def _nearest(text: str, snapshot: Snapshot) -> str | None:
    """The id or pattern that `text` probably means."""
    models = snapshot.get_models()
    provider, _, name = text.replace("*", "").casefold().partition("/")
    owners = get_close_matches(provider, models, 1)
    if owners:
        names = {id.casefold(): f"{owners[0]}/{id}" for id in models[owners[0]]}
    else:
        name = (name or provider).rpartition("/")[2]
        last = sorted({id.rpartition("/")[2] for id in _ids(snapshot)})
        names = {id.casefold(): f"*/{id}" for id in last}
    matches = [names[match] for match in get_close_matches(name, names, 1)]
    return next(iter([*matches, *(f"{owner}/*" for owner in owners)]), None)


def _patterns(key: str, value: Any) -> tuple[str, ...]:
    """The patterns in a list, or in a text with commas, since a variable can't hold a list."""
    if isinstance(value, str):
        value = [pattern.strip() for pattern in value.split(",") if pattern.strip()]
    if not isinstance(value, (list, tuple)):
        raise _refused(key, f"expected a list, got {type(value).__name__}", _LIST)
    for pattern in value:
        if not isinstance(pattern, str) or not pattern:
            raise _refused(key, f"expected patterns, got {pattern!r}", _LIST)
    return tuple(value)


def _table(key: str, value: Any, hint: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _refused(key, f"expected a table, got {type(value).__name__}", hint)
    return value


def _roles(value: Any) -> Mapping[str, str]:
    hint = 'write fast = "openai/gpt-5" in its table'
    roles = _table("roles", value, hint)
    try:
        return Snapshot.build((), roles=roles).roles
    except (TypeError, ValueError) as error:
        raise _refused("roles", str(error), hint) from None


def _overrides(value: Any) -> Mapping[str, Mapping[str, Any]]:
    """Check overrides without their models, which may be missing today."""
    hint = 'write limit.context = 200000 in the table overrides."openai/gpt-5"'
    for id, fields in _table("overrides", value, hint).items():
        key = f'overrides."{id}"'
        if not all(id.partition("/")):
            raise _refused(key, "expected a full id such as openai/gpt-5", hint)
        for name in ("id", "provider_id"):
            if name in _table(key, fields, hint):
                raise _refused(key, f"{name} can't be changed", "declare a role")
        try:
            ModelInfo("model", "provider").replace(**fields)
        except (TypeError, ValueError) as error:
            raise _refused(key, str(error), hint) from None
    checked: Mapping[str, Mapping[str, Any]] = value
    return checked


def _refused(key: str, message: str, hint: str) -> SettingsError:
    return SettingsError(message, culprit=key, hint=hint)
