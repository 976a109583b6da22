"""The host's `GatewayClient`: the HTTP client that a gateway plugin gets."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any, TypeVar

from .._base.frozen import EMPTY
from ..report import MOST_WARNINGS, Problem
from .asked import Asked
from .cache import Cache
from .config import HttpConfig
from .echoes import carries_credential, read
from .localfiles import is_local, read_local
from .masking import masked
from .parsing import parse
from .payloads import Payloads
from .tokens import Asker
from .transport import Request, Transport, shown

T = TypeVar("T")

#: Whether a token is being exchanged. Answers are secrets then: they are neither stored nor
#: published, and may repeat what was sent, such as the id of the client.
_exchanging = ContextVar("exchanging", default=False)


class HttpClient:
    """The session of one gateway: the contract of `GatewayClient`, and revalidation.

    It ends `fetch_deadline_ms` from now. `gateway`: its id. Without `payloads` nothing is stored,
    so each `get_json` sends a request. `since`, `force` and `consulted`: see `Cache`.
    """

    def __init__(
        self,
        config: HttpConfig,
        options: Mapping[str, Any],
        *,
        gateway: str = "",
        payloads: Payloads | None = None,
        since: float | None = None,
        force: bool = False,
        consulted: set[str] | None = None,
    ) -> None:
        self._config = config
        self._options = options
        self._consulted = set[str]() if consulted is None else consulted
        self._transport = Transport(config)
        self._asker = Asker(gateway, self._consulted, config.secret, self._transport.left)
        self._warnings: list[Problem] = []
        self.unkept_warnings = 0
        """The number of warnings that were not kept, since a hostile answer may cause millions."""
        self._cache: Cache | None = None
        if payloads is not None:
            self._cache = Cache(
                config,
                self._transport,
                payloads,
                self._consulted,
                self.warn,
                since=since,
                force=force,
            )
        self._used = set[str]()
        self._private = False

    @property
    def options(self) -> Mapping[str, Any]:
        return self._options

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The first of the plugin's warnings, and of those about answers that may be outdated."""
        return tuple(self._warnings)

    @property
    def confirmed_at(self) -> float:
        """See `Cache`. Now, if nothing is stored."""
        return self._cache.confirmed_at if self._cache else self._config.clock()

    @property
    def asked(self) -> tuple[Asked, ...]:
        """See `Cache`. Empty, if nothing is stored."""
        return self._cache.asked if self._cache else ()

    def identify(self, identity: str | None) -> None:
        """Say who asks, before the first request; see `Cache.identity`."""
        if self._cache is not None:
            self._cache.identity = identity

    @property
    def whose(self) -> Mapping[str, str]:
        """Who has asked, by the secrets used: see `Cache`. Empty, if nothing is stored."""
        return self._cache.whose(self._used) if self._cache else EMPTY

    @property
    def consulted(self) -> tuple[str, ...]:
        """The variables that the plugin has read, including unset ones, sorted."""
        return tuple(sorted(self._consulted))

    @property
    def private(self) -> bool:
        """Whether the data may be meant only for this user or machine: a credential was sent, a
        token was exchanged, or a file was read."""
        cache = self._cache
        sent = cache is not None and (cache.sent_credential or cache.identity is not None)
        return self._private or sent or bool(self.whose)

    def is_another(self, whose: Mapping[str, str]) -> bool:
        """See `Cache`. False, if nothing is stored."""
        return self._cache is not None and self._cache.is_another(whose)

    def secret(self, name: str) -> str | None:
        self._used.add(name)
        self._consulted.add(name)
        return self._config.secret(name)

    def warn(self, culprit: str, message: str) -> None:
        if len(self._warnings) >= MOST_WARNINGS:
            self.unkept_warnings += 1
            return
        mask = self._config.secrets.mask
        self._warnings.append(Problem("record", mask(culprit), mask(message), fatal=False))

    def get_json(
        self,
        url: str,
        *,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        text_at: str | None = None,
    ) -> Any:
        with masked(self._config.secrets.mask):
            if is_local(url):
                self._forget()
                self._private = True
                most = self._config.settings.fetch_max_bytes
                culprit = shown(url)
                body = read_local(url, most=most, culprit=culprit)
                return parse(body, culprit=culprit, text_at=text_at)
            request = Request(url, bearer, headers or EMPTY, params or EMPTY, text_at=text_at)
            request = self._noted(request)
            if self._cache is not None and not _exchanging.get():
                return self._cache.get(request)
            return self._ask(request)

    def post_json(
        self,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        if json is not None and form is not None:
            raise TypeError("post_json takes json or form, not both")
        with masked(self._config.secrets.mask):
            request = Request(url, bearer, headers or EMPTY, EMPTY, "POST", json, form)
            return self._ask(self._noted(request))

    def token(
        self, key: Hashable, exchange: Callable[[], tuple[T, datetime | float]], margin: float = 60
    ) -> T:
        def unseen() -> tuple[T, datetime | float]:
            before = _exchanging.set(True)
            try:
                return exchange()
            finally:
                _exchanging.reset(before)

        self._private = True
        token: T = self._config.tokens.get(self._asker, key, unseen, margin)
        if isinstance(token, str):
            self._config.secrets.hide(token, f"token of {self._asker.gateway}")
        return token

    def _noted(self, request: Request) -> Request:
        """The same request. Remembers which secrets it sends."""
        sent = (request.bearer or "", *request.headers.values(), *request.params.values())
        sent = (request.url, *sent, *(request.form or EMPTY).values())
        self._used |= self._config.secrets.names_in("\n".join(map(str, sent)))
        return request

    def _ask(self, request: Request) -> Any:
        """The value of a request that is not cached."""
        self._forget()
        prepared = self._transport.prepare(request)
        self._private |= carries_credential(prepared)
        answer, culprit = self._transport.send(prepared), shown(request.url)
        if _exchanging.get():
            return parse(answer.body, culprit=culprit, text_at=request.text_at)
        secrets, text_at = self._config.secrets, request.text_at
        return read(answer, prepared, secrets, culprit=culprit, text_at=text_at)

    def _forget(self) -> None:
        if self._cache is not None:
            self._cache.forget()

    def revalidate(self, asked: Sequence[Asked]) -> bool:
        """See `Cache`. False, if nothing is stored."""
        with masked(self._config.secrets.mask):
            return self._cache is not None and self._cache.revalidate(asked)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()
