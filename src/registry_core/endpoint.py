"""Where and how to call one model: what `resolve` gives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import Converter, field, frozen, validators

from ._base.fields import names_refused_field
from ._base.frozen import EMPTY, FrozenDict
from .errors import DialectError
from .known_providers import Dialect

ANTHROPIC_VERSION = "2023-06-01"

#: Without a key from us, the clients would send one from the environment.
_NO_KEY = "no-key"

_HELPERS: Mapping[Dialect, str] = {
    "openai": "openai_kwargs",
    "openai-responses": "openai_kwargs",
    "anthropic": "anthropic_kwargs",
    "google": "httpx_kwargs",
}


def _without_slash(url: str) -> str:
    return url.rstrip("/")


def _headers(value: Mapping[str, str], endpoint: Any) -> FrozenDict[str, str]:
    key, dialect = endpoint.api_key, endpoint.dialect
    headers = dict(value)
    if key and not any(text == key or text.endswith(f" {key}") for text in headers.values()):
        if dialect == "anthropic":
            headers["x-api-key"] = key
        elif dialect == "google":
            headers["x-goog-api-key"] = key
        else:
            headers["Authorization"] = f"Bearer {key}"
    if dialect == "anthropic":
        headers.setdefault("anthropic-version", ANTHROPIC_VERSION)
    return FrozenDict(headers)


def _masked(value: str | None) -> str:
    return "None" if value is None else "'***'"


def _masked_values(value: Mapping[str, str]) -> str:
    return repr(dict.fromkeys(value, "***"))


@names_refused_field
@frozen
class Endpoint:
    """Everything that a client needs to call one model.

    `base_url` includes the version segment ("…/v1"), and has no trailing slash. `model` is
    the id to send. `headers` are complete: the key is added in the dialect's header, unless a
    given header already has it. `expires_at` (aware UTC) is the end of a temporary key; None
    for other keys.

    The key is masked in `repr` and `str`. Pickles and `headers` contain it.
    """

    base_url: str = field(converter=_without_slash)
    model: str
    dialect: Dialect = field(validator=validators.in_(_HELPERS))
    api_key: str | None = field(default=None, repr=_masked)
    headers: Mapping[str, str] = field(
        default=EMPTY,
        converter=Converter(_headers, takes_self=True),  # type: ignore[misc]  # as in models
        repr=_masked_values,
    )
    expires_at: datetime | None = None

    def openai_kwargs(self) -> dict[str, Any]:
        """For `openai.OpenAI(**…)` and `AsyncOpenAI`: `base_url`, `api_key`, `default_headers`.

        Raises DialectError unless the dialect is "openai" or "openai-responses".
        """
        self._require("openai", "openai-responses")
        return self._client_kwargs(self.base_url)

    def anthropic_kwargs(self) -> dict[str, Any]:
        """For `anthropic.Anthropic(**…)`: `base_url` without "/v1", `api_key`, `default_headers`.

        Raises DialectError unless the dialect is "anthropic".
        """
        self._require("anthropic")
        return self._client_kwargs(self.base_url.removesuffix("/v1"))

    def httpx_kwargs(self) -> dict[str, Any]:
        """For `httpx.Client(**…)`, whatever the dialect: `base_url`, `headers`."""
        return {"base_url": self.base_url, "headers": dict(self.headers)}

    def _require(self, *dialects: Dialect) -> None:
        if self.dialect not in dialects:
            raise DialectError(
                f"{self.model} speaks the {self.dialect} dialect here, not {dialects[0]}",
                hint=f"use {_HELPERS[self.dialect]}()",
            )

    def _client_kwargs(self, base_url: str) -> dict[str, Any]:
        # The clients set their own Authorization and API version. They get `x-api-key`
        # from us: anthropic ≥ 2 sends the key as a bearer token only, which some servers
        # of its dialect don't read.
        own = {"Authorization": f"Bearer {self.api_key}", "anthropic-version": ANTHROPIC_VERSION}
        headers = {name: text for name, text in self.headers.items() if own.get(name) != text}
        kwargs = {"base_url": base_url, "api_key": self.api_key or _NO_KEY}
        return {**kwargs, "default_headers": headers} if headers else kwargs
