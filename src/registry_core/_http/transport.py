"""One request over HTTP: retries, redirects and size limit, all within one deadline.

A POST is tried again only if the server did nothing: no connection could be made, or the server
says so (429, or 503 with Retry-After). It follows no redirect, since its content is meant for this
URL only.

Proxies, CA bundle and netrc are those of `requests` (HTTPS_PROXY, REQUESTS_CA_BUNDLE, …). `trust`
adds what `requests` leaves out.

Texts of failed library calls are never repeated, since they hold whole URLs. Errors are raised
outside of `except`, so that no traceback shows the causes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import responses
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from attrs import field, frozen

from .._base.frozen import EMPTY
from .._base.version import __version__
from ..errors import GatewayError, GatewayTimeoutError, OfflineError, UnreachableError
from .config import HttpConfig
from .connections import CutAdapter
from .faults import CHECK_PROXY, FAILURES, Fault, diagnose
from .trust import trusting

_CHUNK = 256 * 1024
_CONNECT_SECONDS = 10.0
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_BACKOFF_SECONDS = 0.5
#: Statuses of servers, and of firewalls before them, that can't handle validators.
_BLAME_VALIDATORS = (400, 412, 416, 431, 500)
#: The encodings that requests ask for, and the names of no encoding.
_ENCODINGS = ("gzip", "x-gzip", "identity", "")
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"registry-core/{__version__}",
}
LONGER = "raise fetch_deadline_ms if it needs longer"


@frozen
class Request:
    """A request of a plugin. `bearer` and `headers` are credentials. A POST has a `json` value or
    a `form`."""

    url: str
    bearer: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default=EMPTY, repr=False)
    params: Mapping[str, str] = EMPTY
    method: str = "GET"
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    text_at: str | None = None
    """The path of the objects that stay text in the answer."""


@frozen
class Answer:
    """A 200 (or a 201 to a POST), or a 304 without a body if validators were sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(repr=False)
    """Upper and lower case of their names do not matter."""

    @property
    def etag(self) -> str | None:
        return self.headers.get("ETag")

    @property
    def last_modified(self) -> str | None:
        return self.headers.get("Last-Modified")


