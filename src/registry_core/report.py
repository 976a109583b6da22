"""The report of a sync, and its parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from attrs import Attribute, field, fields_dict, frozen

from ._base.frozen import EMPTY, thaw
from ._base.printable import message as _message
from .errors import RegistryError, SyncError

if TYPE_CHECKING:
    from attrs import AttrsInstance

#: fresh: fetched and used · unchanged: revalidated (304), or taken over from another process
#: that has just synced · absent: volatile, and no server answers now · failed: asked without
#: success · disabled: not asked, by its own choice · offline: not asked, because no network is
#: wanted · waiting: not asked, because another machine asks it
GatewayStatus = Literal["fresh", "unchanged", "absent", "failed", "disabled", "offline", "waiting"]

#: The origin of the data in use: this sync, the store, the wheel, or nothing.
DataSource = Literal["fetched", "stored", "bundled", "none"]


ChangeKind = Literal["provider", "model"]

ProblemKind = Literal[
    "plugin", "gateway", "record", "merge", "overlay", "emitter", "target", "store", "shared"
]


_MOST_SHOWN = 40  # characters of a value
MOST_WARNINGS = 50
"""Warnings that are kept per gateway, or per call of a hook; the rest is counted."""


@frozen
class Problem:
    """One thing that went wrong. A `fatal` problem makes the sync fail (exit 1).

    All texts are printable and cut to 2,000 characters, also those of plugins.
    """

    kind: ProblemKind
    culprit: str = field(converter=_message)
    message: str = field(converter=_message)
    """What happened, with what to do about it."""
    fatal: bool = True
    _raised: RegistryError | None = field(default=None, alias="raised", eq=False, repr=False)

    @classmethod
    def of(cls, kind: ProblemKind, error: RegistryError, *, fatal: bool = True) -> Problem:
        """The problem that this error describes."""
        return cls(kind, error.culprit, error.text, fatal, error)

    @property
    def error(self) -> RegistryError:
        """The error that was raised, else a SyncError that says the same."""
        return self._raised or SyncError(self.message, culprit=self.culprit)

    def __str__(self) -> str:
        return f"{self.culprit}: {self.message}"


@frozen
class GatewayReport:
    """The result of one gateway, and which of its data is in use."""

    id: str
    name: str
    status: GatewayStatus
    source: DataSource
    distribution: str | None = None
    version: str | None = None
    providers: int = 0
    models: int = 0
    facts: int | None = None
    """For a source of facts: how many of its `models` a gateway offers. None for a gateway."""
    retrieved_at: datetime | None = None
    """Aware UTC: when the data in use was last fetched or confirmed; None if there is none."""
    error: str | None = None
    """Why it failed, and what to do; or why it is disabled or absent."""
    failure: RegistryError | None = field(default=None, eq=False, repr=False)
    """The error, if this sync asked the gateway and it failed."""
    quarantined: bool = False
    """The result shrank by more than the limit; `sync --accept ID` accepts it."""
    tolerated: bool = False
    """The gateway failed, but its data is younger than `--max-age`."""

    @property
    def ok(self) -> bool:
        return self.status != "failed" or self.tolerated


@frozen
class Change:
    """One field of a provider or a model that differs from the previous generation."""

    id: str
    """The id of a provider, or the full id of a model."""
    kind: ChangeKind
    field: str
    """Its name, such as "url", or "cost.input" for a field of a part."""
    before: Any
    """A JSON value, immutable; None is unknown."""
    after: Any

    @property
    def is_price(self) -> bool:
        return self.field.partition(".")[0] == "cost"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return thaw({name: getattr(self, name) for name in fields_dict(Change)})  # type: ignore[no-any-return]

    def __str__(self) -> str:
        """In one line, with long values cut: "openai/gpt-5 cost.input 1.25 -> 2"."""
        return f"{self.id} {self.field} {_value(self.before)} -> {_value(self.after)}"


@frozen
class Changes:
    """The difference between two snapshots. Models are full ids, sorted."""

    before: str
    """Hash of the older snapshot."""
    after: str
    """Hash of the newer snapshot."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    updated: tuple[Change, ...] = ()
    """Changed fields of providers and models that exist in both, by id and field."""
    at: datetime | None = None
    """Aware UTC: when a sync found the changes; None if two snapshots were compared."""
    left_out: int = 0
    """How many more changes there were, for which the journal had no room."""

    def __bool__(self) -> bool:
        """Whether there is any change."""
        lists = (self.added, self.removed, self.deprecated, self.updated)
        return any(lists) or self.left_out > 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the hashes are "from" and "to", `at` is in ISO 8601."""
        return {
            "from": self.before,
            "to": self.after,
            "at": self.at.isoformat() if self.at else None,
            "added": list(self.added),
            "removed": list(self.removed),
            "deprecated": list(self.deprecated),
            "updated": [change.to_dict() for change in self.updated],
            "left_out": self.left_out,
        }


def _value(value: Any) -> str:
    shown = "unknown" if value is None else json.dumps(thaw(value), ensure_ascii=False)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"


@frozen
class SyncReport:
    """The result of a sync. Models are full ids, sorted."""

    started_at: datetime
    gateways: tuple[GatewayReport, ...] = ()
    problems: tuple[Problem, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    updated: tuple[Change, ...] = ()
    """Changed fields of providers and models that were there before, by id and field."""
    changed: bool = False
    """Whether a new generation was stored."""
    snapshot_hash: str | None = None
    providers: int = 0
    models: int = 0
    written: tuple[str, ...] = ()
    """Paths of the artifacts that were written or removed."""
    targets: Mapping[str, int] = field(default=EMPTY)
    """Folder of each target → number of its artifacts."""
    offline: bool = False
    pinned: str | None = None
    """The snapshot file that was used instead of gateways and store, if one is pinned."""

    @property
    def ok(self) -> bool:
        """Whether no gateway failed and no problem is fatal."""
        return all(gateway.ok for gateway in self.gateways) and not any(
            problem.fatal for problem in self.problems
        )

    def raise_failures(self) -> None:
        """Raise all errors in one ExceptionGroup, if there are any."""
        errors = [
            gateway.failure or SyncError(gateway.error or "failed", culprit=gateway.id)
            for gateway in self.gateways
            if not gateway.ok
        ]
        errors += [
            problem.error
            for problem in self.problems
            if problem.fatal and problem.error not in errors
        ]
        if errors:
            raise ExceptionGroup("the sync failed in part; the last good data stays", errors)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; times in ISO 8601."""
        return {**_plain(self), "ok": self.ok}


