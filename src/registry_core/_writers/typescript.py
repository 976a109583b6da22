"""Emitter `typescript`: `provider-types.generated.d.ts`, with Mastra's five exports.

The full ids are written out beside the table of bare ids. They could be derived from it, but
then the language server would do that at every keystroke, and a completion would take up to
twice as long (docs/types-cost.md). `| (string & {})` accepts any other id and keeps the
completions, which `| string` would remove.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..plugin import Artifact, hookimpl
from .mastra import ALIASES, callable_providers

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from ..plugin import PluginSettings

# ESLint warns about an `eslint-disable` without effect, and its --fix removes it. So the file
# sets a rule that it breaks in any project.
_HEADER = """\
// Made by `registry-core sync`; changes are overwritten.
/* eslint max-lines: [1, 9] -- breaks a rule, so that the next line is never unused */
/* eslint-disable */
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// biome-ignore-all assist: generated

/** Bare model ids of each provider. */
// prettier-ignore
export type ProviderModelsMap = {
"""

_SMALL = """\
};

/** Ids of the known providers. */
export type Provider = keyof ProviderModelsMap;

/** Bare model ids by provider, when only the shape is known. */
export interface ProviderModels {
  [key: string]: string[];
}

/** Bare ids of one provider: `ModelForProvider<'openai'>`; no other text is accepted. */
export type ModelForProvider<P extends Provider> = ProviderModelsMap[P][number];

/** Full ids, as in `openai/gpt-4o`: the known ones are completed, any text is accepted. */
// prettier-ignore
export type ModelRouterModelId =
"""


@hookimpl
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    scope = settings.types_providers
    models = {
        provider.id: ids
        for provider, ids in callable_providers(snapshot)
        if scope is None or provider.id in scope
    }
    prefixes = [(id, id) for id in models]
    prefixes += [(prefix, id) for prefix, id in ALIASES.items() if id in models]
    lines = [_HEADER]
    for provider_id, ids in models.items():
        lines.append(f"  readonly {_literal(provider_id)}: readonly [\n")
        lines += [f"    {_literal(id)},\n" for id in ids]
        lines.append("  ];\n")
    lines.append(_SMALL)
    # A dict, for a full id that two providers share: "a" with "b/c", "a/b" with "c".
    full_ids = dict.fromkeys(f"{prefix}/{id}" for prefix, key in prefixes for id in models[key])
    lines += [f"  | {_literal(role)}\n" for role in snapshot.roles if snapshot.get_model(role)]
    lines += [f"  | {_literal(id)}\n" for id in full_ids]
    lines.append("  | (string & {});\n")
    yield Artifact("typescript", "provider-types.generated.d.ts", "".join(lines))


#: A string literal of TypeScript. JSON's escapes are a subset of JavaScript's, and the
#: ASCII form leaves no quote, line end, U+2028 or bidirectional control unescaped.
_literal = json.encoder.encode_basestring_ascii
