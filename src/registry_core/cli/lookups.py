"""`registry-core list` and `show`: what a lookup sees, nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .common import json_option, registry, reports_errors
from .output import complain, say, say_json

if TYPE_CHECKING:
    from ..models import ProviderConfig
    from ..registry import ModelRegistry


@click.command("list")
@click.argument("text", required=False, default="")
@json_option
@reports_errors
def list_models(text: str, as_json: bool) -> None:
    """List the ids of models: all, or those that contain TEXT."""
    mine = registry()
    every = mine.get_models()
    found: Mapping[str, Sequence[str]] = every
    if text:
        wanted = text.casefold()
        matching = {
            id: [model for model in models if wanted in f"{id}/{model}".casefold()]
            for id, models in every.items()
        }
        found = {id: models for id, models in matching.items() if models}
    if as_json:
        say_json(found)
    elif found:
        say(*(f"{id}/{model}" for id, models in found.items() for model in models))
    if not found:
        _not_found(f"no provider or model contains {text!r}", text, mine)


@click.command()
@click.argument("id")
@json_option
@reports_errors
def show(id: str, as_json: bool) -> None:
    """Show all that is known of a model, a role or a provider."""
    mine = registry()
    model = mine.get_model(id)
    target = mine.snapshot().roles.get(id)
    provider = None if model or target else mine.get_provider_config(id)
    if model is not None:
        role = {"role": id, "full_id": target} if target else {}
        found = {**role, **model.to_dict()}
    elif provider is not None:
        found = {**provider.to_dict(), "deprecated_models": [*provider.deprecated_models]}
    elif target is not None:
        _not_found(f"{id!r} is a role, and its model {target!r} is not served", target, mine)
    else:
        _not_found(f"{id!r} is neither a model, a role nor a provider", id, mine)
    if as_json:
        say_json(found)
    elif provider is not None:
        say(*_lines(_set({**found, "url": _url(provider), "models": [*provider.models]})))
    else:
        say(*_lines(_shown(found)))


def _url(provider: ProviderConfig) -> str | None:
    """Its URL, in words where it is not the gateway that knows it."""
    from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN

    known = KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).url
    return provider.url or (known and f"{known} (its gateway names none; this is well known)")


def _shown(model: Mapping[str, Any]) -> Mapping[str, Any]:
    """A model, without what says nothing if it is missing: few models have a
    status, dates of their end, or more than the known fields. Else "unknown" is worth a line."""
    quiet = {"status": model["status"], "lifecycle": _set(model["lifecycle"])}
    return {
        name: value
        for name, value in {**model, **quiet}.items()
        if name not in (*quiet, "extra") or value
    }


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, (), [], {})}


def _not_found(message: str, text: str, mine: ModelRegistry) -> NoReturn:
    from .._base.suggesting import hint

    meant = hint(text, mine.get_models(), mine.snapshot().roles)
    complain(f"{message}; {meant}" if meant else message)
    raise SystemExit(1)


def _lines(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {_text(value)}"


def _text(value: Any) -> str:
    if value is None or value in ((), {}, []):
        return "unknown" if value is None else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_text(item)}" for key, item in value.items())
    return str(value)
