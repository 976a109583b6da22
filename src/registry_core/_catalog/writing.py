"""Make the bytes of a snapshot. Lookups don't need this module."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from itertools import accumulate
from json.encoder import encode_basestring as _quoted
from typing import Any
from zlib import crc32

from .._base.encoding import dumps
from .._base.frozen import EMPTY
from ..models import RECORDED, ProviderConfig
from .layout import HEADER, MAGIC, SCHEMA, SLOT

#: The length of a provider's digest: so long that nobody can make two providers that share one.
_DIGITS = 32
#: So many parts of a snapshot are hashed at once.
_AT_ONCE = 4096


def encode(
    providers: Mapping[str, ProviderConfig], metadata: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """The bytes of a snapshot of these providers, which are sorted by id. `metadata`: the other
    keys of the directory; empty ones are left out, except `gateways`."""

    buckets = [b""] * max(1, sum(1 + len(provider.models) for provider in providers.values()))
    rows = [
        (id, provider.gateway, len(provider.models), _add(provider, buckets))
        for id, provider in providers.items()
    ]
    policy = {name: value for name, value in metadata.items() if value or name == "gateways"}
    directory = dumps({**policy, "providers": rows})
    sizes = [*map(len, buckets)]
    start = HEADER.size + len(buckets) * SLOT.size + len(directory)
    # From 1, so that a slot that a damaged disk zeroed is not a valid empty bucket.
    checksums = map(crc32, buckets, range(1, len(buckets) + 1))
    slots = map(SLOT.pack, accumulate(sizes, initial=start), sizes, checksums)
    parts = [*slots, directory, *buckets]
    digest = sha256()
    for at in range(0, len(parts), _AT_ONCE):  # joining all of them twice would take the memory
        digest.update(b"".join(parts[at : at + _AT_ONCE]))
    header = HEADER.pack(
        MAGIC,
        SCHEMA,
        start + sum(sizes),
        len(buckets),
        len(directory),
        crc32(directory, 0),
        digest.digest(),
        0,
    )[:-4]
    return b"".join((header, crc32(header).to_bytes(4, "little"), *parts))


def _add(provider: ProviderConfig, buckets: list[bytes]) -> str:
    """Put the records of the provider and its models into the buckets. Returns their digest."""
    models, count = provider.models, len(buckets)
    values = {name: getattr(provider, name) for name in RECORDED}
    record = {name: value for name, value in values.items() if value not in (None, (), EMPTY)}
    record |= {"models": list(models.flags), "flags": list(models.flags.values())}
    own, key = _quoted(provider.id).encode(), crc32(provider.id.encode())
    below = crc32(b"/", key)
    keys = [key, *(crc32(model.encode(), below) for model in models)]
    lines = [b"[%b,null,%b]" % (own, dumps(record))]
    lines += [b"[%b,%b,%b]" % (own, _quoted(id).encode(), models.record(id)) for id in models]
    for key, line in zip(keys, lines, strict=True):
        others = buckets[key % count]
        buckets[key % count] = b"%b\n%b" % (others, line) if others else line
    return sha256(b"\n".join(lines)).hexdigest()[:_DIGITS]
