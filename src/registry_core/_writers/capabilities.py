"""Emitter `capabilities`: `capabilities/<provider>.json`, where Mastra looks them up.

Shape: `{"attachment": [bare ids], "structuredOutput": […], "temperature": […]}`, each
the sorted ids for which the flag is true; a list without ids is left out, and so is
a file without lists. Names are `encodeURIComponent(provider id) + ".json"`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..plugin import Artifact, hookimpl
from .json_registry import to_json
from .mastra import callable_providers

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot


@hookimpl
def registry_emit(snapshot: Snapshot) -> Iterable[Artifact]:
    for provider, _ in callable_providers(snapshot):
        lists = {
            "attachment": provider.models_with("attachment"),
            "structuredOutput": provider.models_with("structured_output"),
            "temperature": provider.models_with("temperature"),
        }
        if known := {flag: able for flag, able in lists.items() if able}:
            path = f"capabilities/{quote(provider.id, safe=_UNRESERVED)}.json"
            yield Artifact("capabilities", path, to_json(known))


#: Characters that `encodeURIComponent` keeps, beside letters, digits and `_.-~`.
_UNRESERVED = "!'()*"
