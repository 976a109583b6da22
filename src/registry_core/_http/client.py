"""The HTTP client that a gateway plugin is given: `GatewayClient`, kept by the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._base.frozen import EMPTY
from ..report import Problem
from .asked import Asked
from .cache import Cache
from .config import HttpConfig
from .masking import masked
from .parsing import parse
from .payloads import Payloads
from .transport import Request, Transport, shown


class HttpClient:
    """One gateway's session: what the contract of `GatewayClient` says, and revalidation.

    It ends `fetch_deadline_ms` from now. `payloads` None stores nothing, so each `get_json` is
    a request. `since`, `force` and `consulted`: see `Cache`.
    """

    def __init__(
        self,
        config: HttpConfig,
        options: Mapping[str, Any],
        *,
        payloads: Payloads | None = None,
        since: float | None = None,
        force: bool = False,
        consulted: set[str] | None = None,
    ) -> None:
        self._config = config
        self._options = options
        self._consulted = set[str]() if consulted is None else consulted
        self._transport = Transport(config)
        self._cache: Cache | None = None
        if payloads is not None:
            self._cache = Cache(
                config, self._transport, payloads, self._consulted, since=since, force=force
            )
        self._used = set[str]()
        self._warnings: list[Problem] = []

    @property
    def options(self) -> Mapping[str, Any]:
        return self._options

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the plugin reported with `warn`, and what is doubtful about the answers."""
        doubts = self._cache.doubts if self._cache else ()
        found = (Problem("record", *doubt, fatal=False) for doubt in doubts)
        return (*self._warnings, *found)

    @property
    def confirmed_at(self) -> float:
        """See `Cache`; now, if nothing is kept."""
        return self._cache.confirmed_at if self._cache else self._config.clock()

    @property
    def asked(self) -> tuple[Asked, ...]:
        """See `Cache`; empty, if nothing is kept."""
        return self._cache.asked if self._cache else ()

    def identify(self, identity: str | None) -> None:
        """Say who asks, before the first request; see `Cache.identity`."""
        if self._cache is not None:
            self._cache.identity = identity

    @property
    def whose(self) -> Mapping[str, str]:
        """Who has asked: see `Cache`, of the secrets that were used; empty, if nothing is kept."""
        return self._cache.whose(self._used) if self._cache else EMPTY

    def is_another(self, whose: Mapping[str, str]) -> bool:
        """Whether somebody else asks now than did when `whose` was this client's. A variable
        that is not set now says nothing."""
        now = self._cache.whose(whose) if self._cache and whose else EMPTY
        return any(now.get(name, digest) != digest for name, digest in whose.items())

    def secret(self, name: str) -> str | None:
        self._used.add(name)
        self._consulted.add(name)
        return self._config.secret(name)

    def warn(self, culprit: str, message: str) -> None:
        mask = self._config.secrets.mask
        self._warnings.append(Problem("record", mask(culprit), mask(message), fatal=False))

    def get_json(
        self,
        url: str,
        *,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        request = Request(url, bearer, headers or EMPTY, params or EMPTY)
        sent = (url, bearer or "", *request.headers.values(), *request.params.values())
        self._used |= self._config.secrets.names_in("\n".join(map(str, sent)))
        with masked(self._config.secrets.mask):
            if self._cache is not None:
                return self._cache.get(request)
            answer = self._transport.get(self._transport.prepare(request))
            return parse(answer.body, culprit=shown(url))

    def revalidate(self, asked: Sequence[Asked]) -> bool:
        """See `Cache`; False, if nothing is kept."""
        with masked(self._config.secrets.mask):
            return self._cache is not None and self._cache.revalidate(asked)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()
