"""The shared catalog as one sync sees it: look, get a result, publish some, clean up.

Every method raises Fault and nothing else. No lock is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any

from attrs import evolve, frozen

from .._base.frozen import EMPTY
from .._files.reading import Trust
from . import memory as remembered
from .engine import Engine, Fault, Found, GoneError, LostError, Version
from .lease import Lease
from .pointer import (
    DAY,
    MOST,
    Entry,
    NewerError,
    Pointer,
    StaleError,
    UnsoundError,
    from_bytes,
    to_bytes,
)
from .results import Providers, decode, encode

POINTER = "pointer"
_OBJECTS = "objects"
#: Seconds: so far apart are clocks that are right.
_SKEW = 300.0
#: How often a publication starts anew, since others publish at the same time.
_TRIES = 8


@frozen
class Result:
    """What is to be published of one gateway."""

    entry: Entry
    """Its object counts only if `providers` is None."""
    providers: Callable[[], Providers] | None


class Fleet:
    """`folder` holds the memory; None: nothing is remembered. `clock`: epoch seconds."""

    def __init__(
        self,
        engine: Engine,
        folder: Path | None,
        trusts: Trust,
        *,
        key: str | None,
        publisher: str,
        term: float,
        most: int,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._engine, self._folder, self._key = engine, folder, key
        self._most, self._clock = most, clock
        self.publisher = publisher
        url = engine.url
        self.memory = remembered.load(folder, url, trusts) if folder else remembered.Memory(url)
        self.pointer = Pointer()
        self._based: Mapping[str, Entry] = EMPTY
        self._version: Version | None = None
        seen = self.memory.lease, self.memory.lease_since
        self._lease = Lease(engine, publisher, term, monotonic, seen)
        self._leased: bool | None = None
        self._broken: set[str] = set()
        self._leasing, self._noting = Lock(), Lock()

    @property
    def vouched(self) -> bool:
        """Somebody who has the key stands behind what the pointer says."""
        return self._key is not None

    def note(self, **changes: Any) -> None:
        """Remember these fields of the memory."""
        with self._noting:
            self.memory = evolve(self.memory, **changes)

    def is_news(self) -> bool:
        """Whether there is another pointer than the one that is remembered, and not an older one.
        One request."""
        tag = self.memory.version.get("e_tag")
        try:
            found = self._engine.get(POINTER, most=MOST, unless=tag)
        except GoneError:
            found, gone = None, True
        else:
            gone = False
        if found is not None:  # not each server knows conditions
            same = found.data.decode(errors="replace") == self.memory.text
            if not same and self._is_old(found.data):
                return False  # nor has the engine been looked at: a cache has answered
        else:
            same = not (gone and self.memory.text)
        if same and self._folder and self.memory.looked_at is not None:
            remembered.confirm(self._folder, self._clock())
        return not same

    def _is_old(self, data: bytes) -> bool:
        try:
            return from_bytes(data, self._key, self._engine.url).serial < self.memory.serial
        except Fault:
            return False

    def look(self, *, anew: bool = False) -> None:
        """Read the pointer; `anew`: also if it has the ETag that is remembered, which may be
        that of the content. Raises UnsoundError for one that `publish` will replace (StaleError:
        what was read before still counts), and NewerError for one that it must not."""
        memory, last = self.memory, self.memory.looked_at
        now = self._clock()
        found: Found | None = None
        try:
            # What is remembered is read again only if it is what the engine has.
            tag = None if anew else memory.version.get("e_tag")
            found = self._engine.get(POINTER, most=MOST, unless=tag)
        except GoneError:
            self.note(version=EMPTY, text="", seen=EMPTY, looked_at=now)
            self.pointer, self._version = Pointer(), None
            return
        text = memory.text.encode() if found is None else found.data
        version = memory.version if found is None else found.version
        try:
            pointer = from_bytes(text, self._key, self._engine.url)
        except (UnsoundError, NewerError):
            shown = text.decode(errors="replace")
            self.pointer, self._version = Pointer(), version
            self.note(version=dict(version), text=shown, seen=EMPTY, looked_at=now)
            raise
        if pointer.serial < memory.serial:
            self._keep(version)
            raise StaleError(
                f"its pointer is number {pointer.serial}, after number {memory.serial}",
                culprit=self._engine.url,
                hint="a cache is behind, or somebody put an old one back: the newer one counts",
            )
        self._adopt(pointer, version, text, now, last)

    def _keep(self, version: Version) -> None:
        """Go on with the pointer that is remembered, and replace that of `version` by it: else
        old ones, put back and forth, would make results new again and again."""
        try:
            self.pointer = from_bytes(self.memory.text.encode(), self._key, self._engine.url)
        except Fault:
            self.pointer = Pointer()
        self._based, self._version = self.pointer.entries, version

    def _adopt(
        self, pointer: Pointer, version: Version, text: bytes, now: float, last: float | None
    ) -> None:
        """`last`: when the pointer was looked at before that."""
        try:
            before = from_bytes(self.memory.text.encode(), self._key, "").entries
        except Fault:
            before, last = EMPTY, None
        seen: dict[str, float] = {}
        for key, entry in pointer.entries.items():
            if before.get(key) == entry:
                known = self.memory.seen.get(key)
            else:
                # It was published after the last look, if it was not there then; by the clock
                # of this machine. Its own time is another clock's.
                told = entry.checked_at if entry.checked_at <= now + _SKEW else None
                times = [min(one, now) for one in (last, told) if one is not None]
                known = max(times, default=None)
            if known is not None:
                seen[key] = known
        self.pointer, self._version, self._based = pointer, version, pointer.entries
        self.note(
            version=dict(version),
            text=text.decode(),
            serial=max(self.memory.serial, pointer.serial),
            seen=seen,
            looked_at=now,
        )

    def known_since(self, entry: Entry) -> float | None:
        """Epoch seconds by the clock of this machine: its result was right then, or later."""
        since = self.memory.seen.get(entry.key)
        return None if since is None or since > self._clock() else since

    def get(self, entry: Entry) -> Providers:
        """The result that `entry` names, checked."""
        name = entry.object
        try:
            return self._decoded(name, self._engine.get(f"{_OBJECTS}/{name}", most=self._most))
        except Fault:
            self._broken.add(name)  # if what is fetched instead is the same, it is put there anew
            raise

    def _decoded(self, name: str, found: Found | None) -> Providers:
        data = found.data if found else b""
        return decode(name, data, most=self._most, culprit=self._engine.url)

    def may_fetch(self) -> bool:
        """Whether this machine is the one that fetches; asked once per sync."""
        with self._leasing:
            if self._leased is None:
                self._leased = self._lease.take()
                tag, since = self._lease.seen
                self.note(lease=tag, lease_since=since)
            return self._leased

    def close(self) -> None:
        """Give back what is held, and keep what was learnt."""
        self._lease.release()
        if self._folder:
            remembered.save(self._folder, self.memory)

    def publish(self, results: Mapping[str, Result]) -> None:
        """Put these results, by the key of their entries, into the pointer, unless somebody
        else has published that gateway since the last look."""
        self._refuse_unconditional()
        entries: dict[str, Entry] = {}
        for key, one in results.items():
            entry = one.entry
            if one.providers is not None:
                name, data = encode(one.providers())
                entry = evolve(entry, object=name)
                known = {other.object for other in self.pointer.entries.values()}
                if name not in known or name in self._broken:
                    self._put_object(name, data)
            entries[key] = entry
        based = self._based
        for _ in range(_TRIES):
            current = self.pointer.entries
            mine = {key: one for key, one in entries.items() if current.get(key) == based.get(key)}
            if not mine:
                return
            try:
                self._swap(mine)
            except LostError:
                with suppress(UnsoundError):
                    self.look(anew=True)
            else:
                return
        raise Fault(
            f"others publish at the same time: {_TRIES} tries were in vain",
            culprit=self._engine.url,
            hint="it is tried again at the next fetch",
        )

    def _swap(self, entries: Mapping[str, Entry]) -> None:
        now = self._clock()
        serial = max(self.pointer.serial, self.memory.serial) + 1
        pointer = self.pointer.replaced(entries, serial=serial, now=now)
        cleans = abs(now - pointer.cleaned_at) > DAY
        if cleans:
            pointer = evolve(pointer, cleaned_at=now)
        text = to_bytes(pointer, self._key)
        version = self._engine.put(POINTER, text, self._version)
        self._adopt(pointer, version, text, now, None)
        if cleans:
            self._clean()

    def _put_object(self, name: str, data: bytes) -> None:
        path = f"{_OBJECTS}/{name}"
        try:
            self._engine.put(path, data)
        except LostError:
            # Under a hash lies what it says, unless it was cut off, or put there by a stranger.
            found = self._engine.get(path, most=max(self._most, len(data)))
            try:
                self._decoded(name, found)
            except Fault:
                self._engine.put(path, data, found.version if found else None)

    def _refuse_unconditional(self) -> None:
        """Raises Fault if the engine does not hold to conditions: found out once."""
        if self.memory.conditional is None:
            name = f"probe/{token_hex(8)}"
            first = self._engine.put(name, b"1")
            try:
                minds = (
                    not self._is_refused(name, first)  # as an ETag is that is weak
                    and self._is_refused(name, None)
                    and self._is_refused(name, first)
                )
            finally:
                self._engine.delete(name)
            self.note(conditional=minds)
        if not self.memory.conditional:
            raise Fault(
                "does not hold to conditions (If-Match, If-None-Match), so nothing is published",
                culprit=self._engine.url,
                hint="use an engine with conditional writes, or REGISTRY_CORE_SHARED_MODE=read",
            )

    def _is_refused(self, name: str, version: Version | None) -> bool:
        try:
            self._engine.put(name, b"3", version)
        except LostError:
            return True
        return False

    def _clean(self) -> None:
        """Remove what the pointer does not list, if it is more than a day older than that, all
        by the engine's clock: what is younger may be about to be published."""
        found = dict(self._engine.list(_OBJECTS)) | dict(self._engine.list("probe"))
        if not found:
            return
        now = max(found.values())
        head = self._engine.get(POINTER, most=MOST)
        if head is not None:
            now = max(now, head.modified)
            # Of what is there by now, not of what this machine has written.
            listed = from_bytes(head.data, self._key, self._engine.url).objects
            names = {f"{_OBJECTS}/{name}" for name in listed}
            self._engine.delete(
                *(name for name, at in found.items() if name not in names and now - at > DAY)
            )
