"""What the store remembers beyond its data: times, failures, plugins. Lookups don't need it."""

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
    """What is known of one gateway beyond its data. Times are epoch seconds."""

    retrieved_at: float | None = None
    """When this machine last got a 200 or 304 that was used."""
    checked_at: float | None = None
    """When it was last asked, in vain or not."""
    status: str = "never asked"
    error: str | None = None
    fingerprint: str = ""
    """Of the version and code of the plugin, the core's version, and the options, at the last
    good fetch."""
    asked: tuple[Mapping[str, Any], ...] = ()
    """The requests of the last good fetch, to be revalidated first."""
    warnings: tuple[tuple[str, str], ...] = ()
    """(culprit, message) of each record that could not be used in the last good fetch."""
    identity: Mapping[str, str] = EMPTY
    """Whose data the last good fetch got: see `Cache.whose`. Empty: anybody's."""
    private: bool = False
    """A credential was sent in the last good fetch, from wherever."""


@frozen
class State:
    """`state.json`. A part that can't be read is as if it had never been written; what a
    newer version wrote beyond these fields is skipped."""

    last_refresh: float | None = None
    """Epoch seconds of the last sync that reached every enabled gateway."""
    started_at: float | None = None
    """Epoch seconds: when the sync that wrote this began."""
    gateways: Mapping[str, GatewayState] = field(default=EMPTY)
    plugins: Mapping[str, Mapping[str, Any]] = field(default=EMPTY)
    """Plugin key → version, hooks, load time and failure, as last seen."""
    bindings: Mapping[str, tuple[tuple[str, str], ...]] = field(default=EMPTY)
    """Provider id → (variable, origin) pairs first seen; see `_resolve/bindings.py`."""
    in_project: bool = False
    """Some sync found a project: its options are not to be missed where none is found."""
    generation: Mapping[str, Any] = field(default=EMPTY)
    """A copy of what the pointer said, for the sync that finds it damaged."""
    clashes: tuple[tuple[str, str], ...] = ()
    """(culprit, message) of each provider that lost out in the last merge, and of what overlays
    warned of."""
    problems: tuple[tuple[str, str], ...] = ()
    """(culprit, message) of what made the last sync fail, beside gateways; up to a limit."""
    project: str | None = None
    """The folder of the project that it was done for."""

    @classmethod
    def from_json(cls, text: str | bytes) -> State:
        """Raises ValueError if it is damaged as a whole."""
        try:
            parsed = json.loads(text)
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        if not isinstance(parsed, dict):
            raise ValueError("is no object")
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
        """When data of `gateway`, retrieved then, was last confirmed: now and then by a 304."""
        known = self.gateways.get(gateway)
        return max(retrieved_at, (known and known.retrieved_at) or 0.0)

    def hooks(self) -> dict[str, tuple[str, ...]]:
        """Plugin key → the hooks that it had when it was last loaded."""
        return {key: _texts(details.get("hooks")) for key, details in self.plugins.items()}

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """(culprit, message) of all that is wrong with the data in use."""
        warnings = [warning for gateway in self.gateways.values() for warning in gateway.warnings]
        return (*warnings, *self.clashes)

    def to_json(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        return f'{{"{_CHECKSUM}": "{_crc32(text)}", {text[1:]}\n'


_CHECKSUM = "checksum"


def _checksum(raw: Mapping[str, Any]) -> str:
    """CRC-32, in hexadecimal, of all that is beside it."""
    return _crc32(json.dumps(raw, sort_keys=True))


def _crc32(text: str) -> str:
    return f"{crc32(text.encode()):08x}"


def past(seconds: float | None, now: float) -> float | None:
    """None for a time in the future: a clock was wrong then, or is now."""
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
