"""Registries for the tests of the writers, and what they are called with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType

from pluggy import PluginManager

from registry_core import plugin as hookspecs
from registry_core._base.secrets import Secrets
from registry_core._catalog.snapshot import Snapshot
from registry_core.models import ProviderConfig
from registry_core.plugin import PluginSettings

#: Each would end, redirect or change a string literal, a comment or a type somewhere.
HOSTILE_MODELS = (
    "a\\b",
    "end\\",
    "a`b",
    "a\u202eb",
    "a\u2066b\u2069",
    "\u200f\ufeff",
    "a*/b",
    "/*",
    "// x",
    "${string}",
    "a${1+1}b",
    'a"b',
    '"""',
    "it's",
    "'''",
    "a\nb",
    "a\r\nb\tc",
    "a\u2028b\u2029c\u0085d",
    "x'];};\nexport const pwned: 1;type Y={a:['",
    "a/b/c",
    "//",
    " ",
    "\u007f\u001b[31m",
    "\ufffd",
    "模型-é-🦜",
    "# type: ignore",
    "None",
    "int | str",
    "\\N{BULLET}\\u0041",
    "m" * 5000,
)
HOSTILE_PROVIDERS = (
    "123",
    "1e3",
    "-0",
    "302ai",
    "__proto__",
    "constructor",
    "toString",
    "class",
    "with/slash",
    "with//slash",
    "with-slash",
    "with_slash",
    "With.Slash",
    "../../evil",
    "..",
    "~",
    "con",
    "UPPER",
    "upper",
    "o'quote",
    "back\\slash",
    "new\nline",
    "${string}",
    "${Provider}",
    "提供者",
    "string",
    "number",
    "x" * 300,
)


def snapshot_of(models: Mapping[str, Iterable[str]], gateway: str = "acme") -> Snapshot:
    """Providers of one gateway, with these bare model ids."""
    return Snapshot.build(
        ProviderConfig(id=id, gateway=gateway, models=ids) for id, ids in models.items()
    )


def hostile() -> dict[str, tuple[str, ...]]:
    """Provider → bare ids, sorted; one has so many ids that they don't fit in one literal."""
    many = {"many": tuple(f"model-{number}" for number in range(150))}
    models = {"hostile": HOSTILE_MODELS, **many, **dict.fromkeys(HOSTILE_PROVIDERS, ("m", "n"))}
    return {id: tuple(ids) for id, ids in snapshot_of(models).get_models().items()}


def emit(
    emitter: ModuleType, snapshot: Snapshot, types_providers: tuple[str, ...] | None = None
) -> dict[str, str]:
    """Path → text of what the emitter makes."""
    manager = PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(emitter)
    view = PluginSettings(
        types_providers=types_providers,
        outputs=("litellm", "models-dev", "schema"),
        environ={},
        secrets=Secrets(),
    )
    (artifacts,) = manager.hook.registry_emit(snapshot=snapshot, settings=view)
    return {artifact.path: artifact.text for artifact in artifacts}
