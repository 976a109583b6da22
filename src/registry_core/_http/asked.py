"""What a gateway asked for in its last good fetch, so that it can be asked whether that changed."""

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
    """A request of a fetch, as the store may hold it: it names the secret, and holds none."""

    url: str = field(converter=str)
    params: Mapping[str, str] = field(default=EMPTY, converter=_texts)
    secret: str | None = field(default=None, converter=optional(str))
    """The variable whose value was the bearer token."""
    key: str = field(default="", converter=str)
    """The payload's; it vouches for the other fields, and for the value of the secret."""
    digest: str = field(default="", converter=str)
    """Of the payload."""
    consulted: Mapping[str, str] = field(default=EMPTY, converter=_texts)
    """Variables that the plugin has asked for, unset ones too → a keyed digest of the value."""
    text_at: str | None = field(default=None, converter=optional(str))
    """See `GatewayClient.get_json`."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, items: Iterable[Mapping[str, Any]]) -> tuple[Asked, ...]:
        """From what `to_dict` gave; what is damaged will not be found unchanged."""
        names = [one.name for one in fields(cls)]
        return tuple(cls(*map(item.get, names)) for item in items)
