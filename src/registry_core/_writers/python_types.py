"""Emitter `python`: `registry_core_types.pyi`, what type checkers read.

It has `KnownModelId` (full ids, closed), `ModelId` (the same, open to any text), `ProviderId`,
and `Model_<provider>` (bare ids) for each provider. `model_id("…")`, `provider_id("…")` and
`@takes_model_id` accept every id. A role counts as a full id. At run time the types are `str`,
and the functions return their argument. For an id that will be shut off, `model_id` is marked
as deprecated, with the day and the successor.

Type checkers compare two unions member by member, so with large ones `a == b` takes minutes.
So all ids are in parameters of functions without a body, where nothing is compared. These
functions return a separate class, a single member. The unions hold that class, and ids as
literals: those of the scope, or without a scope up to `FEW`.

A provider's name is `Model_` and its id, with one `_` for each run of characters other than
ASCII letters and digits (none at the ends): `Model_fireworks_ai`, `Model_302ai`. If several
ids give the same name, the one in lower-case words joined by single hyphens keeps it. The
others get `__` and the first 16 hex digits of the SHA-256 of the id. So a name depends only on
providers that clash with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from textwrap import indent
from typing import TYPE_CHECKING

from ..plugin import Artifact, hookimpl
from .featured import featured
from .retiring import retiring

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from ..plugin import PluginSettings

#: Maximum number of literals in each union without a scope. With so few, comparing two unions
#: costs type checkers almost nothing compared with reading the file.
FEW = 30

# The first line for ruff switches off its rule against the second.
_HEADER = """\
# Made by `registry-core sync`; changes are overwritten.
# ruff: noqa: PGH004
# ruff: noqa
# fmt: off
# isort: skip_file
# mypy: disable-error-code="overload-cannot-match, overload-overlap"
# pyright: basic, reportOverlappingOverload=false

import typing as t

from typing_extensions import deprecated as _deprecated

class _CheckedModelId(str):
    \"\"\"What `model_id` gives.\"\"\"

class _CheckedProviderId(str):
    \"\"\"What `provider_id` gives.\"\"\"
"""

_OPEN = '''
ModelId: t.TypeAlias = KnownModelId | str
"""A full id: some are completed, any text is accepted."""

# All ids, in parameters only: type checkers compare large unions member by member.
'''

_MODEL_ID = "def model_id(id: {}, /) -> _CheckedModelId: ..."
_PROVIDER_ID = "def provider_id(id: {}, /) -> _CheckedProviderId: ..."
_CALL = "def __call__(self, model: {}, /, *args: _P.args, **kwargs: _P.kwargs) -> _R_co: ..."

# The first two overloads are for functions, the others for methods. In each pair, the first is
# for parameters that accept any text, the second for those that accept only known ids.
_DECORATOR = """
class _OpenMethod(t.Protocol[_Self_contra, _P, _R_co]):
    def __get__(self, it: _Self_contra, cls: type | None = None, /) -> _Open[_P, _R_co]: ...

class _ClosedMethod(t.Protocol[_Self_contra, _P, _R_co]):
    def __get__(self, it: _Self_contra, cls: type | None = None, /) -> _Closed[_P, _R_co]: ...