def _plain(report: AttrsInstance) -> dict[str, Any]:
    """Plain JSON values; times in ISO 8601."""
    from attrs import asdict

    def plain(_instance: object, _field: object, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value

    def is_public(attribute: Attribute[Any], _value: object) -> bool:
        return attribute.name not in ("failure", "_raised")

    values: dict[str, Any] = thaw(asdict(report, filter=is_public, value_serializer=plain))
    return values


@frozen
class Said:
    """What one source says about one field."""

    source: str
    """Id of the gateway or source of facts; for an overlay, the key of its plugin."""
    kind: Literal["gateway", "facts", "overlay"]
    value: Any
    """A JSON value, immutable."""
    retrieved_at: datetime | None = None
    """Aware UTC: when it was last fetched or confirmed, or captured; None if unknown."""
    source_url: str | None = None
    """For a fact: the page that says so."""
    as_of: str | None = None
    """For a fact: the day on which it was true."""


@frozen
class FieldSources:
    """One field of a model, and what each source says about it."""

    field: str
    """Its name, such as "release_date" or "cost.input"."""
    value: Any
    """The value that is served: a JSON value, immutable; None is unknown."""
    source: Said | None
    """The source of this value; None if there is none, or if it is no longer known."""
    agree: tuple[Said, ...] = ()
    """Further sources with the same value."""
    otherwise: tuple[Said, ...] = ()
    """Sources with another value."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; times in ISO 8601."""
        return _plain(self)
