"""The state of a store beyond its data: times, failures, plugins. Lookups don't need it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from zlib import crc32

from attrs import asdict, field, frozen

from .._base.frozen import EMPTY, FrozenDict, freeze


@frozen
class GatewayState:
    """The state of one gateway. Times are epoch seconds."""

    retrieved_at: float | None = None
    """When this machine last got a 200 or 304 that was used."""
    checked_at: float | None = None
    """When it was last asked, with or without success."""
    status: str = "never asked"
    error: str | None = None
    fingerprint: str = ""
    """Fingerprint of the plugin's version and code, the core's version, and the options, at the
    last good fetch."""
    asked: tuple[Mapping[str, Any], ...] = ()
    """The requests of the last good fetch, to be revalidated first."""
    warnings: tuple[tuple[str, str], ...] = ()
    """(culprit, message) of each record that could not be used in the last good fetch."""
    identity: Mapping[str, str] = EMPTY
    """Whose data the last good fetch got (see `Cache.whose`). Empty if it is public."""
    private: bool = False
    """Whether any credential was sent in the last good fetch."""


@frozen
class State:
    """The content of `state.json`. A part that can't be read counts as missing. Fields of a
    newer version are skipped."""

    last_refresh: float | None = None
    """Epoch seconds of the last sync that reached every enabled gateway."""
    started_at: float | None = None
    """Epoch seconds: when the sync that wrote this began."""
    gateways: Mapping[str, GatewayState] = field(default=EMPTY)
    plugins: Mapping[str, Mapping[str, Any]] = field(default=EMPTY)
    """Plugin key → version, hooks, load time and failure, as of the last load."""
    bindings: Mapping[str, tuple[tuple[str, str], ...]] = field(default=EMPTY)
    """Provider id → first seen (variable, origin) pairs; see `_resolve/bindings.py`."""
    in_project: bool = False
    """Whether any sync found a project. Then a sync without one keeps the policy's options."""
    generation: Mapping[str, Any] = field(default=EMPTY)
    """A copy of the pointer, for a sync that finds the pointer damaged."""
    clashes: tuple[tuple[str, str], ...] = ()
    """(culprit, message) of each provider that lost a clash in the last merge, and of each
    warning of an overlay."""
    problems: tuple[tuple[str, str], ...] = ()
    """(culprit, message) of fatal problems of the last sync, except gateways; up to a limit."""
    project: str | None = None
    """The folder of the project of the last sync."""

    @classmethod
    def from_json(cls, text: str | bytes) -> State:
        """Parse `text`. Raises ValueError if it is damaged as a whole."""
        try:
            parsed = json.loads(text)
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        if not isinstance(parsed, dict):
            raise ValueError("is not an object")
        raw = _object(parsed)
        if raw.pop(_CHECKSUM, None) not in (None, _checksum(raw)):
            raise ValueError("wrong checksum")
        gateways = {
            id: GatewayState(
                retrieved_at=_time(details.get("retrieved_at")),
                checked_at=_time(details.get("checked_at")),
                status=str(details.get("status", "")),
                error=None if details.get("error") is None else str(details["error"]),
                fingerprint=str(details.get("fingerprint", "")),
                asked=tuple(filter(None, map(_object, _items(freeze(details.get("asked")))))),
                warnings=_pairs(details.get("warnings")),
                identity=FrozenDict(
                    {name: str(digest) for name, digest in _object(details.get("identity")).items()}
                ),
                private=details.get("private") is True,
            )
            for id, details in _objects(raw.get("gateways"))
        }
        plugins = {key: freeze(details) for key, details in _objects(raw.get("plugins"))}
        return cls(
            last_refresh=_time(raw.get("last_refresh")),
            started_at=_time(raw.get("started_at")),
            gateways=FrozenDict(gateways),
            plugins=FrozenDict(plugins),
            bindings=FrozenDict(
                {id: _pairs(pairs) for id, pairs in _object(raw.get("bindings")).items()}
            ),
            in_project=raw.get("in_project") is True,
            generation=freeze(_object(raw.get("generation"))),
            problems=_pairs(raw.get("problems")),
            project=next(iter(_texts([raw.get("project")])), None),
            clashes=_pairs(raw.get("clashes")),
        )

    def confirmed(self, gateway: str, retrieved_at: float) -> float:
        """When data of `gateway` that was retrieved at `retrieved_at` was last confirmed, perhaps
        later by a 304."""
        known = self.gateways.get(gateway)
        return max(retrieved_at, (known and known.retrieved_at) or 0.0)

    def hooks(self) -> dict[str, tuple[str, ...]]:
        """Plugin key → the hooks that the plugin had when it was last loaded."""
        return {key: _texts(details.get("hooks")) for key, details in self.plugins.items()}

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """(culprit, message) of all problems with the data in use."""
        warnings = [warning for gateway in self.gateways.values() for warning in gateway.warnings]
        return (*warnings, *self.clashes)

    def to_json(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        return f'{{"{_CHECKSUM}": "{_crc32(text)}", {text[1:]}\n'


_CHECKSUM = "checksum"


def _checksum(raw: Mapping[str, Any]) -> str:
    """CRC-32, in hexadecimal, of all other keys."""
    return _crc32(json.dumps(raw, sort_keys=True))


def _crc32(text: str) -> str:
    return f"{crc32(text.encode()):08x}"


def past(seconds: float | None, now: float) -> float | None:
    """`seconds`, or None for a time in the future, since the clock was or is wrong."""
    return None if seconds is None or seconds > now else seconds


def utc(seconds: float | None) -> datetime | None:
    """Epoch seconds as an aware datetime."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _time(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if 0 < value < 253402300800 else None  # before the year 10000
    return None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in _items(value) if isinstance(item, str))


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((pair[0], pair[1]) for pair in map(_texts, _items(value)) if len(pair) == 2)


def _items(value: Any) -> Iterable[Any]:
    return cast("Iterable[Any]", value) if isinstance(value, (list, tuple)) else ()


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _objects(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((key, _object(item)) for key, item in _object(value).items() if isinstance(item, dict))
