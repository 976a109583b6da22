"""What differs, in words: units, shares, and what is told first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from registry_core import Change, Changes, ModelInfo, ProviderConfig, Snapshot
from registry_core._sync.changes import select, together
from registry_core._sync.wording import foremost, lines, summary, tokens, unshown, usd


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "$0"),
        (3, "$3"),
        (1.5, "$1.50"),
        (0.075, "$0.075"),
        (0.00000012, "$0.00000012"),
        (1234.5, "$1,234.50"),
        (None, "unknown"),
    ],
)
def test_a_price_has_its_unit_and_all_its_digits(value: float | None, said: str) -> None:
    assert usd(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (512, "512"),
        (128_000, "128k"),
        (131_072, "131,072"),
        (1_000_000, "1M"),
        (1_050_000, "1.05M"),
        (1_048_576, "1,048,576"),
        (1_234_567_000, "1234567k"),
        (None, "unknown"),
    ],
)
def test_tokens_are_short_where_that_is_exact(value: int | None, said: str) -> None:
    assert tokens(value) == said


EMPTY = Snapshot.build(())


def said(*changes: Change, after: Snapshot = EMPTY, **more: Any) -> list[str]:
    every = Changes("a", "b", updated=changes, **more)
    return [f"{one.sign} {one.id} {one.text}".rstrip() for one in lines(every, after)]


def change(field: str, before: Any, after: Any, id: str = "acme/m") -> Change:
    return Change(id, "model" if "/" in id else "provider", field, before, after)


def above(size: int, **prices: Any) -> dict[str, Any]:
    return {"tier": {"type": "context", "size": size}, **prices}


@pytest.mark.parametrize(
    ("field", "before", "after", "words"),
    [
        ("cost.input", 1, 1.25, "input $1 → $1.25 (+25%) per 1M tokens"),
        ("cost.input", 2, 1, "input $2 → $1 (-50%) per 1M tokens"),
        ("cost.output", 1, 10, "output $1 → $10 (×10) per 1M tokens"),
        ("cost.cache_read", None, 1, "cache read unknown → $1 per 1M tokens"),
        ("cost.input", 0, 1, "input $0 → $1 per 1M tokens"),
        ("cost.input", 1, 0, "input $1 → $0 per 1M tokens"),
        ("cost.tiers", None, ({"size": 1},), 'price tiers unknown → [{"size": 1}]'),
        (
            "cost.tiers",
            (above(200_000, input=4, output=15),),
            (above(200_000, input=4, output=15, cache_read=0.5), above(1_000_000, input=8)),
            "price tiers above 200k: $4 input, $15 output → "
            "above 200k: $4 input, $15 output, $0.50 cache read; above 1M: $8 input",
        ),
        (
            "cost.tiers",
            (above(9, input="x"), 3),
            (),
            'price tiers [{"tier": {"type": "context", "size": 9}… → none',
        ),
        ("limit.context", 128_000, 400_000, "context 128k → 400k"),
        ("limit.output", None, 8_192, "most output unknown → 8,192"),
        ("modalities.input", ("text", "pdf"), ("text", "image"), "takes +image -pdf"),
        ("modalities.input", ("text", "pdf"), ("pdf", "text"), "takes text, pdf → pdf, text"),
        ("modalities.input", None, ("text",), "takes unknown → text"),
        ("tool_call", None, False, "tool_call unknown → no"),
        ("lifecycle.retires_on", None, "2026-10-01", "retires on unknown → 2026-10-01"),
        ("extra.speed", 5, 6, "speed 5 → 6"),
        ("name", "x" * 50, None, f"name {'x' * 40}… → unknown"),
    ],
)
def test_each_field_in_words(field: str, before: Any, after: Any, words: str) -> None:
    assert said(change(field, before, after)) == [f"~ acme/m {words}"]


def test_prices_come_first_with_one_unit_and_dates_only_if_there_is_nothing_else() -> None:
    assert said(
        change("name", "a", "b"),
        change("limit.context", 1, 2),
        change("cost.output", 4, 5),
        change("cost.cache_read", 2, 3),
        change("cost.input", 1, 2),
    ) == [
        "~ acme/m input $1 → $2 (×2), output $4 → $5 (+25%), cache read $2 → $3 (+50%)"
        " per 1M tokens, context 1 → 2, 1 more field"
    ]
    names = [change(field, "a", "b") for field in ("name", "family", "knowledge")]
    assert said(*names) == ["~ acme/m family a → b, knowledge a → b, 1 more field"]


def test_the_end_of_a_model_is_told_with_its_day_and_what_follows() -> None:
    end = {"retires_on": "2026-10-01", "successor": "acme/n"}
    model = ModelInfo("m", "acme", status="deprecated", lifecycle=end)
    after = Snapshot.build([ProviderConfig("acme", {"m": model, "n": ModelInfo("n", "acme")})])
    status = change("status", None, "deprecated")
    price = change("cost.input", 1, 2)
    assert said(status, price, after=after, deprecated=("acme/m",)) == [
        "! acme/m deprecated, retires on 2026-10-01, followed by acme/n;"
        " input $1 → $2 (×2) per 1M tokens"
    ]


@pytest.mark.parametrize(
    ("successor", "follows"), [("acme/n", True), ("n", True), ("x", False), ("acme/x", False)]
)
def test_what_follows_a_model_is_told_only_if_there_is_such_a_model(
    successor: str, follows: bool
) -> None:
    model = ModelInfo("m", "acme", status="deprecated", lifecycle={"successor": successor})
    after = Snapshot.build([ProviderConfig("acme", {"m": model, "n": ModelInfo("n", "acme")})])
    (line,) = said(change("status", None, "deprecated"), after=after, deprecated=("acme/m",))
    assert line == "! acme/m deprecated" + f", followed by {successor}" * follows


def test_a_provider_comes_before_its_models_and_ids_may_hold_slashes() -> None:
    after = Snapshot.build([ProviderConfig("a/b", ["c/d"])])
    found = lines(
        Changes("a", "b", ("a/b/c/d",), updated=(Change("a/b", "provider", "url", "x", "y"),)),
        after,
    )
    assert [(one.provider, one.name) for one in found] == [("a/b", ""), ("a/b", "c/d")]


def test_what_is_said_holds_nothing_that_a_terminal_obeys() -> None:
    (told,) = said(change("name", "plain", "\x1b[2J"))
    assert "\x1b" not in told and "[2J" in told


def test_changes_are_gone_through_once_however_many_models_end() -> None:
    walks = []

    class Counted(tuple[Change, ...]):
        def __iter__(self) -> Iterator[Change]:
            walks.append(1)
            return super().__iter__()

    ids = ("acme/a", "acme/b", "acme/c")
    ends = Counted(change("status", None, "deprecated", id) for id in ids)
    assert len(lines(Changes("a", "b", deprecated=ids, updated=ends), EMPTY)) == 3
    assert len(walks) == 1


def test_what_is_folded_is_counted_and_something_of_everything_is_shown() -> None:
    prices = [change("cost.input", 1, 2, f"acme/p{n}") for n in range(50)]
    names = [change("name", "a", "b", f"acme/n{n}") for n in range(50)]
    every = lines(Changes("a", "b", ("acme/new",), ("acme/old",), updated=(*prices, *names)), EMPTY)
    shown = foremost(every, 10)
    assert [one.name[0] for one in shown] == ["n", "o", *"pppppppp"]
    assert foremost(every, None) == every
    assert summary(every) == "1 new, 1 removed, 100 changed"
    assert unshown(every, shown) == "… and 92 more"  # the heading says what they are
    assert unshown(every, every[-1:]) == "… and 101 more (1 new, 1 removed, 99 changed)"
    assert unshown(every, every) == ""


def test_several_syncs_come_to_one_difference() -> None:
    price = [change("cost.input", before, after) for before, after in ((1, 2), (2, 3))]
    status = change("status", None, "deprecated"), change("status", "deprecated", None)
    every = [
        Changes(
            "a", "b", ("acme/new", "acme/brief"), ("acme/back",), updated=(price[0],), left_out=1
        ),
        Changes("b", "c", ("acme/back",), ("acme/brief", "acme/gone"), left_out=2),
        Changes("c", "d", deprecated=("acme/m", "acme/z"), updated=(price[1], status[0])),
        Changes("d", "e", updated=(status[1], change("name", "x", "y", "acme/new"))),
    ]
    assert together(every) == Changes(
        "a",
        "e",
        ("acme/new",),
        ("acme/gone",),
        ("acme/z",),
        (change("cost.input", 1, 3),),
        left_out=3,
    )
    assert together([]) == Changes("", "")


def test_of_what_is_new_or_gone_nothing_else_is_told() -> None:
    ends = change("status", None, "deprecated")
    every = [
        Changes("a", "b", deprecated=("acme/m",), updated=(ends,)),
        Changes("b", "c", removed=("acme/m",)),
        Changes("c", "d", added=("acme/n",)),
        Changes(
            "d",
            "e",
            deprecated=("acme/n",),
            updated=(change("status", None, "deprecated", "acme/n"),),
        ),
    ]
    assert together(every) == Changes("a", "e", ("acme/n",), ("acme/m",))


def test_what_was_deprecated_before_and_is_again_is_no_news() -> None:
    back, again = change("status", "deprecated", None), change("status", None, "deprecated")
    every = [
        Changes("a", "b", updated=(back,)),
        Changes("b", "c", deprecated=("acme/m",), updated=(again,)),
    ]
    assert not together(every)


def test_of_several_providers_globs_never_look_at_the_names_of_models() -> None:
    ids = ("acme/b/m-ai", "acme/my-ai", "z-ai/b/m", "z-ai/glm")
    every = Changes("a", "b", ids, updated=(change("url", "x", "y", "acme/b"),))

    def chosen(glob: str) -> list[str]:
        found = select(every, (glob,), ())
        return [*found.added, *(one.id for one in found.updated)]

    assert chosen("*ai") == ["z-ai/b/m", "z-ai/glm"]
    assert chosen("acme/b") == ["acme/b/m-ai", "acme/b"]
    assert chosen("*/b") == ["acme/b/m-ai", "z-ai/b/m", "acme/b"]
    assert chosen("acme") == ["acme/b/m-ai", "acme/my-ai", "acme/b"]


def test_a_selection_goes_by_globs_of_providers_and_by_parts_of_fields() -> None:
    every = Changes(
        "a",
        "b",
        ("acme/new", "other/new"),
        updated=(
            change("url", "x", "y", "acme"),
            change("cost.input", 1, 2),
            change("cost.input", 1, 2, "acme-eu/m"),
        ),
        at=datetime(2026, 7, 2, tzinfo=UTC),
    )

    def ids(*providers: str, fields: tuple[str, ...] = ()) -> list[str]:
        found = select(every, providers, fields)
        return [*found.added, *(one.id for one in found.updated)]

    assert ids() == ["acme/new", "other/new", "acme", "acme/m", "acme-eu/m"]
    assert ids("acme") == ["acme/new", "acme", "acme/m"]
    assert ids("acme*", fields=("cost",)) == ["acme/m", "acme-eu/m"]
    assert ids("acme", "other", fields=("cost.input", "url")) == ["acme", "acme/m"]
    assert ids(fields=("cos",)) == []
