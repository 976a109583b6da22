"""Make the bytes of a snapshot. Lookups don't need this module."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from typing import Any
from zlib import crc32

import orjson

from .._base.frozen import EMPTY
from ..models import ProviderConfig
from .layout import HEADER, MAGIC, PROVIDER, SCHEMA, SLOT


def encode(
    providers: Mapping[str, ProviderConfig], metadata: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """The bytes of a snapshot of these providers, which are sorted by id. `metadata`: the other
    keys of the directory; empty ones are left out, except `gateways`."""

    def dumps(value: Any) -> bytes:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)

    count = max(1, sum(1 + len(provider.models) for provider in providers.values()))
    buckets = [b""] * count

    def add(checksum: int, line: bytes) -> None:
        others = buckets[checksum % count]
        buckets[checksum % count] = b"%b\n%b" % (others, line) if others else line

    for id, provider in providers.items():
        models = provider.models
        values = {name: getattr(provider, name) for name in PROVIDER}
        record = {name: value for name, value in values.items() if value not in (None, (), EMPTY)}
        record |= {"models": list(models.flags), "flags": list(models.flags.values())}
        own, key = _quoted(id).encode(), crc32(id.encode())
        add(key, b"[%b,null,%b]" % (own, dumps(record)))
        below = crc32(b"/", key)
        for model in models:
            line = b"[%b,%b,%b]" % (own, _quoted(model).encode(), models.record(model))
            add(crc32(model.encode(), below), line)

    rows = [(id, provider.gateway, len(provider.models)) for id, provider in providers.items()]
    policy = {name: value for name, value in metadata.items() if value or name == "gateways"}
    directory = dumps({**policy, "providers": rows})
    table = bytearray()
    offset = HEADER.size + count * SLOT.size + len(directory)
    for number, chunk in enumerate(buckets, 1):
        # Starts at 1, so that a slot that a damaged disk zeroed is not a valid empty bucket.
        table += SLOT.pack(offset, len(chunk), crc32(chunk, number))
        offset += len(chunk)
    content = b"".join((table, directory, *buckets))
    header = HEADER.pack(
        MAGIC,
        SCHEMA,
        offset,
        count,
        len(directory),
        crc32(directory, 0),
        sha256(content).digest(),
        0,
    )[:-4]
    return header + crc32(header).to_bytes(4, "little") + content
