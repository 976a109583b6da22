"""Make foreign text safe for a terminal, a log and one line of a report."""

from __future__ import annotations

#: Longer messages are cut, so that a failure fills neither the store nor the screen.
MAX_CHARACTERS = 2000


def printable(text: str, most: int | None = None) -> str:
    """`text` on one line, with control and bidirectional characters as Python escapes.
    `most`: first cut it to this many characters."""
    if most is not None and len(text) > most:
        text = f"{text[: most - 1]}…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else escaped(character) for character in text
    )


def message(text: str) -> str:
    """`text` for a report or the store: printable, and not too long."""
    return printable(text, MAX_CHARACTERS)


def escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def counted(number: int, what: str) -> str:
    """As "1 file", "8,526 models"."""
    return f"{number:,} {what}{'s' * (number != 1)}"
