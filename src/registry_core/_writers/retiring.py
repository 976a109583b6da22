"""Messages for editors about models that will be shut off."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from .._base.decoding import loads
from ..models import DEPRECATED

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot

#: Maximum number of messages. Each is a signature of a function, and mypy shows all of them.
_MESSAGES = 8
#: Maximum number of successors in one message.
_SUCCESSORS = 12
_OTHERS = "to be shut off, or deprecated: `registry-core show ID` says when, and what follows"


def retiring(
    snapshot: Snapshot, *, among: Iterable[str], usual: Collection[str]
) -> dict[str, list[str]]:
    """Message → full ids, for the models `among` these that are deprecated or have a day of
    retirement.

    It depends only on the data, not on a clock. The days with the most models of the `usual`
    providers have their own message; all others share one.
    """
    days: dict[str, dict[str, str | None]] = {}
    known = set(among)
    for provider in snapshot.get_providers().values():
        for model, flags in provider.models.flags.items():
            record = provider.models.record(model)
            if b'"lifecycle":' in record or flags & DEPRECATED:  # few have either
                lifecycle: Mapping[str, str] = loads(record).get("lifecycle") or {}
                day, id = lifecycle.get("retires_on"), f"{provider.id}/{model}"
                if id in known and (day or flags & DEPRECATED):
                    days.setdefault(day or "", {})[id] = lifecycle.get("successor")

    def weight(day: str) -> tuple[int, int, str]:
        own = sum(id.partition("/")[0] in usual for id in days[day])
        return -own, -len(days[day]), day

    ranked = sorted(filter(None, days), key=weight)
    messages = {_message(day, days[day]): sorted(days[day]) for day in sorted(ranked[:_MESSAGES])}
    others = sorted(id for day in ("", *ranked[_MESSAGES:]) for id in days.get(day, ()))
    return {**messages, _OTHERS: others} if others else messages


def _message(day: str, models: Mapping[str, str | None]) -> str:
    following = [f"{id} -> {models[id]}" for id in sorted(models) if models[id]]
    more = f"; {len(following) - _SUCCESSORS} more" if len(following) > _SUCCESSORS else ""
    successors = f" ({'; '.join(following[:_SUCCESSORS])}{more})" if following else ""
    return f"shut off on {day}{successors}"
