"""Command `keys`: which providers can be called with the keys that are set here."""

from __future__ import annotations

import click

from registry_core import SettingsError
from registry_core.command import Invocation, registry_command


@click.command()
@click.argument("providers", nargs=-1)
@registry_command
def keys(invocation: Invocation, providers: tuple[str, ...]) -> None:
    """Show which of PROVIDERS, or of all, have a key in the environment."""
    settings = invocation.settings()
    ignored = settings.options.get("ignore", ())
    if not isinstance(ignored, (list, tuple)):
        hint = 'write a list: ignore = ["openai"]'
        raise SettingsError("is no list", culprit="the option ignore of keys", hint=hint)
    known = invocation.registry.get_providers()
    for id in sorted({*providers} - {*known}):
        invocation.complain(f"warning: no provider {id}")
    found = {
        id: variables
        for id in known
        if id not in ignored and (not providers or id in providers)
        for variables in [[name for name in known[id].api_key_env_vars if settings.secret(name)]]
        if variables
    }
    if invocation.as_json:
        invocation.say_json({"schema": 1, "keys": found})
    else:
        invocation.say(*(f"{id}: {', '.join(names)}" for id, names in found.items()))
    if not found:
        raise SystemExit(1)
