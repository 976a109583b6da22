"""The values of the registry: models and providers, deeply immutable.

Unknown is None everywhere: a missing price is not 0, a missing capability is not False.
Constructors are strict: they raise TypeError or ValueError that says what they expected.
`records.py` reads records from outside tolerantly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import Converter, evolve, field, fields_dict, frozen

from ._base.fields import (
    MAX_ID as MAX_ID,
    Cost as Cost,
    Kind as Kind,
    Lifecycle as Lifecycle,
    Limit as Limit,
    Modalities as Modalities,
    as_array,
    check_each,
    frozen_object,
    names_refused_field,
    opt_text,
    overrides,
    valid_id as valid_id,
    valid_provider_id as valid_provider_id,
    variables,
)
from ._base.frozen import EMPTY, Value, sorted_ids, thaw
from ._base.model import (
    CAPABILITIES as CAPABILITIES,
    CONVERSES as CONVERSES,
    DEPRECATED as DEPRECATED,
    FLAGS as FLAGS,
    PARTS as PARTS,
    ModelInfo as ModelInfo,
    decode,
    decoded as decoded,
    flags_of as flags_of,
)


class ModelMap(Mapping[str, ModelInfo]):
    """The models of one provider by bare id, sorted.

    Models are kept as records, and decoded when they are read, since most are only moved.
    `flags` maps each id to its `flags_of`; `record(id)` gives the record of one.
    """

    __slots__ = ("_decoded", "flags", "provider_id", "record")

    def __init__(
        self, provider_id: str, flags: Mapping[str, int], record: Callable[[str], bytes]
    ) -> None:
        self.provider_id = provider_id
        self.flags = flags
        self.record = record
        self._decoded: dict[str, ModelInfo] = {}

    @classmethod
    def of(cls, provider_id: str, models: Mapping[str, ModelInfo]) -> ModelMap:
        """A map of models that exist as objects."""
        flags = {id: flags_of(partial(getattr, models[id])) for id in sorted_ids(models)}
        models_map = cls(provider_id, flags, lambda id: _record(models[id]))
        models_map._decoded.update(models)
        return models_map

    def for_provider(self, provider_id: str) -> ModelMap:
        """The same models under another provider id. Their records are read now."""
        records = dict(zip(self.flags, map(self.record, self.flags), strict=True))
        return ModelMap(provider_id, self.flags, records.__getitem__)

    def ids_with(self, flag: str) -> tuple[str, ...]:
        bit = FLAGS[flag]
        return tuple(id for id, flags in self.flags.items() if flags & bit)

    def __getitem__(self, id: str) -> ModelInfo:
        try:
            return self._decoded[id]
        except KeyError:
            pass
        if id not in self.flags:
            raise KeyError(id)
        model = decode(self.provider_id, id, self.record(id))
        return self._decoded.setdefault(id, model)

    def __iter__(self) -> Iterator[str]:
        return iter(self.flags)

    def __len__(self) -> int:
        return len(self.flags)

    def __contains__(self, id: object) -> bool:
        return id in self.flags

    def __hash__(self) -> int:
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return ModelMap.of, (self.provider_id, dict(self))

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: Any) -> Any:
        from ._base.pydantic_schemas import of_mapping  # only pydantic asks

        return of_mapping(cls, ModelInfo, handler, thaw)

    def __repr__(self) -> str:
        return f"<{len(self)} models>"


def _record(model: ModelInfo) -> bytes:
    from ._base.encoding import dumps, of_model

    return dumps(of_model(model))


def _models(value: Mapping[str, ModelInfo] | Iterable[str], provider: ProviderConfig) -> ModelMap:
    owner = provider.id
    if isinstance(value, ModelMap) and value.provider_id == owner:
        return value
    if not issubclass(type(value), Mapping):
        ids = map(valid_id, as_array(value))
        return ModelMap.of(owner, {id: ModelInfo(id=id, provider_id=owner) for id in ids})

    def check(id: str, model: object) -> ModelInfo:
        if type(model) is not ModelInfo:
            raise TypeError(f"expected ModelInfo, got {type(model).__name__}")
        if (model.id, model.provider_id) != (id, owner):
            raise ValueError(f"expected the model {owner}/{id}, got {model.full_id!r}")
        return model

    return ModelMap.of(owner, check_each(value, check))  # type: ignore[arg-type]


if TYPE_CHECKING:  # checkers don't see through a Converter: this is what it takes

    def _to_models(value: Mapping[str, ModelInfo] | Iterable[str]) -> ModelMap: ...

else:
    _to_models = Converter(_models, takes_self=True)


@names_refused_field
@frozen(eq=False, repr=False)
class ProviderConfig(Value):
    """One provider, as a gateway publishes it.

    `models` is keyed by the bare id; an iterable of ids works, too. `url` may contain
    `${VARIABLE}` templates. `api_key_env_vars` are alternatives: the first that
    is set wins. `model_overrides` maps a bare id to `{"api", "npm", "shape"}`, if the
    model has another place than its provider. `unroutable` says why none of the models
    can be called with only a URL and a key; it is None if at least one can.
    `extra` keeps everything else that the source says.
    """

    id: str = field(converter=valid_provider_id)
    models: ModelMap = field(converter=_to_models)
    name: str | None = field(default=None, converter=opt_text)
    gateway: str | None = field(default=None, converter=opt_text)
    url: str | None = field(default=None, converter=opt_text)
    api_key_env_vars: tuple[str, ...] = field(default=(), converter=variables)
    api_key_header: str | None = field(default=None, converter=opt_text)
    doc_url: str | None = field(default=None, converter=opt_text)
    npm: str | None = field(default=None, converter=opt_text)
    model_overrides: Mapping[str, Mapping[str, str]] = field(default=EMPTY, converter=overrides)
    unroutable: str | None = field(default=None, converter=opt_text)
    extra: Mapping[str, Any] = field(default=EMPTY, converter=frozen_object)

    @property
    def deprecated_models(self) -> tuple[str, ...]:
        """Bare ids whose status is "deprecated"; they stay in `models`."""
        return self.models.ids_with("deprecated")

    def models_with(self, capability: str) -> tuple[str, ...]:
        """Bare ids of the models that have this capability (one of `CAPABILITIES`)."""
        return self.models.ids_with(capability)

    def replace(self, **changes: Any) -> ProviderConfig:
        """A copy with these fields changed, each as a whole. A new `id` is passed on to the
        models. Raises what the constructor raises."""
        if "id" in changes:
            changes.setdefault("models", self.models.for_provider(changes["id"]))
        return evolve(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain JSON values; `provider_from_record` makes an equal provider from
        them. `models`: bare id → `ModelInfo.to_dict()`."""
        plain: dict[str, Any] = thaw(self)
        return plain


#: The fields of a provider's record in a snapshot.
RECORDED = tuple(name for name in fields_dict(ProviderConfig) if name not in ("id", "models"))
