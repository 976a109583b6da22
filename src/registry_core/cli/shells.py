"""Adds to click's completion: ids with colons in bash."""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import BashComplete, CompletionItem, add_completion_class


class Bash(BashComplete):
    """For bash a colon ends a word. For "openrouter/x:fr" it asks to complete "fr", and replaces
    only that."""

    _before = ""
    """The completed word up to its last colon."""

    def get_completion_args(self) -> tuple[list[str], str]:
        from click.shell_completion import split_arg_string

        words = split_arg_string(os.environ["COMP_WORDS"])
        words = words[1 : int(os.environ["COMP_CWORD"]) + 1]
        if int(os.environ["COMP_CWORD"]) > len(words):
            words.append("")
        merged: list[str] = []
        for word in words:
            if merged and (word == ":" or merged[-1].endswith(":")):
                merged[-1] += word
            else:
                merged.append(word)
        incomplete = merged.pop() if merged else ""
        self._before = incomplete[: incomplete.rfind(":") + 1]
        return merged, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type},{item.value.removeprefix(self._before)}"


def register() -> Any:
    return add_completion_class(Bash)
