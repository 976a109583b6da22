"""What a sync reports: the truth, with ages."""

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

#: fresh: fetched and used · unchanged: revalidated (304), or taken over from a sync that
#: another process had just done · absent: one that comes and goes, and is not there now ·
#: failed: asked in vain · disabled: not asked, by its own choice · offline: not asked, no
#: network wanted · waiting: not asked, since that is another machine's turn, or task
GatewayStatus = Literal["fresh", "unchanged", "absent", "failed", "disabled", "offline", "waiting"]

#: Where the data in use came from: this sync, the store, the wheel, or nowhere.
DataSource = Literal["fetched", "stored", "bundled", "none"]


ChangeKind = Literal["provider", "model"]

ProblemKind = Literal[
    "plugin", "gateway", "record", "merge", "overlay", "emitter", "target", "store", "shared"
]


_MOST_SHOWN = 40  # characters of a value
MOST_WARNINGS = 50
"""So many of one gateway, or of one call of a hook, are told; the rest is counted."""


@frozen
class Problem:
    """One thing that went wrong, named. `fatal` ones make the sync fail (exit 1).

    The texts are printable and cut to 2,000 characters, no matter who wrote them.
    """

    kind: ProblemKind
    culprit: str = field(converter=_message)
    message: str = field(converter=_message)
    """What happened, with what to do about it."""
    fatal: bool = True
    _raised: RegistryError | None = field(default=None, alias="raised", eq=False, repr=False)

    @classmethod
    def of(cls, kind: ProblemKind, error: RegistryError, *, fatal: bool = True) -> Problem:
        """The problem that this error is."""
        return cls(kind, error.culprit, error.text, fatal, error)

    @property
    def error(self) -> RegistryError:
        """What was raised, or would be."""
        return self._raised or SyncError(self.message, culprit=self.culprit)

    def __str__(self) -> str:
        return f"{self.culprit}: {self.message}"


@frozen
class GatewayReport:
    """How one gateway fared, and which data of it is in use."""

    id: str
    name: str
    status: GatewayStatus
    source: DataSource
    distribution: str | None = None
    version: str | None = None
    providers: int = 0
    models: int = 0
    facts: int | None = None
    """Of a source of facts: of how many of its `models` a gateway offers; None: a gateway's."""
    retrieved_at: datetime | None = None
    """Aware UTC: when the data in use was last got or confirmed; None if there is none."""
    error: str | None = None
    """Why it failed, with what to do about it; or why it is disabled, or absent."""
    failure: RegistryError | None = field(default=None, eq=False, repr=False)
    """What was raised, if this sync asked it and it failed."""
    quarantined: bool = False
    """It shrank by more than the limit; `sync --accept ID` takes it."""
    tolerated: bool = False
    """It failed, but its data is younger than `--max-age`."""

    @property
    def ok(self) -> bool:
        return self.status != "failed" or self.tolerated


@frozen
class Change:
    """One field of a provider or a model that differs from the generation before."""

    id: str
    """The id of a provider, or the full id of a model."""
    kind: ChangeKind
    field: str
    """As "url" or, in an object, "cost.input"."""
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
    """What differs between two snapshots. Full ids of models, sorted."""

    before: str
    """Hash of the snapshot before, and of that after."""
    after: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    updated: tuple[Change, ...] = ()
    """What differs in providers and models that stayed, by id and field."""
    at: datetime | None = None
    """Aware UTC: when a sync met it; None: two snapshots were compared."""
    left_out: int = 0
    """How many more there were, for which the journal had no room."""

    def __bool__(self) -> bool:
        """Whether anything is said to differ."""
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
    """What a sync did. Model ids are full ids, sorted."""

    started_at: datetime
    gateways: tuple[GatewayReport, ...] = ()
    problems: tuple[Problem, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    updated: tuple[Change, ...] = ()
    """What differs in providers and models that stayed, by id and field."""
    changed: bool = False
    """A new generation was stored."""
    snapshot_hash: str | None = None
    providers: int = 0
    models: int = 0
    written: tuple[str, ...] = ()
    """Paths of the artifacts that were written or removed."""
    targets: Mapping[str, int] = field(default=EMPTY)
    """Folder of each target → count of artifacts that it holds."""
    offline: bool = False
    pinned: str | None = None
    """The snapshot file that stood for everything: nobody was asked, nothing was stored."""

    @property
    def ok(self) -> bool:
        """Done as asked: no gateway failed, and no problem is fatal."""
        return all(gateway.ok for gateway in self.gateways) and not any(
            problem.fatal for problem in self.problems
        )

    def raise_failures(self) -> None:
        """Raise what failed, all errors in one ExceptionGroup; nothing if all is well."""
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
    """What one source says of one field."""

    source: str
    """Id of the gateway or source of facts; of an overlay, the key of its plugin."""
    kind: Literal["gateway", "facts", "overlay"]
    value: Any
    """A JSON value, immutable."""
    retrieved_at: datetime | None = None
    """Aware UTC: when that was last got or confirmed, or captured; None if unknown."""
    source_url: str | None = None
    """The page that says so, of a fact."""
    as_of: str | None = None
    """The day of which a fact says that it was true."""


@frozen
class FieldSources:
    """One field of a model, and who says what of it."""

    field: str
    """As "release_date" or "cost.input"."""
    value: Any
    """What is served: a JSON value, immutable; None is unknown."""
    source: Said | None
    """Where that is from; None: nobody says it, or nobody knows any more who did."""
    agree: tuple[Said, ...] = ()
    """Who else says the same."""
    otherwise: tuple[Said, ...] = ()
    """Who says something else."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; times in ISO 8601."""
        return _plain(self)
