"""The settings as one plugin sees them: its own options, and what it may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from ..frozen import EMPTY, freeze

if TYPE_CHECKING:
    from ..secrets import Secrets
    from ..settings import Settings

#: Settings that are handed to the plugin with this entry-point name as its option `url`.
_URLS = {"models-dev": "models_dev_url", "netlify": "netlify_url"}


@frozen
class PluginSettings:
    """What a plugin is given instead of the environment and pyproject.toml."""

    options: Mapping[str, Any] = field(
        default=EMPTY, converter=freeze, repr=lambda options: repr(sorted(options))
    )
    """The table `[tool.registry-core.plugin.<entry point name>]`."""
    offline: bool = False
    dev: bool = False
    types_providers: tuple[str, ...] | None = None
    """Providers that generated types name; None is all."""
    _environ: Mapping[str, str] = field(alias="environ", kw_only=True, repr=False, eq=False)
    _secrets: Secrets = field(alias="secrets", kw_only=True, repr=False, eq=False)
    consulted: set[str] = field(factory=set, kw_only=True, repr=False, eq=False)
    """Names that `secret` was asked for: what the plugin publishes may hang on them."""

    @classmethod
    def of(
        cls,
        settings: Settings,
        options: Mapping[str, Any],
        *,
        environ: Mapping[str, str],
        secrets: Secrets,
        consulted: set[str] | None = None,
    ) -> PluginSettings:
        """The view of a plugin that has these options."""
        return cls(
            options=options,
            offline=settings.offline,
            dev=settings.dev,
            types_providers=settings.types_providers,
            environ=environ,
            secrets=secrets,
            consulted=set() if consulted is None else consulted,
        )

    def secret(self, name: str) -> str | None:
        """The environment variable `name`, None if unset or empty; masked wherever it is shown."""
        self.consulted.add(name)
        return self._secrets.reveal(name, self._environ)


def options_of(settings: Settings, entry: str) -> Mapping[str, Any]:
    """The options of the plugins with this entry-point name."""
    options: Mapping[str, Any] = settings.plugin_options.get(entry, EMPTY)
    url = getattr(settings, _URLS[entry]) if entry in _URLS else None
    return options if url is None else {**options, "url": url}
