"""A command that is imported when it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


class Later(click.Command):
    """A placeholder for a command until it is called. `load` gets the context of the group."""

    def __init__(
        self, name: str, short_help: str, load: Callable[[click.Context | None], click.Command]
    ) -> None:
        super().__init__(name, short_help=short_help)
        self._load = load

    def load(self, parent: click.Context | None = None) -> click.Command:
        return self._load(parent)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        return self.load(parent).make_context(info_name, args, parent, **extra)
