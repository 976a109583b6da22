"""What click's completion lacks: ids with colons in bash."""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import BashComplete, CompletionItem, add_completion_class


class Bash(BashComplete):
    """bash takes a colon for the end of a word: of "openrouter/x:fr" it asks for "fr", and
    replaces no more than that."""

    _before = ""
    """What stands before the last colon of the word that is completed."""

    def get_completion_args(self) -> tuple[list[str], str]:
        from click.shell_completion import split_arg_string

        words = split_arg_string(os.environ["COMP_WORDS"])
        words = words[1 : int(os.environ["COMP_CWORD"]) + 1]
        if int(os.environ["COMP_CWORD"]) > len(words):
            words.append("")
        whole: list[str] = []
        for word in words:
            if whole and (word == ":" or whole[-1].endswith(":")):
                whole[-1] += word
            else:
                whole.append(word)
        incomplete = whole.pop() if whole else ""
        self._before = incomplete[: incomplete.rfind(":") + 1]
        return whole, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type},{item.value.removeprefix(self._before)}"


def register() -> Any:
    return add_completion_class(Bash)
