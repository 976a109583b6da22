"""The writers that come with the core: plugins like any other, registered by the host.

Each is a module with one `registry_emit` hook: snapshot in, artifacts out. `mastra` holds the
rules that the writers of Mastra's files share, `featured` which ids the types name first.
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

#: Those that write whether or not a project asks (see `PluginSettings.wants`).
ALWAYS = frozenset({"capabilities", "json", "python", "typescript"})
