"""Emitter `python`: `registry_core_types.pyi`, what type checkers read.

`KnownModelId` (full ids, closed), `ModelId` (the same, open to any text), `ProviderId`,
and `Model_<provider>` (bare ids) for each provider; at run time all of them are `str`.

A provider's name is `Model_` and its id, each run of other characters than ASCII
letters and digits written as one `_` (none at the ends): `Model_fireworks_ai`,
`Model_302ai`. If several ids give the same name, the one spelled in lower-case words
joined by single hyphens keeps it; each of the others is told apart by `__` and the
first 16 hex digits of the SHA-256 of its id. A name so depends on no provider but
those that clash with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

from ..artifacts import Artifact
from ..hookspecs import hookimpl

if TYPE_CHECKING:
    from ..plugins.settings import PluginSettings
    from ..snapshot import Snapshot

_HEADER = """\
# Made by `registry-core sync`; changes are overwritten.

import typing as t
"""

_OPEN = '''
ModelId: t.TypeAlias = KnownModelId | str
"""A full id: the known ones are completed, any text is accepted."""
'''

# mypy prints a union of literals in full, 300 KB for today's ids, but of a union of more
# than ten aliases it prints the first five. So a long list is written as ten short steps
# and the rest; that costs nothing in mypy or pyright (see docs/types.md).
_LONG = 100
_STEPS, _STEP = 10, 2

_CANONICAL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_OTHER = re.compile(r"[^A-Za-z0-9]+")


@hookimpl
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    scope = settings.types_providers
    models = {id: ids for id, ids in snapshot.get_models().items() if scope is None or id in scope}
    # A dict, for a full id that two providers share: "a" with "b/c", "a/b" with "c".
    full_ids = dict.fromkeys(f"{provider}/{id}" for provider, ids in models.items() for id in ids)
    names = type_names(snapshot.get_models())
    text = [
        _HEADER,
        _alias("ProviderId", tuple(models)),
        '"""Ids of the known providers."""\n',
        _alias("KnownModelId", tuple(full_ids)),
        '"""A full id, as in `openai/gpt-4o`; no other text is accepted."""\n',
        _OPEN,
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


def _alias(name: str, values: Sequence[str]) -> str:
    if len(values) <= _LONG:
        return f"\n{name}: t.TypeAlias = {_literal(values)}\n"
    cuts = [*range(0, _STEPS * _STEP + 1, _STEP), len(values)]
    steps = {f"_{name}_{n}": values[cut:end] for n, (cut, end) in enumerate(pairwise(cuts))}
    lines = [f"\n{step}: t.TypeAlias = {_literal(part)}\n" for step, part in steps.items()]
    return "".join([*lines, f"\n{name}: t.TypeAlias = (\n    ", "\n    | ".join(steps), "\n)\n"])


# Laid out as formatters lay it out: what they rewrite, `sync --check` would report.


def _literal(values: Sequence[str]) -> str:
    if not values:
        return "t.Never"
    if len(values) == 1:
        return f"t.Literal[{_string(values[0])}]"
    items = "".join(f"    {_string(value)},\n" for value in values)
    return f"t.Literal[\n{items}]"


def _string(value: str) -> str:
    # `ascii` escapes what could end the line or the string, or turn its direction.
    quoted = ascii(value)
    return quoted if '"' in quoted else f'"{quoted[1:-1]}"'
