"""A snapshot's bytes from its providers. Lookups don't need this module."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from typing import Any
from zlib import crc32

from .._base.encoding import dumps
from .._base.frozen import EMPTY
from ..models import ProviderConfig
from .layout import HEADER, MAGIC, PROVIDER, SCHEMA, SLOT


def encode(
    providers: Mapping[str, ProviderConfig], about: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """The bytes of a snapshot of these providers, sorted by id. `about`: what the directory
    says beside them; of that, only gateways may be empty."""

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

    rows = [(id, one.gateway, len(one.models)) for id, one in providers.items()]
    policy = {name: value for name, value in about.items() if value or name == "gateways"}
    directory = dumps({**policy, "providers": rows})
    table = bytearray()
    offset = HEADER.size + count * SLOT.size + len(directory)
    for number, chunk in enumerate(buckets, 1):
        # Never 0: a slot that was zeroed by a damaged disk is no empty bucket.
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