@t.overload
def takes_model_id(f: t.Callable[t.Concatenate[str, _P], _R], /) -> _Open[_P, _R]: ...
@t.overload
def takes_model_id(
    f: t.Callable[t.Concatenate[_CheckedModelId, _P], _R], /
) -> _Closed[_P, _R]: ...
@t.overload
def takes_model_id(
    f: t.Callable[t.Concatenate[_Self, str, _P], _R], /
) -> _OpenMethod[_Self, _P, _R]: ...
@t.overload
def takes_model_id(
    f: t.Callable[t.Concatenate[_Self, _CheckedModelId, _P], _R], /
) -> _ClosedMethod[_Self, _P, _R]: ...
"""

_VARIABLES = """
_P = t.ParamSpec("_P")
_R = t.TypeVar("_R")
_R_co = t.TypeVar("_R_co", covariant=True)
_Self = t.TypeVar("_Self")
_Self_contra = t.TypeVar("_Self_contra", contravariant=True)
"""

# pyrefly silently treats a `Literal` of more than 256 members, and a union of more than 4,096,
# as `str`. ty does so with a union of more than 8,192.
_LITERAL, _UNION = 256, 4096
# mypy prints a union of literals in full (300 KB for today's ids), but only the first five of
# more than ten aliases. So a list of more than twenty ids is written as ten short aliases and
# the rest, which costs nothing in mypy or pyright (see docs/types.md).
_STEPS, _STEP = 10, 2

_CANONICAL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_OTHER = re.compile(r"[^A-Za-z0-9]+")
#: Text that needs no escape between double quotes.
_PLAIN = re.compile(r"[ !#-&(-\[\]-~]*")


@hookimpl
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    scope = settings.types_providers
    models = {id: ids for id, ids in snapshot.get_models().items() if scope is None or id in scope}
    # A dict, for a full id that two providers share: "a" with "b/c", "a/b" with "c".
    ids = [*dict.fromkeys(f"{provider}/{id}" for provider, ids in models.items() for id in ids)]
    roles = [role for role in snapshot.roles if snapshot.get_model(role)]
    ids = [*roles, *ids]
    providers, known, groups, few = [*models], ids, [ids], list[str]()
    if scope is None and len(ids) > FEW:
        few, known = featured(snapshot, FEW, max(FEW - len(roles), 0))
        known = [*roles, *known][:FEW]
        providers = few if len(providers) > FEW else providers
        # pyright tries signatures in order, and each that doesn't fit takes time.
        usual = {*roles, *(f"{provider}/{id}" for provider in few for id in models[provider])}
        groups = [[id for id in ids if (id in usual) is first] for first in (True, False)]
    names = type_names(snapshot.get_models())
    parts, model_ids = _parts("_ModelIds", groups)
    provider_parts, provider_ids = _parts("_ProviderIds", [[*models]])
    going = {
        f"_Going_{n}": messages
        for n, messages in enumerate(retiring(snapshot, among=ids, usual=few or [*models]).items())
    }
    text = [
        _HEADER,
        _alias("ProviderId", providers, "_CheckedProviderId"),
        '"""The id of a known provider; those not listed here come from `provider_id`."""\n',
        _alias("KnownModelId", known, "_CheckedModelId"),
        '"""A full id, as in `openai/gpt-4o`; those not listed here come from `model_id`."""\n',
        _OPEN,
        provider_ids,
        _overloads(_PROVIDER_ID, provider_parts),
        model_ids,
        *(_alias(name, ids) for name, (_, ids) in going.items()),
        _going(going),
        _overloads(_MODEL_ID, parts, one_of_many=bool(going)),
        _VARIABLES,
        "\nclass _Open(t.Protocol[_P, _R_co]):",
        indent(_overloads(_CALL, ["str", *parts]), "    "),
        "\nclass _Closed(t.Protocol[_P, _R_co]):",
        indent(_overloads(_CALL, ["KnownModelId", *parts]), "    "),
        _DECORATOR,
        "\n# The bare ids of each provider.\n",
        *(_alias(names[provider], ids) for provider, ids in models.items()),
    ]
    yield Artifact("python", "registry_core_types.pyi", "".join(text))


def type_names(provider_ids: Iterable[str]) -> dict[str, str]:
    """The name of each provider's type; see the module for the rule."""
    plain = {id: f"Model_{_OTHER.sub('_', id).strip('_')}" for id in provider_ids}
    count = Counter(plain.values())

    def name(id: str) -> str:
        if count[plain[id]] == 1 or _CANONICAL.fullmatch(id):
            return plain[id]
        return f"{plain[id]}__{sha256(id.encode()).hexdigest()[:16]}"

    return {id: name(id) for id in plain}


def _parts(name: str, groups: Iterable[Sequence[str]]) -> tuple[list[str], str]:
    """Names of types that together contain all values of the groups, and their definitions."""
    cut = [part for group in groups for part in _cut(group, _UNION)]
    parts = {f"{name}_{n}": part for n, part in enumerate(cut)}
    return [*parts], "".join(_alias(alias, part) for alias, part in parts.items())


def _going(going: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """The signatures of `model_id` for ids that will be shut off. Editors strike such a call
    through, and show the message. They come first, since checkers use the first that fits."""
    return "".join(
        f"\n@t.overload\n@_deprecated({_string(text)})\n{_MODEL_ID.format(name)}\n"
        for name, (text, _) in going.items()
    )


def _overloads(function: str, types: Sequence[str], *, one_of_many: bool = False) -> str:
    """A function whose parameter has any of these types, with one signature for each."""
    mark = "@t.overload\n" if one_of_many or len(types) > 1 else ""
    return "\n" + "".join(f"{mark}{function.format(name)}\n" for name in types)


def _alias(name: str, values: Sequence[str], *others: str) -> str:
    """The definition of a type, as a union of literals and other types."""
    head = _STEPS * _STEP
    if len(values) <= head:
        literals = [_literal(values)] if values or not others else []
        return f"\n{name}: t.TypeAlias = {' | '.join([*literals, *others])}\n"
    cut = [*_cut(values[:head], _STEP), *_cut(values[head:], _LITERAL)]
    steps = {f"_{name.lstrip('_')}_{n}": part for n, part in enumerate(cut)}
    lines = [f"\n{step}: t.TypeAlias = {_literal(part)}\n" for step, part in steps.items()]
    # Not `|`: pyright gives up on an expression with more than 256 of them.
    union = "".join(f"    {member},\n" for member in (*steps, *others))
    return f"{''.join(lines)}\n{name}: t.TypeAlias = t.Union[\n{union}]\n"


def _cut(values: Sequence[str], size: int) -> list[Sequence[str]]:
    return [values[start : start + size] for start in range(0, max(len(values), 1), size)]


def _literal(values: Sequence[str]) -> str:
    if not values:
        return "t.Never"
    plain = _PLAIN.fullmatch("".join(values))  # nearly always, and one match is faster
    items = ",\n    ".join(f'"{value}"' if plain else _string(value) for value in values)
    return f"t.Literal[\n    {items},\n]"


def _string(value: str) -> str:
    # `ascii` escapes characters that could end the line or the string, or reverse text.
    quoted = ascii(value)
    return quoted if '"' in quoted else f'"{quoted[1:-1]}"'
