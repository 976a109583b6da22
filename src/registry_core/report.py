"""What a sync reports: the truth, with ages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from attrs import field, frozen

from .errors import SyncError
from .frozen import EMPTY
from .printable import message as _message

#: fresh: fetched and used · unchanged: revalidated (304), or taken over from a sync that
#: another process had just done · failed: asked in vain · disabled: not asked, by its own
#: choice · offline: not asked, no network wanted
GatewayStatus = Literal["fresh", "unchanged", "failed", "disabled", "offline"]

#: Where the data in use came from: this sync, the store, the wheel, or nowhere.
DataSource = Literal["fetched", "stored", "bundled", "none"]


@frozen
class Problem:
    """One thing that went wrong, named. `fatal` ones make the sync fail (exit 1).

    The texts are printable and cut to 2,000 characters, whoever wrote them.
    """

    kind: Literal["plugin", "gateway", "record", "merge", "overlay", "emitter", "target", "store"]
    culprit: str = field(converter=_message)
    message: str = field(converter=_message)
    fatal: bool = True


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
    retrieved_at: datetime | None = None
    """Aware UTC: when the data in use was last got or confirmed; None if there is none."""
    error: str | None = None
    """Why it failed, or why it is disabled."""
    quarantined: bool = False
    """It shrank by more than the limit; `sync --accept ID` takes it."""
    tolerated: bool = False
    """It failed, but its data is younger than `--max-age`."""

    @property
    def ok(self) -> bool:
        return self.status != "failed" or self.tolerated


@frozen
class SyncReport:
    """What a sync did. Model ids are full ids, sorted."""

    started_at: datetime
    gateways: tuple[GatewayReport, ...] = ()
    problems: tuple[Problem, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
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

    @property
    def ok(self) -> bool:
        """Done as asked: no gateway failed, and no problem is fatal."""
        return all(gateway.ok for gateway in self.gateways) and not any(
            problem.fatal for problem in self.problems
        )

    def raise_failures(self) -> None:
        """Raise what failed, all in one ExceptionGroup of SyncError; nothing if all is well."""
        failed = [(one.id, one.error or "failed") for one in self.gateways if not one.ok]
        failed += [(one.culprit, one.message) for one in self.problems if one.fatal]
        if failed:
            errors = [SyncError(message, culprit=culprit) for culprit, message in failed]
            raise ExceptionGroup("the sync failed in part; the last good data stays", errors)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; times in ISO 8601."""
        from attrs import asdict

        def plain(_instance: object, _field: object, value: Any) -> Any:
            return value.isoformat() if isinstance(value, datetime) else value

        return {**asdict(self, value_serializer=plain), "ok": self.ok}
