"""What a shell completes at Tab; click asks, and knows each shell's ways."""

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
    """Those of `words` that start as what is typed, after its last comma."""

    def complete(_context: Any, _parameter: Any, incomplete: str) -> list[Any]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{one}" for one in words() if one.startswith(last)]

    return complete


def _snapshot() -> Any:
    from ..errors import RegistryError
    from .common import registry

    try:
        return registry().snapshot()
    except RegistryError:  # a Tab is no place to complain
        return None


def _provider_ids() -> Iterable[str]:
    snapshot = _snapshot()
    return [one for one, _ in snapshot.flags()] if snapshot else ()


def _gateway_ids() -> Iterable[str]:
    snapshot = _snapshot()
    return sorted(snapshot.gateways) if snapshot else ()


def ids(_context: Any, _parameter: Any, incomplete: str) -> list[Any]:
    """Providers and roles first; the models of a provider once there is no other it could be."""
    snapshot = _snapshot()
    if snapshot is None:
        return []
    every = snapshot.get_models()
    found = [one for one in (*every, *snapshot.roles) if one.startswith(incomplete)]
    owners = [one for one in every if incomplete.startswith(f"{one}/")] or found
    if len(owners) == 1 or "/" in incomplete:
        found += [f"{one}/{id}" for one in owners for id in every.get(one, ())]
    return [one for one in found if one.startswith(incomplete) and one.isprintable()]


def _names() -> tuple[list[str], list[str]]:
    """The fields of a model that are values, and those of its parts, as "cost.input"."""
    from attrs import fields as fields_of

    from ..models import PARTS, ModelInfo

    plain = [str(one.alias) for one in fields_of(ModelInfo)]
    parts = [f"{part}.{one.alias}" for part, cls in PARTS.items() for one in fields_of(cls)]
    return [one for one in plain if one not in (*PARTS, "extra")], parts


def column_names() -> list[str]:
    """What `--columns` takes."""
    plain, parts = _names()
    return [*dict.fromkeys([*COLUMNS, *plain, "can", "note", *parts])]


def field_names() -> list[str]:
    """What `--field` takes: a field, or a part that stands for all of its fields."""
    from ..models import PARTS

    plain, parts = _names()
    return sorted({*plain, *parts, *PARTS} - {"id", "provider_id"})


def _abilities() -> Iterable[str]:
    from .._catalog.filters import WORDS

    return WORDS


def _sorts() -> Iterable[str]:
    from .._catalog.filters import SORTS

    return (*SORTS, *(f"-{one}" for one in SORTS))


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
statuses = _of(lambda: ("alpha", "beta", "deprecated", "retired"))
modalities = _of(lambda: ("text", "image", "audio", "video", "pdf"))
provider_columns = _of(lambda: PROVIDER_COLUMNS)
