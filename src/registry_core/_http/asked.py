"""The requests of a gateway's last good fetch, with which a sync asks whether anything changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import asdict, field, fields, frozen
from attrs.converters import optional

from .._base.frozen import EMPTY, FrozenDict


def _texts(value: Any) -> Mapping[str, str]:
    pairs: Any = value.items() if isinstance(value, Mapping) else ()
    return FrozenDict({str(key): str(item) for key, item in pairs})


@frozen
class Asked:
    """A request of a fetch, in the form that the store may hold: it names its secret only."""

    url: str = field(converter=str)
    params: Mapping[str, str] = field(default=EMPTY, converter=_texts)
    secret: str | None = field(default=None, converter=optional(str))
    """The variable whose value was the bearer token."""
    key: str = field(default="", converter=str)
    """The key of its payload, made from the other fields and the value of the secret."""
    digest: str = field(default="", converter=str)
    """The digest of the payload."""
    consulted: Mapping[str, str] = field(default=EMPTY, converter=_texts)
    """The variables that the plugin has read, including unset ones → a keyed digest of the
    value."""
    text_at: str | None = field(default=None, converter=optional(str))
    """See `GatewayClient.get_json`."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, items: Iterable[Mapping[str, Any]]) -> tuple[Asked, ...]:
        """Requests from dicts of `to_dict`. A damaged one will count as changed."""
        names = [attribute.name for attribute in fields(cls)]
        return tuple(cls(*map(item.get, names)) for item in items)
