"""`registry-core show`: all that a lookup knows of one model, role or provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .common import (
    color_option,
    drawn,
    examples,
    json_option,
    missing,
    registry,
    reports_errors,
    today_of,
)
from .output import say, say_json
from .values import UNKNOWN_URL, days_until, record, split, url_of, when

if TYPE_CHECKING:
    from datetime import date

    from ..models import ModelInfo, ProviderConfig
    from ..registry import ModelRegistry


@click.command(
    epilog=examples(
        "show openai/gpt-5", "show openai", "show openai/gpt-5 --sources --field cost,lifecycle"
    )
)
@click.argument("id", shell_complete=completing.ids)
@click.option("--sources", is_flag=True, help="Who says what of each field, and since when.")
@click.option("--disagreements", is_flag=True, help="Only fields in which sources differ.")
@click.option(
    "--field",
    multiple=True,
    callback=split,
    metavar="FIELD",
    shell_complete=completing.fields,
    help="Of these fields: lifecycle.retires_on, cost, …",
)
@color_option
@json_option
@reports_errors
def show(
    id: str, sources: bool, disagreements: bool, field: tuple[str, ...], color: str, as_json: bool
) -> None:
    """Show all that is known of a model, a role or a provider."""
    mine = registry()
    screen = drawn(color) and not as_json
    model = mine.get_model(id)
    target = mine.snapshot().roles.get(id)
    provider = None if model or target else mine.get_provider_config(id)
    if sources or disagreements or field:
        if model is None and provider is not None:
            raise click.UsageError(
                f"sources are shown of a model; of all of a provider: "
                f"registry-core list --provider {id} --disagreements"
            )
        if model is not None:
            from .provenance import say_sources

            say_sources(
                mine,
                model.full_id,
                field,
                only_differing=disagreements,
                color=color,
                screen=screen,
                as_json=as_json,
            )
            return
    if model is not None:
        _show_model(mine, model, id if target else None, color, screen=screen, as_json=as_json)
    elif provider is not None:
        _show_provider(mine, provider, color, screen=screen, as_json=as_json)
    elif target is not None:
        missing(f"{id!r} is a role, and its model {target!r} is not served", target, mine)
    else:
        withheld = mine.snapshot().withheld
        for taken, key in withheld.items():
            if taken == id or id.startswith(f"{taken}/"):
                missing(f"{id!r} is withheld by the policy {key}")
        missing(f"{id!r} is neither a model, a role nor a provider", id, mine)


def _show_model(
    mine: ModelRegistry,
    model: ModelInfo,
    role: str | None,
    color: str,
    *,
    screen: bool,
    as_json: bool,
) -> None:
    from .calls import checked_call

    provider, today = mine.get_provider_config(model.provider_id), today_of(mine)
    goes = checked_call(provider, model.id, mine.world) if provider else {}
    named = {"role": role} if role else {}
    if as_json:
        say_json({"schema": 1, **named, **record(model), "call": goes})
    elif screen and provider is not None:
        from .cards import model_card

        model_card(mine, model, provider, goes, role, today, color)
    else:
        say(*_lines(named | _shown(record(model), today) | {"call": _shown_call(goes)}))


def _show_provider(
    mine: ModelRegistry, provider: ProviderConfig, color: str, *, screen: bool, as_json: bool
) -> None:
    from .calls import checked_call

    goes = checked_call(provider, "", mine.world)
    record = {**provider.to_dict(), "deprecated_models": [*provider.deprecated_models]}
    if as_json:
        say_json({"schema": 1, **record, "call": goes})
    elif screen:
        from .cards import provider_card

        provider_card(mine, provider, goes, today_of(mine), color)
    else:
        record = {**record, "models": [*provider.models], "call": _shown_call(goes)}
        say(*_lines(_set(record | {"url": url_of(goes)})))


def _shown_call(goes: Mapping[str, Any]) -> dict[str, Any]:
    if goes.get("unroutable"):
        return {"not by URL and key": goes["unroutable"]}
    variables = {**goes.get("keys", {}), **goes.get("places", {})}
    return {
        "url": url_of(goes) or f"{UNKNOWN_URL} {goes['url_variable']}",
        "dialect": goes["dialect"],
        **{name: "set" if is_set else "not set" for name, is_set in variables.items()},
        **({"refused": goes["refused"]} if goes["refused"] else {}),
    }


def _shown(model: Mapping[str, Any], today: date) -> dict[str, Any]:
    """A model, without what says nothing if it is missing: few models have a status, a
    successor, or more than the known fields. Else "unknown" is worth a line: nobody says that
    it never retires."""
    dates = model["lifecycle"]
    remaining = days_until(dates["retires_on"], today)
    retires = None if remaining is None else f"{dates['retires_on']} ({when(remaining)})"
    shown = {**model, "lifecycle": {**_set(dates), "retires_on": retires}}
    return {
        name: value for name, value in shown.items() if name not in ("status", "extra") or value
    }


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, (), [], {})}


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
