"""The client and settings of a plugin for its tests, without network and environment."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from attrs import field, frozen

from .._base.frozen import EMPTY, FrozenDict, freeze
from .._base.secrets import Secrets
from .._http.parsing import parse
from .._http.tokens import Asker, Tokens
from ..errors import GatewayError
from ..plugin import PluginSettings
from ..report import Problem

T = TypeVar("T")


def plugin_settings(
    options: Mapping[str, Any] = EMPTY,
    *,
    secrets: Mapping[str, str] = EMPTY,
    offline: bool = False,
    dev: bool = False,
    types_providers: tuple[str, ...] | None = None,
    outputs: Iterable[str] = (),
) -> PluginSettings:
    """The settings as a plugin with these options sees them. `secrets` is the environment, and
    `outputs` names the emitters that the project gives a folder."""
    return PluginSettings(
        options=options,
        offline=offline,
        dev=dev,
        types_providers=types_providers,
        outputs=outputs,
        environ=secrets,
        secrets=Secrets(),
    )


@frozen
class CannedRequest:
    """One request of a gateway."""

    url: str
    """The URL, with the query from `params`."""
    bearer: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default=EMPTY, repr=False)
    method: str = "GET"
    json: Any = field(default=None, repr=False)
    """The JSON of a POST; or see `form`."""
    form: Mapping[str, str] | None = field(default=None, repr=False)


class CannedClient:
    """A `GatewayClient` that answers from `routes`, and records requests and warnings.

    `routes` maps a URL, with its query, to the answer of a GET or POST: a JSON value, a body as
    bytes (parsed as the host does), or an exception to raise. Any other URL raises
    GatewayError. Tokens are kept as the host keeps them, only for this client. `secrets` is the
    environment that `secret` reads. `requests` and `warnings` are in order. Unlike the host's
    warnings, these are not masked.

        client = CannedClient({"https://llm.acme.example/v1/models": {"data": []}})
    """

    def __init__(
        self,
        routes: Mapping[str, Any] = EMPTY,
        *,
        options: Mapping[str, Any] = EMPTY,
        secrets: Mapping[str, str] = EMPTY,
    ) -> None:
        self.options: Mapping[str, Any] = freeze(options)
        self.requests: list[CannedRequest] = []
        self.warnings: list[Problem] = []
        self._routes = {url: _body(answer) for url, answer in routes.items()}
        self._environ = secrets
        self._tokens = Tokens()
        self._asker = Asker("canned", set(), self.secret, lambda: 30.0)

    @property
    def urls(self) -> list[str]:
        """The URLs of the requests so far."""
        return [request.url for request in self.requests]

    def warn(self, culprit: str, message: str) -> None:
        self.warnings.append(Problem("record", culprit, message, fatal=False))

    def secret(self, name: str) -> str | None:
        self._asker.consulted.add(name)
        return Secrets().reveal(name, self._environ)

    def get_json(
        self,
        url: str,
        *,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        text_at: str | None = None,
    ) -> Any:
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        return self._answer(CannedRequest(url, bearer, FrozenDict(headers or EMPTY)), text_at)

    def post_json(
        self,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        sent = FrozenDict(headers or EMPTY)
        return self._answer(CannedRequest(url, bearer, sent, "POST", json, form))

    def token(
        self, key: Hashable, exchange: Callable[[], tuple[T, datetime | float]], margin: float = 60
    ) -> T:
        token: T = self._tokens.get(self._asker, key, exchange, margin)
        return token

    def _answer(self, request: CannedRequest, text_at: str | None = None) -> Any:
        self.requests.append(request)
        url = request.url
        answer = self._routes.get(url)
        if answer is None:
            raise GatewayError("has no canned route", culprit=url, hint="add it to routes")
        if isinstance(answer, BaseException):
            raise answer
        return parse(answer, culprit=url, text_at=text_at)


def _body(answer: Any) -> bytes | BaseException:
    if isinstance(answer, (bytes, BaseException)):
        return answer
    return json.dumps(answer).encode()
