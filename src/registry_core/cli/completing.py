"""What a shell completes at Tab. click knows how each shell asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .values import COLUMNS

Complete = Callable[[Any, Any, str], list[Any]]

PROVIDER_COLUMNS = (
    "api_key_env_vars",
    "api_key_header",
    "dialect",
    "doc_url",
    "gateway",
    "id",
    "key",
    "models",
    "name",
    "npm",
    "unroutable",
    "url",
)


def _of(words: Callable[[], Iterable[str]]) -> Complete:
    """Those of `words` that begin with the typed text after its last comma."""

    def complete(_context: Any, _parameter: Any, incomplete: str) -> list[Any]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{word}" for word in words() if word.startswith(last)]

    return complete


def _snapshot() -> Any:
    from ..errors import RegistryError
    from .common import registry

    try:
        return registry().snapshot()
    except RegistryError:  # Tab shows no errors
        return None


def _provider_ids() -> Iterable[str]:
    snapshot = _snapshot()
    return [provider for provider, _ in snapshot.flags()] if snapshot else ()


def _gateway_ids() -> Iterable[str]:
    snapshot = _snapshot()
    return sorted(snapshot.gateways) if snapshot else ()


def ids(_context: Any, _parameter: Any, incomplete: str) -> list[Any]:
    """Providers and roles first. The models of a provider once only that provider fits."""
    snapshot = _snapshot()
    if snapshot is None:
        return []
    models = snapshot.get_models()
    matching = [name for name in (*models, *snapshot.roles) if name.startswith(incomplete)]
    owners = [provider for provider in models if incomplete.startswith(f"{provider}/")] or matching
    if len(owners) == 1 or "/" in incomplete:
        matching += [f"{provider}/{id}" for provider in owners for id in models.get(provider, ())]
    return [name for name in matching if name.startswith(incomplete) and name.isprintable()]


def _names() -> tuple[list[str], list[str]]:
    """The fields of a model that hold values, and those of its parts, such as "cost.input"."""
    from attrs import fields as fields_of

    from ..models import PARTS, ModelInfo

    plain = [str(attribute.alias) for attribute in fields_of(ModelInfo)]
    parts = [
        f"{part}.{attribute.alias}" for part, cls in PARTS.items() for attribute in fields_of(cls)
    ]
    return [name for name in plain if name not in (*PARTS, "extra")], parts


def column_names() -> list[str]:
    """The values of `--columns`."""
    plain, parts = _names()
    return [*dict.fromkeys([*COLUMNS, *plain, "can", "note", *parts])]


def field_names() -> list[str]:
    """The values of `--field`: a field, or a part for all of its fields."""
    from ..models import PARTS

    plain, parts = _names()
    return sorted({*plain, *parts, *PARTS} - {"id", "provider_id"})


def changing_field_names() -> list[str]:
    """The values of `changes --field`: fields of models and of providers."""
    from attrs import fields as fields_of

    from ..models import ProviderConfig

    own = {str(attribute.alias) for attribute in fields_of(ProviderConfig)}
    return sorted({*field_names(), *own} - {"id", "models"})


def _abilities() -> Iterable[str]:
    from .._catalog.filters import WORDS

    return WORDS


def _sorts() -> Iterable[str]:
    from .._catalog.filters import SORTS

    return (*SORTS, *(f"-{column}" for column in SORTS))


def _kinds() -> Iterable[str]:
    from .._base.fields import KINDS

    return KINDS


providers = _of(_provider_ids)
gateways = _of(_gateway_ids)
kinds = _of(_kinds)
abilities = _of(_abilities)
sorts = _of(_sorts)
columns = _of(column_names)
fields = _of(field_names)
changing_fields = _of(changing_field_names)
statuses = _of(lambda: ("alpha", "beta", "deprecated", "retired"))
modalities = _of(lambda: ("text", "image", "audio", "video", "pdf"))
provider_columns = _of(lambda: PROVIDER_COLUMNS)
