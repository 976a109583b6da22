"""The snapshot: an immutable view of every provider and model, and its file format.

A snapshot *is* its bytes: built once by a sync, hashed, and read through a hash
table, so that one lookup reads one record whatever the size. The same bytes serve
the store, the wheel, `export --format snapshot` and pickle.

    header   magic, schema, total size, bucket count, size and checksum of the
             directory, SHA-256 of all that follows the header, own checksum
    table    one slot per bucket: offset, size, checksum
    directory  JSON {"gateways": {id: plugin}, "providers": [ids]}
    records  per bucket a JSON array of [provider id, model id or null, record]

A record's key is ``provider/model`` (or the provider id); its bucket is the CRC-32
of the key modulo the bucket count. Each checksum covers its own position too, so a
slot that points astray is found out, and so is a missing record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from struct import Struct, error as StructError
from typing import TYPE_CHECKING, Any
from zlib import crc32

from attrs import field, fields_dict, frozen

from .errors import SnapshotDamagedError
from .frozen import EMPTY, FrozenDict, sorted_ids
from .models import (
    NO_LIMIT,
    NO_MODALITIES,
    Cost,
    Limit,
    Modalities,
    ModelInfo,
    ModelMap,
    ProviderConfig,
)

if TYPE_CHECKING:
    import os
    from mmap import mmap

SCHEMA = 1
_MAGIC = b"regcore\n"
_HEADER = Struct("<8sIQIII32sI")
_SLOT = Struct("<QII")
_PLAIN = tuple(
    name
    for name in fields_dict(ModelInfo)
    if name not in ("id", "provider_id", "limit", "cost", "modalities", "extra")
)
_NAMES: dict[type, tuple[str, ...]] = {
    part: tuple(fields_dict(part)) for part in (Limit, Cost, Modalities)
}
_PROVIDER = tuple(name for name in fields_dict(ProviderConfig) if name not in ("id", "models"))


@frozen(eq=False, repr=False)
class Snapshot:
    """Every provider and model of one generation. Lookups take no lock and no clock.

    Two snapshots are equal when their content hash is. Pickle and copy keep it.
    A file that turns out to be damaged raises SnapshotDamagedError on access.
    """

    _data: bytes | mmap
    hash: str
    """SHA-256 of the content, 64 hex digits."""
    _buckets: int
    _directory: tuple[int, int, int]
    _models: dict[str, ModelInfo] = field(factory=dict)
    _providers: dict[str, ProviderConfig] = field(factory=dict)
    _views: dict[str, Any] = field(factory=dict)

    @classmethod
    def build(
        cls,
        providers: Mapping[str, ProviderConfig] | Iterable[ProviderConfig],
        gateways: Mapping[str, str] = EMPTY,
    ) -> Snapshot:
        """A snapshot of these providers; `gateways` maps each gateway id to its plugin."""
        items = providers.values() if isinstance(providers, Mapping) else providers
        by_id = {provider.id: provider for provider in items}
        ordered = FrozenDict({id: by_id[id] for id in sorted_ids(by_id)})
        snapshot = cls.from_bytes(_encode(ordered, gateways))
        # What was just built need not be decoded again. Model lookups stay with the
        # bytes: they know which provider wins an id that can be split in two ways.
        snapshot._providers.update(ordered)
        snapshot._views["providers"] = ordered
        return snapshot

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Snapshot:
        """Map a snapshot file. Raises SnapshotDamagedError, or OSError if it can't be read."""
        from mmap import ACCESS_READ, mmap

        with open(path, "rb") as file:
            try:
                data = mmap(file.fileno(), 0, access=ACCESS_READ)
            except ValueError as error:  # an empty file can't be mapped
                raise SnapshotDamagedError(
                    "is empty", culprit=str(path), mend="run registry-core sync"
                ) from error
        return cls.from_bytes(data, name=str(path))

    @classmethod
    def from_bytes(cls, data: bytes | mmap, *, name: str = "snapshot") -> Snapshot:
        """A snapshot from `to_bytes()`. Raises SnapshotDamagedError naming `name`."""
        try:
            magic, schema, total, buckets, size, checksum, digest, own = _HEADER.unpack_from(data)
        except StructError:
            raise _damaged("is too short to be a snapshot", name) from None
        if magic != _MAGIC:
            raise _damaged("is not a snapshot", name)
        if own != crc32(data[: _HEADER.size - 4]):
            raise _damaged("has a damaged header", name)
        if schema != SCHEMA:
            raise _damaged(f"has schema {schema}, this version reads {SCHEMA}", name)
        if total != len(data):
            raise _damaged(f"holds {len(data)} bytes of {total}", name)
        start = _HEADER.size + buckets * _SLOT.size
        return cls(data, digest.hex(), buckets, (start, size, checksum))

    def to_bytes(self) -> bytes:
        return bytes(self._data)

    def verify(self) -> None:
        """Read everything and compare the content hash. Raises SnapshotDamagedError."""
        from hashlib import sha256

        with memoryview(self._data) as view, view[_HEADER.size :] as content:
            if sha256(content).hexdigest() != self.hash:
                raise _damaged("does not match its content hash", self.hash)

    @property
    def gateways(self) -> Mapping[str, str]:
        """Gateway id → the plugin (distribution and version) that its data came through."""
        return FrozenDict(self._contents()["gateways"])

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
        for provider, model, record in self._bucket(id):
            if provider == id and model is None:
                ids = tuple(record.pop("models"))
                lazy = _StoredModels(self, id, ids, tuple(record.pop("deprecated", ())))
                return self._providers.setdefault(id, ProviderConfig(id=id, models=lazy, **record))
        return None

    def get_providers(self) -> Mapping[str, ProviderConfig]:
        """All providers by id, sorted."""
        view: Mapping[str, ProviderConfig] | None = self._views.get("providers")
        if view is None:
            found = ((id, self.get_provider_config(id)) for id in self._contents()["providers"])
            view = FrozenDict({id: provider for id, provider in found if provider is not None})
            self._views["providers"] = view
        return view

    def get_models(self) -> Mapping[str, tuple[str, ...]]:
        """Provider id → its bare model ids, sorted."""
        view: Mapping[str, tuple[str, ...]] | None = self._views.get("models")
        if view is None:
            view = FrozenDict(
                {id: tuple(provider.models) for id, provider in self.get_providers().items()}
            )
            self._views["models"] = view
        return view

    def is_provider_registered(self, id: str) -> bool:
        return self.get_provider_config(id) is not None

    def split(self, id: str) -> tuple[str | None, str]:
        """Full id → (provider, bare model id): the longest registered provider that has
        the model, else the longest registered one, else up to the first slash."""
        model = self.get_model(id)
        if model is not None:
            return model.provider_id, model.id
        end = id.rfind("/")
        while end > 0:
            if end + 1 < len(id) and self.is_provider_registered(id[:end]):
                return id[:end], id[end + 1 :]
            end = id.rfind("/", 0, end)
        return parse_model_string(id)

    def with_providers(
        self, providers: Mapping[str, ProviderConfig] | Iterable[ProviderConfig]
    ) -> Snapshot:
        """A snapshot of these providers instead; what an overlay returns."""
        return Snapshot.build(providers, self.gateways)

    def _find(self, id: str) -> ModelInfo | None:
        entries = [
            entry
            for entry in self._bucket(id)
            if entry[1] is not None and f"{entry[0]}/{entry[1]}" == id
        ]
        if not entries:
            return None
        provider, model, record = max(entries, key=lambda entry: len(entry[0]))
        return self._models.setdefault(id, _model(provider, model, record))

    def _model_of(self, provider: str, model: str) -> ModelInfo | None:
        for owner, id, record in self._bucket(f"{provider}/{model}"):
            if owner == provider and id == model:
                return _model(provider, model, record)
        return None

    def _bucket(self, key: str) -> list[Any]:
        number = crc32(key.encode("utf-8", "surrogatepass")) % self._buckets
        offset, size, checksum = _SLOT.unpack_from(self._data, _HEADER.size + number * _SLOT.size)
        found: list[Any] = self._json(offset, size, checksum, number + 1)
        return found

    def _contents(self) -> dict[str, Any]:
        contents: dict[str, Any] | None = self._views.get("contents")
        if contents is None:
            contents = self._views["contents"] = self._json(*self._directory, 0)
        return contents

    def _json(self, offset: int, size: int, checksum: int, number: int) -> Any:
        chunk = self._data[offset : offset + size]
        if len(chunk) != size or crc32(chunk, number) != checksum:
            raise _damaged("has a damaged record", self.hash)
        return json.loads(chunk) if size else []

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


