"""The writers of the core: plugins like any other, registered by the host.

Each is a module with one `registry_emit` hook. `mastra` has the rules that the writers of
Mastra's files share, and `featured` chooses the ids that the types name.
"""

from __future__ import annotations

from . import capabilities, json_registry, litellm, models_dev, python_types, schema, typescript

#: Emitter → its plugin.
BUILTINS: tuple[tuple[str, object], ...] = (
    ("capabilities", capabilities),
    ("json", json_registry),
    ("litellm", litellm),
    ("models-dev", models_dev),
    ("python", python_types),
    ("schema", schema),
    ("typescript", typescript),
)

#: Emitters that always write, even if no project asks (see `PluginSettings.wants`).
ALWAYS = frozenset({"capabilities", "json", "python", "typescript"})
