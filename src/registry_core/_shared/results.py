"""A gateway's result as an object: one line of JSON per provider, compressed. Its name is the
SHA-256 of the lines. With lines, only one provider is parsed at a time: thousands of records at
once would cost more in the garbage collector than everything else.

Each record is checked, like an answer from an unknown gateway. So somebody who can write to the
bucket can do no more than a hostile answer can.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Mapping
from typing import Any

from .._base.decoding import outline, require_msgspec
from .._base.encoding import dumps
from .._base.frozen import EMPTY
from ..models import RECORDED, ProviderConfig
from ..records import provider_from_record
from .engine import Fault

Providers = Mapping[str, ProviderConfig]


def encode(providers: Providers) -> tuple[str, bytes]:
    """The name of the object, and its bytes. Equal results have the same name."""
    require_msgspec()
    from msgspec import Raw

    lines: list[bytes] = []
    for id in sorted(providers):
        provider = providers[id]
        values = {name: getattr(provider, name) for name in RECORDED}
        known = {name: value for name, value in values.items() if value not in (None, (), EMPTY)}
        models = {bare: Raw(provider.models.record(bare)) for bare in provider.models}
        lines.append(dumps({**known, "id": id, "models": models}))
    content = b"\n".join(lines)
    return hashlib.sha256(content).hexdigest(), zlib.compress(content, 6)


def decode(name: str, data: bytes, *, most: int, culprit: str) -> dict[str, ProviderConfig]:
    """The providers of that object. Raises Fault if it is not what its name says."""
    unpacked = zlib.decompressobj()
    try:
        content = unpacked.decompress(data, most + 1)
    except zlib.error:
        content = b""
    if len(content) > most:
        raise Fault(
            f"object {name[:12]} holds more than {most / 2**20:g} MiB",
            culprit=culprit,
            hint="raise fetch_max_bytes if that is right",
        )
    if hashlib.sha256(content).hexdigest() != name:
        raise Fault(
            f"object {name[:12]} is not what its name says",
            culprit=culprit,
            hint="the next to publish replaces it",
        )
    providers: dict[str, ProviderConfig] = {}
    try:
        for line in io.BytesIO(content):
            record: dict[str, Any] = outline(line, "models/*")
            provider = provider_from_record(record["id"], record)
            if provider is not None:
                providers[provider.id] = provider
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Fault(f"object {name[:12]} holds no result", culprit=culprit) from None
    return providers
