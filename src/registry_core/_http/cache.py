"""The payloads that one gateway asks for: each requested once, and only if it may have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import mktime_tz, parsedate_tz
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve, field, frozen
from requests import PreparedRequest

from .._base.frozen import EMPTY
from .._files.locking import HeldError
from ..errors import GatewayError, GatewayTimeoutError, OfflineError
from .asked import Asked
from .config import HttpConfig
from .echoes import carries_credential, read
from .parsing import parse
from .payloads import Payload, Payloads
from .transport import LONGER, Answer, Request, Transport, shown

#: By so much the clocks of a service's replicas may differ.
_SKEW = timedelta(minutes=1)
#: No variable is called that; its digest tells keys apart.
_KEY = "="


@frozen
class _Held:
    """A payload that this client has asked for."""

    key: str
    payload: Payload
    confirmed: bool
    """By a 304, or by another process meanwhile: nothing was downloaded."""
    at_ns: int
    """Epoch nanoseconds: when the URL last said so."""
    parsed: dict[str | None, Any] = field(factory=dict)
    """The value, by its `text_at`, until it is taken."""

    def take(self, text_at: str | None, *, culprit: str) -> Any:
        """The value, which then belongs to the caller."""
        try:
            return self.parsed.pop(text_at)
        except KeyError:
            return parse(self.payload.body or b"", culprit=culprit, text_at=text_at)


class Cache:
    """Gets payloads through `transport`, and keeps them in `payloads`.

    A payload that anybody confirmed after `since` (epoch seconds; None: now) is not requested
    again. `force` sends no validators. `consulted` holds the variables that the plugin has
    asked for so far; its owner adds to it. `doubt(url, message)` hears of news that may be none.
    """

    def __init__(
        self,
        config: HttpConfig,
        transport: Transport,
        payloads: Payloads,
        consulted: Iterable[str],
        doubt: Callable[[str, str], object],
        *,
        since: float | None,
        force: bool,
    ) -> None:
        self._config = config
        self._transport = transport
        self._payloads = payloads
        self._consulted = consulted
        self._doubt = doubt
        self._since_ns = self._now_ns() if since is None else _nanoseconds(since)
        self._force = force
        self.identity: str | None = None
        """Who asks, if that is told by more than credentials, which then may rotate: a payload
        is kept per URL and identity, and requested again for a variable only if that is set by
        now, or no more. To be given before the first request."""
        self.sent_credential = False
        """Whether some request carried one, from wherever: netrc, a URL, a header."""
        self._lock = Lock()
        self._held: dict[str, _Held] = {}
        self._asked: list[Asked | None] = []

    @property
    def confirmed_at(self) -> float:
        """Epoch seconds since when all that was got is known to be what the URLs hold."""
        with self._lock:
            oldest = min((held.at_ns for held in self._held.values()), default=None)
        return self._config.clock() if oldest is None else oldest / 1e9

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The requests so far, in order: what to revalidate before the next fetch.

        Empty if one of them failed, or can't be repeated from what may be stored: it sent
        credentials other than a secret as bearer, or its URL may hold some.
        """
        consulted = self._digests(sorted(self._consulted))
        with self._lock:
            asked = [evolve(one, consulted=consulted) for one in self._asked if one is not None]
            return tuple(asked) if len(asked) == len(self._asked) else ()

    def whose(self, variables: Iterable[str]) -> Mapping[str, str]:
        """Who asks: those of the `variables` that are set → a keyed digest of the value, or
        under "" that of the identity. Digests of another process are the same if it has the
        same key."""
        values = {name: self._config.secret(name) for name in sorted(variables)}
        if self.identity is not None:
            values = {"": self.identity}
        told = {name: value for name, value in values.items() if value}
        if not told:
            return EMPTY
        told[_KEY] = ""
        return {name: self._digest(name, value) for name, value in told.items()}

    def is_another(self, whose: Mapping[str, str]) -> bool:
        """Whether somebody else asks now than did when `whose` was this. A variable that is not
        set now says nothing, nor do digests under another key: the one before was removed, or
        was another user's."""
        now = self.whose(whose)
        same_key = _KEY in now and now[_KEY] == whose.get(_KEY)
        return same_key and any(now.get(name, digest) != digest for name, digest in whose.items())

    def get(self, request: Request) -> Any:
        """The JSON value that `request` gets; each caller has one of its own."""
        asked: Asked | None = None
        try:
            prepared = self._transport.prepare(request)
            held = self._hold(prepared, request.text_at)
            value = held.take(request.text_at, culprit=shown(request.url))
            asked = self._repeatable(request, prepared, held)
            return value
        finally:
            with self._lock:
                self._asked.append(asked)

    def forget(self) -> None:
        """Note that something was got elsewhere, which no later request can confirm."""
        with self._lock:
            self._asked.append(None)

    def revalidate(self, asked: Sequence[Asked]) -> bool:
        """Whether each of these requests would get what it got then: it is confirmed by a
        304, or was by another process since. Sends conditional requests until one would not.

        Raises GatewayError if one can't be made, as `get` would.
        """
        return bool(asked) and all(map(self._is_unchanged, asked))

    def _is_unchanged(self, asked: Asked) -> bool:
        if asked.consulted != self._digests(asked.consulted):
            return False  # what a gateway publishes may depend on whether a variable is set
        bearer = self._config.secret(asked.secret) if asked.secret else None
        try:
            prepared = self._transport.prepare(Request(asked.url, bearer, params=asked.params))
        except OfflineError:
            raise
        except GatewayError:  # nobody asked that
            return False
        if self._key(prepared) != asked.key:  # another credential; or not what this user asked
            return False
        held = self._hold(prepared, asked.text_at, whole=False)
        return held.confirmed and held.payload.digest == asked.digest

    def _repeatable(self, request: Request, prepared: PreparedRequest, held: _Held) -> Asked | None:
        """What to store of `request`; None if it can't be repeated from that."""
        secrets, parts, sent = self._config.secrets, urlsplit(request.url), prepared.url or ""
        secret = secrets.name_of(request.bearer) if request.bearer else None
        if request.headers or (request.bearer and not secret):
            return None
        if parts.query or "@" in parts.netloc or secrets.mask(sent) != sent:
            return None
        key, digest, text_at = held.key, held.payload.digest, request.text_at
        return Asked(request.url, request.params, secret, key, digest, text_at=text_at)

    def _digests(self, variables: Iterable[str]) -> Mapping[str, str]:
        """Variables → a keyed digest of the value; of whether there is one, if it may rotate."""
        values = {name: self._config.secret(name) or "" for name in variables}
        if self.identity is not None:
            values = {name: str(bool(value)) for name, value in values.items()}
        return {name: self._digest(name, value) for name, value in values.items()}

    def _digest(self, name: str, value: str) -> str:
        return self._payloads.key(name, [("", value)])

    def _key(self, request: PreparedRequest) -> str:
        # The headers as sent: with what netrc or the URL's user added.
        sent = {name.lower(): str(value) for name, value in request.headers.items()}
        sent.pop("user-agent", None)
        if self.identity is None:
            return self._payloads.key(request.url or "", sent.items())
        # Which variables were sent, and not what they hold.
        mask = self._config.secrets.mask
        named = {name: mask(value) for name, value in sent.items()}
        if named.get("authorization") == sent.get("authorization"):  # from elsewhere
            named["authorization"] = ""
        return self._payloads.key(mask(request.url or ""), [*named.items(), ("", self.identity)])

    def _hold(self, request: PreparedRequest, text_at: str | None, *, whole: bool = True) -> _Held:
        """The payload of `request`: one that is held, taken over, revalidated or fetched.

        Unless `whole`, the body of one in the store is not read.
        """
        key = self._key(request)
        self.sent_credential |= carries_credential(request)
        with self._lock:
            held = self._held.get(key)
        if held is not None and whole and held.payload.body is None:
            stored = self._payloads.read(key)
            held = evolve(held, payload=stored) if stored else None
        if held is None:
            try:  # to be, of all processes of the user, the one that asks for it
                with self._payloads.lock(key, max(self._transport.left(), 0.0)):
                    held = self._obtain(request, key, text_at, whole)
            except HeldError as error:
                raise GatewayTimeoutError(
                    f"{error.holder} was still asking for it at the deadline",
                    culprit=shown(request.url or ""),
                    hint=LONGER,
                ) from None
        with self._lock:
            self._held[key] = held
        return held

    def _obtain(
        self, request: PreparedRequest, key: str, text_at: str | None, whole: bool
    ) -> _Held:
        stored = self._payloads.read(key, whole=whole)
        # A time in the future means that a clock was set back: it says nothing.
        if stored and self._since_ns < stored.confirmed_ns <= self._now_ns():
            return _Held(key, stored, confirmed=True, at_ns=stored.confirmed_ns)
        answer = self._transport.send(request, {} if self._force else _validators(stored))
        now = self._now_ns()
        if answer.status == 304 and stored is not None:
            self._payloads.confirm(key, now)
            return _Held(key, stored, confirmed=True, at_ns=now)
        culprit = shown(request.url or "")
        # What is no data, or holds a secret, is not kept.
        secrets = self._config.secrets
        value = read(answer, request, secrets, culprit=culprit, text_at=text_at)
        if stored is not None and (doubt := _older(answer, stored)):
            held = stored if whole else self._payloads.read(key)
            if held is None or held.body != answer.body:  # else no news, but of another replica
                self._doubt(culprit, doubt)
        url = self._payloads.key(secrets.mask(request.url or ""), ())
        payload = Payload(answer.body, answer.etag, answer.last_modified, now, url=url)
        self._payloads.write(key, payload)
        return _Held(key, payload, confirmed=False, at_ns=now, parsed={text_at: value})

    def _now_ns(self) -> int:
        return _nanoseconds(self._config.clock())


def _validators(payload: Payload | None) -> dict[str, str]:
    if payload is None:
        return {}
    headers = {"If-None-Match": payload.etag, "If-Modified-Since": payload.last_modified}
    return {name: value for name, value in headers.items() if value}


def _older(answer: Answer, stored: Payload) -> str:
    """What to say if the answer was changed last before what is held; "" if it was not, or only
    by the clock of another replica."""
    now, before = _date(answer.last_modified), _date(stored.last_modified)
    if now is None or before is None or before - now <= _SKEW:
        return ""
    return (
        f"sent what was last changed {now:%Y-%m-%d %H:%M} UTC, older than what is held"
        f" ({before:%Y-%m-%d %H:%M}); it is taken (if models are missing, ask again later)"
    )


def _date(header: str | None) -> datetime | None:
    try:
        parsed = parsedate_tz(header or "")
        return parsed and datetime.fromtimestamp(mktime_tz(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
