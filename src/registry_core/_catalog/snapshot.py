"""The snapshot: an immutable view of every provider and model.

A snapshot *is* its bytes. A sync builds and hashes them once. A hash table lets a lookup
read one record, whatever the size. The store, the wheel, `export --format snapshot` and pickle
use the same bytes. `layout` describes them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from json.encoder import encode_basestring as _quoted
from typing import TYPE_CHECKING, Any

from .._base.fields import as_object
from .._base.frozen import EMPTY, FrozenDict, sorted_ids
from .._base.model import ModelInfo, decode
from .table import Table, damaged

if TYPE_CHECKING:
    from typing import Unpack

    from .._files.opened import Parts
    from ..models import ProviderConfig
    from .columns import Columns
    from .filters import Filters, Words


class Snapshot(Table):
    """Every provider and model of one generation. Lookups use no lock and no clock.

    Two snapshots are equal if their content hashes are. Pickle and copy preserve the hash.
    If the file is damaged, access raises SnapshotDamagedError.
    """

    __slots__ = ("_models", "_providers", "_views")

    def __init__(
        self, data: Parts, hash: str, buckets: int, directory: tuple[int, int, int]
    ) -> None:
        super().__init__(data, hash, buckets, directory)
        self._models: dict[str, ModelInfo] = {}
        self._providers: dict[str, ProviderConfig] = {}
        self._views: dict[str, Any] = {}

    @classmethod
    def build(
        cls,
        providers: Mapping[str, ProviderConfig] | Iterable[ProviderConfig],
        gateways: Mapping[str, str] = EMPTY,
        *,
        overlays: Mapping[str, Mapping[str, str]] = EMPTY,
        withheld: Mapping[str, str] = EMPTY,
        roles: Mapping[str, str] = EMPTY,
    ) -> Snapshot:
        """A snapshot of these providers. The other arguments are described at the properties
        with the same names. Raises TypeError or ValueError for a wrong role (see
        `with_roles`)."""
        from .ids import checked_roles
        from .writing import encode

        items = providers.values() if isinstance(providers, Mapping) else providers
        by_id = {provider.id: provider for provider in items}
        ordered = FrozenDict({id: by_id[id] for id in sorted_ids(by_id)})
        metadata = {
            "gateways": gateways,
            "overlays": overlays,
            "withheld": withheld,
            "roles": checked_roles(roles),
        }
        snapshot = cls.from_bytes(encode(ordered, metadata))
        # Providers that were just built need not be decoded again. Model lookups use the
        # bytes, which say which provider wins an id that can be split in two ways.
        snapshot._providers.update(ordered)
        snapshot._views["providers"] = ordered
        return snapshot

    @property
    def gateways(self) -> Mapping[str, str]:
        """Gateway id → key of the plugin that fetched its data."""
        return self._about("gateways")

    @property
    def overlays(self) -> Mapping[str, Mapping[str, str]]:
        """Key of each plugin whose overlay has passed this data → its `version`, and a digest of
        its `options` ("" without options)."""
        overlays: Mapping[str, Mapping[str, str]] = self._contents().get("overlays", EMPTY)
        return FrozenDict({key: FrozenDict(details) for key, details in overlays.items()})

    @property
    def withheld(self) -> Mapping[str, str]:
        """What overlays took out: provider id, or full id of a model → key of the plugin.

        If a whole provider was taken out, only its id is listed.
        """
        return self._about("withheld")

    @property
    def roles(self) -> Mapping[str, str]:
        """Role → the full id that it stands for, as declared by overlays. The model may be
        missing or withheld."""
        if "roles" not in self._views and (roles := self._contents().get("roles")):
            from .ids import checked_roles

            try:
                checked_roles(roles)
            except (TypeError, ValueError) as error:  # by other hands
                raise damaged(f"has an invalid role: {error}", self.hash) from error
        return self._about("roles")

    def get_model(self, id: str) -> ModelInfo | None:
        """The model with this full id or role; None if there is none. If a full id can be split
        in two ways, the longest provider id that has the model wins."""
        try:
            return self._models[id]
        except (KeyError, TypeError):  # what has no hash is no id
            return self._find(id) or self._of_role(id)

    def get_provider_config(self, id: str) -> ProviderConfig | None:
        """The provider with this id, or None."""
        try:
            return self._providers[id]
        except (KeyError, TypeError):
            pass
        line = self.record(id, None)
        if line is None:
            return None
        from ..models import RECORDED, ModelMap, ProviderConfig  # not for a model alone

        record = json.loads(line)
        models = ModelMap(id, _flags(record), partial(self._model_record, id))
        known = {name: record[name] for name in RECORDED if name in record}
        provider = ProviderConfig(id=id, models=models, **known)
        return self._providers.setdefault(id, provider)

    def find_models(
        self, text: Words | None = None, **filters: Unpack[Filters]
    ) -> tuple[ModelInfo, ...]:
        """The models that fit all filters; see `ModelRegistry.find_models`."""
        columns, places, records = self._found(text, filters)
        return columns.models(places, self._model_record, records)

    def find_ids(self, text: Words | None = None, **filters: Unpack[Filters]) -> tuple[str, ...]:
        """The full ids of what `find_models` returns. Decodes no model."""
        columns, places, _ = self._found(text, filters, narrow=True)
        return tuple(f"{columns.providers[place]}/{columns.ids[place]}" for place in places)

    def _found(
        self, text: Words | None, filters: Filters, *, narrow: bool = False
    ) -> tuple[Columns, list[int], list[Any] | None]:
        """The columns, the places of the models that fit, and the records if they were read.

        With `narrow`, the first search reads only the wanted providers, since a command
        searches once. The second search makes columns of all providers, and keeps them.
        """
        from .columns import Columns
        from .filters import Query
        from .finding import find, owned_rows

        query, records = Query.of(text, filters), None
        columns: Columns | None = self._views.get("columns")
        if columns is None:
            rows = self._contents()["providers"]
            narrow = narrow and "searched" not in self._views
            self._views["searched"] = True
            wanted = owned_rows(rows, query) if narrow else rows
            lines = self.lines_among({id for id, *_ in wanted})
            try:
                columns, records = Columns.of(lines, wanted)
            except KeyError as error:
                raise damaged(f"lost the record of {error}", self.hash) from None
            if len(wanted) == len(rows):
                self._views["columns"] = columns
        return columns, find(columns, query, self.get_provider_config), records

    def suggest(self, text: str, most: int = 3) -> tuple[str, ...]:
        """Full ids that `text` was probably meant to be; see `registry_core.suggest`. Raises
        ArgumentError for what is no text."""
        if not isinstance(text, str):
            from ..errors import ArgumentError

            raise ArgumentError(f"expected text, got {text!r:.60}", culprit="text")
        from .._base.suggesting import last_parts, suggest

        models = self.get_models()
        if "last_parts" not in self._views:  # 80 bytes for each model
            self._views["last_parts"] = last_parts(models)
        return suggest(text, models, most, self._views["last_parts"])

    @property
    def provider_ids(self) -> tuple[str, ...]:
        """Sorted. They are read from the directory, so no provider is decoded."""
        return tuple(id for id, *_ in self._contents()["providers"])

    def get_providers(self) -> Mapping[str, ProviderConfig]:
        """All providers by id, sorted."""
        view: Mapping[str, ProviderConfig] | None = self._views.get("providers")
        if view is None:
            view = self._views["providers"] = self._providers_among(self._contents()["providers"])
        return view

    def providers_of(self, gateway: str) -> Mapping[str, ProviderConfig]:
        """The providers of this gateway, by id, sorted. Decodes no others."""
        rows = self._contents()["providers"]
        return self._providers_among(row for row in rows if row[1] == gateway)

    def _providers_among(self, rows: Iterable[Sequence[Any]]) -> FrozenDict[str, ProviderConfig]:
        providers = ((id, self.get_provider_config(id)) for id, *_ in rows)
        return FrozenDict({id: provider for id, provider in providers if provider is not None})

    def get_models(self) -> Mapping[str, tuple[str, ...]]:
        """Provider id → its bare model ids, sorted."""
        view: Mapping[str, tuple[str, ...]] | None = self._views.get("models")
        if view is None:
            view = FrozenDict({id: tuple(models) for id, models, _ in self._listed()})
            self._views["models"] = view
        return view

    def unlike(self, other: Snapshot) -> frozenset[str]:
        """Ids of own providers that may differ in `other`, themselves or in their models.

        Digests are compared, so nothing is decoded. A provider without a digest, as in snapshots
        of older versions, counts as different.
        """
        own, others = (
            {id: more[:1] for id, _, _, *more in snapshot._contents()["providers"]}
            for snapshot in (self, other)
        )
        return frozenset(id for id, digest in own.items() if not digest or digest != others.get(id))

    def lines_among(self, providers: Collection[str]) -> Iterator[bytes]:
        """`lines` of at least these providers. If they have many models, all lines are read,
        which is faster than looking each up."""
        rows = self._contents()["providers"]
        wanted = [row for row in rows if row[0] in providers]
        most = 4 * sum(row[2] for row in wanted) > sum(row[2] for row in rows)
        return self.lines() if most else self.lines_of(id for id, *_ in wanted)

    def flags(
        self, among: Collection[str] | None = None
    ) -> Iterator[tuple[str, Mapping[str, int]]]:
        """Each provider id, with bare id → `flags_of` its models. Decodes no provider. `among`:
        only these providers."""
        for id, models, flags in self._listed(among):
            yield id, dict(zip(models, flags, strict=True))

    def _listed(
        self, among: Collection[str] | None = None
    ) -> Iterator[tuple[str, Iterable[str], Iterable[int]]]:
        """Each provider id, with the bare ids of its models, and the flags of each."""
        for id, *_ in self._contents()["providers"]:
            if among is not None and id not in among:
                continue
            known = self._providers.get(id)
            if known is not None:
                yield id, known.models.flags, known.models.flags.values()
            elif (line := self.record(id, None)) is not None:
                record = json.loads(line)
                yield id, record["models"], record["flags"]

    def count(self, *gateways: str) -> tuple[int, int]:
        """The numbers of providers and models, of these gateways or of all.

        They are read from the directory, so no provider is decoded.
        """
        rows = self._contents()["providers"]
        counts = [count for _, gateway, count, *_ in rows if not gateways or gateway in gateways]
        return len(counts), sum(counts)

    def is_provider_registered(self, id: str) -> bool:
        return self.get_provider_config(id) is not None

    def offers(self, id: str) -> bool:
        """Whether this is the id of a provider or the full id of a model. Roles don't count."""
        return self._find(id) is not None or self.is_provider_registered(id)

    def split(self, id: str) -> tuple[str | None, str]:
        """Split a full id into (provider, bare model id): at the longest registered provider
        that has the model, else at the longest registered one, else at the first slash."""
        model = self.get_model(id)
        if model is not None:
            return model.provider_id, model.id
        from .ids import lengths_of, parse_model_string, splits

        if "lengths" not in self._views:
            self._views["lengths"] = lengths_of(id for id, *_ in self._contents()["providers"])
        for provider, bare in splits(id, self._views["lengths"]):
            if bare and self.is_provider_registered(provider):
                return provider, bare
        return parse_model_string(id)

    def with_providers(
        self, providers: Mapping[str, ProviderConfig] | Iterable[ProviderConfig]
    ) -> Snapshot:
        """A snapshot with these providers instead, for an overlay to return."""
        return self.replace(providers=providers)

    def with_roles(self, roles: Mapping[str, str]) -> Snapshot:
        """A snapshot with these additional roles (role → full id), for an overlay to return.

        A role is an id without a slash. Raises TypeError or ValueError that names the role.
        """
        return self.replace(roles={**self.roles, **as_object(roles)})

    def replace(self, **changes: Any) -> Snapshot:
        """A copy with these arguments of `build` replaced, each as a whole."""
        if "providers" not in changes:
            changes["providers"] = self.get_providers()
        metadata = {
            name: getattr(self, name) for name in ("gateways", "overlays", "withheld", "roles")
        }
        return Snapshot.build(**{**metadata, **changes})

    def _model_record(self, provider: str, model: str) -> bytes:
        record = self.record(provider, model)
        if record is None:
            raise damaged(f"lost the record of {provider}/{model}", self.hash)
        return record

    def _find(self, id: str) -> ModelInfo | None:
        lines = self._lines(id)
        key = _quoted(id)[1:-1].encode("utf-8", "surrogatepass")
        end = len(key) + 4  # of both halves in a line, between `["` and `",`
        longest, record = b"", b""
        for line in lines:
            # The last `","`: a provider id may end with `",`, but no model id contains it.
            provider, _, model = line[2:end].rpartition(b'","')
            same = line.startswith(b'",', end) and b"%b/%b" % (provider, model) == key
            if same and len(provider) > len(longest):
                longest, record = provider, line[end + 2 : -1]
        if not longest:
            return None
        owner = json.loads(b'"%b"' % longest)
        return self._models.setdefault(id, decode(owner, id[len(owner) + 1 :], record))

    def _of_role(self, id: str) -> ModelInfo | None:
        target = None if "/" in id else self.roles.get(id)
        model = target and self.get_model(target)
        return self._models.setdefault(id, model) if model else None

    def _contents(self) -> dict[str, Any]:
        if "contents" not in self._views:
            self._views["contents"] = json.loads(self._chunk(*self._directory, 0))
        contents: dict[str, Any] = self._views["contents"]
        return contents

    def _about(self, name: str) -> Mapping[str, str]:
        view: Mapping[str, str] | None = self._views.get(name)
        if view is None:
            view = self._views[name] = FrozenDict(self._contents().get(name, EMPTY))
        return view

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
