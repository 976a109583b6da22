"""What a gateway asked for in its last good fetch, so that it can be asked whether that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import asdict, field, frozen

from ..frozen import EMPTY, FrozenDict


def _texts(value: Any) -> Mapping[str, str]:
    return FrozenDict({str(key): str(item) for key, item in value.items()})


@frozen
class Asked:
    """A request of a fetch, as the store may hold it: it names the secret, and holds none."""

    url: str
    params: Mapping[str, str] = field(default=EMPTY, converter=_texts)
    secret: str | None = None
    """The variable whose value was the bearer token."""
    key: str = ""
    """The payload's; it vouches for the other fields, and for the value of the secret."""
    digest: str = ""
    """Of the payload."""
    consulted: Mapping[str, str] = field(default=EMPTY, converter=_texts)
    """Variables that the plugin has asked for, unset ones too → a keyed digest of the value."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, items: Iterable[Mapping[str, Any]]) -> tuple[Asked, ...]:
        """From what `to_dict` gave; what is damaged will not be found unchanged."""
        return tuple(
            cls(
                str(item.get("url")),
                item["params"] if isinstance(item.get("params"), Mapping) else EMPTY,
                None if item.get("secret") is None else str(item["secret"]),
                str(item.get("key")),
                str(item.get("digest")),
                item["consulted"] if isinstance(item.get("consulted"), Mapping) else EMPTY,
            )
            for item in items
        )
