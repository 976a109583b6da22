"""Choose a few ids where all would be too many.

They are the newest models of the providers whose SDK package has their name
(`@ai-sdk/openai` of `openai`; if there are none, of all providers), in turns: the
newest of each, then the second of each. Deprecated models are left out, and models that
call tools come first. So the choice follows the data, without a list of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

from .._base.decoding import loads
from .._base.frozen import sorted_ids
from ..models import DEPRECATED, flags_of

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot

_CALLS_TOOLS = flags_of({"tool_call": True}.get)


def featured(
    snapshot: Snapshot, most_providers: int, most_models: int
) -> tuple[list[str], list[str]]:
    """At most `most_providers` provider ids, and `most_models` full ids of theirs; both sorted."""
    all_providers = snapshot.get_providers().values()
    own = [
        provider.id
        for provider in all_providers
        if (provider.npm or "").rpartition("/")[2] == provider.id
    ]
    providers = (own or [provider.id for provider in all_providers])[:most_providers]
    models = dict(snapshot.flags())
    turns = zip_longest(*(_newest(snapshot, id, models[id])[:most_models] for id in providers))
    full_ids = dict.fromkeys(id for id in chain.from_iterable(turns) if id is not None)
    return providers, sorted_ids(islice(full_ids, most_models))


def _newest(snapshot: Snapshot, provider: str, models: Mapping[str, int]) -> list[str]:
    """Full ids of current models, the newest first; equally new ones in alphabetical order."""

    records = snapshot.get_providers()[provider].models

    def newest_last(id: str) -> tuple[bool, str]:
        # From the record, since a sync decodes no models.
        date = loads(records.record(id)).get("release_date")
        return bool(models[id] & _CALLS_TOOLS), date or ""

    current = (id for id, flags in models.items() if not flags & DEPRECATED)
    # `reverse` keeps the order of equal ones.
    return [f"{provider}/{id}" for id in sorted(current, key=newest_last, reverse=True)]
