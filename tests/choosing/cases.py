"""The cases of `suggest_cases.txt`, and how often the suggestions are right. Run it to see."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_suffix("").with_name("suggest_cases.txt")


class Case(NamedTuple):
    group: str
    text: str
    right: tuple[str, ...]
    """Globs."""

    def place(self, found: Sequence[str]) -> int | None:
        """Which of `found` is the first that is right; None: none is."""
        fits = (
            place
            for place, id in enumerate(found)
            if any(fnmatchcase(id, one) for one in self.right)
        )
        return next(fits, None)


def cases() -> Iterator[Case]:
    group = ""
    for line in FILE.read_text("utf-8").splitlines():
        if line.startswith("["):
            group = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            text, right = re.split(r" {2,}", line, maxsplit=1)
            yield Case(group, text, tuple(right.split()))


def score(suggest: Callable[[str], Sequence[str]]) -> dict[str, tuple[int, int, int]]:
    """Group → how many cases, of how many the first is right, and one of the first three."""
    found: dict[str, tuple[int, int, int]] = {}
    for case in cases():
        count, first, three = found.get(case.group, (0, 0, 0))
        place = case.place(suggest(case.text))
        found[case.group] = (count + 1, first + (place == 0), three + (place in (0, 1, 2)))
    return found


def main() -> None:
    from registry_core._base.suggesting import suggest
    from registry_core._catalog.bundle import Bundle

    models = Bundle.of_wheel().load().get_models()
    table = score(lambda text: suggest(text, models))
    for case in cases():
        found = suggest(case.text, models)
        if case.place(found) != 0:
            print(f"{case.text!r}: expected {' or '.join(case.right)}, got {', '.join(found)}")
    table["all"] = tuple(map(sum, zip(*table.values(), strict=True)))  # type: ignore[assignment]
    for group, (count, first, three) in table.items():
        print(f"{group:32} {count:4} {first / count:6.0%} {three / count:6.0%}", file=sys.stderr)


if __name__ == "__main__":
    main()
