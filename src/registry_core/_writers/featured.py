"""A few ids that stand for all, where all would be too many.

The newest models of the providers whose SDK package bears their own name
(`@ai-sdk/openai` of `openai`; where there is none, of all providers), in turns: the
newest of each, then the second of each. Deprecated models are left out, and models that
call tools go before those that don't. So it follows the data, and names nobody.
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
    """At most so many provider ids, and at most so many full ids of theirs; both sorted."""
    everyone = snapshot.get_providers().values()
    own = [one.id for one in everyone if (one.npm or "").rpartition("/")[2] == one.id]
    providers = (own or [one.id for one in everyone])[:most_providers]
    models = dict(snapshot.flags())
    turns = zip_longest(*(_newest(snapshot, id, models[id])[:most_models] for id in providers))
    full_ids = dict.fromkeys(id for id in chain.from_iterable(turns) if id is not None)
    return providers, sorted_ids(islice(full_ids, most_models))


def _newest(snapshot: Snapshot, provider: str, models: Mapping[str, int]) -> list[str]:
    """Full ids of what isn't deprecated; of two that are as new, the first in the alphabet."""

    known = snapshot.get_providers()[provider].models

    def newest_last(id: str) -> tuple[bool, str]:
        # Not decoded: a sync makes no models.
        date = loads(known.record(id)).get("release_date")
        return bool(models[id] & _CALLS_TOOLS), date or ""

    current = (id for id, flags in models.items() if not flags & DEPRECATED)
    # The reverse keeps equal ones in their order.
    return [f"{provider}/{id}" for id in sorted(current, key=newest_last, reverse=True)]
