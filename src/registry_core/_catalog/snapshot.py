"""The snapshot: an immutable view of every provider and model, and its file format.

A snapshot *is* its bytes: built once by a sync, hashed, and read through a hash
table, so that one lookup reads one record whatever the size. The same bytes serve
the store, the wheel, `export --format snapshot` and pickle.

    header   magic, schema, total size, bucket count, size and checksum of the
             directory, SHA-256 of all that follows the header, own checksum
    table    one slot per bucket: offset, size, checksum
    directory  JSON {"gateways": {id: plugin}, "providers": [[id, gateway, count of models]]};
             after a policy also "overlays" and "withheld", see the properties
    records  per bucket lines of JSON [provider id, model id or null, record]

A record's key is ``provider/model`` (or the provider id); its bucket is the CRC-32
of the key modulo the bucket count. Each checksum covers its own position too, so a
slot that points astray is found out, and so is a missing record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from json.encoder import encode_basestring as _quoted
from struct import Struct, error as StructError
from typing import TYPE_CHECKING, Any
from zlib import crc32

from attrs import fields_dict

from .._base.frozen import EMPTY, FrozenDict, sorted_ids
from .._files.opened import Parts, opened
from ..errors import SnapshotDamagedError
from ..models import MAX_ID, ModelInfo, ModelMap, ProviderConfig, decode

if TYPE_CHECKING:
    import os

SCHEMA = 1
_MAGIC = b"regcore\n"
_HEADER = Struct("<8sIQIII32sI")
_SLOT = Struct("<QII")
#: Bytes that are read at once where all are.
_PART = 2**20
#: The longest full id: a provider's, a slash, a model's.
_MAX_KEY = 2 * MAX_ID + 1
_PROVIDER = tuple(name for name in fields_dict(ProviderConfig) if name not in ("id", "models"))


class Snapshot:
    """Every provider and model of one generation. Lookups take no lock and no clock.

    Two snapshots are equal when their content hash is. Pickle and copy keep it.
    A file that turns out to be damaged raises SnapshotDamagedError on access.
    """

    # No attrs class: to make one of these fields takes 1 % of a cold lookup.
    __slots__ = (
        "_buckets",
        "_data",
        "_directory",
        "_hash",
        "_models",
        "_providers",
        "_views",
    )

    def __init__(
        self, data: Parts, hash: str, buckets: int, directory: tuple[int, int, int]
    ) -> None:
        self._data = data
        self._hash = hash
        self._buckets = buckets
        self._directory = directory
        self._models: dict[str, ModelInfo] = {}
        self._providers: dict[str, ProviderConfig] = {}
        self._views: dict[str, Any] = {}

    @property
    def hash(self) -> str:
        """SHA-256 of the content, 64 hex digits."""
        return self._hash

    @classmethod
    def build(
        cls,
        providers: Mapping[str, ProviderConfig] | Iterable[ProviderConfig],
        gateways: Mapping[str, str] = EMPTY,
        *,
        overlays: Mapping[str, Mapping[str, str]] = EMPTY,
        withheld: Mapping[str, str] = EMPTY,
    ) -> Snapshot:
        """A snapshot of these providers; the rest is what the properties say."""
        items = providers.values() if isinstance(providers, Mapping) else providers
        by_id = {provider.id: provider for provider in items}
        ordered = FrozenDict({id: by_id[id] for id in sorted_ids(by_id)})
        about = {"gateways": gateways, "overlays": overlays, "withheld": withheld}
        snapshot = cls.from_bytes(_encode(ordered, about))
        # What was just built need not be decoded again. Model lookups stay with the
        # bytes: they know which provider wins an id that can be split in two ways.
        snapshot._providers.update(ordered)
        snapshot._views["providers"] = ordered
        return snapshot

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Snapshot:
        """Open a snapshot file. Raises SnapshotDamagedError, or OSError if it can't be read."""
        with open(path, "rb") as file:
            return cls.map(file.fileno(), name=str(path))

    @classmethod
    def map(cls, descriptor: int, *, name: str) -> Snapshot:
        """Read an open file; the descriptor may be closed afterwards. Raises as `open`, and
        StoreError, now or at a later look, for what the system refuses for now."""
        return cls.from_bytes(opened(descriptor, name), name=name)

    @classmethod
    def from_bytes(cls, data: Parts, *, name: str = "snapshot") -> Snapshot:
        """A snapshot from `to_bytes()`. Raises SnapshotDamagedError naming `name`."""
        header = data[: _HEADER.size]
        try:
            magic, schema, total, buckets, size, checksum, digest, own = _HEADER.unpack(header)
        except StructError:
            raise _damaged("is too short to be a snapshot", name) from None
        if magic != _MAGIC:
            raise _damaged("is not a snapshot", name)
        if own != crc32(header[:-4]):
            raise _damaged("has a damaged header", name)
        if schema != SCHEMA:
            raise _damaged(f"has schema {schema}, this version reads {SCHEMA}", name)
        if total != len(data):
            raise _damaged(f"holds {len(data)} bytes of {total}", name)
        start = _HEADER.size + buckets * _SLOT.size
        return cls(data, digest.hex(), buckets, (start, size, checksum))

    def to_bytes(self) -> bytes:
        return self._data[:]

    def verify(self) -> None:
        """Read everything and compare the content hash. Raises SnapshotDamagedError."""
        from hashlib import sha256

        content = sha256()
        for start in range(_HEADER.size, len(self._data), _PART):
            content.update(self._data[start : start + _PART])
        if content.hexdigest() != self.hash:
            raise _damaged("does not match its content hash", self.hash)

    @property
    def gateways(self) -> Mapping[str, str]:
        """Gateway id → key of the plugin that its data came through."""
        return FrozenDict(self._contents()["gateways"])

    @property
    def overlays(self) -> Mapping[str, Mapping[str, str]]:
        """Key of each plugin whose overlay saw this data → its `version`, and the digest of
        its `options` ("" without any)."""
        seen: Mapping[str, Mapping[str, str]] = self._contents().get("overlays", EMPTY)
        return FrozenDict({key: FrozenDict(about) for key, about in seen.items()})

    @property
    def withheld(self) -> Mapping[str, str]:
        """What the overlays took out: provider id, or full id of a model → key of the plugin.

        Of a provider that is gone as a whole, only the provider is named.
        """
        view: Mapping[str, str] | None = self._views.get("withheld")
        if view is None:
            view = self._views["withheld"] = FrozenDict(self._contents().get("withheld", EMPTY))
        return view

    def get_model(self, id: str) -> ModelInfo | None:
        """The model with this full id. If it can be split in two ways, the longest
        provider id that has the model wins."""
        try:
            return self._models[id]
        except KeyError:
            return self._find(id)

    def get_provider_config(self, id: str) -> ProviderConfig | None:
        """The provider with this id, or None."""
        try:
            return self._providers[id]
        except KeyError:
            pass
        found = self.record(id, None)
        if found is None:
            return None
        record = json.loads(found)
        models = ModelMap(id, _flags(record), partial(self._model_record, id))
        known = {name: record[name] for name in _PROVIDER if name in record}
        provider = ProviderConfig(id=id, models=models, **known)
        return self._providers.setdefault(id, provider)

    def get_providers(self) -> Mapping[str, ProviderConfig]:
        """All providers by id, sorted."""
        view: Mapping[str, ProviderConfig] | None = self._views.get("providers")
        if view is None:
            view = self._views["providers"] = self._providers_among(self._contents()["providers"])
        return view

    def providers_of(self, gateway: str) -> Mapping[str, ProviderConfig]:
        """The providers that this gateway published, by id, sorted. Decodes no other."""
        rows = self._contents()["providers"]
        return self._providers_among(row for row in rows if row[1] == gateway)

    def _providers_among(self, rows: Iterable[Sequence[Any]]) -> FrozenDict[str, ProviderConfig]:
        found = ((id, self.get_provider_config(id)) for id, *_ in rows)
        return FrozenDict({id: provider for id, provider in found if provider is not None})

    def get_models(self) -> Mapping[str, tuple[str, ...]]:
        """Provider id → its bare model ids, sorted."""
        view: Mapping[str, tuple[str, ...]] | None = self._views.get("models")
        if view is None:
            view = FrozenDict({id: tuple(models) for id, models in self.flags()})
            self._views["models"] = view
        return view

    def flags(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """Each provider's id, with the `flags_of` its models by bare id. Decodes no provider."""
        for id, *_ in self._contents()["providers"]:
            known = self._providers.get(id)
            if known is not None:
                yield id, dict(known.models.flags)
            elif (record := self.record(id, None)) is not None:
                yield id, _flags(json.loads(record))

    def count(self, *gateways: str) -> tuple[int, int]:
        """How many providers and models there are, of these gateways or of all.

        Read from the directory: no provider is decoded.
        """
        rows = self._contents()["providers"]
        counts = [count for _, gateway, count, *_ in rows if not gateways or gateway in gateways]
        return len(counts), sum(counts)

    def is_provider_registered(self, id: str) -> bool:
        return self.get_provider_config(id) is not None

    def split(self, id: str) -> tuple[str | None, str]:
        """Full id → (provider, bare model id): the longest registered provider that has
        the model, else the longest registered one, else up to the first slash."""
        model = self.get_model(id)
        if model is not None:
            return model.provider_id, model.id
        if "lengths" not in self._views:
            self._views["lengths"] = lengths_of(id for id, *_ in self._contents()["providers"])
        for provider, bare in splits(id, self._views["lengths"]):
            if bare and self.is_provider_registered(provider):
                return provider, bare
        return parse_model_string(id)

    def with_providers(
        self, providers: Mapping[str, ProviderConfig] | Iterable[ProviderConfig]
    ) -> Snapshot:
        """A snapshot of these providers instead; what an overlay returns."""
        return Snapshot.build(
            providers, self.gateways, overlays=self.overlays, withheld=self.withheld
        )

    def record(self, provider: str, model: str | None) -> bytes | None:
        """The record of a provider or a model, as JSON; None if there is none."""
        key = provider if model is None else f"{provider}/{model}"
        return _record_in(self._lines(key), provider, model)

    def lines(self) -> Iterator[bytes]:
        """Every record with its ids, in no order: JSON [provider id, model id or null, record]."""
        end = _HEADER.size + self._buckets * _SLOT.size
        table = self._data[_HEADER.size : end]
        if len(table) % _SLOT.size:
            raise _damaged("is cut off", self.hash)
        for number, (offset, size, checksum) in enumerate(_SLOT.iter_unpack(table), 1):
            yield from self._chunk(offset, size, checksum, number).splitlines()

    def _model_record(self, provider: str, model: str) -> bytes:
        record = self.record(provider, model)
        if record is None:
            raise _damaged(f"lost the record of {provider}/{model}", self.hash)
        return record

    def _find(self, id: str) -> ModelInfo | None:
        lines = self._lines(id)
        key = _quoted(id)[1:-1].encode("utf-8", "surrogatepass")
        end = len(key) + 4  # of both halves in a line, between `["` and `",`
        longest, record = b"", b""
        for line in lines:
            # The last `","`: the id of a provider may end with `",`, none of a model holds it.
            provider, _, model = line[2:end].rpartition(b'","')
            same = line.startswith(b'",', end) and b"%b/%b" % (provider, model) == key
            if same and len(provider) > len(longest):
                longest, record = provider, line[end + 2 : -1]
        if not longest:
            return None
        owner = json.loads(b'"%b"' % longest)
        return self._models.setdefault(id, decode(owner, id[len(owner) + 1 :], record))

    def _lines(self, key: str) -> list[bytes]:
        if len(key) > _MAX_KEY:
            return []
        number = crc32(key.encode("utf-8", "surrogatepass")) % self._buckets
        start = _HEADER.size + number * _SLOT.size
        try:
            offset, size, checksum = _SLOT.unpack(self._data[start : start + _SLOT.size])
        except StructError:  # cut since it was opened
            raise _damaged("is cut off", self.hash) from None
        return self._chunk(offset, size, checksum, number + 1).splitlines()

    def _contents(self) -> dict[str, Any]:
        if "contents" not in self._views:
            self._views["contents"] = json.loads(self._chunk(*self._directory, 0))
        contents: dict[str, Any] = self._views["contents"]
        return contents

    def _chunk(self, offset: int, size: int, checksum: int, number: int) -> bytes:
        chunk = self._data[offset : offset + size]
        if len(chunk) != size or crc32(chunk, number) != checksum:
            raise _damaged("has a damaged record", self.hash)
        return chunk

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and other.hash == self.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"<Snapshot {self.hash[:12]}>"

    def __copy__(self) -> Snapshot:
        return self

    def __deepcopy__(self, memo: object) -> Snapshot:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Snapshot.from_bytes, (self.to_bytes(),)


def _flags(provider: Mapping[str, Any]) -> dict[str, int]:
    return dict(zip(provider["models"], provider["flags"], strict=True))


def parse_model_string(id: str) -> tuple[str | None, str]:
    """``provider/model`` at the first slash; `(None, id)` without one, or with an empty half."""
    provider, _, model = id.partition("/")
    return (provider, model) if provider and model else (None, id)


def lengths_of(providers: Iterable[str]) -> list[int]:
    """The lengths that ids of providers have, for `splits`."""
    return sorted({*map(len, providers)}, reverse=True)


def splits(id: str, lengths: Iterable[int]) -> Iterator[tuple[str, str]]:
    """The ways to split a full id at a slash, of those whose provider has one of these
    lengths. An id may hold thousands of slashes, and providers have a few dozen lengths."""
    for length in lengths:
        if id.startswith("/", length):
            yield id[:length], id[length + 1 :]


def _damaged(message: str, name: str) -> SnapshotDamagedError:
    return SnapshotDamagedError(message, culprit=name, hint="run registry-core sync to rebuild it")


def _start(provider: str, model: str | None) -> bytes:
    """How a record's line starts; it ends with one more bracket."""
    name = "null" if model is None else _quoted(model)
    return f"[{_quoted(provider)},{name},".encode("utf-8", "surrogatepass")


def _record_in(lines: list[bytes], provider: str, model: str | None) -> bytes | None:
    start = _start(provider, model)
    return next((line[len(start) : -1] for line in lines if line.startswith(start)), None)


def _encode(
    providers: Mapping[str, ProviderConfig], about: Mapping[str, Mapping[str, Any]]
) -> bytes:
    from hashlib import sha256

    import orjson

    def dumps(value: Any) -> bytes:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)

    count = max(1, sum(1 + len(provider.models) for provider in providers.values()))
    buckets = [b""] * count

    def add(checksum: int, line: bytes) -> None:
        others = buckets[checksum % count]
        buckets[checksum % count] = b"%b\n%b" % (others, line) if others else line

    for id, provider in providers.items():
        models = provider.models
        values = {name: getattr(provider, name) for name in _PROVIDER}
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
    offset = _HEADER.size + count * _SLOT.size + len(directory)
    for number, chunk in enumerate(buckets, 1):
        # Never 0: a slot that was zeroed by a damaged disk is no empty bucket.
        table += _SLOT.pack(offset, len(chunk), crc32(chunk, number))
        offset += len(chunk)
    content = b"".join((table, directory, *buckets))
    header = _HEADER.pack(
        _MAGIC,
        SCHEMA,
        offset,
        count,
        len(directory),
        crc32(directory, 0),
        sha256(content).digest(),
        0,
    )[:-4]
    return header + crc32(header).to_bytes(4, "little") + content