class _StoredModels(ModelMap):
    """The models of one provider, decoded as they are asked for."""

    __slots__ = ("_decoded", "_ids", "_provider", "_snapshot", "deprecated")

    def __init__(
        self, snapshot: Snapshot, provider: str, ids: tuple[str, ...], deprecated: tuple[str, ...]
    ) -> None:
        self._snapshot = snapshot
        self._provider = provider
        self._ids = dict.fromkeys(ids)
        self._decoded: dict[str, ModelInfo] = {}
        self.deprecated = deprecated

    def __getitem__(self, id: str) -> ModelInfo:
        try:
            return self._decoded[id]
        except KeyError:
            pass
        if id not in self._ids:
            raise KeyError(id)
        model = self._snapshot._model_of(self._provider, id)
        if model is None:
            raise _damaged(f"lost the record of {self._provider}/{id}", self._snapshot.hash)
        return self._decoded.setdefault(id, model)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: object) -> bool:
        return id in self._ids


def parse_model_string(id: str) -> tuple[str | None, str]:
    """``provider/model`` at the first slash; `(None, id)` without one, or with an empty half."""
    provider, _, model = id.partition("/")
    return (provider, model) if provider and model else (None, id)


def _damaged(message: str, name: str) -> SnapshotDamagedError:
    return SnapshotDamagedError(message, culprit=name, mend="run registry-core sync to rebuild it")


