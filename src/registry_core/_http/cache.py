"""The payloads of one gateway. Each is requested once, and only if it may have changed."""

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

#: The clocks of a service's replicas may differ this much.
_SKEW = timedelta(minutes=1)
#: Not the name of a variable. Its digest differs for each key.
_KEY = "="


@frozen
class _Held:
    """A payload that this client has asked for."""

    key: str
    payload: Payload
    confirmed: bool
    """A 304, or another process, has confirmed it. Nothing was downloaded."""
    at_ns: int
    """Epoch nanoseconds: when the URL last confirmed it."""
    parsed: dict[str | None, Any] = field(factory=dict)
    """`text_at` → the parsed value, until `take` gives it away."""

    def take(self, text_at: str | None, *, culprit: str) -> Any:
        """The value, which then belongs to the caller."""
        try:
            return self.parsed.pop(text_at)
        except KeyError:
            return parse(self.payload.body or b"", culprit=culprit, text_at=text_at)


class Cache:
    """Gets payloads through `transport`, and stores them in `payloads`.

    A payload that any process confirmed after `since` (epoch seconds; None: now) is not requested
    again. With `force`, no validators are sent. `consulted`: the variables that the plugin has
    read so far; its owner adds to it. `doubt(url, message)` is called if an answer is older than
    the stored one.
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
        """Who asks, if the plugin names an identity. Set it before the first request.

        Then payloads belong to URL and identity, so credentials may rotate. A new value of a
        variable causes no new request, only that it was set or unset."""
        self.sent_credential = False
        """Whether a request carried a credential, from netrc, a URL or a header."""
        self._lock = Lock()
        self._held: dict[str, _Held] = {}
        self._asked: list[Asked | None] = []

    @property
    def confirmed_at(self) -> float:
        """Epoch seconds: when the oldest of the payloads was last confirmed by its URL."""
        with self._lock:
            oldest = min((held.at_ns for held in self._held.values()), default=None)
        return self._config.clock() if oldest is None else oldest / 1e9

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The requests so far, in order, to revalidate before the next fetch.

        Empty if one of them failed, or can't be repeated from what the store may hold: it sent
        other credentials than a secret as bearer, or its URL may hold a credential.
        """
        consulted = self._digests(sorted(self._consulted))
        with self._lock:
            asked = [
                evolve(request, consulted=consulted)
                for request in self._asked
                if request is not None
            ]
            return tuple(asked) if len(asked) == len(self._asked) else ()

    def whose(self, variables: Iterable[str]) -> Mapping[str, str]:
        """Who asks: each of `variables` that is set → a keyed digest of its value. With an
        identity, only "" → its digest. Two processes with the same key give the same digests."""
        values = {name: self._config.secret(name) for name in sorted(variables)}
        if self.identity is not None:
            values = {"": self.identity}
        known = {name: value for name, value in values.items() if value}
        if not known:
            return EMPTY
        known[_KEY] = ""
        return {name: self._digest(name, value) for name, value in known.items()}

    def is_another(self, whose: Mapping[str, str]) -> bool:
        """Whether somebody else asks now than when `whose` was made.

        A variable that is not set now does not count, nor do digests under another key: the old
        key was removed, or belonged to another user.
        """
        now = self.whose(whose)
        same_key = _KEY in now and now[_KEY] == whose.get(_KEY)
        return same_key and any(now.get(name, digest) != digest for name, digest in whose.items())

    def get(self, request: Request) -> Any:
        """The JSON value that `request` gets. Each caller gets its own."""
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
        """Note that data came from elsewhere, which no later request can confirm."""
        with self._lock:
            self._asked.append(None)

    def revalidate(self, asked: Sequence[Asked]) -> bool:
        """Whether each of these requests would get the same payload as then: a 304, or another
        process since then, confirms it. Sends conditional requests until one has changed.

        Raises GatewayError if one can't be sent, as `get` would.
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
        except GatewayError:  # a damaged record of a request
            return False
        if self._key(prepared) != asked.key:  # another credential, or another user's request
            return False
        held = self._hold(prepared, asked.text_at, whole=False)
        return held.confirmed and held.payload.digest == asked.digest

    def _repeatable(self, request: Request, prepared: PreparedRequest, held: _Held) -> Asked | None:
        """What to store about `request`. None if it can't be repeated from that."""
        secrets, parts, sent = self._config.secrets, urlsplit(request.url), prepared.url or ""
        secret = secrets.name_of(request.bearer) if request.bearer else None
        if request.headers or (request.bearer and not secret):
            return None
        if parts.query or "@" in parts.netloc or secrets.mask(sent) != sent:
            return None
        key, digest, text_at = held.key, held.payload.digest, request.text_at
        return Asked(request.url, request.params, secret, key, digest, text_at=text_at)

    def _digests(self, variables: Iterable[str]) -> Mapping[str, str]:
        """Variable → a keyed digest of its value, or only of whether it is set if it may rotate."""
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
        # The key depends on which variables were sent, not on their values.
        mask = self._config.secrets.mask
        named = {name: mask(value) for name, value in sent.items()}
        if named.get("authorization") == sent.get("authorization"):  # from elsewhere
            named["authorization"] = ""
        return self._payloads.key(mask(request.url or ""), [*named.items(), ("", self.identity)])

    def _hold(self, request: PreparedRequest, text_at: str | None, *, whole: bool = True) -> _Held:
        """The payload of `request`: from memory, from another process, revalidated or fetched.

        With `whole=False`, the body of a stored payload is not read.
        """
        key = self._key(request)
        self.sent_credential |= carries_credential(request)
        with self._lock:
            held = self._held.get(key)
        if held is not None and whole and held.payload.body is None:
            stored = self._payloads.read(key)
            held = evolve(held, payload=stored) if stored else None
        if held is None:
            try:  # only one process of the user asks for it at a time
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
        # A time in the future means that a clock was set back, so it does not count.
        if stored and self._since_ns < stored.confirmed_ns <= self._now_ns():
            return _Held(key, stored, confirmed=True, at_ns=stored.confirmed_ns)
        answer = self._transport.send(request, {} if self._force else _validators(stored))
        now = self._now_ns()
        if answer.status == 304 and stored is not None:
            self._payloads.confirm(key, now)
            return _Held(key, stored, confirmed=True, at_ns=now)
        culprit = shown(request.url or "")
        # Raises for an answer that is not data, or holds a secret. Then nothing is stored.
        secrets = self._config.secrets
        value = read(answer, request, secrets, culprit=culprit, text_at=text_at)
        if stored is not None and (doubt := _older(answer, stored)):
            known = stored if whole else self._payloads.read(key)
            if known is None or known.body != answer.body:  # the same body: from another replica
                self._doubt(culprit, doubt)
        url = self._payloads.key(secrets.mask(request.url or ""), ())
        payload = Payload(answer.body, answer.etag, answer.last_modified, now, url=url)
        if self._payloads.write(key, payload):
            payload = evolve(payload, body=None)  # large, and hardly ever asked for again
        return _Held(key, payload, confirmed=False, at_ns=now, parsed={text_at: value})

    def _now_ns(self) -> int:
        return _nanoseconds(self._config.clock())


def _validators(payload: Payload | None) -> dict[str, str]:
    if payload is None:
        return {}
    headers = {"If-None-Match": payload.etag, "If-Modified-Since": payload.last_modified}
    return {name: value for name, value in headers.items() if value}


def _older(answer: Answer, stored: Payload) -> str:
    """A warning if the answer is older than the stored payload. Empty if it is not, or if the
    difference may come from the clock of another replica."""
    now, before = _date(answer.last_modified), _date(stored.last_modified)
    if now is None or before is None or before - now <= _SKEW:
        return ""
    return (
        f"sent data last changed {now:%Y-%m-%d %H:%M} UTC, older than the stored data"
        f" ({before:%Y-%m-%d %H:%M}); it is used (if models are missing, ask again later)"
    )


def _date(header: str | None) -> datetime | None:
    try:
        parsed = parsedate_tz(header or "")
        return parsed and datetime.fromtimestamp(mktime_tz(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
