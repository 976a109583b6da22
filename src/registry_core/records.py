"""Make models from records that come from outside, and report what can't be used.

A field of a wrong type becomes unknown, and its model stays. A record that is not an object,
or that has an unusable id, is dropped alone. Gateway plugins call `provider_from_record` and
`model_from_record` with their client's `warn`, and `cost_per_million` for prices per token.
The host calls `clean_providers` on the result of a gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Context
from functools import partial
from typing import Any

from ._base.decoding import loads
from ._base.encoding import of_model
from ._base.frozen import EMPTY, sorted_ids
from ._base.printable import printable
from ._base.refusals import reason
from ._base.variable_names import is_credential as is_credential
from ._catalog.checking import check_record, encode, encoded, near_miss
from .errors import GatewayError
from .models import ModelInfo, ModelMap, ProviderConfig, valid_id, valid_provider_id
from .report import MOST_WARNINGS, Problem, ProblemKind

Warn = Callable[[str, str], object]
"""Called as `warn(culprit, message)` for each loss; the culprit is a provider or full model id."""

#: Price of a part → the price that applies if the part has none of its own.
_PAID_AS: Mapping[str, str] = {
    "reasoning": "output",
    "output_audio": "output",
    "cache_read": "input",
    "cache_write": "input",
    "input_audio": "input",
}
#: Significant digits of a price. In a double, later digits may be rounding noise.
_DIGITS = Context(prec=12)

_MOST_CHARACTERS = 300


class Warnings:
    """A `Warn` that keeps the first 50 losses as problems of `owner`, usually a gateway, and
    counts the rest."""

    def __init__(self, owner: str, kind: ProblemKind = "record", more: int = 0) -> None:
        self._owner = owner
        self._kind: ProblemKind = kind
        self._first: list[Problem] = []
        self._more = more

    def __call__(self, culprit: str, message: str) -> None:
        if len(self._first) < MOST_WARNINGS:
            self._first.append(self._problem(f"{self._owner}: {_shown(culprit)}", message))
        else:
            self._more += 1

    @property
    def problems(self) -> tuple[Problem, ...]:
        if not self._more:
            return tuple(self._first)
        return (*self._first, self._problem(self._owner, f"and {self._more} more"))

    def _problem(self, culprit: str, message: str) -> Problem:
        return Problem(self._kind, culprit, _shown(message), fatal=False)


def silent(_culprit: str, _message: str) -> None:
    """A `Warn` that ignores everything."""


def provider_from_record(
    id: str, record: Mapping[str, Any], warn: Warn = silent
) -> ProviderConfig | None:
    """The provider `id` from fields of `ProviderConfig`; None if the id can't be used.

    `record["models"]` maps bare ids to their records (see `model_from_record`), or is a
    list of ids. Any other field that can't be used is left out, and `id` is ignored. `warn`
    is called for each loss, and for keys of models that look misspelt.
    """
    fault = _fault(valid_provider_id, id)
    if fault:
        warn(str(id), f"dropped: {fault}")
        return None
    fields = {name: value for name, value in record.items() if name != "id"}
    records = fields.pop("models", None)
    pairs: Iterable[tuple[Any, Any]] = ()
    if issubclass(type(records), Mapping):
        pairs = records.items()
    elif issubclass(type(records), (list, tuple)):
        pairs = ((model_id, EMPTY) for model_id in records)
    else:
        warn(id, f"its models are lost: expected an object or a list, got {_type(records)}")
    texts: dict[str, bytes] = {}
    flags: dict[str, int] = {}
    unknown: set[str] = set()
    for model_id, item in pairs:
        encoded = _encoded(id, model_id, item, warn, unknown)
        if encoded is not None:
            texts[model_id], flags[model_id] = encoded
    _tell_near_misses(unknown, partial(warn, id))
    models = ModelMap(
        id, {model_id: flags[model_id] for model_id in sorted_ids(flags)}, texts.__getitem__
    )

    def make(fields: Mapping[str, Any]) -> ProviderConfig:
        return ProviderConfig(id=id, models=models, **fields)

    try:
        return make(fields)
    except (TypeError, ValueError):
        return make(_usable(make, fields, partial(warn, id)))


def model_from_record(
    provider_id: str, id: str, record: Any, warn: Warn = silent
) -> ModelInfo | None:
    """The model `id` from a record with the field names of `ModelInfo`; None if it can't be used.

    `record` is an object, or its JSON text as bytes (see `GatewayClient.get_json`). A field of a
    wrong type becomes unknown. Unknown keys go to `extra`, those of `cost`, `limit`, … below the
    same name there. Ids inside the record are ignored. `warn` is called for each loss, and for
    keys that look misspelt.
    """
    unknown: set[str] = set()
    model = _model(provider_id, id, record, warn, unknown)
    _tell_near_misses(unknown, partial(warn, f"{provider_id}/{id}"))
    return model


def parsed(record: Any) -> Any:
    """The value of a record that is JSON text. Anything else is returned as it is."""
    if type(record) is not bytes:
        return record
    try:
        return loads(record)
    except (RecursionError, ValueError):
        return record


def cost_per_million(
    prices: Mapping[str, Any], lost: Callable[[str], object] = lambda _message: None
) -> dict[str, float]:
    """Fields of `Cost`, per million tokens, from prices per token with the same names.

    A price is a number or a text ("2.5e-06"). It is rounded to 12 digits, to drop the noise of
    float arithmetic. None and negative prices are unknown. So is 0 for a part (`cache_read`,
    `reasoning`, …) if the whole isn't free, since sources write 0 for a part without a price
    of its own. `lost(message)` is called for each value that is not a price.
    """
    cost: dict[str, float] = {}
    for name, value in prices.items():
        if value is None:
            continue
        try:
            price = _per_million(value)
        except (ArithmeticError, TypeError, ValueError):
            lost(f"cost.{name} is taken as unknown: expected a price, got {value!r:.40}")
        else:
            if price >= 0:
                cost[name] = price
    for name, part_of in _PAID_AS.items():
        if cost.get(name) == 0 != cost.get(part_of):
            del cost[name]
    return cost


def _per_million(price: Any) -> float:
    """Computed in decimal, so that "0.0000011" gives 1.1 and not 1.0999999999999999."""
    if type(price) not in (str, int, float):
        raise TypeError
    decimal = _DIGITS.create_decimal(str(price)).scaleb(6, _DIGITS)
    if decimal.is_nan():
        raise ValueError
    return float(decimal)


def _model(
    provider_id: str, id: str, record: Any, warn: Warn, unknown: set[str]
) -> ModelInfo | None:
    lost = partial(warn, f"{provider_id}/{id}")
    record = parsed(record)
    if not issubclass(type(record), Mapping):
        found = "text that can't be read as JSON" if type(record) is bytes else _type(record)
        lost(f"dropped: expected an object, got {found}")
        return None

    def make(record: Mapping[str, Any]) -> ModelInfo:
        return ModelInfo(id=id, provider_id=provider_id, **check_record(record, unknown.add))

    try:
        return make(record)
    except (TypeError, ValueError):
        pass
    fault = _fault(make, EMPTY)
    if fault:
        lost(f"dropped: {fault}")
        return None
    return make(_usable(make, record, lost))


def _encoded(
    provider_id: str, id: Any, record: Any, warn: Warn, unknown: set[str]
) -> tuple[bytes, int] | None:
    """The encoded record of a model, as `_model` would make it. Usually makes no model."""
    try:
        valid_id(id)
        if type(record) is not bytes:
            return encode(check_record(record, unknown.add))
        text, flags, names = encoded(record)
        unknown.update(names)
        return text, flags
    except (RecursionError, TypeError, ValueError):
        model = _model(provider_id, id, record, warn, unknown)
        return None if model is None else encode(of_model(model))


def _tell_near_misses(unknown: Iterable[str], tell: Callable[[str], object]) -> None:
    """Report which of these unknown keys look like misspelt fields, once for all models of a
    provider."""
    for name in sorted(map(str, unknown)):
        meant = near_miss(name)
        if meant:
            tell(f"{name} is not a field, and is kept in `extra`; did you mean {meant!r}?")


def _usable(
    make: Callable[[Mapping[str, Any]], object],
    record: Mapping[str, Any],
    lost: Callable[[str], object],
    path: str = "",
) -> dict[str, Any]:
    """`record` without what `make` refuses, at whatever depth."""
    usable: dict[str, Any] = {}
    for key, value in record.items():
        make_part = partial(_make_part, make, key)
        fault = _fault(make_part, value)
        if not fault:
            usable[key] = value
        elif issubclass(type(value), Mapping) and not _fault(make_part, EMPTY):
            usable[key] = _usable(make_part, value, lost, f"{path}{key}.")
        else:
            lost(f"{path}{key} is taken as unknown: {fault}")
    return usable


def _make_part(make: Callable[[Mapping[str, Any]], object], key: str, part: Any) -> object:
    return make({key: part})


def _fault(make: Callable[[Any], object], value: Any) -> str | None:
    """Why `make` refuses `value`; None if it doesn't."""
    try:
        make(value)
    except (TypeError, ValueError) as error:
        return reason(error)
    return None


