"""The HTTP client that a gateway plugin is given: `GatewayClient`, kept by the host."""

from __future__ import annotations

import json
import logging
import random as _random
import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import orjson
from attrs import evolve, frozen
from requests import PreparedRequest

from .. import __version__
from ..errors import GatewayError, GatewayTimeoutError, OfflineError, RegistryError
from ..frozen import EMPTY
from ..report import Problem
from ..secrets import Secrets
from .asked import Asked
from .payloads import Payload, Payloads
from .transport import LONGER, Transport, shown


@frozen
class _Held:
    """A payload that this client has asked for."""

    payload: Payload
    confirmed: bool
    """By a 304, or by another process meanwhile: nothing was downloaded."""
    at_ns: int
    """Epoch nanoseconds: when the URL last said so."""


class HttpClient:
    """One gateway's session: what the contract of `GatewayClient` says, and revalidation.

    `payloads` None stores nothing, so each `get_json` is a request. `force` sends no
    validators. `deadline` is in `monotonic` seconds, and ends all of it. A payload that
    anybody confirmed after `since` (epoch seconds; default: now) is not asked for again.
    `consulted` holds the variables that the plugin has asked for; more are added.
    """

    def __init__(
        self,
        *,
        options: Mapping[str, Any],
        environ: Mapping[str, str],
        secrets: Secrets,
        payloads: Payloads | None,
        offline: bool,
        deadline: float,
        force: bool = False,
        retries: int = 3,
        max_bytes: int = 64 * 2**20,
        since: float | None = None,
        consulted: set[str] | None = None,
        user_agent: str = f"registry-core/{__version__}",
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self._options = options
        self._environ = environ
        self._secrets = secrets
        self._payloads = payloads
        self._offline = offline
        self._force = force
        self._consulted = set[str]() if consulted is None else consulted
        self._clock = clock
        self._since_ns = _nanoseconds(clock() if since is None else since)
        self._transport = Transport(
            user_agent=user_agent,
            deadline=deadline,
            retries=retries,
            max_bytes=max_bytes,
            monotonic=monotonic,
            clock=clock,
            wait=wait,
            random=random,
        )
        self._lock = Lock()
        self._held: dict[str, _Held] = {}
        self._parsed: dict[str, tuple[Any]] = {}
        self._asked: list[Asked | None] = []
        self._warnings: list[Problem] = []

    @property
    def options(self) -> Mapping[str, Any]:
        return self._options

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the plugin reported with `warn`."""
        return tuple(self._warnings)

    @property
    def confirmed_at(self) -> float:
        """Epoch seconds since when all that it got so far is known to be what the URLs hold."""
        with self._lock:
            oldest = min((one.at_ns for one in self._held.values()), default=None)
        return self._clock() if oldest is None else oldest / 1e9

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The requests so far, in order: what to revalidate before the next fetch.

        Empty if one of them failed, or can't be repeated from what may be stored: it sent
        credentials other than a `secret` as bearer, or its URL may hold some.
        """
        consulted = {name: self._value_digest(name) for name in sorted(self._consulted)}
        with self._lock:
            asked = [evolve(one, consulted=consulted) for one in self._asked if one is not None]
            return tuple(asked) if len(asked) == len(self._asked) else ()

    def secret(self, name: str) -> str | None:
        self._consulted.add(name)
        return self._secrets.reveal(name, self._environ)

    def warn(self, culprit: str, message: str) -> None:
        mask = self._secrets.mask
        self._warnings.append(Problem("record", mask(culprit), mask(message), fatal=False))

    def get_json(
        self,
        url: str,
        *,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        asked: Asked | None = None
        try:
            with self.masked():
                request = self._prepare(url, bearer, headers, params)
                credential = self._secrets.name_of(bearer) if bearer else None
                if self._payloads is None:
                    answer = self._transport.get(request, {}, credential=credential)
                    return parse(answer.body, culprit=shown(url))
                key = self._key(self._payloads, request)
                payload = self._hold(self._payloads, key, request, credential).payload
                value = self._value(key, payload, culprit=shown(url))
                if self._is_repeatable(request, url, bearer, headers):
                    asked = Asked(url, params or EMPTY, credential, key, payload.digest)
                return value
        finally:
            with self._lock:
                self._asked.append(asked)

    def revalidate(self, asked: Sequence[Asked]) -> bool:
        """Whether each of these requests would get what it got then: it is confirmed by a
        304, or was by another process since. Sends conditional requests until one would not.

        Raises GatewayError if one can't be made, as `get_json` would.
        """
        with self.masked():
            return bool(asked) and all(map(self._is_unchanged, asked))

    def close(self) -> None:
        self._transport.close()

    def _is_unchanged(self, asked: Asked) -> bool:
        known = asked.consulted.items()
        if any(self._value_digest(name) != digest for name, digest in known):
            return False  # what a gateway publishes may hang on whether a variable is set
        bearer = None if asked.secret is None else self.secret(asked.secret)
        if self._payloads is None or (asked.secret and bearer is None):
            return False
        try:
            request = self._prepare(asked.url, bearer, None, asked.params)
        except OfflineError:
            raise
        except GatewayError:  # nobody asked that
            return False
        key = self._key(self._payloads, request)
        if key != asked.key:  # another credential; or not what this user asked
            return False
        held = self._hold(self._payloads, key, request, asked.secret, whole=False)
        return held.confirmed and held.payload.digest == asked.digest

    def _value_digest(self, name: str) -> str:
        value = self._secrets.reveal(name, self._environ) or ""
        return self._payloads.key(name, [("", value)]) if self._payloads else ""

    def _value(self, key: str, payload: Payload, *, culprit: str) -> Any:
        """What the payload says; each caller gets a value of its own."""
        with self._lock:
            parsed = self._parsed.pop(key, None)
        return parsed[0] if parsed else parse(payload.body or b"", culprit=culprit)

    def _hold(
        self,
        payloads: Payloads,
        key: str,
        request: PreparedRequest,
        credential: str | None,
        *,
        whole: bool = True,
    ) -> _Held:
        """The payload of `request`: one that is held, taken over, revalidated or fetched.

        Else than `whole`, one that is in the store is not read.
        """
        with self._lock:
            held = self._held.get(key)
        if held is not None and whole and held.payload.body is None:
            stored = payloads.read(key)
            held = evolve(held, payload=stored) if stored else None
        if held is None:
            try:  # to be, of all processes of the user, the one that asks for it
                with payloads.lock(key, max(self._transport.left(), 0.0)):
                    held = self._obtain(payloads, key, request, credential, whole)
            except TimeoutError:
                raise GatewayTimeoutError(
                    "another process was still asking for it at the deadline",
                    culprit=shown(request.url or ""),
                    hint=LONGER,
                ) from None
        with self._lock:
            self._held[key] = held
        return held

    def _obtain(
        self,
        payloads: Payloads,
        key: str,
        request: PreparedRequest,
        credential: str | None,
        whole: bool,
    ) -> _Held:
        stored = payloads.read(key, whole=whole)
        if stored and self._since_ns < stored.confirmed_ns <= _nanoseconds(self._clock()):
            return _Held(stored, confirmed=True, at_ns=stored.confirmed_ns)
        validators = {} if self._force or stored is None else _validators(stored)
        answer = self._transport.get(request, validators, credential=credential)
        now = _nanoseconds(self._clock())
        if answer.status == 304 and stored is not None:
            payloads.confirm(key, now)
            return _Held(stored, confirmed=True, at_ns=now)
        culprit = shown(request.url or "")
        echoed = self._secrets.found_in(answer.body)
        if echoed is not None:
            raise GatewayError(
                f"sent the value of {echoed} back; nothing of its answer is kept",
                culprit=culprit,
                hint="tell those who run it, and replace that secret",
            )
        value = parse(answer.body, culprit=culprit)  # what is no data is not kept
        with self._lock:
            self._parsed[key] = (value,)
        payload = Payload(answer.body, answer.etag, answer.last_modified, now)
        payloads.write(key, payload)
        return _Held(payload, confirmed=False, at_ns=now)

    def _prepare(
        self,
        url: str,
        bearer: str | None,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
    ) -> PreparedRequest:
        if self._offline:
            raise OfflineError(
                "the network is switched off",
                culprit=shown(url),
                hint="unset REGISTRY_CORE_OFFLINE, or leave --offline out",
            )
        return self._transport.prepare(url, bearer=bearer, headers=headers, params=params)

    @staticmethod
    def _key(payloads: Payloads, request: PreparedRequest) -> str:
        # The headers as sent: with what netrc or the URL's user added.
        told = {name.lower(): str(value) for name, value in request.headers.items()}
        told.pop("user-agent", None)
        return payloads.key(request.url or "", told.items())

    def _is_repeatable(
        self,
        request: PreparedRequest,
        url: str,
        bearer: str | None,
        headers: Mapping[str, str] | None,
    ) -> bool:
        parts, whole = urlsplit(url), request.url or ""
        return (
            not headers
            and (bearer is None or self._secrets.name_of(bearer) is not None)
            and not (parts.query or "@" in parts.netloc)
            and self._secrets.mask(whole) == whole
        )

    @contextmanager
    def masked(self) -> Generator[None]:
        """No secret in the errors that pass, nor in urllib3's log, which holds URLs whole."""
        mask = self._secrets.mask

        def mask_record(record: logging.LogRecord) -> bool:
            record.msg = re.sub(r"\?[^\s\"]+", "?***", mask(record.getMessage()))
            record.args = None
            return True

        loggers = [
            logging.getLogger(f"urllib3.{name}") for name in ("connection", "connectionpool")
        ]
        for logger in loggers:
            logger.addFilter(mask_record)
        try:
            yield
        except RegistryError as error:
            error.mask(mask)
            raise
        finally:
            for logger in loggers:
                logger.removeFilter(mask_record)


def parse(body: bytes, *, culprit: str) -> Any:
    """The JSON value in `body`. Raises GatewayError that says what it is instead.

    What Python's parser can salvage is taken: NaN and numbers that are not finite as None
    (unknown), lone surrogates as they are, bytes that are not UTF-8 as U+FFFD.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    text = body.decode("utf-8-sig", "replace")
    start = text[:200].lstrip()
    if not text.strip():
        problem = "sent an empty answer"
    elif start.startswith("<"):
        problem = "sent an HTML page, not JSON"
    else:
        try:
            return json.loads(text, parse_constant=_unknown, parse_float=_finite)
        except RecursionError:
            problem = "sent JSON that is nested too deeply"
        except json.JSONDecodeError as error:
            problem = f"sent what is not JSON, at line {error.lineno}, column {error.colno}"
        except ValueError:  # a whole number of thousands of digits
            problem = "sent JSON with a number that can't be read"
    raise GatewayError(problem, culprit=culprit, hint="check the url")


def _unknown(_name: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if abs(number) != float("inf") else None


def _validators(payload: Payload) -> dict[str, str]:
    headers = {"If-None-Match": payload.etag, "If-Modified-Since": payload.last_modified}
    return {name: value for name, value in headers.items() if value}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
