"""A gateway's result as an object: JSON, compressed, named by the SHA-256 of the JSON.

It is read as what a stranger's gateway sent is read: each record is checked. So who can write
the bucket can do what a hostile payload can, and no more.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from .._base.decoding import outline
from .._base.encoding import dumps
from .._base.frozen import EMPTY
from .._catalog.layout import PROVIDER
from ..models import ProviderConfig
from ..records import provider_from_record
from .engine import Fault

Providers = Mapping[str, ProviderConfig]


def encode(providers: Providers) -> tuple[str, bytes]:
    """The name of the object, and its bytes. Equal results have one name."""
    records: dict[str, Any] = {}
    for id, provider in providers.items():
        said = {one: getattr(provider, one) for one in PROVIDER}
        models = {bare: Raw(provider.models.record(bare)) for bare in provider.models}
        known = {name: value for name, value in said.items() if value not in (None, (), EMPTY)}
        records[id] = {**known, "models": models}
    content = dumps(records)
    return hashlib.sha256(content).hexdigest(), zlib.compress(content, 6)


def decode(name: str, data: bytes, *, most: int, culprit: str) -> dict[str, ProviderConfig]:
    """The providers of that object. Raises Fault if it is not what its name says."""
    unpacked = zlib.decompressobj()
    try:
        content = unpacked.decompress(data, most + 1)
    except zlib.error:
        content = b""
    if hashlib.sha256(content).hexdigest() != name:
        raise Fault(
            f"object {name[:12]} is not what its name says",
            culprit=culprit,
            hint="the next to publish replaces it",
        )
    try:
        records: dict[str, Any] = outline(content, "*/models/*")
        found = [provider_from_record(id, record) for id, record in records.items()]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Fault(f"object {name[:12]} holds no result", culprit=culprit) from None
    return {one.id: one for one in found if one is not None}