def clean_providers(
    gateway_id: str,
    namespaced: bool,
    returned: Any,
    reported: Sequence[Problem] = (),
    more: int = 0,
    *,
    may_be_empty: bool = False,
) -> tuple[dict[str, ProviderConfig], tuple[Problem, ...]]:
    """The result of a gateway as it is published: by published id, with the gateway's name.

    The mapping key is the id. An entry that can't be used is dropped alone. The second
    result lists the losses: first those `reported` through the client, then those found here.
    It counts the rest, including the `more` that the client has only counted.

    Raises GatewayError if no model is left. With `may_be_empty` it raises only if there was a
    model that can't be used.
    """
    if not issubclass(type(returned), Mapping):
        raise GatewayError(
            f"expected a mapping of providers, got {_type(returned)}",
            culprit=gateway_id,
            hint="return {provider id: ProviderConfig} from fetch_providers",
        )
    warnings = Warnings(gateway_id, more=more)
    for problem in reported:
        warnings(problem.culprit, problem.message)
    providers: dict[str, ProviderConfig] = {}
    for id, provider in returned.items():
        if may_be_empty and isinstance(provider, ProviderConfig) and not provider.models:
            continue
        try:
            published = _published(gateway_id, namespaced, id, provider, warnings)
        except (TypeError, ValueError) as error:
            warnings(str(id), f"dropped: {error}")
        else:
            providers[published.id] = published
    empty = not reported and not any(map(_says_something, returned.values()))
    if not providers and not (may_be_empty and empty):
        accept = f"; if it has none: registry-core sync --accept {gateway_id}" if empty else ""
        first = "".join(
            f"; {problem.culprit}: {problem.message}" for problem in warnings.problems[:1]
        )
        raise GatewayError(
            f"sent no valid model{first}",
            culprit=gateway_id,
            hint=f"check its URL and its answer{accept}",
        )
    return providers, warnings.problems


def _says_something(provider: Any) -> bool:
    """False for a provider without a model."""
    return type(provider) is not ProviderConfig or bool(provider.models)


def _published(
    gateway_id: str, namespaced: bool, id: Any, provider: Any, warn: Warn
) -> ProviderConfig:
    valid_provider_id(id)
    if type(provider) is not ProviderConfig:  # a subclass may hold what can't be stored
        raise TypeError(f"expected ProviderConfig, got {_type(provider)}")
    if not provider.models:
        raise ValueError("it has no valid model")
    public = f"{gateway_id}/{id}" if namespaced and id != gateway_id else id
    if provider.id not in (id, public):
        warn(id, f"its key counts; the id of its ProviderConfig, {provider.id!r}, is ignored")
    overrides: dict[str, Any] = {}
    for key, value in provider.model_overrides.items():
        if key in provider.models:
            overrides[key] = value
        else:
            warn(f"{id}/{key}", "its override is dropped: there is no such model")
    return provider.replace(id=public, gateway=gateway_id, model_overrides=overrides)


def _type(value: object) -> str:
    return type(value).__name__


def _shown(text: str) -> str:
    return printable(text, _MOST_CHARACTERS)