class Transport:
    """Sends requests until `fetch_deadline_ms` from now."""

    def __init__(self, config: HttpConfig) -> None:
        self._config = config
        self._deadline = config.monotonic() + config.settings.fetch_deadline_ms / 1000
        # From the environment of the process, as for proxies: all credentials share the network.
        self._adapter = CutAdapter(partial(trusting, os.environ))
        self._session = requests.Session()  # prepares only: no cookies, no redirects of its own
        self._session.headers.clear()
        self._session.headers.update(_HEADERS)

    def close(self) -> None:
        """Close idle connections."""
        self._adapter.close()
        self._session.close()

    def left(self) -> float:
        """Seconds until the deadline."""
        return self._deadline - self._config.monotonic()

    def prepare(self, request: Request) -> requests.PreparedRequest:
        """The request as it will be sent. Raises OfflineError, and GatewayError if it is
        invalid."""
        culprit = shown(request.url)
        if self._config.settings.offline:
            raise OfflineError(
                "the network is switched off",
                culprit=culprit,
                hint="unset REGISTRY_CORE_OFFLINE, or leave --offline out",
            )
        if not culprit.lower().startswith(("http://", "https://")):
            raise GatewayError("is not an http or https URL", culprit=culprit, hint="check the url")
        named = any(name.lower() == "authorization" for name in request.headers)
        asked = requests.Request(
            request.method,
            request.url,
            headers=request.headers,
            params=request.params,
            json=request.json,
            data=request.form,
            # Given as `auth`, since otherwise a line in netrc would replace it.
            auth=partial(_authorize, request.bearer) if request.bearer or named else None,
        )
        try:
            return self._session.prepare_request(asked)
        except FAILURES as error:
            fault = diagnose(error)
        raise GatewayError(fault.message, culprit=culprit, hint=fault.hint)

    def send(
        self, request: requests.PreparedRequest, validators: Mapping[str, str] = EMPTY
    ) -> Answer:
        """Send `request`, with retries.

        Raises GatewayError, and GatewayTimeoutError at the deadline.
        """
        retries = self._config.settings.fetch_retries
        culprit = shown(request.url or "")
        fault: Fault | None = None
        for attempt in range(retries + 1):
            if self.left() <= 0:
                break
            outcome = self._attempt(request, validators)
            if validators and isinstance(outcome, Fault) and outcome.status in _BLAME_VALIDATORS:
                validators = EMPTY
                outcome = self._attempt(request, validators)
            if self.left() <= 0:
                break
            if isinstance(outcome, Answer):
                return outcome
            fault = outcome
            again = fault.retry and (fault.undone or request.method == "GET")
            if not again or attempt == retries:
                tries = f" ({attempt + 1} attempts)" if attempt else ""
                kind = UnreachableError if fault.unreachable else GatewayError
                raise kind(
                    fault.message + tries, culprit=culprit, hint=fault.hint, status=fault.status
                )
            pause = fault.after
            if pause is None:
                pause = _BACKOFF_SECONDS * 2**attempt * (0.5 + self._config.random())
            elif pause >= self.left():
                raise GatewayError(
                    f"{fault.message}; it asks to wait {pause:.0f} s, which is past the deadline",
                    culprit=culprit,
                    hint="try again later",
                    status=fault.status,
                )
            if pause >= self.left():
                break
            self._config.wait(pause)
        before = f"; before that: {fault.message}" if fault else ""
        raise GatewayTimeoutError(
            f"gave no whole answer before the deadline{before}", culprit=culprit, hint=LONGER
        )

    def _attempt(
        self, prepared: requests.PreparedRequest, validators: Mapping[str, str]
    ) -> Answer | Fault:
        first = prepared.copy()
        first.headers.update(validators)
        request: requests.PreparedRequest | Fault = first
        own = {*map(str.lower, self._session.headers), *map(str.lower, validators)}
        visited: list[str] = []
        try:
            with self._adapter.cut_after(self.left()):
                while isinstance(request, requests.PreparedRequest):
                    url = request.url or ""
                    visited.append(url)
                    seconds = max(self.left(), 0.001)
                    environment: dict[str, Any] = {
                        **self._session.merge_environment_settings(url, {}, True, None, None)
                    }
                    timeout = (min(_CONNECT_SECONDS, seconds), seconds)
                    with self._adapter.send(request, timeout=timeout, **environment) as response:
                        location = response.headers.get("Location")
                        if response.status_code in _REDIRECTS and location:
                            request = _follow(request, location, visited, own)
                        else:
                            return self._answer(response, validators)
                return request
        except FAILURES as error:
            return diagnose(error)

    def _answer(self, response: requests.Response, validators: Mapping[str, str]) -> Answer | Fault:
        most = self._config.settings.fetch_max_bytes
        status = response.status_code
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        chunks: list[bytes] = []
        size = 0
        if status == 304 and validators:
            response.raw.drain_conn()
        elif status != 200 and not (status == 201 and response.request.method == "POST"):
            return self._refusal(response)
        elif encoding not in _ENCODINGS:  # some unpack to gigabytes before the limit applies
            return Fault(
                f"sent its answer encoded as {encoding[:40]!r}, which was not asked for",
                "check the url, and proxies on the way",
            )
        else:
            for chunk in response.raw.stream(_CHUNK, decode_content=True):
                chunks.append(chunk)
                size += len(chunk)
                if size > most:
                    return Fault(
                        f"sent more than {most / 2**20:g} MiB",
                        "raise fetch_max_bytes if that is right",
                    )
        return Answer(status, b"".join(chunks), response.headers)

    def _refusal(self, response: requests.Response) -> Fault:
        status = response.status_code
        message = f"answered {status} {responses.get(status, '')}".rstrip()
        if status == 429 or status >= 500:
            after = self._seconds(response.headers.get("Retry-After"))
            undone = status == 429 or (status == 503 and after is not None)
            return Fault(message, "try again later", True, after, status=status, undone=undone)
        if status in (401, 403):
            sent = str(response.request.headers.get("Authorization", ""))
            name = self._config.secrets.name_of(sent.removeprefix("Bearer "))
            hint = f"check {name or 'the credentials that it is sent'}"
            return Fault(message, hint, status=status)
        if status == 407:
            return Fault(message, CHECK_PROXY)
        return Fault(message, "check the url", status=status)

    def _seconds(self, retry_after: str | None) -> float | None:
        """Retry-After holds seconds or a date (RFC 9110, section 10.2.3)."""
        if retry_after is None:
            return None
        if retry_after.isascii() and retry_after.isdigit():
            return float(retry_after)
        try:
            return max(0.0, parsedate_to_datetime(retry_after).timestamp() - self._config.clock())
        except (ValueError, OverflowError):
            return None


def shown(url: str) -> str:
    """`url` for people: without user, password, query and fragment, which may be secrets."""
    scheme, separator, rest = re.split("[?#]", str(url), maxsplit=1)[0].rpartition("://")
    host, slash, path = rest.partition("/")
    text = f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:500])


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _authorize(bearer: str | None, request: requests.PreparedRequest) -> requests.PreparedRequest:
    if bearer:
        request.headers["Authorization"] = f"Bearer {bearer}"
    return request


def _follow(
    request: requests.PreparedRequest, location: str, visited: list[str], own: set[str]
) -> requests.PreparedRequest | Fault:
    """The next request. To another origin, only the `own` headers are sent."""
    following = request.copy()
    current = request.url or ""
    try:
        target = urljoin(current, location)
        following.prepare_url(target, None)
        moved = _origin(target) != _origin(current)
    except ValueError:
        return Fault("redirected to something that is not an http or https URL", "check the url")
    where = f"redirected to {shown(target)}"
    if request.method != "GET":
        return Fault(f"{where}, which a POST does not follow", "check the url")
    if not target.startswith(("http:", "https:")):
        return Fault(f"{where}, which is not an http or https URL", "check the url")
    if current.startswith("https:") and not target.startswith("https:"):
        return Fault(f"{where}, from https to http", "check the url")
    if following.url in visited:
        return Fault(f"{where} again, in a loop", "check the url")
    if len(visited) > _MOST_REDIRECTS:
        return Fault(f"{where} after {_MOST_REDIRECTS} other redirects", "check the url")
    if moved:
        for name in [name for name in following.headers if name.lower() not in own]:
            del following.headers[name]
    return following
