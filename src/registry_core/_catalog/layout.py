"""How a snapshot's bytes are laid out.

    header   magic, schema, total size, bucket count, size and checksum of the
             directory, SHA-256 of all that follows the header, own checksum
    table    one slot per bucket: offset, size, checksum
    directory  JSON {"gateways": {id: plugin}, "providers": [[id, gateway, count of models,
             digest of their records]]}; after a policy also "overlays", "withheld" and
             "roles", see the properties
    records  per bucket lines of JSON [provider id, model id or null, record]

A record's key is ``provider/model`` (or the provider id). Its bucket is the CRC-32
of the key modulo the bucket count. Each checksum also covers its own position, so a
slot that points to a wrong place is detected, and so is a missing record.
"""

from __future__ import annotations

from struct import Struct

from .._base.fields import MAX_ID

SCHEMA = 1
MAGIC = b"regcore\n"
HEADER = Struct("<8sIQIII32sI")
SLOT = Struct("<QII")
#: The longest full id: a provider's, a slash, a model's.
MAX_KEY = 2 * MAX_ID + 1