def _model(provider: str, id: str, record: dict[str, Any]) -> ModelInfo:
    return ModelInfo(id=id, provider_id=provider, **record)


def _record(model: ModelInfo) -> dict[str, Any]:
    record = {name: value for name in _PLAIN if (value := getattr(model, name)) is not None}
    if model.limit != NO_LIMIT:
        record["limit"] = _parts(model.limit)
    if model.cost is not None:
        record["cost"] = _parts(model.cost)
    if model.modalities != NO_MODALITIES:
        record["modalities"] = _parts(model.modalities)
    if model.extra:
        record["extra"] = model.extra
    return record


def _parts(value: Limit | Cost | Modalities) -> dict[str, Any]:
    names = _NAMES[type(value)]
    return {name: part for name in names if (part := getattr(value, name)) not in (None, ())}


def _encode(providers: Mapping[str, ProviderConfig], gateways: Mapping[str, str]) -> bytes:
    from hashlib import sha256

    import orjson

    def dumps(value: Any) -> bytes:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)

    count = max(1, sum(1 + len(provider.models) for provider in providers.values()))
    buckets: dict[int, list[bytes]] = {}

    def add(key: str, entry: list[Any]) -> None:
        buckets.setdefault(crc32(key.encode()) % count, []).append(dumps(entry))

    for id, provider in providers.items():
        about = {name: value for name in _PROVIDER if (value := getattr(provider, name))}
        deprecated = provider.deprecated_models
        if deprecated:
            about["deprecated"] = deprecated
        add(id, [id, None, {**about, "models": list(provider.models)}])
        for model in provider.models.values():
            add(f"{id}/{model.id}", [id, model.id, _record(model)])

    directory = dumps({"gateways": dict(gateways), "providers": list(providers)})
    table = bytearray(count * _SLOT.size)
    offset = _HEADER.size + len(table)
    chunks = [directory]
    offset += len(directory)
    for number in range(count):
        entries = buckets.get(number)
        chunk = b"[" + b",".join(entries) + b"]" if entries else b""
        # Never 0: a slot that was zeroed by a damaged disk is no empty bucket.
        _SLOT.pack_into(table, number * _SLOT.size, offset, len(chunk), crc32(chunk, number + 1))
        chunks.append(chunk)
        offset += len(chunk)
    content = bytes(table) + b"".join(chunks)
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
