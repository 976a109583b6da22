"""The shared catalog for one sync: read the pointer, get results, publish results, clean up.

Methods raise only Fault. No method waits for a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any

from attrs import evolve, frozen

from .._base.frozen import EMPTY, FrozenDict
from .._files.reading import Trust
from . import memory as remembered
from .engine import Engine, Fault, Found, GoneError, LostError, Version
from .lease import Lease
from .pointer import (
    DAY,
    LAST,
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
#: Seconds. Clocks that are right may differ this much.
_SKEW = 300.0
#: How often a publication is tried if others publish at the same time.
_TRIES = 8


@frozen
class Result:
    """What to publish about one gateway."""

    entry: Entry
    """Its object is used if the pointer has it already, or `providers` is None."""
    providers: Callable[[], Providers] | None


class Fleet:
    """`folder` holds the memory. If it is None, nothing is remembered. `clock`: epoch seconds."""

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
        """The pointer is sealed, so somebody who has the key has written it."""
        return self._key is not None

    def note(self, **changes: Any) -> None:
        """Remember these fields of the memory."""
        with self._noting:
            self.memory = evolve(self.memory, **changes)

    def is_news(self) -> bool:
        """Whether the pointer differs from the remembered one, and is not older. Sends one
        request."""
        tag = self.memory.version.get("e_tag")
        try:
            result = self._engine.get(POINTER, most=MOST, unless=tag)
        except GoneError:
            result, is_gone = None, True
        else:
            is_gone = False
        if result is not None:  # some servers ignore conditions
            is_same = result.data.decode(errors="replace") == self.memory.text
            if not is_same and self._is_old(result.data):
                return False  # the answer of a cache, so the engine itself was not looked at
        else:
            is_same = not (is_gone and self.memory.text)
        if is_same and self._folder and self.memory.looked_at is not None:
            remembered.confirm(self._folder, self._clock())
        return not is_same

    def _is_old(self, data: bytes) -> bool:
        try:
            return from_bytes(data, self._key, self._engine.url).serial < self.memory.serial
        except Fault:
            return False

    def look(self, *, anew: bool = False) -> None:
        """Read the pointer. `anew`: even if it has the remembered ETag, which may depend on the
        content only.

        Raises UnsoundError if `publish` will replace the pointer (for StaleError, the remembered
        one still counts), and NewerError if it must not replace it.
        """
        memory, last = self.memory, self.memory.looked_at
        now = self._clock()
        result: Found | None = None
        try:
            # A 304 means that the engine still has the remembered pointer, which is then used.
            tag = None if anew else memory.version.get("e_tag")
            result = self._engine.get(POINTER, most=MOST, unless=tag)
        except GoneError:
            self.note(version=EMPTY, text="", seen=EMPTY, looked_at=now)
            self.pointer, self._version = Pointer(), None
            return
        text = memory.text.encode() if result is None else result.data
        version = memory.version if result is None else result.version
        try:
            pointer = from_bytes(text, self._key, self._engine.url)
        except (UnsoundError, NewerError):
            shown = text.decode(errors="replace")
            self._keep(version)
            self.note(version=dict(version), text=shown, seen=EMPTY, looked_at=now)
            raise
        if pointer.serial < memory.serial:
            self._keep(version, pointer)
            raise StaleError(
                f"its pointer is number {pointer.serial}, after number {memory.serial}",
                culprit=self._engine.url,
                hint="a cache is behind, or somebody restored an old one; the newer one counts",
            )
        self._adopt(pointer, version, text, now, last)

    def _keep(self, version: Version, older: Pointer | None = None) -> None:
        """Use the remembered pointer, and let it replace the one of `version`. Otherwise an old
        pointer that is restored again and again would make results new each time. Results that
        others have added to the `older` one since then stay."""
        try:
            pointer = from_bytes(self.memory.text.encode(), self._key, self._engine.url)
        except Fault:
            pointer = Pointer()
        self.pointer = pointer.joined(older) if older else pointer
        self._based, self._version = self.pointer.entries, version

    def _adopt(
        self, pointer: Pointer, version: Version, text: bytes, now: float, last: float | None
    ) -> None:
        """Use `pointer` and remember it. `last`: when the pointer was read before."""
        try:
            before = from_bytes(self.memory.text.encode(), self._key, "").entries
        except Fault:
            before, last = EMPTY, None
        known_times: dict[str, float] = {}
        for key, entry in pointer.entries.items():
            if before.get(key) == entry:
                known = self.memory.seen.get(key)
            else:
                # It was published after the last look, by the clock of this machine. Its own
                # time comes from another clock.
                own_time = entry.checked_at if entry.checked_at <= now + _SKEW else None
                times = [min(time, now) for time in (last, own_time) if time is not None]
                known = max(times, default=None)
            if known is not None:
                known_times[key] = known
        self.pointer, self._version, self._based = pointer, version, pointer.entries
        self.note(
            version=dict(version),
            text=text.decode(),
            serial=max(self.memory.serial, pointer.serial),
            seen=known_times,
            looked_at=now,
        )

    def known_since(self, entry: Entry) -> float | None:
        """Epoch seconds by the clock of this machine: its result was confirmed then, or later."""
        since = self.memory.seen.get(entry.key)
        return None if since is None or since > self._clock() else since

    def get(self, entry: Entry) -> Providers:
        """The result that `entry` names, after a check."""
        name = entry.object
        try:
            result = self._engine.get(f"{_OBJECTS}/{name}", most=self._most)
            data = result.data if result else b""
            return decode(name, data, most=self._most, culprit=self._engine.url)
        except Fault:
            self._broken.add(name)  # written again, if the next fetch gives the same result
            raise

    def may_fetch(self) -> bool:
        """Whether this machine may fetch. The lease is asked once per sync."""
        with self._leasing:
            if self._leased is None:
                self._leased = self._lease.take()
                tag, since = self._lease.seen
                self.note(lease=tag, lease_since=since)
            return self._leased

    def close(self) -> None:
        """Release the lease, and save the memory."""
        self._lease.release()
        if self._folder:
            remembered.save(self._folder, self.memory)

    @property
    def _is_unclean(self) -> bool:
        return abs(self._clock() - self.pointer.cleaned_at) > DAY

    def clean(self) -> None:
        """Once a day, before a publication: remove objects that the pointer does not list and that
        are a day older than it, by the engine's clock. Younger ones may still be published. And
        drop the entries whose object was removed by somebody, so that it is written anew."""
        if self._version is None or not self._is_unclean:
            return
        objects = dict(self._engine.list(_OBJECTS)) | dict(self._engine.list("probe"))
        head = self._engine.get(POINTER, most=MOST)
        assert head is not None
        now = max([head.modified, *objects.values()])
        # The pointer that is there now may be another machine's, or an old one that is replaced.
        listed = from_bytes(head.data, self._key, self._engine.url).objects
        names = {f"{_OBJECTS}/{name}" for name in (*listed, *self.pointer.objects)}
        self._engine.delete(
            *(name for name, at in objects.items() if name not in names and now - at > DAY)
        )
        there = {
            key: entry
            for key, entry in self.pointer.entries.items()
            if not entry.object or f"{_OBJECTS}/{entry.object}" in objects
        }
        self.pointer = evolve(self.pointer, entries=FrozenDict(there))

    def publish(self, results: Mapping[str, Result]) -> None:
        """Put these results (key of the entry → result) into the pointer. Skips a gateway that
        another machine has published since the last look."""
        self._refuse_unconditional()
        entries: dict[str, Entry] = {}
        known = {entry.object for entry in self.pointer.entries.values()} - self._broken
        for key, result in results.items():
            entry, name = result.entry, result.entry.object
            if result.providers is not None and name not in known:
                name, data = encode(result.providers())
                if name not in known:
                    self._put_object(name, data)
            before = self.pointer.entries.get(key)
            accepted = entry.accepted or bool(before and before.object == name and before.accepted)
            entries[key] = evolve(entry, object=name, accepted=accepted)
        based = self._based
        for _ in range(_TRIES):
            current = self.pointer.entries
            unpublished = {
                key: entry
                for key, entry in entries.items()
                if current.get(key) in (None, based.get(key))
            }
            if not unpublished:
                return
            try:
                self._swap(unpublished)
            except LostError:
                with suppress(UnsoundError):
                    self.look(anew=True)
            else:
                return
        raise Fault(
            f"others publish at the same time: {_TRIES} tries failed",
            culprit=self._engine.url,
            hint="the next fetch tries again",
        )

    def _swap(self, entries: Mapping[str, Entry]) -> None:
        now = self._clock()
        # A publisher that remembers nothing, as in a new container, goes on from the clock.
        serial = min(max(self.pointer.serial + 1, self.memory.serial + 1, int(now)), LAST)
        pointer = self.pointer.replaced(entries, serial=serial, now=now)
        if self._is_unclean:
            pointer = evolve(pointer, cleaned_at=now)
        text = to_bytes(pointer, self._key)
        if len(text) > MOST:  # which nobody could read, nor replace
            raise Fault(
                f"its pointer would hold more than {MOST / 2**20:g} MiB",
                culprit=self._engine.url,
                hint="let fewer gateways and versions share one prefix",
            )
        version = self._engine.put(POINTER, text, self._version)
        self._adopt(pointer, version, text, now, None)

    def _put_object(self, name: str, data: bytes) -> None:
        path = f"{_OBJECTS}/{name}"
        try:
            self._engine.put(path, data)
        except LostError:
            # The object is there already, unless it was cut off or replaced.
            result = self._engine.get(path, most=max(self._most, len(data)))
            if result is None or result.data != data:
                self._engine.put(path, data, result.version if result else None)

    def _refuse_unconditional(self) -> None:
        """Raises Fault if the engine ignores conditions. That it obeys them is tried once."""
        if not self.memory.conditional:
            name = f"probe/{token_hex(8)}"
            first = self._engine.put(name, b"1")
            try:
                minds = (
                    not self._is_refused(name, first)  # a weak ETag would be refused
                    and self._is_refused(name, None)
                    and self._is_refused(name, first)
                )
            finally:
                self._engine.delete(name)
            if not minds:  # or an answer was lost, or the engine will be updated: tried again
                raise Fault(
                    "ignores conditions (If-Match, If-None-Match), so nothing is published",
                    culprit=self._engine.url,
                    hint="use an engine with conditional writes, or REGISTRY_CORE_SHARED_MODE=read",
                )
            self.note(conditional=True)

    def _is_refused(self, name: str, version: Version | None) -> bool:
        try:
            self._engine.put(name, b"3", version)
        except LostError:
            return True
        return False
